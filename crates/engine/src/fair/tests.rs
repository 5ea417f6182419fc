//! Claims about whose turn it is.

use super::*;
use proptest::prelude::*;

fn lane(application: i64, endpoint: i64) -> Lane {
    Lane {
        application: ApplicationKey::from_integer(application),
        endpoint: EndpointKey::from_integer(endpoint),
    }
}

fn key(endpoint: i64) -> EndpointKey {
    EndpointKey::from_integer(endpoint)
}

/// Gives out slots until nobody may have one, and says to whom.
fn deal(fair: &mut Fair) -> Vec<i64> {
    let turn = || {
        let next = fair.next()?;
        fair.take(next);
        Some(next.integer())
    };
    std::iter::from_fn(turn).collect()
}

#[test]
fn applications_share_evenly_however_many_endpoints_they_have() {
    let mut fair = Fair::new(12);
    for endpoint in 10..20 {
        fair.set(lane(1, endpoint), Pace::Quick, true);
    }
    fair.set(lane(2, 20), Pace::Quick, true);
    let dealt = deal(&mut fair);
    assert_eq!(dealt.len(), 12);
    assert_eq!(dealt.iter().filter(|endpoint| **endpoint == 20).count(), 6);
    assert_eq!(dealt.iter().filter(|endpoint| **endpoint == 10).count(), 1);
}

#[test]
fn a_newcomer_gets_the_next_slots_that_come_free() {
    let mut fair = Fair::new(4);
    fair.set(lane(1, 10), Pace::Quick, true);
    assert_eq!(deal(&mut fair), [10, 10, 10, 10]);
    fair.set(lane(2, 20), Pace::Quick, true);
    assert_eq!(deal(&mut fair), [0; 0]);
    for _ in 0..2 {
        fair.give_back(key(10));
        assert_eq!(deal(&mut fair), [20]);
    }
}

#[test]
fn among_equals_the_one_that_waited_longest_goes() {
    let mut fair = Fair::new(1);
    for endpoint in [10, 11, 12] {
        fair.set(lane(1, endpoint), Pace::Quick, true);
    }
    let mut turns = Vec::new();
    for _ in 0..6 {
        turns.extend(deal(&mut fair));
        fair.give_back(key(turns[turns.len() - 1]));
    }
    assert_eq!(turns, [10, 11, 12, 10, 11, 12]);
}

#[test]
fn slow_lanes_hold_at_most_half() {
    let mut fair = Fair::new(100);
    for application in 1..=60 {
        fair.set(lane(application, 100 + application), Pace::Slow, true);
    }
    assert_eq!(deal(&mut fair).len(), 50);
    fair.set(lane(99, 999), Pace::Quick, true);
    let dealt = deal(&mut fair);
    assert_eq!(dealt, [999; 50]);
}

#[test]
fn one_application_leaves_slow_slots_for_others() {
    let mut fair = Fair::new(100);
    for endpoint in 100..200 {
        fair.set(lane(1, endpoint), Pace::Slow, true);
    }
    // The last one is taken while 43 are held and 7 are free.
    assert_eq!(deal(&mut fair).len(), 44);
    fair.set(lane(2, 200), Pace::Slow, true);
    assert_eq!(deal(&mut fair)[0], 200);
}

#[test]
fn dead_lanes_leave_slow_slots_for_a_new_one_of_the_same_application() {
    let mut fair = Fair::new(100);
    for endpoint in 100..108 {
        fair.set(lane(1, endpoint), Pace::Slow, true);
    }
    assert_eq!(deal(&mut fair).len(), 38, "three quarters of the half");
    fair.set(lane(1, 200), Pace::Slow, true);
    assert_eq!(deal(&mut fair), [200]);
}

#[test]
fn a_first_slot_is_found_behind_an_application_that_wants_a_further_one() {
    let mut fair = Fair::new(100);
    fair.set(lane(1, 10), Pace::Slow, true);
    for endpoint in 100..115 {
        fair.set(lane(2, endpoint), Pace::Slow, true);
    }
    deal(&mut fair);
    fair.set(lane(2, 200), Pace::Slow, true);
    assert_eq!(deal(&mut fair), [200]);
}

