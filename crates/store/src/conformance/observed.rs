//! What is observed of attempts' requests: given back with its attempt as it was recorded, and gone
//! with what it is of.

use super::drafts::{DAY, Ending, HOUR, SECOND, sealed};
use super::reading::attempt_query;
use super::works::{advance, outside, start, take, to};
use super::world::World;
use crate::change::Change;
use crate::query::{AttemptQuery, AttemptScope};
use crate::record::Observed;
use crate::rows::{AttemptRow, Claimed, ObservedRow};
use crate::work::{OutsideKind, SweepLimits, WorkStep};
use crate::{Lane, Sealed};
use model::Timestamp;
use model::chain_seen::{SeenCertificate, ShownChain};
use model::id::{AttemptId, MessageKey};
use model::phases::Phases;
use model::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What a receiver of this name shows: its own certificate, and whose word that is.
pub(super) fn certificates(name: &str) -> Vec<SeenCertificate> {
    let of = |subject: &str, issuer: &str, not_after| SeenCertificate {
        pin: Pin::new([7; 32]),
        subject: format!("CN={subject}"),
        issuer: format!("CN={issuer}"),
        not_after,
    };
    let end = Some(Timestamp::from_micros(1_800_000_000_123_456));
    vec![of(name, "M\u{fc}ller", end), of("M\u{fc}ller", "", None)]
}

/// The same, as it is kept; with a key of its own for each name.
pub(super) fn chain(name: &str) -> Arc<ShownChain> {
    let digest = |_: &[u8]| {
        let mut digest = [0xf0; 32];
        let bytes = name.bytes().zip(&mut digest);
        bytes.for_each(|(byte, place)| *place ^= byte);
        digest
    };
    Arc::new(ShownChain::new(&certificates(name), digest))
}

/// All that can be observed, where a receiver of this name answered.
pub(super) fn all(name: &str) -> Observed {
    Observed {
        phases: phases(),
        head: Some(sealed("retry-after: 5")),
        chain: Some(chain(name)),
    }
}

fn phases() -> Phases {
    Phases {
        reused: false,
        http2: true,
        resolve: Some(Duration::from_micros(1)),
        connect: None,
        tls: Some(Duration::from_micros(128)),
        answer: Some(Duration::from_secs(15)),
        body: Some(Duration::ZERO),
    }
}

pub(super) async fn what_is_observed_is_read_back_as_it_was_recorded(world: &mut World) {
    let lane = world.lane().await;
    let shown = chain("a.example");
    let each = [
        all("a.example"),
        Observed {
            head: Some(sealed("only a head")),
            ..Observed::default()
        },
        Observed {
            phases: phases(),
            ..Observed::default()
        },
        Observed {
            chain: Some(shown),
            ..Observed::default()
        },
        Observed::default(),
    ];
    let mut recorded = Vec::new();
    for observed in each {
        let body = observed.chain.as_ref().map(|_| sealed("thanks"));
        let expected = ObservedRow {
            phases: observed.phases,
            head: observed.head.clone(),
            certificates: match observed.chain {
                Some(_) => certificates("a.example"),
                None => Vec::new(),
            },
        };
        let of = answered(world, lane, (body.clone(), observed)).await;
        recorded.push((of, body, expected));
    }
    world.reopen().await;
    for (of, body, expected) in recorded {
        let row = row(world, lane, of).await;
        assert_eq!(row.excerpt, body);
        assert_eq!(row.observed.as_deref(), Some(&expected));
    }
}

pub(super) async fn attempts_that_saw_the_same_chain_both_give_it_back(world: &mut World) {
    let lane = world.lane().await;
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for name in ["a.example", "b.example", "a.example"] {
        one.push((name, answered(world, lane, (None, all(name))).await));
    }
    world.clock.advance(DAY);
    world.reopen().await;
    for name in ["b.example", "a.example", "c.example"] {
        other.push((name, answered(world, lane, (None, all(name))).await));
    }
    for (name, of) in one.into_iter().chain(other) {
        assert_eq!(shown(world, lane, of).await, certificates(name));
    }
}

pub(super) async fn lists_leave_out_what_is_observed(world: &World) {
    let lane = world.lane().await;
    let body = Some(sealed("thanks"));
    let (message, _) = answered(world, lane, (body, all("a.example"))).await;
    let query = AttemptQuery {
        with_excerpt: true,
        with_message: true,
        ..attempt_query(lane.application, AttemptScope::Message(message, None))
    };
    let rows = world.store().attempts(&query).await;
    let rows = rows.expect("reads go on").rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].excerpt, Some(sealed("thanks")));
    assert_eq!(rows[0].observed, None);
}

