//! The life of a request that comes to a source, step by step.
//!
//! Until it is verified, nothing of it is believed or parsed, and nothing kept but a sample of what
//! is refused, sealed, where the source's owner wants to look at it. What tells a replay is in the
//! commit of its message: whatever ends the process in between loses nothing and burns nothing. It
//! is answered when the message is on disk.

use crate::Shared;
use crate::answer::{public_keys, sealed, timed, written};
use crate::arriving::{Arriving, Peer, Wanted};
use crate::event::{With, incoming};
use crate::meter::{ACCEPTED, ANSWERED, REPEATED};
use crate::refused::Refused;
use app::messages::Durable;
use app::sources::checks::{Came, Verified};
use app::sources::{CameIn, Incoming, OpenSource, ReplayEntry};
use axum::BoxError;
use axum::body::HttpBody;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request};
use model::name::Name;
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::witness::Witnessed;
use std::sync::Arc;

/// What a source is sent to with.
const METHODS: &str = "POST";
/// What its public keys are asked for with.
const KEY_METHODS: &str = "GET";
/// How a source is called that isn't there.
const UNKNOWN: &str = "*";

/// An answer, and what it is counted as.
type Lived = (Response, &'static str);

fn answered(response: Response) -> Lived {
    (response, ANSWERED)
}

/// Takes a request, or refuses it and says so.
pub(crate) async fn receive<B>(gate: &Shared, peer: Peer, request: Request<B>) -> Response
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    let mut arriving = Arriving::new(peer, request);
    let begun = gate.app.clock.monotonic();
    let lived = life(gate, &mut arriving).await;
    let outcome = match &lived {
        Ok((_, outcome)) => outcome,
        Err(refused) => refused.code(),
    };
    let took = gate.app.clock.monotonic().saturating_sub(begun);
    gate.meter.ended(outcome, took);
    if let Some(source) = &arriving.source {
        let now = gate.app.clock.now();
        gate.meter.came(source.source.id, outcome, now);
    }
    let (mut response, at_once, goes_on) = match lived {
        Ok((response, _)) => {
            witness(gate, &arriving, false);
            (response, false, true)
        }
        Err(refused) => {
            note(gate, &arriving, &refused);
            witness(gate, &arriving, true);
            let goes_on = !refused.is_slow || gate.limits.wait().await;
            let at_once = refused.at_once;
            (refused.into_response(), at_once, goes_on)
        }
    };
    if !goes_on || !arriving.read_out(at_once).await {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    sealed(response)
}

/// The life of a request, and what it is counted as.
async fn life<B>(gate: &Shared, arriving: &mut Arriving<B>) -> Result<Lived, Refused>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    let now = gate.app.clock.now();
    let _place = gate.limits.place(arriving.peer.address)?;
    gate.limits.check_address(arriving.peer.address, now)?;
    arriving.check_head()?;

    let Some(source) = find(gate, arriving)? else {
        return Err(Box::pin(unknown(gate, arriving)).await);
    };
    arriving.source = Some(source.clone());
    match (arriving.wanted()?, &arriving.head.method) {
        (Wanted::Source(_), &Method::POST) => {}
        (Wanted::Source(_), _) => return asked(gate, arriving, &source).map(answered),
        (Wanted::Keys(_), &Method::GET) => return public_keys(&source).map(answered),
        (Wanted::Keys(_), _) => return Err(Refused::unknown_method(KEY_METHODS)),
    }
    gate.limits.check_rate(&source, now)?;
    let hops = arriving.hops()?;

    arriving.read(gate).await?;
    let came = match verify(gate, arriving, &source)? {
        Verified::Handshake(answer) => return Ok(answered(written(answer))),
        Verified::Came(came) => came,
    };
    let is_id_signed: Vec<_> = came.iter().map(|one| one.is_id_signed).collect();
    let request = With {
        headers: &arriving.head.headers,
        body: &arriving.body,
        hops,
    };
    let of = |one: Came| incoming(gate, &source, request, one);
    let events: Vec<Incoming> = came.into_iter().map(of).collect();

    let replays: Vec<_> = events.iter().map(|event| event.replay).collect();
    let event_types: Vec<_> = events
        .iter()
        .map(|event| event.event_type.clone())
        .collect();
    let accepted = gate.app.accept_incoming(&source, events).await;
    let accepted = accepted.map_err(|error| Refused::of_error(&error))?;
    let mut came_in = replays.iter().zip(&accepted.made).zip(is_id_signed);
    came_in.try_for_each(|((replay, came_in), is_id_signed)| {
        judge(gate, arriving, (replay, came_in), is_id_signed)
    })?;
    let fresh = event_types.iter().zip(&accepted.made);
    let fresh = fresh.filter(|(_, came_in)| came_in.seen.is_none());
    fresh.for_each(|(event_type, _)| witness_taken(gate, arriving, (&source, event_type)));
    Ok(accepted_answer(gate, arriving, &source, &accepted))
}

fn find<B>(gate: &Shared, arriving: &Arriving<B>) -> Result<Option<Arc<OpenSource>>, Refused>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    let (Wanted::Source(token) | Wanted::Keys(token)) = arriving.wanted()?;
    let found = gate.app.source_by_token(token);
    let found = found.map_err(|error| Refused::of_error(&error))?;
    Ok(found.filter(|source| source.checks.receives()))
}

