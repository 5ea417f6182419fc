//! Learnt state as bytes, and switches.

use super::*;

/// Something that each rule but those of traffic finds.
fn much() -> Vec<Observation> {
    let bad = |n: i64| refused(SecurityKind::IngestSignatureInvalid, "192.0.2.7", n);
    let many = |n: i64| {
        let from = format!("198.51.{n}.1");
        refused(SecurityKind::IngestSignatureInvalid, &from, MONDAY + n)
    };
    let replay = |n: i64| refused(SecurityKind::IngestReplayed, "192.0.2.7", MONDAY + n);
    let later = MONDAY + 9 * DAY;
    let mut all = vec![came_in("order.paid", "192.0.2.7", MONDAY)];
    all.extend((0..60).map(|n| bad(MONDAY + n)));
    all.extend((0..60).map(many));
    all.extend((0..60).map(replay));
    all.extend((0..9).map(|n| destination(n, "thief.example", (true, later + n))));
    all.extend((0..4).map(|n| secret_read(&format!("ep_{n}"), "app_1", later + 10 + n)));
    all.push(bulk(Bulk::Export, 1_000_000, later + 20));
    all.push(bulk(Bulk::Replay, 1_000_000, later + 20));
    all.push(came_in("refund.forced", "192.0.2.7", later + 20));
    all.push(came_in("order.paid", "203.0.113.1", later + 20));
    all
}

const FOUND: [&str; 9] = [
    "brute-force-by-address",
    "brute-force-by-source",
    "mass-export",
    "mass-replay",
    "new-event-type",
    "new-network",
    "replay-burst",
    "shared-host",
    "url-change-then-secrets",
];

#[test]
fn each_rule_finds_what_it_is_for_and_nothing_when_it_is_off() {
    for off in [""].into_iter().chain(FOUND) {
        let mut config = Config::default();
        if !off.is_empty() {
            config.switch(off, false).unwrap();
        }
        let found = observe_all(&mut Detection::new(config), much());
        let mut rules = rules(&found);
        rules.sort_unstable();
        let expected: Vec<_> = FOUND.into_iter().filter(|rule| *rule != off).collect();
        assert_eq!(rules, expected, "without {off}");
    }
}

#[test]
fn what_was_told_before_a_restart_is_not_told_again() {
    let mut detection = Detection::new(Config::default());
    observe_all(&mut detection, much());
    let state = detection.save();
    let mut restored = Detection::restore(Config::default(), &state).unwrap();
    assert_eq!(restored.save(), state);
    let later = MONDAY + 9 * DAY + HOUR;
    let again = [
        bulk(Bulk::Export, 1_000_000, later),
        bulk(Bulk::Replay, 1_000_000, later),
        came_in("refund.forced", "203.0.113.1", later),
    ];
    assert_eq!(observe_all(&mut restored, again), []);
}

#[test]
fn a_restart_between_a_changed_url_and_the_secrets_that_are_read_hides_nothing() {
    let mut detection = Detection::new(Config::default());
    assert_eq!(
        detection.observe(destination(1, "thief.example", (true, MONDAY))),
        []
    );
    let state = detection.save();
    let mut restored = Detection::restore(Config::default(), &state).unwrap();
    let read = |endpoint, seconds| secret_read(endpoint, "app_1", MONDAY + seconds);
    let found = observe_all(&mut restored, [read("ep_2", 600), read("ep_3", 601)]);
    assert_eq!(rules(&found), ["url-change-then-secrets"]);
    assert_eq!(
        found[0].subject,
        Subject::new(SubjectKind::Endpoint, "ep_1")
    );
    assert_eq!(found[0].application, Some(ApplicationKey::from_integer(1)));
    // What was told is not told again by the next process, nor is what is long over found.
    let mut restored = Detection::restore(Config::default(), &restored.save()).unwrap();
    let again = [read("ep_2", 700), read("ep_3", 701)];
    assert_eq!(observe_all(&mut restored, again), []);
    let mut later = Detection::restore(Config::default(), &state).unwrap();
    let late = [read("ep_2", HOUR), read("ep_3", HOUR + 1)];
    assert_eq!(observe_all(&mut later, late), []);
}

#[test]
fn state_that_is_cut_off_changed_or_of_another_version_is_refused() {
    let mut detection = Detection::new(Config::default());
    observe_all(&mut detection, much());
    let state = detection.save();
    let restore = |state: &[u8]| Detection::restore(Config::default(), state).err();
    assert_eq!(restore(&state), None);
    assert_eq!(restore(&[]), Some(StateError::Version));
    assert_eq!(restore(&state[..state.len() - 1]), Some(StateError::Broken));
    for place in 0..state.len() {
        let mut changed = state.clone();
        changed[place] ^= 0x10;
        assert!(restore(&changed).is_some(), "{place}");
    }
}
