//! What is asked for together, and what a node does with rights that it can't use, or with more
//! lanes than it has room for.

use super::others::{limited, shared};
use super::owning::{application_limited, of_application, of_lane, told_of};
use super::*;
use store::Scope;

/// Tells of all of these lanes at once, and what is configured of them; nothing is asked for yet.
fn all_told_of(table: &mut Table, lanes: &[Lane], facts: &Facts) {
    for lane in lanes {
        let now = table.now.wall;
        table.roster.at(table.now).waiting_from(*lane, now);
    }
    for order in table.roster.orders(true) {
        let Order::Learn(lane) = order else {
            panic!("nothing is known of it: {order:?}");
        };
        table.roster.learned(lane, Some(facts.clone()));
    }
}

/// What is asked for now.
fn asked(table: &mut Table) -> Option<Vec<Scope>> {
    let orders = table.roster.at(table.now).orders(true);
    let mut asked = orders.into_iter().filter_map(|order| match order {
        Order::Own(scopes) => Some(scopes),
        _ => None,
    });
    let first = asked.next();
    assert!(asked.next().is_none(), "one question at a time");
    first
}

fn answer(table: &mut Table, scopes: Vec<Scope>) -> Vec<Ceded> {
    let answers = scopes.iter().map(|scope| (*scope, table.owner(*scope)));
    let answers = answers.collect();
    table.roster.at(table.now).owned(answers)
}

#[test]
fn however_many_lanes_need_a_right_they_ask_together() {
    let mut table = Table::new(shared());
    let lanes: Vec<Lane> = (1..=1_200).map(|number| lane(number, number)).collect();
    all_told_of(&mut table, &lanes, &limited(100));
    let (mut groups, mut seen) = (Vec::new(), BTreeSet::new());
    while let Some(scopes) = asked(&mut table) {
        assert_eq!(asked(&mut table), None, "an answer is outstanding");
        groups.push(scopes.len());
        seen.extend(scopes.iter().copied());
        answer(&mut table, scopes);
    }
    assert_eq!(groups, [500, 500, 200]);
    assert_eq!(seen, lanes.into_iter().map(of_lane).collect());
}

#[test]
fn lanes_of_an_application_wait_for_the_same_answer() {
    let mut table = Table::new(shared());
    let lanes = [lane(1, 1), lane(1, 2), lane(1, 3)];
    all_told_of(&mut table, &lanes, &application_limited(100));
    let scopes = asked(&mut table).expect("they need one");
    assert_eq!(scopes, [of_application(lane(1, 1))]);
    table.elsewhere.extend(scopes.iter().copied());
    let ceded = answer(&mut table, scopes);
    let ceded: BTreeSet<Lane> = ceded.iter().map(|ceded| ceded.lane).collect();
    assert_eq!(ceded, BTreeSet::from(lanes));
}

#[test]
fn what_could_not_be_found_out_is_asked_again_after_a_rest() {
    let mut table = Table::new(shared());
    all_told_of(&mut table, &[lane(1, 1)], &limited(100));
    let scopes = asked(&mut table).expect("it needs one");
    let unknown = scopes.iter().map(|scope| (*scope, Owner::Unknown));
    let ceded = table.roster.owned(unknown.collect());
    assert!(ceded.is_empty() && asked(&mut table).is_none());
    table.now.mono += Duration::from_secs(1);
    assert_eq!(asked(&mut table), Some(scopes));
}

#[test]
fn a_right_that_comes_when_the_limit_is_gone_is_given_up_at_once() {
    let mut table = Table::new(shared()).with(lane(1, 1), limited(100));
    table.accept(lane(1, 1));
    table.bring(0, 0, false);
    table.lease.ended.store(true, Ordering::SeqCst);
    table.now.mono += Duration::from_secs(2);
    let now = table.now.wall;
    table.roster.at(table.now).waiting(lane(1, 1), now);
    let orders = table.roster.orders(true);
    let [Order::Learn(learning), Order::Own(scopes)] = &orders[..] else {
        panic!("it is looked up again beside its turn: {orders:?}");
    };
    table.roster.learned(*learning, Some(facts("a.example")));
    table.lease = Arc::default();
    answer(&mut table, scopes.clone());
    assert_eq!(*table.lease.given_up.lock().unwrap(), scopes[..]);
}

#[test]
fn a_right_that_comes_when_the_engine_ends_is_given_up_at_once() {
    let mut table = Table::new(shared());
    all_told_of(&mut table, &[lane(1, 1)], &limited(100));
    let scopes = asked(&mut table).expect("it needs one");
    table.roster.close();
    answer(&mut table, scopes.clone());
    assert_eq!(*table.lease.given_up.lock().unwrap(), scopes[..]);
}

/// A roster that has room for two lanes, both with an attempt in flight: one that is limited by
/// what is known of it, and another's.
fn full(facts: Facts) -> Table {
    let config = EngineConfig {
        lanes_max: 2,
        ..shared()
    };
    let mut table = Table::new(config).with(lane(1, 1), facts);
    table.accept(lane(1, 1));
    assert_eq!((table.bring(0, 1, false), table.asked), (1, 1));
    assert!(table.hand_over(lane(2, 2)));
    assert_eq!(table.roster.lane_counts(), (2, 0));
    table
}

#[test]
fn a_lane_on_a_full_roster_is_looked_at_when_the_store_tells_of_it() {
    let mut table = full(limited(100));
    told_of(&mut table, lane(3, 3));
    assert_eq!(table.claims, [], "there is no room");
    told_of(&mut table, lane(1, 1));
    assert_eq!(table.claims.len(), 1, "nobody else may");
}

#[test]
fn an_application_s_right_is_used_for_all_its_lanes_however_full_the_roster() {
    let mut table = full(application_limited(100)).with(lane(1, 4), application_limited(100));
    told_of(&mut table, lane(3, 3));
    assert_eq!(table.claims, [], "there is no room");
    told_of(&mut table, lane(1, 4));
    assert_eq!(table.claims[0].0, lane(1, 4), "nobody else may");
    assert_eq!(table.asked, 1);
    table.bring(0, 0, false);
    table.lease.ended.store(true, Ordering::SeqCst);
    told_of(&mut table, lane(1, 5));
    assert_eq!(table.claims, [], "others may now");
}
