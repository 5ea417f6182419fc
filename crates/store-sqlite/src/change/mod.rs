//! Changes of what is configured, and of single deliveries. Each is checked before anything of it
//! is written, and keeps its request's idempotency key with it.

mod access;
mod application;
pub(crate) mod content;
mod endpoint;
mod environment;
mod event_type;
mod source;

pub(crate) use access::revoke;
pub(crate) use endpoint::disable;

use crate::batch::Batch;
use crate::deliveries;
use crate::failure::Failure;
use crate::idempotency;
use crate::{applications, audit, endpoints, messages, security_events, work};
use model::delivery::Trigger;
use model::id::{ApplicationKey, EndpointKey, MessageKey, Tail, TaskId};
use store::audit::AuditChange;
use store::change::{Change, ChangeError, ChangeRequest, Changed};
use store::rows::Payload;
use store::work::Work;

/// Why a change is not done.
enum Refused {
    /// The database failed: the whole transaction does.
    Failure(Failure),
    /// The change itself can't be done; nothing was written.
    Change(ChangeError),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failure(error.into())
    }
}

impl From<ChangeError> for Refused {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

/// Does a change, unless its idempotency key was used before.
pub(crate) fn change(
    batch: &mut Batch<'_>,
    request: &ChangeRequest,
) -> Result<Result<Changed, ChangeError>, Failure> {
    if let Some(key) = &request.idempotency
        && let Some(prior) = idempotency::prior(batch, key)?
    {
        return Ok(match prior.body == key.body {
            true => Ok(Changed::Repeated(prior)),
            false => Err(ChangeError::KeyReused),
        });
    }
    let changed = match apply(batch, &request.change) {
        Ok(changed) => changed,
        Err(Refused::Change(error)) => return Ok(Err(error)),
        Err(Refused::Failure(failure)) => return Err(failure),
    };
    if let Some(draft) = &request.audit {
        audit::note(batch, draft, &changed)?;
    }
    if let Some(key) = &request.idempotency {
        let id = batch.key::<()>().integer();
        idempotency::remember(batch, key, (changed.made(), id))?;
    }
    Ok(Ok(changed))
}

fn apply(batch: &mut Batch<'_>, change: &Change) -> Result<Changed, Refused> {
    match change {
        Change::CreateApplication {
            application,
            data_key,
        } => application::create(batch, application, data_key),
        Change::ReplaceApplication {
            application,
            data_keys,
            revision,
        } => application::replace(batch, application, (data_keys, *revision)),
        Change::ReplaceDataKeys {
            application,
            data_keys,
            revision,
        } => application::replace_data_keys(batch, *application, (data_keys, *revision)),
        Change::DeleteApplication(key) => application::delete(batch, *key),
        Change::CreateEndpoint {
            endpoint,
            sealed,
            endpoints_max,
        } => endpoint::create(batch, endpoint, sealed, *endpoints_max),
        Change::ReplaceEndpoint {
            endpoint,
            sealed,
            revision,
        } => endpoint::replace(batch, endpoint, sealed, *revision),
        Change::DeleteEndpoint(application, key) => endpoint::delete(batch, *application, *key),
        Change::KeepChain { endpoint, chain } => endpoint::keep_seen(batch, *endpoint, chain),
        Change::KeepProof(kept) => endpoint::keep_proof(batch, kept),
        Change::PutEventType { event_type, expect } => event_type::put(batch, event_type, *expect),
        Change::PutEnvironment(change) => environment::put(batch, change),
        Change::ExpungeEventType(name) => event_type::expunge(batch, name),
        Change::PutRetrySchedule(put) => event_type::put_schedule(batch, put),
        Change::PutRedaction(put) => event_type::put_redaction(batch, put),
        Change::OpenDelivery {
            application,
            message,
            endpoint,
            trigger,
            owned,
        } => open_delivery(batch, (*application, *endpoint, *message), *trigger, *owned),
        Change::CancelDeliveries {
            application,
            endpoint,
            up_to,
        } => endpoint::cancel(batch, (*application, *endpoint), *up_to),
        Change::ExpungePayloads {
            application,
            messages,
        } => content::expunge_payloads(batch, *application, messages),
        Change::ExpungeExcerpt {
            application,
            message,
            attempt,
        } => content::expunge_excerpt(batch, (*application, *message), *attempt),
        Change::StartWork {
            tail,
            application,
            work,
        } => start_work(batch, *tail, *application, work),
        Change::Access(change) => access::change(batch, change),
        Change::KeepSecurityEvents(writes) => Ok(security_events::keep(batch, writes)?),
        Change::SwapSetting { name, values } => environment::swap(batch, name, values),
        Change::TellMasterKeys(_) => Ok(Changed::Setting),
        Change::Audit(_) | Change::Note => chain(batch, change),
    }
}

/// What is done to the audit log's chain, or nothing at all.
fn chain(batch: &mut Batch<'_>, change: &Change) -> Result<Changed, Refused> {
    match change {
        Change::Audit(AuditChange::Seal(seal)) => Ok(audit::seal(batch, seal)??),
        Change::Audit(AuditChange::Cut(start)) => Ok(audit::cut(batch, start)??),
        Change::Audit(AuditChange::TakeIn) => {
            audit::take_in(batch)?;
            Ok(Changed::Kept)
        }
        _ => Ok(Changed::Kept),
    }
}

fn open_delivery(
    batch: &mut Batch<'_>,
    ends: (ApplicationKey, EndpointKey, MessageKey),
    trigger: Trigger,
    owned: bool,
) -> Result<Changed, Refused> {
    let (application, endpoint, message) = ends;
    let to = endpoints::by_key(batch.connection, endpoint)?;
    let to = to.filter(|row| !row.deleted && row.endpoint.application == application);
    let what = messages::load(batch.connection, message, true)?;
    // Nothing may point at a payload that is gone.
    let what =
        what.filter(|row| row.message.application == application && row.payload != Payload::Gone);
    if to.is_none() || what.is_none() {
        return Err(ChangeError::Missing.into());
    }
    let delivery = deliveries::due_now(batch, ends, trigger);
    deliveries::open(batch, &delivery)?;
    let hold = match owned {
        true => batch.owned.hold(endpoint, delivery.key),
        false => None,
    };
    Ok(Changed::Delivery(delivery, hold))
}

fn start_work(
    batch: &mut Batch<'_>,
    tail: Tail,
    application: Option<ApplicationKey>,
    work: &Work,
) -> Result<Changed, Refused> {
    if let Some(application) = application {
        let live = applications::revision(batch.connection, application)?;
        live.ok_or(ChangeError::Missing)?;
    }
    let id = TaskId::new(batch.lasting_key(), tail);
    work::write_as(batch, id, (application, work))?;
    Ok(Changed::Work(id, batch.now))
}
