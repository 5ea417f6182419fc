//! Whatever happens, in whatever order, nothing is stuck and nothing is held for ever.

use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Accept(i64),
    End(usize, u8),
    Bring(usize, usize, bool),
    Pass(u64),
    Change(i64),
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0i64..8).prop_map(Step::Accept),
        6 => (0usize..100, 0u8..5).prop_map(|(index, how)| Step::End(index, how)),
        3 => (0usize..4, 0usize..9, any::<bool>()).prop_map(|(i, n, more)| Step::Bring(i, n, more)),
        2 => (0u64..3_000).prop_map(Step::Pass),
        1 => (0i64..3).prop_map(Step::Change),
        1 => Just(Step::Forget),
    ];
    prop::collection::vec(step, 0..150)
}

fn ending(how: u8) -> Ended {
    let how = match how {
        0 => How::Failure,
        1 => How::Overload,
        2 => How::TimedOut,
        3 => How::NotSent,
        _ => How::Success,
    };
    Ended {
        how,
        ..success(if how == How::TimedOut { 30_000 } else { 5 })
    }
}

/// Brings everything to its end, and expects that nothing is left behind.
fn finish(mut table: Table) -> Result<(), TestCaseError> {
    for _ in 0..400 {
        while !table.claims.is_empty() {
            table.bring(0, 0, false);
        }
        table.end_all(success(5));
        table.pass(Duration::from_secs(1));
    }
    prop_assert_eq!(table.roster.held(), 0);
    prop_assert_eq!(table.roster.queued(), 0);
    prop_assert_eq!(table.roster.bytes, 0);
    prop_assert!(table.roster.in_flight.is_empty());
    prop_assert!(table.roster.alarms.is_empty());
    prop_assert!(table.roster.claim_line.is_empty());
    table.pass(Duration::from_secs(100));
    table.tell(Roster::forget_idle);
    prop_assert_eq!(table.roster.lane_counts(), (0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn whatever_happens_nothing_is_stuck_or_held_for_ever(
        steps in steps(),
        small: bool,
        few_lanes: bool,
        shared: bool,
    ) {
        let mut table = Table::new(EngineConfig {
            queue_bytes_max: if small { 3_000 } else { 32 << 20 },
            lanes_max: if few_lanes { 2 } else { 65_536 },
            shared,
            ..config()
        });
        for endpoint in 0..8 {
            let facts = Facts {
                rate_limit: NonZeroU16::new((endpoint as u16 % 3) * 5),
                application_rate_limit: NonZeroU16::new((endpoint as u16 % 2) * 7),
                ..facts(["a.example", "b.example"][endpoint as usize % 2])
            };
            table.facts.insert(EndpointKey::from_integer(endpoint), facts);
        }
        for step in steps {
            match step {
                Step::Accept(endpoint) => { table.accept(lane(endpoint % 3, endpoint)); }
                Step::End(index, how) if !table.attempts.is_empty() => {
                    table.end(index % table.attempts.len(), ending(how));
                }
                Step::Bring(index, count, more) if !table.claims.is_empty() => {
                    table.bring(index % table.claims.len(), count, more && count > 0);
                }
                Step::End(..) | Step::Bring(..) => {}
                Step::Pass(millis) => table.pass(Duration::from_millis(millis)),
                Step::Change(application) => {
                    let application = ApplicationKey::from_integer(application);
                    table.tell(|roster| roster.changed(application));
                }
                Step::Forget => table.tell(Roster::forget_idle),
            }
            prop_assert_eq!(table.roster.held(), table.attempts.len() + table.claims.len());
            prop_assert!(table.roster.held() <= 16);
            prop_assert!(table.claims.len() <= 2);
            let at_a = table.attempts.iter().filter(|(_, in_hand)| {
                in_hand.lane().endpoint.integer() % 2 == 0
            });
            prop_assert!(at_a.count() <= 8);
        }
        finish(table)?;
    }
}
