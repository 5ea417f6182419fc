//! Counts of slots and hours are the same, however a stretch of time is cut.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const BEGIN: i64 = 500_000 * 12;

fn query(slots: Range<i64>) -> TallyQuery {
    TallyQuery {
        application: Some(ApplicationKey::MIN),
        slots,
        event_types: None,
    }
}

/// What a rollup has of attempts in these slots.
fn rollup(attempts: &[i64]) -> BTreeMap<i64, [u64; SLOTS]> {
    let mut hours: BTreeMap<i64, [u64; SLOTS]> = BTreeMap::new();
    for attempt in attempts {
        let (hour, slot) = hour_of(BEGIN + attempt);
        hours.entry(hour).or_default()[slot] += 1;
    }
    hours
}

proptest! {
    #[test]
    fn buckets_and_stretches_hold_each_attempt_once(
        attempts in prop::collection::vec(-40..120_i64, 0..60),
        start in -50..120_i64,
        length in 0..130_i64,
        width in 1..30_u32,
    ) {
        let hours = rollup(&attempts);
        let query = query(BEGIN + start..BEGIN + start + length);
        let within = |from: i64, to: i64| {
            attempts.iter().filter(|slot| (from..to).contains(*slot)).count() as u64
        };

        let mut timeline = Timeline::new(&query, width);
        for (hour, counted) in hours.range(query.hours()) {
            timeline.add(*hour, 1, *counted);
        }
        let buckets: Vec<u64> = timeline.end().iter().map(|tally| tally.failure).collect();
        let begins = (start..start + length).step_by(width as usize);
        let expected: Vec<u64> = begins
            .map(|from| within(from, (from + i64::from(width)).min(start + length)))
            .collect();
        prop_assert_eq!(&buckets, &expected);

        let counted = query.stretches().into_iter().map(|stretch| {
            let hours = hours.range(stretch.hours.clone());
            hours.map(|(_, slots)| slots[stretch.slots.clone()].iter().sum::<u64>()).sum::<u64>()
        });
        prop_assert_eq!(counted.sum::<u64>(), within(start, start + length));
        prop_assert!(query.stretches().len() <= 3);
    }
}

#[test]
fn whole_hours_are_read_from_one_column_and_parts_from_theirs() {
    let stretches = query(BEGIN + 10..BEGIN + 37).stretches();
    let read: Vec<(i64, String)> = stretches
        .iter()
        .map(|stretch| (stretch.hours.start - BEGIN / 12, stretch.counted()))
        .collect();
    let expected = [
        (0, "coalesce(m50, 0) + coalesce(m55, 0)"),
        (1, "attempts"),
        (3, "coalesce(m00, 0)"),
    ];
    assert_eq!(read, expected.map(|(hour, text)| (hour, text.to_owned())));
}

#[test]
fn an_empty_stretch_of_time_has_nothing() {
    for (start, end) in [(BEGIN, BEGIN), (BEGIN + 3, BEGIN)] {
        let query = query(start..end);
        assert!(query.hours().is_empty() && query.stretches().is_empty());
        assert!(Timeline::new(&query, 3).end().is_empty());
    }
}
