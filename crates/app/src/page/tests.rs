//! Lists over rows in memory, walked as a store walks them.

use super::*;
use model::id::{MessageId, MessageKind};
use proptest::prelude::*;

const DAY: Duration = Duration::from_secs(86_400);
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn id(number: i64) -> MessageId {
    Id::new(Key::from_integer(number), [9; 12])
}

fn text(number: i64) -> String {
    id(number).to_string()
}

/// Walks `keys` as a store does, looking at `examined_max` rows at most.
fn walk(
    keys: &[i64],
    window: Window<MessageKind>,
    examined_max: usize,
    passes: fn(i64) -> bool,
) -> Walk<MessageId, Key<MessageKind>> {
    let mut inside: Vec<i64> = keys
        .iter()
        .copied()
        .filter(|key| (window.above.integer() + 1..window.below.integer()).contains(key))
        .collect();
    inside.sort_unstable();
    if !window.ascending {
        inside.reverse();
    }
    let mut rows = Vec::new();
    let mut examined = None;
    let mut looked_at = 0;
    for key in &inside {
        if rows.len() == window.limit || looked_at == examined_max {
            break;
        }
        looked_at += 1;
        examined = Some(Key::from_integer(*key));
        if passes(*key) {
            rows.push(id(*key));
        }
    }
    Walk {
        rows,
        examined,
        more: looked_at < inside.len(),
    }
}

fn list(input: &ListInput, natural: Order, keys: &[i64]) -> Page<i64> {
    let part = Part::<MessageKind>::of_all(input, natural).expect("a good input");
    let page = part.page(walk(keys, part.window(), usize::MAX, |_| true), |id| *id);
    page.map(|id| id.key().integer())
}

fn input(limit: u64, iterator: Option<String>) -> ListInput {
    ListInput {
        limit: Some(limit),
        iterator,
        ..ListInput::default()
    }
}

#[test]
fn pages_follow_one_another_in_either_order() {
    let keys = [1, 2, 3, 4, 5];
    for (order, pages) in [
        (Order::Ascending, [[1, 2], [3, 4]]),
        (Order::Descending, [[5, 4], [3, 2]]),
    ] {
        let first = list(&input(2, None), order, &keys);
        assert_eq!(first.data, pages[0]);
        assert!(!first.done);
        assert_eq!(first.prev_iterator, Some(format!("-{}", text(pages[0][0]))));
        let second = list(&input(2, first.iterator), order, &keys);
        assert_eq!(second.data, pages[1]);
        let third = list(&input(2, second.iterator), order, &keys);
        assert_eq!(third.data.len(), 1);
        assert!(third.done);
        assert!(third.iterator.is_some(), "so that a client can poll on");
    }
}

#[test]
fn a_page_backwards_keeps_the_natural_order() {
    let keys = [1, 2, 3, 4, 5];
    let back = list(
        &input(2, Some(format!("-{}", text(4)))),
        Order::Ascending,
        &keys,
    );
    assert_eq!(back.data, [2, 3]);
    assert_eq!(back.iterator, Some(text(3)));
    assert_eq!(back.prev_iterator, Some(format!("-{}", text(2))));
    assert!(!back.done, "1 is before it");
    let first = list(&input(2, back.prev_iterator), Order::Ascending, &keys);
    assert_eq!(first.data, [1]);
    assert!(first.done);
}

#[test]
fn the_order_asked_for_turns_the_whole_list() {
    let mut asked = input(2, None);
    asked.order = Some(Order::Descending);
    assert_eq!(list(&asked, Order::Ascending, &[1, 2, 3]).data, [3, 2]);
    asked.iterator = Some(format!("-{}", text(1)));
    assert_eq!(list(&asked, Order::Ascending, &[1, 2, 3]).data, [3, 2]);
}

