//! What the operator is told by operational webhooks: messages of an application of the
//! installation's own, by the same accept as every other, so that they are delivered, signed, tried
//! again and shown as all are. Its endpoints are the operator's.
//!
//! What happened is told once it is done, by whoever did it, and waits for nobody: it is in memory
//! until [`App::tell_operators`] makes messages of it. What a killed process had not made by then
//! is not told. Nothing is told of that application itself: what goes wrong with telling would be
//! something to tell again, without end. For the same reason no installation takes what was
//! delivered so.
//!
//! Map: here, who is told and how · `payload` (what of) · `examples` (to try an endpoint with).

mod examples;
mod payload;

use crate::accept::{Draft, accept};
use crate::applications::ApplicationInput;
use crate::endpoints::EndpointsOf;
use crate::find::Tenant;
use crate::patch::Patch;
use crate::{App, AppError, Caller};
use bytes::Bytes;
use model::endpoint::Endpoint;
use model::hops::Hops;
use model::message::PayloadForm;
use model::name::Name;
use model::operational::{
    APPLICATION_UID, EndpointNamed, Happened, NAMES, OperationalEvent, is_told,
};
use model::security::SubjectKind;
use std::collections::BTreeSet;
use store::rows::{ApplicationRef, RegistryRow};
use store::work::{Advanced, TakenWork, WorkStep};

/// What people call the application.
const APPLICATION_NAME: &str = "Operational webhooks";

/// The event types that an operator's endpoints can ask for.
pub const EVENT_TYPES: [&str; NAMES.len()] = NAMES;

/// What came of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// There is no endpoint: nothing was made.
    Nobody,
    /// So many messages were made.
    Messages(usize),
}

impl App {
    /// The operator's endpoints, or that there was none yet.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn operators(&self, caller: &Caller) -> Result<EndpointsOf, AppError> {
        caller.require_organisation()?;
        match self.find_operators().await? {
            Some(row) => Tenant::new(self, row).await.map(EndpointsOf::Application),
            None => Ok(EndpointsOf::OperatorsToBe),
        }
    }

    /// The application whose endpoints they are, made if it isn't there.
    pub(crate) async fn make_operators(&self, caller: &Caller) -> Result<Tenant, AppError> {
        let own = ApplicationInput {
            name: APPLICATION_NAME.to_owned(),
            ..ApplicationInput::default()
        };
        let mut draft = own.judge(&[])?;
        // Nobody else gets this uid: the rules for what people ask for refuse it.
        draft.uid = Patch::Set(Some(uid()));
        self.application_with_uid_of(caller.into(), &draft).await
    }

    /// Makes messages of what happened, all in one commit.
    ///
    /// # Errors
    /// [`AppError::Unavailable`]: nothing was made, and the same can be told again.
    pub async fn tell_operators(&self, events: &[OperationalEvent]) -> Result<Told, AppError> {
        let row = self.find_operators().await?;
        let since = row.as_ref().and_then(|row| {
            let made = row.endpoints.iter().map(|row| row.endpoint.created_at);
            made.min()
        });
        let (Some(row), Some(since)) = (row, since) else {
            return Ok(Told::Nobody);
        };
        let mut drafts = Vec::with_capacity(events.len());
        // What happened before there was anybody may still have waited.
        let to_tell = |event: &&OperationalEvent| event.at >= since && !concerns(event, &row);
        for event in events.iter().filter(to_tell) {
            let payload = self.operational_payload(event).await?;
            drafts.extend(payload.map(|payload| self.operational_draft(event, payload)));
        }
        let tenant = Tenant::new(self, row).await?;
        let accepted = accept(self, &tenant, drafts).await?;
        let mut made = 0;
        for receipt in accepted.made {
            match receipt {
                Ok(_) => made += 1,
                // It was told before, or there is nobody to tell any more.
                Err(AppError::Conflict { .. } | AppError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Told::Messages(made))
    }

    /// What happened to an endpoint is to be told.
    pub(crate) fn tell(
        &self,
        tenant: &Tenant,
        endpoint: &Endpoint,
        what: impl FnOnce(EndpointNamed) -> Happened,
    ) {
        let application = tenant.application();
        if tenant.is_operators() {
            return;
        }
        let named = EndpointNamed {
            application: application.id,
            application_uid: application.uid.clone(),
            endpoint: endpoint.id,
            endpoint_uid: endpoint.uid.clone(),
        };
        self.report_operational(what(named));
    }

    /// Writes what a slice of background work did, and tells of its end.
    pub(crate) async fn advance_work(
        &self,
        taken: &TakenWork,
        step: WorkStep,
    ) -> Result<Advanced, AppError> {
        let is_last = step.end.is_some();
        let advanced = self.store.advance_work(taken, step).await?;
        if is_last && matches!(advanced, Advanced::Moved(_)) {
            self.report_operational(Happened::TaskFinished(taken.row.id));
        }
        Ok(advanced)
    }

    fn report_operational(&self, what: Happened) {
        let at = self.clock.now();
        self.operational.report(OperationalEvent { at, what });
    }

    async fn find_operators(&self) -> Result<Option<std::sync::Arc<RegistryRow>>, AppError> {
        Ok(self.registry.find(&ApplicationRef::Uid(uid())).await?)
    }

    fn operational_draft(&self, event: &OperationalEvent, payload: String) -> Draft {
        let name = event.what.name();
        Draft {
            event_type: name.parse().expect("the names of events are words"),
            event_id: payload::occurrence(event),
            channels: BTreeSet::new(),
            tags: BTreeSet::new(),
            deliver_at: None,
            // Where it led back here, what became of it would be told, and come here again.
            hops: Hops::LAST,
            trace: None,
            retention: self.settings.retention,
            form: PayloadForm::Json,
            payload: Bytes::from(payload),
            only: None,
            idempotency: None,
            replay: None,
            findings: Vec::new(),
        }
    }
}

impl Tenant {
    /// Whether its endpoints are the operator's.
    pub fn is_operators(&self) -> bool {
        is_told(self.application().uid.as_ref())
    }
}

/// Those of some event types that can't be told of.
pub(crate) fn never_told(names: &BTreeSet<Name>) -> Vec<String> {
    let unknown = names.iter().filter(|name| !NAMES.contains(&name.as_str()));
    unknown.map(Name::to_string).collect()
}

/// Whether what happened is about those who would be told of it.
fn concerns(event: &OperationalEvent, operators: &RegistryRow) -> bool {
    let own = operators.application.application.id;
    match &event.what {
        Happened::EndpointCreated(named)
        | Happened::EndpointUpdated(named)
        | Happened::EndpointDeleted(named)
        | Happened::EndpointEnabled(named)
        | Happened::EndpointDisabled(named, _) => named.application == own,
        Happened::AttemptFailing(named)
        | Happened::AttemptExhausted(named)
        | Happened::AttemptRecovered(named) => named.application == own,
        Happened::Security(told) => match told.subject.kind {
            SubjectKind::Application => told.subject.id == own.to_string(),
            SubjectKind::Endpoint => {
                let mut endpoints = operators.endpoints.iter();
                endpoints.any(|row| row.endpoint.id.to_string() == told.subject.id)
            }
            _ => false,
        },
        Happened::TaskFinished(_) | Happened::AuditCheckpoint(_) => false,
    }
}

fn uid() -> Name {
    APPLICATION_UID.parse().expect("it is a word")
}
