//! Rules of queries that every store keeps: what passes, and how statistics are counted.

use super::*;
use std::collections::BTreeMap;
use std::str::FromStr;

fn name(text: &str) -> Name {
    Name::from_str(text).unwrap()
}

#[test]
fn a_message_passes_what_names_all_that_is_asked_for() {
    let (channels, tags) = ("north south", "blue");
    let types = |texts: &[&str]| Some(texts.iter().map(|text| name(text)).collect());
    let word = |text: &str| Some(name(text));
    let words = types;
    for (event_types, channels_asked, tag, passes) in [
        (None, None, None, true),
        (types(&["order.sent", "order.paid"]), None, None, true),
        (types(&["order.sent"]), None, None, false),
        (types(&[]), None, None, false),
        (None, words(&["south"]), None, true),
        (None, words(&["sou"]), None, false),
        (None, words(&["east", "north"]), None, true),
        (None, words(&[]), None, false),
        (None, words(&["blue"]), None, false),
        (None, None, word("blue"), true),
        (
            types(&["order.paid"]),
            words(&["north"]),
            word("blue"),
            true,
        ),
        (
            types(&["order.paid"]),
            words(&["north"]),
            word("red"),
            false,
        ),
    ] {
        let filter = MessageFilter {
            event_types,
            channels: channels_asked,
            tag,
        };
        let found = filter.passes("order.paid", channels, tags);
        assert_eq!(found, passes, "{filter:?}");
    }
}

#[test]
fn statistics_are_counted_once_whatever_the_span() {
    const MINUTE: i64 = 60_000_000;
    let at = |minute: i64| Timestamp::from_micros(1_767_225_600_000_000 + minute * MINUTE);
    let attempts: Vec<Timestamp> = (0..300).step_by(7).map(at).collect();
    let mut rollup = BTreeMap::new();
    for time in &attempts {
        *rollup.entry(time.micros().div_euclid(HOUR)).or_insert(0) += 1;
    }
    let now = at(300);
    for since in (-10..310).step_by(5) {
        for until in (-10..310).step_by(5) {
            let (since, until) = (at(since), at(until));
            let query = StatisticsQuery {
                endpoint: EndpointKey::MIN,
                since,
                until,
            };
            let spans = query.spans(now);
            let whole: usize = rollup
                .iter()
                .filter(|(hour, _)| spans.hours.contains(hour))
                .map(|(_, attempts)| attempts)
                .sum();
            let ragged = attempts
                .iter()
                .filter(|time| {
                    let key = AttemptKey::first_at(**time);
                    spans.edges.iter().any(|edge| edge.contains(&key))
                })
                .count();
            let expected = attempts
                .iter()
                .filter(|time| (since..until).contains(time))
                .count();
            assert_eq!(
                whole + ragged,
                expected,
                "{since:?} to {until:?}: {spans:?}"
            );
        }
    }
}
