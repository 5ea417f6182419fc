//! Changes of what is configured, and of single deliveries. Each is checked before anything of it
//! is written, and keeps its request's idempotency key with it. What is checked is locked, so that
//! no other node changes it before this is committed.

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
use crate::failure::Failure;
use crate::{audit, deliveries, endpoints, locks, messages, security_events, work};
use model::delivery::Trigger;
use model::id::{ApplicationKey, EndpointKey, MessageKey, Tail, TaskId};
use store::audit::AuditChange;
use store::change::{Change, ChangeError, ChangeRequest, Changed};
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

impl From<ChangeError> for Refused {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

/// Does a change, unless its idempotency key was used before. What came before it in the same
/// transaction was written.
pub(crate) async fn change(
    batch: &mut Batch<'_>,
    request: &ChangeRequest,
) -> Result<Result<Changed, ChangeError>, Failure> {
    if let Some(key) = &request.idempotency
        && let Some(prior) = batch.prior(key).await?
    {
        return Ok(match prior.body == key.body {
            true => Ok(Changed::Repeated(prior)),
            false => Err(ChangeError::KeyReused),
        });
    }
    let changed = match apply(batch, &request.change).await {
        Ok(changed) => changed,
        Err(Refused::Change(error)) => return Ok(Err(error)),
        Err(Refused::Failure(failure)) => return Err(failure),
    };
    if let Some(draft) = &request.audit {
        audit::note(batch, draft, &changed).await?;
    }
    if let Some(key) = &request.idempotency {
        batch.remember(key, changed.made());
    }
    Ok(Ok(changed))
}

async fn apply(batch: &mut Batch<'_>, change: &Change) -> Result<Changed, Refused> {
    match change {
        Change::CreateApplication {
            application,
            data_key,
        } => application::create(batch, application, data_key).await,
        Change::ReplaceApplication {
            application,
            data_keys,
            revision,
        } => application::replace(batch, application, (data_keys, *revision)).await,
        Change::ReplaceDataKeys {
            application,
            data_keys,
            revision,
        } => application::replace_data_keys(batch, *application, (data_keys, *revision)).await,
        Change::DeleteApplication(key) => application::delete(batch, *key).await,
        Change::CreateEndpoint {
            endpoint,
            sealed,
            endpoints_max,
        } => endpoint::create(batch, endpoint, sealed, *endpoints_max).await,
        Change::ReplaceEndpoint {
            endpoint,
            sealed,
            revision,
        } => endpoint::replace(batch, endpoint, sealed, *revision).await,
        Change::DeleteEndpoint(of, key) => endpoint::delete(batch, *of, *key).await,
        Change::KeepChain { endpoint, chain } => endpoint::keep_seen(batch, *endpoint, chain).await,
        Change::KeepProof(kept) => endpoint::keep_proof(batch, kept).await,
        Change::PutEventType { event_type, expect } => {
            event_type::put(batch, event_type, *expect).await
        }
        Change::PutEnvironment(change) => environment::put(batch, change).await,
        Change::ExpungeEventType(name) => event_type::expunge(batch, name).await,
        Change::PutRetrySchedule(put) => event_type::put_schedule(batch, put).await,
        Change::PutRedaction(put) => event_type::put_redaction(batch, put).await,
        Change::OpenDelivery {
            application,
            message,
            endpoint,
            trigger,
            owned,
        } => open_delivery(batch, (*application, *endpoint, *message), *trigger, *owned).await,
        Change::CancelDeliveries {
            application,
            endpoint,
            up_to,
        } => endpoint::cancel(batch, (*application, *endpoint), *up_to).await,
        Change::ExpungePayloads {
            application,
            messages,
        } => content::expunge_payloads(batch, *application, messages).await,
        Change::ExpungeExcerpt {
            application,
            message,
            attempt,
        } => content::expunge_excerpt(batch, (*application, *message), *attempt).await,
        Change::StartWork {
            tail,
            application,
            work,
        } => start_work(batch, *tail, *application, work).await,
        Change::Access(change) => access::change(batch, change).await,
        Change::KeepSecurityEvents(writes) => Ok(security_events::keep(batch, writes).await?),
        Change::SwapSetting { name, values } => environment::swap(batch, name, values).await,
        Change::TellMasterKeys(ids) => environment::tell_master_keys(batch, ids).await,
        Change::Audit(_) | Change::Note => chain(batch, change).await,
    }
}

/// What is done to the audit log's chain, or nothing at all.
async fn chain(batch: &mut Batch<'_>, change: &Change) -> Result<Changed, Refused> {
    match change {
        Change::Audit(AuditChange::Seal(seal)) => Ok(audit::seal(batch, seal).await??),
        Change::Audit(AuditChange::Cut(start)) => Ok(audit::cut(batch, start).await??),
        Change::Audit(AuditChange::TakeIn) => {
            audit::take_in(batch).await?;
            Ok(Changed::Kept)
        }
        _ => Ok(Changed::Kept),
    }
}

async fn open_delivery(
    batch: &mut Batch<'_>,
    ends: (ApplicationKey, EndpointKey, MessageKey),
    trigger: Trigger,
    owned: bool,
) -> Result<Changed, Refused> {
    let (application, endpoint, message) = ends;
    let kept = locks::endpoints_of(batch.sql, application).await?;
    kept.ok_or(ChangeError::Missing)?;
    let to = endpoints::by_key(batch.sql, endpoint).await?;
    to.filter(|row| !row.deleted && row.endpoint.application == application)
        .ok_or(ChangeError::Missing)?;
    let what = messages::load(batch.sql, application, message, false).await?;
    let what = what.ok_or(ChangeError::Missing)?;
    // Nothing may point at a payload that is gone.
    if !locks::payload(batch.sql, &what.message).await? {
        return Err(ChangeError::Missing.into());
    }
    let delivery = deliveries::due_now(batch, ends, trigger);
    let hold = deliveries::open(batch, &[(delivery.clone(), owned)]).pop();
    Ok(Changed::Delivery(delivery, hold.flatten()))
}

async fn start_work(
    batch: &mut Batch<'_>,
    tail: Tail,
    application: Option<ApplicationKey>,
    work: &Work,
) -> Result<Changed, Refused> {
    if let Some(application) = application {
        let kept = locks::endpoints_of(batch.sql, application).await?;
        kept.ok_or(ChangeError::Missing)?;
    }
    let id = TaskId::new(batch.key(), tail);
    work::write_as(batch, id, (application, work));
    Ok(Changed::Work(id, batch.now))
}
