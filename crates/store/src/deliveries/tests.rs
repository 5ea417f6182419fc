//! Stories, and where a list looks for what it may show.

use super::*;
use model::delivery::EndReason;
use model::id::Key;

fn told(key: i64, status_code: u16, result: AttemptResult) -> Told {
    Told {
        key: Key::from_integer(key),
        status_code,
        result,
    }
}

fn query() -> DeliveryQuery {
    DeliveryQuery {
        scope: DeliveryScope::All,
        window: DeliveryWindow {
            above: place(0, 0),
            below: place(100, 0),
            ascending: false,
            limit: 10,
        },
        standing: None,
        event_type: None,
        status_codes: None,
    }
}

fn place(message: i64, endpoint: i64) -> DeliveryPosition {
    DeliveryPosition {
        message: Key::from_integer(message),
        endpoint: Key::from_integer(endpoint),
    }
}

#[test]
fn a_story_ends_as_it_was_told_in_whatever_order() {
    let success = told(2, 200, AttemptResult::Success);
    let failure = told(3, 500, AttemptResult::Failure);
    let cancelled = told(4, 0, AttemptResult::Cancelled(EndReason::Cancelled));
    for (attempts, expected, count, last) in [
        (vec![failure], Standing::Failed, 1, failure),
        (vec![failure, cancelled], Standing::Cancelled, 1, cancelled),
        (vec![success, failure], Standing::Delivered, 2, success),
    ] {
        for backwards in [false, true] {
            let mut attempts = attempts.clone();
            if backwards {
                attempts.reverse();
            }
            let mut telling = Telling::default();
            attempts.into_iter().for_each(|one| telling.attempt(one));
            let story = telling.end().expect("there is one");
            assert_eq!((story.standing, story.attempts), (expected, count));
            assert_eq!((story.last, story.next_attempt), (Some(last), None));
        }
    }
    assert_eq!(Telling::default().end(), None);
}

#[test]
fn what_is_open_is_pending_until_its_earliest_attempt() {
    let mut telling = Telling::default();
    for due in [7, 5, 6] {
        telling.open(Timestamp::from_seconds(due));
    }
    let story = telling.clone().end().expect("there is one");
    assert_eq!(story.standing, Standing::Pending);
    assert_eq!(story.next_attempt, Some(Timestamp::from_seconds(5)));
    telling.attempt(told(1, 0, AttemptResult::Failure));
    let story = telling.end().expect("there is one");
    assert_eq!(story.standing, Standing::Retrying);
}

#[test]
fn only_who_asks_for_what_was_delivered_looks_through_all_messages() {
    use Standing::{Cancelled, Delivered, Failed, Pending, Retrying};
    let unfinished = |open, given_up| Among::Unfinished { open, given_up };
    for (standing, codes, expected) in [
        (None, None, Among::Messages),
        (None, Some((200, 300)), Among::Messages),
        (None, Some((500, 600)), unfinished(true, true)),
        (None, Some((0, 100)), unfinished(true, true)),
        (Some(vec![Delivered]), None, Among::Messages),
        (
            Some(vec![Delivered]),
            Some((400, 500)),
            unfinished(false, false),
        ),
        (Some(vec![Pending, Retrying]), None, unfinished(true, false)),
        (Some(vec![Failed]), None, unfinished(false, true)),
        (
            Some(vec![Cancelled]),
            Some((0, 100)),
            unfinished(false, true),
        ),
    ] {
        let query = DeliveryQuery {
            standing: standing.clone(),
            status_codes: codes,
            ..query()
        };
        assert_eq!(query.among(), expected, "{standing:?} {codes:?}");
    }
}

#[test]
fn messages_are_looked_at_that_may_have_something_in_the_window() {
    let lane = |endpoint| {
        DeliveryScope::Endpoint(Lane {
            application: Key::from_integer(1),
            endpoint: Key::from_integer(endpoint),
        })
    };
    let all = DeliveryScope::All;
    let (least, most) = (0, i64::MAX);
    for (scope, above, below, expected) in [
        (all, (5, most), (9, least), (5, 9)),
        (all, (5, 3), (9, 3), (4, 10)),
        (lane(3), (5, 3), (9, 3), (5, 9)),
        (lane(3), (5, 2), (9, 4), (4, 10)),
    ] {
        let mut query = query();
        query.scope = scope;
        query.window.above = place(above.0, above.1);
        query.window.below = place(below.0, below.1);
        let (from, to) = query.messages();
        assert_eq!((from.integer(), to.integer()), expected, "{scope:?}");
    }
}