#[test]
fn empty_pages_say_whether_there_is_anything() {
    let nothing = list(&input(50, None), Order::Ascending, &[]);
    assert_eq!(
        (nothing.iterator, nothing.prev_iterator, nothing.done),
        (None, None, true)
    );
    let none_asked_for = list(&input(0, None), Order::Ascending, &[1]);
    assert_eq!(none_asked_for.data, [0; 0]);
    assert_eq!(
        (none_asked_for.iterator, none_asked_for.done),
        (None, false)
    );
    assert!(list(&input(0, None), Order::Ascending, &[]).done);
}

#[test]
fn a_walk_that_stopped_early_is_gone_on_with_where_it_stopped() {
    let keys: Vec<i64> = (1..=20).collect();
    for backwards in [false, true] {
        let mut seen = Vec::new();
        let mut iterator = backwards.then(|| format!("-{}", text(21)));
        loop {
            let part = Part::of_all(&input(5, iterator), Order::Ascending).expect("a good input");
            let page = part.page(walk(&keys, part.window(), 3, |key| key % 7 == 0), |id| *id);
            assert!(page.data.is_sorted());
            seen.extend(page.data.iter().map(|id| id.key().integer()));
            if page.done {
                break;
            }
            iterator = if backwards {
                page.prev_iterator
            } else {
                page.iterator
            };
            assert!(iterator.is_some(), "there is more, and a way to get there");
        }
        seen.sort_unstable();
        assert_eq!(seen, [7, 14], "backwards: {backwards}");
    }
}

#[test]
fn the_last_page_ends_with_its_last_row_whatever_was_passed_over() {
    let keys = [1, 2, 3, 4, 5];
    let part = Part::of_all(&input(5, None), Order::Ascending).expect("a good input");
    let page = part.page(
        walk(&keys, part.window(), usize::MAX, |key| key == 2),
        |id| *id,
    );
    assert_eq!(page.iterator, Some(text(2)));
    assert!(page.done);
}

#[test]
fn an_empty_page_with_more_behind_it_leads_on_only() {
    let keys = [1, 2, 3, 4, 5];
    for backwards in [false, true] {
        let start = backwards.then(|| format!("-{}", text(6)));
        let part = Part::of_all(&input(5, start), Order::Ascending).expect("a good input");
        let page = part.page(walk(&keys, part.window(), 2, |_| false), |id| *id);
        let zeros = |key| Id::<MessageKind>::new(Key::from_integer(key), [0; 12]).to_string();
        let expected = match backwards {
            false => (Some(zeros(2)), None),
            true => (None, Some(format!("-{}", zeros(4)))),
        };
        assert_eq!((page.iterator, page.prev_iterator), expected);
        assert!(!page.done);
    }
}

proptest! {
    /// Whatever is in a list, however long its pages are and however soon a walk stops: going on
    /// from page to page shows every row once, in order, in either direction.
    #[test]
    fn pages_together_are_the_list(
        keys in proptest::collection::btree_set(1i64..1_000, 0..60),
        limit in 1u64..20,
        examined_max in 1usize..20,
        (newest_first, backwards) in (any::<bool>(), any::<bool>()),
    ) {
        let keys: Vec<i64> = keys.into_iter().collect();
        let natural = if newest_first { Order::Descending } else { Order::Ascending };
        let beyond = if newest_first { 0 } else { 1_000 };
        let mut iterator = backwards.then(|| format!("-{}", text(beyond)));
        let mut seen: Vec<Vec<i64>> = Vec::new();
        for turn in 0.. {
            prop_assert!(turn <= keys.len(), "it comes to an end");
            let part = Part::of_all(&input(limit, iterator), natural).expect("a good input");
            let walk = walk(&keys, part.window(), examined_max, |key| key % 3 != 0);
            let page = part.page(walk, |id| *id);
            prop_assert!(page.data.len() as u64 <= limit);
            seen.push(page.data.iter().map(|id| id.key().integer()).collect());
            if page.done {
                break;
            }
            iterator = if backwards { page.prev_iterator } else { page.iterator };
        }
        if backwards {
            seen.reverse();
        }
        let mut expected: Vec<i64> = keys.into_iter().filter(|key| key % 3 != 0).collect();
        if newest_first {
            expected.reverse();
        }
        prop_assert_eq!(seen.concat(), expected);
    }
}

