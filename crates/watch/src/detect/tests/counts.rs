//! Rules that count.

use super::*;

const BAD: SecurityKind = SecurityKind::IngestSignatureInvalid;

fn found(observations: impl IntoIterator<Item = Observation>) -> Vec<Finding> {
    observe_all(&mut Detection::new(Config::default()), observations)
}

#[test]
fn an_address_that_fails_too_often_in_a_while_is_told_once() {
    for (count, every, expected) in [(49, 1, 0), (50, 1, 1), (500, 1, 1), (500, 60, 0), (3, 1, 0)] {
        let tries = (0..count).map(|n| refused(BAD, "192.0.2.7", MONDAY + n * every));
        let found = found(tries);
        assert_eq!(found.len(), expected, "{count} every {every} s");
        for finding in found {
            assert_eq!(finding.rule, "brute-force-by-address");
            assert_eq!(finding.subject, source());
            assert_eq!(finding.remote_address, Some(address("192.0.2.7")));
            assert_eq!(
                finding.explanation,
                "192.0.2.7 tries what doesn't fit; usual within 15 minutes: none; now: 50 \
                 failures, since 2026-01-05T00:00:00Z"
            );
        }
    }
}

#[test]
fn what_is_not_tried_is_no_failure_and_a_holder_of_a_network_is_one_address() {
    let kinds = [
        (SecurityKind::AuthenticationFailed, 1),
        (SecurityKind::RevokedKeyUsed, 1),
        (SecurityKind::IngestCredentialsInvalid, 1),
        (SecurityKind::IngestMalformed, 0),
        (SecurityKind::IngestRateLimited, 0),
        (SecurityKind::TrafficAnomaly, 0),
    ];
    for (kind, expected) in kinds {
        let tries = (0..60).map(|n| refused(kind, &format!("2001:db8:1:1::{n}"), MONDAY + n));
        assert_eq!(found(tries).len(), expected, "{kind:?}");
    }
}

#[test]
fn what_an_address_does_every_day_is_usual_of_it_and_what_it_did_once_is_not() {
    let mut detection = Detection::new(Config::default());
    let mut days = Vec::new();
    for day in 0..6 {
        let count = if day == 5 { 200 } else { 60 };
        let tries = (0..count).map(|n| refused(BAD, "192.0.2.7", MONDAY + day * DAY + n));
        let found = observe_all(&mut detection, tries);
        days.push((found.len(), found.last().map(|one| one.explanation.clone())));
    }
    let counts: Vec<_> = days.iter().map(|(count, _)| *count).collect();
    assert_eq!(counts, [1, 1, 0, 0, 0, 1]);
    let last = days[5].1.as_deref().unwrap();
    assert!(
        last.contains("at most 60 failures; now: 181 failures"),
        "{last}"
    );
}

#[test]
fn many_addresses_at_one_place_are_told_once() {
    for (addresses, expected) in [(9, 0), (10, 1), (200, 1)] {
        let tries = (0..addresses).map(|n| refused(BAD, &format!("192.0.2.{n}"), MONDAY + n * 10));
        let found = found(tries);
        let expected = vec!["brute-force-by-source"; expected];
        assert_eq!(rules(&found), expected, "{addresses}");
    }
}

#[test]
fn many_replays_are_told_once_also_from_many_addresses_of_a_provider() {
    for (replays, expected) in [(24, 0), (25, 1), (90, 1)] {
        let kinds = [
            SecurityKind::IngestReplayed,
            SecurityKind::IngestTimestampStale,
        ];
        let replay = |n: i64| {
            let kind = kinds[n as usize % 2];
            refused(kind, &format!("192.0.2.{n}"), MONDAY + n * 10)
        };
        let expected = vec!["replay-burst"; expected];
        assert_eq!(
            rules(&found((0..replays).map(replay))),
            expected,
            "{replays}"
        );
    }
}

#[test]
fn secrets_that_are_read_after_a_url_was_changed_are_told_once() {
    let change = || destination(1, "a.example", (true, MONDAY));
    let (first, second) = (MONDAY + 60, MONDAY + 120);
    let table = [
        (vec![change(), secret_read("ep_1", "app_1", first)], 0),
        (
            vec![
                change(),
                secret_read("ep_1", "app_1", first),
                secret_read("ep_2", "app_1", second),
                secret_read("ep_3", "app_1", second),
            ],
            1,
        ),
        (
            vec![
                change(),
                secret_read("ep_1", "app_1", first),
                secret_read("ep_1", "app_1", second),
            ],
            0,
        ),
        (
            vec![
                change(),
                secret_read("ep_1", "app_1", first),
                secret_read("ep_2", "somebody else", second),
            ],
            0,
        ),
        (
            vec![
                destination(1, "a.example", (false, MONDAY)),
                secret_read("ep_1", "app_1", first),
                secret_read("ep_2", "app_1", second),
            ],
            0,
        ),
        (
            vec![
                destination(2, "a.example", (true, MONDAY)),
                secret_read("ep_1", "app_1", first),
                secret_read("ep_2", "app_1", second),
            ],
            0,
        ),
        (
            vec![
                change(),
                secret_read("ep_1", "app_1", MONDAY + HOUR),
                secret_read("ep_2", "app_1", MONDAY + HOUR + 1),
            ],
            0,
        ),
    ];
    for (number, (observations, expected)) in table.into_iter().enumerate() {
        let expected = vec!["url-change-then-secrets"; expected];
        assert_eq!(rules(&found(observations)), expected, "{number}");
    }
}

#[test]
fn many_applications_at_one_new_host_are_told_once_and_a_host_that_many_have_is_usual() {
    let mut detection = Detection::new(Config::default());
    let mut day = |day: i64, host: &str, applications: i64| {
        let added = |n: i64| destination(n, host, (false, MONDAY + day * DAY + n));
        rules(&observe_all(&mut detection, (0..applications).map(added)))
    };
    assert_eq!(day(0, "hooks.example", 8), [""; 0], "all is new");
    assert_eq!(day(1, "Hooks.Example.", 20), [""; 0], "all is new");
    assert_eq!(day(8, "other.example", 4), [""; 0]);
    assert_eq!(day(9, "thief.example", 5), ["shared-host"]);
    assert_eq!(day(9, "thief.example", 30), [""; 0], "it was told");
    assert_eq!(day(9, "hooks.example", 50), [""; 0], "twenty are usual");
    assert_eq!(day(10, "hooks.example", 151), ["shared-host"]);
}

#[test]
fn a_caller_that_reads_or_sends_again_very_much_is_told_and_what_it_always_does_is_usual() {
    for (what, least, rule) in [
        (Bulk::Export, 10_000, "mass-export"),
        (Bulk::Replay, 5_000, "mass-replay"),
    ] {
        let mut detection = Detection::new(Config::default());
        let mut day = |day: i64, pages: u64| {
            let page = |n: u64| bulk(what, 1_000, MONDAY + day * DAY + n as i64);
            rules(&observe_all(&mut detection, (0..pages).map(page)))
        };
        assert_eq!(day(0, 50), [""; 0], "all is new");
        assert_eq!(day(8, 60), [""; 0], "fifty thousand are usual");
        assert_eq!(day(9, 181), [rule]);
        assert_eq!(day(9, 181), [""; 0], "it was told");
        assert_eq!(day(40, least / 1_000 - 1), [""; 0]);
        assert_eq!(
            day(70, least / 1_000),
            [rule],
            "what was usual is forgotten"
        );
    }
}