#[test]
fn a_lane_that_turns_slow_takes_its_slots_with_it() {
    let mut fair = Fair::new(4);
    fair.set(lane(1, 10), Pace::Quick, true);
    assert_eq!(deal(&mut fair).len(), 4);
    fair.set(lane(1, 10), Pace::Slow, true);
    assert_eq!((fair.paces[0].held, fair.paces[1].held), (0, 4));
    fair.set(lane(1, 11), Pace::Slow, true);
    fair.give_back(key(10));
    assert_eq!(deal(&mut fair), [0; 0], "slow lanes hold three of four");
    fair.set(lane(1, 12), Pace::Quick, true);
    assert_eq!(deal(&mut fair), [12]);
}

#[test]
fn new_lanes_get_slots_while_quick_ones_are_busy() {
    let mut fair = Fair::new(10);
    fair.set(lane(1, 10), Pace::Quick, true);
    assert_eq!(deal(&mut fair).len(), 10);
    fair.set(lane(1, 11), Pace::Slow, true);
    fair.give_back(key(10));
    assert_eq!(deal(&mut fair), [11]);
}

#[test]
fn a_paused_application_stands_aside_until_it_is_resumed() {
    let mut fair = Fair::new(2);
    fair.set(lane(1, 10), Pace::Quick, true);
    fair.pause(lane(1, 10).application);
    fair.set(lane(1, 11), Pace::Quick, true);
    assert_eq!(deal(&mut fair), [0; 0]);
    fair.resume(lane(1, 10).application);
    assert_eq!(deal(&mut fair), [10, 11]);
}

#[test]
fn one_slot_is_enough_for_a_lane_of_which_nothing_is_known() {
    let mut fair = Fair::new(1);
    fair.set(lane(1, 10), Pace::Slow, true);
    assert_eq!(deal(&mut fair), [10]);
}

#[derive(Debug, Clone)]
enum Step {
    Set(i64, bool, bool),
    Deal,
    GiveBack(usize),
    Pause(i64),
    Resume(i64),
    Forget(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0i64..12, any::<bool>(), any::<bool>()).prop_map(|(e, q, r)| Step::Set(e, q, r)),
        2 => Just(Step::Deal),
        4 => any::<prop::sample::Index>().prop_map(|index| Step::GiveBack(index.index(1_000))),
        1 => (0i64..4).prop_map(Step::Pause),
        1 => (0i64..4).prop_map(Step::Resume),
        1 => (0i64..12).prop_map(Step::Forget),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn slots_are_neither_lost_nor_made(steps in steps()) {
        let mut fair = Fair::new(10);
        let mut held: Vec<i64> = Vec::new();
        for step in steps {
            match step {
                Step::Set(endpoint, quick, ready) => {
                    let pace = if quick { Pace::Quick } else { Pace::Slow };
                    fair.set(lane(endpoint % 4, endpoint), pace, ready);
                }
                Step::Deal => held.extend(deal(&mut fair)),
                Step::GiveBack(_) if held.is_empty() => {}
                Step::GiveBack(index) => {
                    let endpoint = held.swap_remove(index % held.len());
                    fair.give_back(key(endpoint));
                }
                Step::Pause(application) => fair.pause(lane(application, 0).application),
                Step::Resume(application) => fair.resume(lane(application, 0).application),
                Step::Forget(endpoint) => fair.forget(key(endpoint)),
            }
            prop_assert_eq!(fair.held(), held.len());
            prop_assert!(held.len() <= 10);
        }
        for endpoint in held.drain(..) {
            fair.give_back(key(endpoint));
        }
        for endpoint in 0..12 {
            fair.set(lane(endpoint % 4, endpoint), Pace::Quick, false);
            fair.forget(key(endpoint));
        }
        prop_assert!(fair.lanes.is_empty());
        prop_assert!(fair.paces.iter().all(|half| half.applications.is_empty()));
        prop_assert!(fair.paces.iter().all(|half| half.order.is_empty() && half.first.is_empty()));
    }
}