#[test]
fn bad_input_is_refused_for_its_reason() {
    let too_many = Part::<MessageKind>::of_all(&input(251, None), Order::Ascending);
    let Err(AppError::Invalid(violations)) = too_many else {
        panic!("251 rows are too many");
    };
    assert_eq!(violations[0].location, ["query", "limit", "limit"]);
    assert_eq!(violations[0].message, "Given limit must not exceed 250");
    for iterator in [
        "",
        "-",
        "msg_",
        "app_2d2yYyBqcv3nhV6r8fZKGjvfhnG",
        "msg_zzzzzzzzzzzzzzzzzzzzzzzzzzz",
    ] {
        let part = Part::<MessageKind>::of_recent(&input(1, Some(iterator.to_owned())), NOW);
        assert!(matches!(part, Err(AppError::Invalid(_))), "{iterator}");
    }
}

/// What a list of what happened looks like for rows at these times.
fn recent(input: &ListInput, times: &[Timestamp]) -> (Vec<i64>, bool) {
    let keys: Vec<i64> = times.iter().map(|time| at(*time).integer()).collect();
    let part = Part::<MessageKind>::of_recent(input, NOW).expect("a good input");
    let page = part.page(walk(&keys, part.window(), usize::MAX, |_| true), |id| *id);
    let days = page.data.iter().map(|id| {
        let days = id.key().time().since(NOW.minus(DAY * 1000)).as_secs() / DAY.as_secs();
        i64::try_from(days).expect("small") - 1000
    });
    (days.collect(), page.done)
}

fn at(time: Timestamp) -> Key<MessageKind> {
    Key::from_integer(Key::<MessageKind>::first_at(time).integer() + 1)
}

fn day(offset: i64) -> Timestamp {
    let by = DAY * u32::try_from(offset.abs()).expect("small");
    if offset < 0 {
        NOW.minus(by)
    } else {
        NOW.plus(by)
    }
}

#[test]
fn what_happened_is_looked_at_for_90_days() {
    let times: Vec<Timestamp> = [-200, -150, -100, -80, -40, -10, 0, 1].map(day).to_vec();
    let iterator = |offset, back| {
        let id = MessageId::new(at(day(offset)), [0; 12]);
        Some(if back {
            format!("-{id}")
        } else {
            id.to_string()
        })
    };
    let cases = [
        // (iterator, before, after) -> days
        ((None, None, None), vec![0, -10, -40, -80]),
        ((None, Some(-90), None), vec![-100, -150]),
        ((None, None, Some(-160)), vec![-80, -100, -150]),
        ((None, Some(-20), Some(-90)), vec![-40, -80]),
        ((iterator(-40, false), None, None), vec![-80, -100]),
        ((iterator(-150, true), None, None), vec![-80, -100]),
        ((iterator(-40, false), None, Some(-90)), vec![-80]),
        ((iterator(-40, false), Some(-5), None), vec![-80]),
    ];
    for ((iterator, before, after), expected) in cases {
        let input = ListInput {
            iterator,
            before: before.map(day),
            after: after.map(day),
            ..ListInput::default()
        };
        assert_eq!(recent(&input, &times).0, expected, "{input:?}");
    }
}

#[test]
fn after_alone_begins_with_the_oldest() {
    let times: Vec<Timestamp> = [-40, -30, -20, -10].map(day).to_vec();
    let input = ListInput {
        limit: Some(2),
        after: Some(day(-35)),
        ..ListInput::default()
    };
    assert_eq!(recent(&input, &times), (vec![-20, -30], false));
}

#[test]
fn a_row_of_the_very_time_that_after_names_is_shown() {
    let input = ListInput {
        after: Some(day(-30)),
        ..ListInput::default()
    };
    assert_eq!(recent(&input, &[day(-30)]).0, [-30]);
}
