//! What guards promise, held against the one in memory, and what a reservation adds to it.

use super::*;
use crate::provider::ReplayKey;
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Barrier;
use std::thread;

pub(super) const NOW: i64 = 1_764_000_000;
pub(super) const UNTIL: i64 = NOW + 600;

pub(super) fn key(id: &str) -> Key {
    Key::of("source", &ReplayKey::Id(id.into()))
}

fn reserve(guard: &Arc<InMemory>, ids: &[&str]) -> Result<Reservation, ReserveError> {
    let keys: Vec<_> = ids.iter().map(|id| key(id)).collect();
    Reservation::new(guard.clone(), &keys, NOW, UNTIL)
}

fn guard() -> Arc<InMemory> {
    Arc::new(InMemory::new(8))
}

#[test]
fn keys_of_other_sources_and_kinds_are_others() {
    let content = ReplayKey::Content(*b"12345678901234567890123456789012");
    let id = ReplayKey::Id("12345678901234567890123456789012".into());
    let keys = [
        Key::of("a", &content),
        Key::of("a", &id),
        Key::of_unsigned_id("a", "12345678901234567890123456789012"),
        Key::of("b", &content),
        Key::of("ab", &ReplayKey::Id("c".into())),
        Key::of("a", &ReplayKey::Id("bc".into())),
    ];
    for (place, key) in keys.iter().enumerate() {
        assert!(!keys[..place].contains(key), "{place}");
    }
    assert_eq!(keys[0], Key::of("a", &content));
}

#[test]
fn what_is_dropped_is_given_back_and_what_is_confirmed_is_seen() {
    let guard = guard();
    let held = reserve(&guard, &["a"]).expect("new");
    let busy = reserve(&guard, &["a"]);
    assert!(matches!(busy, Err(ReserveError::InProgress)));
    drop(held);
    let held = reserve(&guard, &["a"]).expect("given back");
    held.confirm().expect("held");
    let seen = reserve(&guard, &["a"]);
    assert!(matches!(seen, Err(ReserveError::Seen { key: 0 })));
}

#[test]
fn a_panic_gives_back_what_was_reserved() {
    let guard = guard();
    let held = reserve(&guard, &["a"]).expect("new");
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _held = held;
        panic!("the handler fails");
    }));
    assert!(failed.is_err());
    assert!(guard.is_empty());
}

#[test]
fn several_keys_are_reserved_together_or_not_at_all() {
    let guard = guard();
    reserve(&guard, &["b"])
        .expect("new")
        .confirm()
        .expect("held");
    let refused = reserve(&guard, &["a", "b"]);
    assert!(matches!(refused, Err(ReserveError::Seen { key: 1 })));
    reserve(&guard, &["a"])
        .expect("given back")
        .confirm()
        .expect("held");
    let refused = reserve(&guard, &["a", "c"]);
    assert!(matches!(refused, Err(ReserveError::Seen { key: 0 })));
    let held = reserve(&guard, &["c", "d"]).expect("new");
    held.confirm().expect("held");
    for id in ["c", "d"] {
        let seen = reserve(&guard, &[id]);
        assert!(matches!(seen, Err(ReserveError::Seen { key: 0 })), "{id}");
    }
}

#[test]
fn a_key_is_forgotten_after_its_time_and_not_before() {
    let guard = guard();
    reserve(&guard, &["a"])
        .expect("new")
        .confirm()
        .expect("held");
    assert_eq!(
        guard.reserve(&key("a"), UNTIL, UNTIL).ok(),
        Some(Reserve::Seen)
    );
    let after = guard.reserve(&key("a"), UNTIL + 1, UNTIL + 600);
    assert!(matches!(after, Ok(Reserve::Reserved(_))));
    assert_eq!(guard.len(), 1);
}

