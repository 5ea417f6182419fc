//! Where other nodes change what is configured, and tell nobody here.

use super::*;

pub(super) fn shared() -> EngineConfig {
    EngineConfig {
        shared: true,
        ..config()
    }
}

pub(super) fn limited(per_second: u16) -> Facts {
    Facts {
        rate_limit: NonZeroU16::new(per_second),
        ..facts("a.example")
    }
}

/// How many attempts are under way, of four that wait two seconds after the rate limit came.
fn begun_after_a_limit_came(config: EngineConfig) -> usize {
    let mut table = Table::new(config).with(lane(1, 1), facts("a.example"));
    table.accept(lane(1, 1));
    table.end_all(success(5));
    table.facts.insert(lane(1, 1).endpoint, limited(1));
    table.pass(Duration::from_secs(2));
    for _ in 0..4 {
        table.hand_over(lane(1, 1));
    }
    table.attempts.len()
}

#[test]
fn what_is_known_of_a_lane_is_looked_up_again_when_it_is_old() {
    let begun = begun_after_a_limit_came(shared());
    assert!(begun <= 2, "{begun}: the turn itself does not wait for it");
    assert_eq!(begun_after_a_limit_came(config()), 4);
}

#[test]
fn a_lane_goes_on_while_it_is_looked_up_again() {
    let mut table = Table::new(shared());
    table.accept(lane(1, 1));
    table.pass(Duration::from_secs(2));
    for _ in 0..2 {
        let in_hand = table.delivery(lane(1, 1), Trigger::Scheduled);
        table.roster.at(table.now).hand_over(in_hand);
    }
    let orders = table.roster.orders(true);
    let learns = |order: &&Order| matches!(order, Order::Learn(_));
    assert_eq!(orders.iter().filter(learns).count(), 1, "{orders:?}");
    assert_eq!(orders.len(), 3, "and two attempts: {orders:?}");
}

#[test]
fn what_changed_while_it_was_looked_up_again_is_looked_up_once_more() {
    let mut table = Table::new(shared());
    table.accept(lane(1, 1));
    table.end_all(success(5));
    table.pass(Duration::from_secs(2));
    let in_hand = table.delivery(lane(1, 1), Trigger::Scheduled);
    table.roster.at(table.now).hand_over(in_hand);
    let orders = table.roster.orders(true);
    assert!(matches!(orders[..], [Order::Learn(_), Order::Attempt(..)]));
    table.roster.changed(lane(1, 1).application);
    let in_hand = table.delivery(lane(1, 1), Trigger::Scheduled);
    table.roster.at(table.now).hand_over(in_hand);
    assert!(table.roster.orders(true).is_empty(), "it waits for that");
    table.roster.learned(lane(1, 1), Some(facts("a.example")));
    assert!(matches!(table.roster.orders(true)[..], [Order::Learn(_)]));
    table.roster.learned(lane(1, 1), Some(facts("a.example")));
    let orders = table.roster.orders(true);
    assert!(matches!(orders[..], [Order::Attempt(..)]), "{orders:?}");
}

#[test]
fn an_endpoint_that_went_elsewhere_is_left_alone_once_that_is_known() {
    let mut table = Table::new(shared());
    table.accept(lane(1, 1));
    table.end_all(success(5));
    table.facts.insert(lane(1, 1).endpoint, Facts::default());
    table.pass(Duration::from_secs(2));
    table.tell(|roster| roster.waiting(lane(1, 1), Timestamp::MIN));
    table.bring(0, 0, true);
    table.pass(Duration::from_secs(10));
    assert_eq!(table.claims, [], "background work ends its deliveries");
    table.pass(Duration::from_secs(20));
    table.bring(0, 1, false);
    assert!(table.attempts[0].1.left_over);
}
