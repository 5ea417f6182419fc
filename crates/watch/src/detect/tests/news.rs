//! What is new at a source.

use super::*;

#[test]
fn what_is_new_at_a_source_that_has_long_had_the_same_is_told_once() {
    for (first, last, expected) in [
        // Days on which it was known, and on which something new comes.
        (0, 6, ""),
        (0, 8, "told"),
        (0, 40, "told"),
    ] {
        let mut detection = Detection::new(Config::default());
        for day in first..last {
            let same = came_in("order.paid", "192.0.2.9", MONDAY + day * DAY);
            assert_eq!(detection.observe(same), []);
        }
        let time = MONDAY + last * DAY;
        let new_type = detection.observe(came_in("refund.forced", "192.0.2.200", time));
        let new_network = detection.observe(came_in("order.paid", "198.51.100.1", time));
        let again = detection.observe(came_in("refund.forced", "198.51.100.2", time));
        let told = |rule| {
            if expected.is_empty() {
                vec![]
            } else {
                vec![rule]
            }
        };
        assert_eq!(
            rules(&new_type),
            told("new-event-type"),
            "after {last} days"
        );
        assert_eq!(
            rules(&new_network),
            told("new-network"),
            "after {last} days"
        );
        assert_eq!(again, [], "after {last} days");
    }
}

#[test]
fn a_finding_says_what_is_new_and_what_is_usual() {
    let mut detection = Detection::new(Config::default());
    detection.observe(came_in("order.paid", "2001:db8::1", MONDAY));
    let found = detection.observe(came_in("order.paid", "2001:db8:0:1::1", MONDAY + 8 * DAY));
    assert_eq!(
        found[0].explanation,
        "the network 2001:db8:0:1::/64 is new here; usual: 1 network, none new since \
         2026-01-05T00:00:00Z; now: another, since 2026-01-13T00:00:00Z"
    );
}

#[test]
fn a_source_that_gets_new_networks_time_and_again_is_left_alone() {
    let mut detection = Detection::new(Config::default());
    for day in 0..60 {
        let from = format!("192.0.{day}.1");
        let found = detection.observe(came_in("order.paid", &from, MONDAY + day * DAY));
        assert_eq!(found, [], "day {day}");
    }
}

#[test]
fn half_of_its_age_must_nothing_new_have_come() {
    let mut detection = Detection::new(Config::default());
    for (day, from, expected) in [
        (0, "192.0.2.1", 0),
        (12, "192.0.3.1", 1),
        (20, "192.0.4.1", 0),
        (40, "192.0.5.1", 1),
    ] {
        let found = detection.observe(came_in("order.paid", from, MONDAY + day * DAY));
        assert_eq!(found.len(), expected, "day {day}");
    }
}
