//! What the roster's orders ask for, each carried out by a future of its own: an attempt, a claim,
//! a look at what is configured.
//!
//! Whatever ends such a future early, a panic or the end of the engine, the roster hears of it, so
//! that no slot stays held by nobody.

use crate::attempt::run_attempt;
use crate::claim::claim;
use crate::engine::Engine;
use crate::observe::Happening;
use crate::roster::{AttemptNumber, Brought, Ceded, Ended, Facts, InHand, Order, Owner, ToClaim};
use std::sync::Arc;
use std::time::Duration;
use store::rows::{ApplicationRef, EndpointRow, RegistryRow};
use store::{Lane, Scope, Sole};

/// A lane in which something ended that must not is left alone for so long: whatever it was would
/// probably happen again.
const LONG_REST: Duration = Duration::from_secs(30);

/// Carries orders out.
pub(crate) fn carry_out(engine: &Arc<Engine>, orders: Vec<Order>) {
    for order in orders {
        match order {
            Order::Attempt(number, in_hand) => attempt(engine.clone(), number, in_hand),
            Order::Claim(lane, wanted) => bring(engine.clone(), lane, wanted),
            Order::Learn(lane) => learn(engine.clone(), lane),
            Order::Own(scopes) => own(engine.clone(), scopes),
        }
    }
}

fn attempt(engine: Arc<Engine>, number: AttemptNumber, in_hand: Box<InHand>) {
    let (lane, key) = (in_hand.lane(), in_hand.claimed.delivery.key);
    let due = in_hand.claimed.delivery.due;
    let otherwise = Otherwise::new(engine.clone(), move |engine| {
        engine.observer.tell(Happening::LetGo(lane.endpoint, key));
        let ended = Ended {
            due: Some(due),
            rest: Some(LONG_REST),
            ..Ended::NOT_SENT
        };
        engine.tell(|roster| roster.ended(number, ended));
    });
    engine.clone().spawn(async move {
        let otherwise = otherwise;
        engine.observer.tell(Happening::Started(lane.endpoint, key));
        let ended = run_attempt(&engine, *in_hand).await;
        otherwise.call_off();
        engine.tell(|roster| roster.ended(number, ended));
    });
}

fn bring(engine: Arc<Engine>, lane: Lane, wanted: ToClaim) {
    let otherwise = Otherwise::new(engine.clone(), move |engine| {
        let brought = Brought {
            more: true,
            rest: Some(LONG_REST),
            ..Brought::default()
        };
        claim_ended(engine, lane, brought);
    });
    engine.clone().spawn(async move {
        let otherwise = otherwise;
        let brought = claim(&engine, lane, wanted).await;
        otherwise.call_off();
        let happening = Happening::Claimed(lane.endpoint, brought.deliveries.len());
        claim_ended(&engine, lane, brought);
        engine.observer.tell(happening);
    });
}

fn claim_ended(engine: &Arc<Engine>, lane: Lane, brought: Brought) {
    for in_hand in engine.tell(|roster| roster.claimed(lane, brought)) {
        engine.let_go(in_hand);
    }
}

fn learn(engine: Arc<Engine>, lane: Lane) {
    let otherwise = Otherwise::new(engine.clone(), move |engine| {
        learned(engine, lane, None);
    });
    engine.clone().spawn(async move {
        let otherwise = otherwise;
        let key = ApplicationRef::Key(lane.application);
        let found = engine.parts.registry.find(&key).await;
        otherwise.call_off();
        let facts = match found {
            Ok(row) => Some(facts(row.as_deref(), lane)),
            Err(error) => {
                tracing::warn!(%error, application = ?lane.application, "can't look up a lane");
                None
            }
        };
        learned(&engine, lane, facts);
    });
}

fn learned(engine: &Arc<Engine>, lane: Lane, facts: Option<Facts>) {
    for in_hand in engine.tell(|roster| roster.learned(lane, facts)) {
        engine.let_go(in_hand);
    }
}

fn own(engine: Arc<Engine>, scopes: Vec<Scope>) {
    let unknown = |scopes: &[Scope]| scopes.iter().map(|one| (*one, Owner::Unknown)).collect();
    let unanswered: Vec<(Scope, Owner)> = unknown(&scopes);
    let otherwise = Otherwise::new(engine.clone(), move |engine| {
        engine.tell(|roster| roster.owned(unanswered));
    });
    engine.clone().spawn(async move {
        let otherwise = otherwise;
        let answers = match engine.parts.store.own(&scopes).await {
            Ok(rights) => {
                let owner = |right: Option<Sole>| right.map_or(Owner::Elsewhere, Owner::Here);
                scopes
                    .into_iter()
                    .zip(rights.into_iter().map(owner))
                    .collect()
            }
            Err(error) => {
                tracing::warn!(%error, lanes = scopes.len(), "can't find out whose lanes are");
                unknown(&scopes)
            }
        };
        otherwise.call_off();
        let ceded = engine.tell(|roster| roster.owned(answers));
        cede(&engine, ceded).await;
    });
}

/// Lets go of what other nodes alone are to work on. Nobody else would see what is still this
/// node's, so that the roster must hear of it if it is.
async fn cede(engine: &Engine, ceded: Vec<Ceded>) {
    let mut lanes = Vec::with_capacity(ceded.len());
    for Ceded { lane, waiting } in ceded {
        lanes.push(lane);
        for in_hand in waiting {
            engine.let_go(in_hand);
        }
    }
    for lane in lanes {
        if let Err(error) = engine.parts.store.release(lane).await {
            tracing::warn!(%error, endpoint = ?lane.endpoint, "can't let go of a lane");
            engine.tell(|roster| roster.not_released(lane));
        }
    }
}

fn facts(row: Option<&RegistryRow>, lane: Lane) -> Facts {
    let live = row
        .and_then(|row| row.endpoint(lane.endpoint))
        .filter(|row| !row.endpoint.disabled);
    let host = |row: &EndpointRow| {
        let url = url::Url::parse(&row.endpoint.url).ok()?;
        url.host_str().map(Arc::from)
    };
    Facts {
        live: live.is_some(),
        host: live.and_then(host),
        rate_limit: live.and_then(|row| row.endpoint.rate_limit),
        allowed_rate: live.and_then(EndpointRow::per_minute),
        application_rate_limit: row.and_then(|row| row.application.application.rate_limit),
    }
}

/// Does something when it is dropped, unless it was called off.
struct Otherwise<F: FnOnce(&Arc<Engine>)> {
    engine: Arc<Engine>,
    act: Option<F>,
}

impl<F: FnOnce(&Arc<Engine>)> Otherwise<F> {
    fn new(engine: Arc<Engine>, act: F) -> Self {
        Self {
            engine,
            act: Some(act),
        }
    }

    fn call_off(mut self) {
        self.act = None;
    }
}

impl<F: FnOnce(&Arc<Engine>)> Drop for Otherwise<F> {
    fn drop(&mut self) {
        if let Some(act) = self.act.take() {
            act(&self.engine);
        }
    }
}
