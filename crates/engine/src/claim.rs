//! Asking the store what is due: of one lane, when its turn has come and it has room, and of all
//! lanes, at the start and now and then, in case one was missed, or another node left something.
//!
//! Never asks for what is due first among all: a million due deliveries of a dead endpoint must not
//! stand before another's.

use crate::engine::Engine;
use crate::observe::Happening;
use crate::roster::{Brought, InHand, ToClaim};
use model::Timestamp;
use model::id::EndpointKey;
use std::time::Duration;
use store::rows::{ApplicationRef, CLAIM_BYTES_MAX, Claimed, LaneDue};
use store::{Lane, StoreError};

/// How many lanes are read at a time.
const PAGE: usize = 500;
/// Looking through all lanes takes at most this part of the time: one twentieth.
const SURVEY_SHARE: u32 = 20;
/// But the next look never waits longer for that: a database that stood still makes one look long,
/// and what other nodes left behind would wait for minutes.
const SURVEY_PAUSE_MAX: Duration = Duration::from_secs(10);
/// A lane is left alone for so long when the store could not answer.
const REST: Duration = Duration::from_secs(1);

/// Claims what is due of a lane, and asks when the next one is, where that is wanted.
pub(crate) async fn claim(engine: &Engine, lane: Lane, wanted: ToClaim) -> Brought {
    let (revision, claimed) = match take_hold(engine, lane, wanted.limit).await {
        Ok(claimed) => claimed,
        Err(error) => return failed(&error, lane, Brought::default()),
    };
    let bytes: usize = claimed.iter().map(|one| one.message.payload.bytes()).sum();
    let more = claimed.len() >= wanted.limit || bytes >= CLAIM_BYTES_MAX;
    let in_hand = |claimed| InHand::new(claimed, None, revision);
    let mut brought = Brought {
        deliveries: claimed.into_iter().map(in_hand).collect(),
        more,
        ..Brought::default()
    };
    if wanted.next_due && !more {
        match earliest(engine, lane).await {
            Ok(due) => brought.next_due = due,
            Err(error) => return failed(&error, lane, brought),
        }
    }
    brought
}

/// Claims, and says which revision the application had before.
async fn take_hold(
    engine: &Engine,
    lane: Lane,
    limit: usize,
) -> Result<(u64, Vec<Claimed>), StoreError> {
    let parts = &engine.parts;
    let application = ApplicationRef::Key(lane.application);
    let row = parts.registry.find(&application).await?;
    let revision = row.map_or(0, |row| row.application.revision);
    let claimed = parts.store.claim(lane, parts.clock.now(), limit).await?;
    Ok((revision, claimed))
}

fn failed(error: &StoreError, lane: Lane, brought: Brought) -> Brought {
    tracing::warn!(%error, endpoint = ?lane.endpoint, "can't claim what is due");
    Brought {
        more: true,
        rest: Some(REST),
        ..brought
    }
}

/// When a lane's earliest delivery is due that nobody holds.
async fn earliest(engine: &Engine, lane: Lane) -> Result<Option<Timestamp>, StoreError> {
    let before = EndpointKey::from_integer(lane.endpoint.integer() - 1);
    let found = engine.parts.store.lanes(before, 1).await?;
    let this = found
        .first()
        .filter(|found| found.endpoint == lane.endpoint);
    Ok(this.map(|found| found.due))
}

/// Looks through all lanes, again and again; where that takes long, less often.
pub(crate) async fn survey_lanes(engine: &Engine) {
    loop {
        let begun = engine.parts.clock.monotonic();
        let pause = match survey(engine).await {
            Ok(()) => {
                let took = engine.parts.clock.monotonic().saturating_sub(begun);
                pause_after(took, engine.config.look_every())
            }
            Err(error) => {
                tracing::warn!(%error, "can't look through the lanes");
                REST
            }
        };
        engine.tell(|roster| roster.forget_idle());
        tokio::time::sleep(pause).await;
    }
}

/// How long after a look the next one begins.
fn pause_after(took: Duration, look_every: Duration) -> Duration {
    look_every.max((took * SURVEY_SHARE).min(SURVEY_PAUSE_MAX))
}

async fn survey(engine: &Engine) -> Result<(), StoreError> {
    let mut after = EndpointKey::MIN;
    loop {
        let page = engine.parts.store.lanes(after, PAGE).await?;
        note(engine, &page);
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.endpoint,
            _ => break,
        }
    }
    engine.looked();
    engine.observer.tell(Happening::Surveyed);
    Ok(())
}

/// Tells the roster of lanes that have deliveries waiting in the store.
pub(crate) fn note(engine: &Engine, lanes: &[LaneDue]) {
    if lanes.is_empty() {
        return;
    }
    engine.tell(|roster| {
        for found in lanes {
            let lane = Lane {
                application: found.application,
                endpoint: found.endpoint,
            };
            roster.waiting_from(lane, found.due);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_took_long_delays_the_next_but_never_for_minutes() {
        let every = Duration::from_secs(1);
        for (took_ms, pause_ms) in [(1, 1_000), (50, 1_000), (100, 2_000), (8_000, 10_000)] {
            let pause = pause_after(Duration::from_millis(took_ms), every);
            assert_eq!(pause, Duration::from_millis(pause_ms), "{took_ms} ms");
        }
        let seldom = Duration::from_secs(60);
        assert_eq!(pause_after(Duration::from_secs(8), seldom), seldom);
    }
}