/// As much is done for a source that isn't there as for a forgery to one that is.
async fn unknown<B>(gate: &Shared, arriving: &mut Arriving<B>) -> Refused
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    match arriving.wanted() {
        Ok(Wanted::Source(_)) if arriving.head.method == Method::POST => {}
        Ok(Wanted::Source(_)) => return Refused::unknown_method(METHODS),
        Ok(Wanted::Keys(_)) if arriving.head.method == Method::GET => return Refused::not_here(),
        Ok(Wanted::Keys(_)) => return Refused::unknown_method(KEY_METHODS),
        Err(refused) => return refused,
    }
    let read = match arriving.hops() {
        Ok(_) => arriving.read(gate).await,
        Err(refused) => Err(refused),
    };
    match read {
        Ok(()) => gate.decoy.refuse(&arriving.body),
        Err(refused) => refused,
    }
}

/// Some providers ask, before they send anything, whether they may.
fn asked<B>(gate: &Shared, arriving: &Arriving<B>, source: &OpenSource) -> Result<Response, Refused>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    match arriving.lend(gate, |arrived| source.checks.open_handshake(arrived)) {
        Some(answered) => answered
            .map(written)
            .map_err(|refusal| Refused::of_check(&refusal)),
        None => Err(Refused::unknown_method(METHODS)),
    }
}

fn verify<B>(
    gate: &Shared,
    arriving: &Arriving<B>,
    source: &OpenSource,
) -> Result<Verified, Refused>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    let now = gate.app.clock.now().seconds();
    let verified = arriving.lend(gate, |arrived| source.checks.verify(arrived, now));
    verified.map_err(|refusal| Refused::of_check(&refusal))
}

/// What came before is an honest repeat where it says the same of itself. An id that is not signed
/// can be changed by whoever sends again what it has seen.
fn judge<B>(
    gate: &Shared,
    arriving: &Arriving<B>,
    (replay, came_in): (&ReplayEntry, &CameIn),
    is_id_signed: bool,
) -> Result<(), Refused>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    let Some(seen) = came_in.seen else {
        return Ok(());
    };
    if seen.unsigned_id != replay.unsigned_id {
        return Err(Refused::replayed());
    }
    if is_id_signed && seen.content != replay.content {
        let text = "a genuine request came with the id of another, and other content: it is \
                    answered as a repeat, and not forwarded";
        report(gate, arriving, (SecurityKind::IngestReplayed, text));
    }
    Ok(())
}

fn accepted_answer<B>(
    gate: &Shared,
    arriving: &Arriving<B>,
    source: &OpenSource,
    accepted: &Durable<Vec<CameIn>>,
) -> Lived
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    let id = accepted
        .made
        .first()
        .map(|came_in| came_in.message.to_string());
    let id = id.unwrap_or_default();
    let is_repeat = accepted.made.iter().all(|came_in| came_in.seen.is_some());
    let outcome = if is_repeat { REPEATED } else { ACCEPTED };
    let checks = &source.checks;
    let mut response = arriving.lend(gate, |arrived| {
        written(checks.accepted(&arrived.request, &id, is_repeat))
    });
    // How busy the server is, is no stranger's business.
    if checks.knows_senders() {
        timed(&mut response, accepted.commit);
    }
    (response, outcome)
}

/// Counts and reports a refusal.
fn note<B>(gate: &Shared, arriving: &Arriving<B>, refused: &Refused)
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    if refused.counts() {
        let now = gate.app.clock.now();
        gate.limits.count_refused(arriving.peer.address, now);
    }
    if let Some(what) = refused.report() {
        report(gate, arriving, what);
    }
}

/// How much comes to a source, and how much of it is refused.
fn witness<B>(gate: &Shared, arriving: &Arriving<B>, refused: bool) {
    if let Some(source) = &arriving.source {
        let source = source.source.id;
        let now = gate.app.clock.now();
        let what = Witnessed::Requested { source, refused };
        gate.app.events.witness(what, now);
    }
}

/// What was taken, and from where.
fn witness_taken<B>(
    gate: &Shared,
    arriving: &Arriving<B>,
    (source, event_type): (&OpenSource, &Name),
) {
    if let Some(address) = arriving.peer.address {
        let what = Witnessed::CameIn {
            source: source.source.id,
            event_type,
            address,
        };
        gate.app.events.witness(what, gate.app.clock.now());
    }
}

fn report<B>(gate: &Shared, arriving: &Arriving<B>, (kind, description): (SecurityKind, &str))
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    let source = arriving.source.as_ref();
    let subject = match source {
        Some(source) => Subject::new(SubjectKind::Source, source.source.id),
        None => Subject::new(SubjectKind::Source, UNKNOWN),
    };
    let now = gate.app.clock.now();
    let mut event = SecurityEvent::new(kind, subject, now, description);
    if let Some(application) = source.and_then(|source| source.config.application) {
        event = event.concerning(application.key());
    }
    let sample = source.and_then(|source| sample(gate, arriving, source));
    let event = event.from_address(arriving.peer.address);
    gate.app.events.report(event.with_sample(sample));
}

/// What people look at who want to know what was refused. What was not read is not looked at.
fn sample<B>(gate: &Shared, arriving: &Arriving<B>, source: &OpenSource) -> Option<Arc<[u8]>>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    let now = gate.app.clock.now();
    let is_due = source.config.keeps_refused
        && arriving.is_read()
        && gate.limits.is_sample_due(source.source.id, now);
    let seal = || {
        arriving.lend(gate, |arrived| {
            gate.app.seal_refused(source, &arrived.request)
        })
    };
    is_due.then(seal).flatten()
}