#[test]
fn who_is_late_ends_nobody_elses_reservation() {
    let guard = guard();
    let reserved = |now, until| match guard.reserve(&key("a"), now, until) {
        Ok(Reserve::Reserved(ticket)) => ticket,
        other => panic!("{other:?}"),
    };
    let late = reserved(NOW, UNTIL);
    let current = reserved(UNTIL + 1, UNTIL + 600);
    guard.release(&key("a"), late);
    let refused = guard.confirm(&key("a"), late);
    assert!(matches!(refused, Err(GuardError::Over)));
    let busy = guard.reserve(&key("a"), UNTIL + 1, UNTIL + 600);
    assert_eq!(busy.ok(), Some(Reserve::InProgress));
    guard.confirm(&key("a"), current).expect("its own");
    guard.release(&key("a"), current);
    let seen = guard.reserve(&key("a"), UNTIL + 1, UNTIL + 600);
    assert_eq!(seen.ok(), Some(Reserve::Seen));
}

#[test]
fn a_full_guard_takes_nothing_new_and_forgets_nothing_early() {
    let guard = Arc::new(InMemory::new(2));
    for id in ["a", "b"] {
        reserve(&guard, &[id])
            .expect("new")
            .confirm()
            .expect("held");
    }
    let full = reserve(&guard, &["c"]);
    let error = full.expect_err("there is no room");
    assert!(matches!(
        error,
        ReserveError::Guard(GuardError::Full { entries_max: 2 })
    ));
    let seen = reserve(&guard, &["a"]);
    assert!(matches!(seen, Err(ReserveError::Seen { .. })));
    let later = guard.reserve(&key("c"), UNTIL + 1, UNTIL + 600);
    assert!(matches!(later, Ok(Reserve::Reserved(_))));
}

#[test]
fn of_many_threads_one_has_the_key() {
    const THREADS: usize = 8;
    let guard = Arc::new(InMemory::new(1_000));
    for round in 0..50 {
        let id = format!("msg_{round}");
        let start = Barrier::new(THREADS);
        let won = thread::scope(|scope| {
            let try_once = || {
                start.wait();
                // Held to the end of the round, so that none is given back in between.
                reserve(&guard, &[&id]).ok()
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(try_once)).collect();
            let results = threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"));
            results.collect::<Vec<_>>()
        });
        assert_eq!(won.iter().flatten().count(), 1, "{id}");
    }
}

/// What is asked of a guard, and of the simple model that it is held against.
#[derive(Clone, Debug)]
enum Step {
    Reserve { id: u8, seconds: i64 },
    Confirm { held: usize },
    Release { held: usize },
    Wait { seconds: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4_u8, 0..20_i64).prop_map(|(id, seconds)| Step::Reserve { id, seconds }),
        (0..4_usize).prop_map(|held| Step::Confirm { held }),
        (0..4_usize).prop_map(|held| Step::Release { held }),
        (0..10_i64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

proptest! {
    #[test]
    fn it_answers_as_a_list_of_what_happened_would(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let guard = InMemory::new(100);
        let mut now = NOW;
        // By key: until when, and by which ticket it is reserved, if it isn't confirmed.
        let mut model: HashMap<u8, (i64, Option<Ticket>)> = HashMap::new();
        let mut tickets = Vec::new();
        for step in steps {
            match step {
                Step::Wait { seconds } => now += seconds,
                Step::Reserve { id, seconds } => {
                    model.retain(|_, (until, _)| *until >= now);
                    let answer = guard.reserve(&key(&id.to_string()), now, now + seconds);
                    let answer = answer.expect("there is room");
                    match (model.get(&id), answer) {
                        (None, Reserve::Reserved(ticket)) => {
                            model.insert(id, (now + seconds, Some(ticket)));
                            tickets.push((id, ticket));
                        }
                        (Some((_, Some(_))), Reserve::InProgress)
                        | (Some((_, None)), Reserve::Seen) => {}
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
                Step::Confirm { held } => {
                    let Some(&(id, ticket)) = tickets.get(held) else { continue };
                    let entry = model.get_mut(&id).filter(|entry| entry.1 == Some(ticket));
                    let done = guard.confirm(&key(&id.to_string()), ticket);
                    prop_assert_eq!(done.is_ok(), entry.is_some());
                    if let Some(entry) = entry {
                        entry.1 = None;
                    }
                }
                Step::Release { held } => {
                    let Some(&(id, ticket)) = tickets.get(held) else { continue };
                    guard.release(&key(&id.to_string()), ticket);
                    model.retain(|other, entry| *other != id || entry.1 != Some(ticket));
                }
            }
            prop_assert_eq!(guard.len(), model.len());
        }
    }
}