pub(super) async fn expunging_what_was_answered_takes_the_head(world: &mut World) {
    let lane = world.lane().await;
    for body in [Some(sealed("thanks")), None] {
        let of = answered(world, lane, (body, all("a.example"))).await;
        let beside = answered(world, lane, (None, all("a.example"))).await;
        let expunge = Change::ExpungeExcerpt {
            application: lane.application,
            message: of.0,
            attempt: of.1,
        };
        world.change(expunge).await;
        world.reopen().await;
        only_the_head_is_gone(&row(world, lane, of).await);
        let beside = observed(row(world, lane, beside).await);
        assert_eq!(beside.head, Some(sealed("retry-after: 5")));
    }
}

pub(super) async fn erasing_a_message_takes_the_heads_of_its_attempts(world: &mut World) {
    let lane = world.lane().await;
    let bodies = [Some(sealed("thanks")), None];
    let mut erased = Vec::new();
    for body in bodies.clone() {
        erased.push(answered(world, lane, (body, all("a.example"))).await);
    }
    let kept = answered(world, lane, (None, all("a.example"))).await;
    let mut under_way = Vec::new();
    for body in bodies {
        under_way.push((world.handed_over(lane).await, body));
    }
    let message = |(claimed, _): &(Claimed, _)| claimed.message.message.id.key();
    let mut messages: Vec<MessageKey> = under_way.iter().map(message).collect();
    messages.extend(erased.iter().map(|of| of.0));
    start(world, None, outside(OutsideKind::Erasure)).await;
    let step = WorkStep {
        erased: messages
            .iter()
            .map(|key| (lane.application, *key))
            .collect(),
        ..to(1)
    };
    advance(world, &take(world).await, step).await;
    // What is answered to them later goes as well.
    for (claimed, body) in under_way {
        erased.push(answer(world, claimed, (body, all("a.example"))).await);
    }
    world.reopen().await;
    for of in erased {
        only_the_head_is_gone(&row(world, lane, of).await);
    }
    let kept = observed(row(world, lane, kept).await);
    assert_eq!(kept.head, Some(sealed("retry-after: 5")));
}

/// Phases and chains tell nothing that anybody sent, and stay.
fn only_the_head_is_gone(row: &AttemptRow) {
    assert_eq!(row.excerpt, Some(sealed("")), "expunged");
    let left = ObservedRow {
        phases: phases(),
        head: None,
        certificates: certificates("a.example"),
    };
    assert_eq!(row.observed.as_deref(), Some(&left));
}

pub(super) async fn a_chain_stays_for_as_long_as_an_attempt_that_names_it(world: &mut World) {
    let lane = world.lane().await;
    let name = "a.example";
    for wait in [HOUR, DAY, 3 * DAY] {
        let first = answered(world, lane, (None, all(name))).await;
        world.clock.advance(wait);
        let keep_since = world.now();
        world.clock.advance(SECOND);
        let later = answered(world, lane, (None, all(name))).await;
        world.clock.advance(HOUR);
        remove(world, keep_since).await;
        let found = found(world, lane, first).await;
        assert!(found.is_none(), "it has reached its age");
        assert_eq!(shown(world, lane, later).await, certificates(name));
    }
    // All went, and what is seen anew is there again.
    world.clock.advance(100 * DAY);
    remove(world, world.now()).await;
    let again = answered(world, lane, (None, all(name))).await;
    assert_eq!(shown(world, lane, again).await, certificates(name));
    world.reopen().await;
    assert_eq!(shown(world, lane, again).await, certificates(name));
}

async fn remove(world: &World, keep_since: Timestamp) {
    let limits = SweepLimits {
        keep_since,
        rows_max: 2,
    };
    world.sweep(limits).await;
}

/// A message to whose one attempt so much was answered, of which so much was observed.
async fn answered(
    world: &World,
    lane: Lane,
    with: (Option<Sealed>, Observed),
) -> (MessageKey, AttemptId) {
    let claimed = world.handed_over(lane).await;
    answer(world, claimed, with).await
}

async fn answer(
    world: &World,
    claimed: Claimed,
    (body, observed): (Option<Sealed>, Observed),
) -> (MessageKey, AttemptId) {
    let message = claimed.message.message.id.key();
    let mut outcome = world.outcome(claimed, Ending::GivenUp);
    outcome.attempt.excerpt = body;
    outcome.attempt.observed = observed;
    (message, world.record(outcome).await.attempt)
}

async fn found(world: &World, lane: Lane, of: (MessageKey, AttemptId)) -> Option<AttemptRow> {
    let found = world.store().attempt(lane.application, of.0, of.1).await;
    found.expect("reads go on")
}

async fn row(world: &World, lane: Lane, of: (MessageKey, AttemptId)) -> AttemptRow {
    found(world, lane, of).await.expect("attempts stay")
}

fn observed(row: AttemptRow) -> ObservedRow {
    *row.observed.expect("it is read with its attempt")
}

async fn shown(world: &World, lane: Lane, of: (MessageKey, AttemptId)) -> Vec<SeenCertificate> {
    observed(row(world, lane, of).await).certificates
}
