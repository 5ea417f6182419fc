//! Whatever is told, in whatever order and at whatever times: nothing panics, and what is kept is
//! bounded.

use super::*;
use model::name::Name;
use proptest::prelude::*;

fn times() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => MONDAY..MONDAY + 40 * DAY,
        1 => any::<i64>(),
        1 => Just(i64::MIN),
        1 => Just(i64::MAX),
    ]
}

fn subjects() -> impl Strategy<Value = Subject> {
    let kinds = prop::sample::select(SubjectKind::ALL.to_vec());
    (kinds, "[a-z]{0,3}|.{0,400}").prop_map(|(kind, id)| Subject::new(kind, id))
}

fn observations() -> impl Strategy<Value = Observation> {
    let text = || "[a-b]{0,2}|.{0,300}";
    let kinds = prop::sample::select(SecurityKind::ALL.to_vec());
    let keys = (0_i64..9).prop_map(ApplicationKey::from_integer);
    let names = prop::option::of("[a-c]{1,2}".prop_map(|name| name.parse::<Name>().unwrap()));
    prop_oneof![
        (kinds, subjects(), any::<Option<IpAddr>>(), times()).prop_map(
            |(kind, subject, address, time)| {
                let event = SecurityEvent::new(kind, subject, Timestamp::from_micros(time), "");
                Observation::Event(event.from_address(address))
            }
        ),
        (subjects(), times(), any::<u64>(), any::<u64>()).prop_map(|(of, time, total, failed)| {
            let at = at(time);
            #[rustfmt::skip]
            return Observation::Traffic(Traffic { of, at, total, failed });
        }),
        (subjects(), names, any::<IpAddr>(), times()).prop_map(
            |(source, event_type, address, time)| Observation::CameIn {
                source,
                event_type,
                address,
                at: at(time),
            }
        ),
        (subjects(), keys.clone(), text(), any::<bool>(), times()).prop_map(
            |(endpoint, application, host, changed, time)| Observation::Destination {
                endpoint,
                application,
                host,
                changed,
                at: at(time),
            }
        ),
        (subjects(), prop::option::of(keys.clone()), text(), times()).prop_map(
            |(endpoint, application, by, time)| Observation::SecretRead {
                endpoint,
                application,
                by,
                at: at(time),
            }
        ),
        (
            text(),
            prop::option::of(keys),
            any::<bool>(),
            any::<u64>(),
            times()
        )
            .prop_map(
                |(by, application, is_export, count, time)| Observation::Bulk {
                    by,
                    application,
                    what: if is_export {
                        Bulk::Export
                    } else {
                        Bulk::Replay
                    },
                    count,
                    at: at(time),
                }
            ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_that_is_told_breaks_it_and_what_was_learnt_is_read_back(
        told in prop::collection::vec((observations(), times(), any::<bool>()), 0..80),
    ) {
        let mut detection = Detection::new(Config::default());
        for (observation, time, passes) in told {
            detection.observe(observation);
            if passes {
                detection.pass(at(time));
            }
        }
        let state = detection.save();
        let restored = Detection::restore(Config::default(), &state);
        prop_assert_eq!(restored.map(|restored| restored.save()).ok(), Some(state));
    }

    #[test]
    fn whatever_state_is_given_it_is_taken_or_refused(
        body in prop::collection::vec(any::<u8>(), 0..400),
        time in times(),
    ) {
        let state = super::super::bytes::tests::summed(&body);
        if let Ok(mut detection) = Detection::restore(Config::default(), &state) {
            detection.pass(at(time));
            detection.observe(came_in("order.paid", "192.0.2.1", MONDAY));
        }
    }
}

#[test]
fn a_flood_of_what_was_never_seen_before_is_forgotten_and_bounded() {
    let mut detection = Detection::new(Config::default());
    for n in 0..5_000_u32 {
        let time = MONDAY + i64::from(n);
        let name = format!("{n}{}", "x".repeat(400));
        let place = Subject::new(SubjectKind::Source, &name);
        let from = IpAddr::from((0x0a00_0000 + n).to_be_bytes());
        for kind in [
            SecurityKind::AuthenticationFailed,
            SecurityKind::IngestReplayed,
        ] {
            let event = SecurityEvent::new(kind, place.clone(), at(time), "");
            detection.observe(Observation::Event(event.from_address(Some(from))));
        }
        let (of, at) = (place.clone(), at(time));
        let (total, failed) = (9, 9);
        #[rustfmt::skip]
        detection.observe(Observation::Traffic(Traffic { of, at, total, failed }));
        detection.observe(Observation::CameIn {
            source: place.clone(),
            event_type: None,
            address: from,
            at,
        });
        detection.observe(destination(n.into(), &name, (true, time)));
        detection.observe(bulk(Bulk::Export, 1, time));
        let application = Some(ApplicationKey::from_integer(n.into()));
        detection.observe(Observation::SecretRead {
            endpoint: place,
            application,
            by: name,
            at,
        });
    }
    let kept: Vec<_> = detection.rules.iter().map(|rule| rule.kept()).collect();
    assert_eq!(
        kept,
        [4_096, 512, 2_048, 2_000, 0, 1_024, 1_024, 2_048, 1, 0]
    );
    assert!(detection.save().len() < 20 << 20);
}
