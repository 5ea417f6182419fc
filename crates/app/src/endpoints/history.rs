//! An endpoint's history: how it came to stand as it does. What people and rules did is in the
//! audit log, that it was disabled for failing in the security events, and how its receiver was
//! asked last in its row: nothing is kept for it beside these, and it goes back as far as they do.
//!
//! Its application's people may read it. So it names the organisation and its rules as such, and
//! no person, key or address.

use super::{DISABLED, ENABLED, LEADS_TO, URL};
use crate::audit::is_changed;
use crate::find::Tenant;
use crate::responses::BY_RULE;
use crate::{App, AppError, Caller};
use model::Timestamp;
use model::audit::{Actor, ActorKind, AuditAction};
use model::id::{ApplicationId, AuditId, Key};
use model::proof::{Outcome, Proof};
use model::security::{SecurityKind, Subject};
use std::cmp::Reverse;
use store::audit::{AuditEntry, AuditQuery};
use store::query::Window;
use store::rows::EndpointRow;
use store::security::SecurityQuery;

/// The most that is told of one.
pub const HISTORY_MAX: usize = 50;

/// So many entries are looked at: some change nothing that is told here.
const ENTRIES_MAX: usize = 4 * HISTORY_MAX;

/// What is done that may be told here.
const TOLD: [AuditAction; 4] = [
    AuditAction::EndpointCreated,
    AuditAction::EndpointUpdated,
    AuditAction::EndpointSecretRotated,
    AuditAction::EndpointChallengeSent,
];

/// How an endpoint came to stand as it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointHistory {
    /// The newest first.
    pub rows: Vec<HistoryRow>,
    /// Since when nothing has succeeded, where that is so.
    pub failing_since: Option<Timestamp>,
}

impl EndpointHistory {
    /// What disabled an endpoint that is disabled, as far back as is known.
    pub fn disabled(&self) -> Option<&HistoryRow> {
        let switched =
            |row: &&HistoryRow| matches!(row.what, Happening::Disabled | Happening::Enabled);
        let last = self.rows.iter().find(switched)?;
        (last.what == Happening::Disabled).then_some(last)
    }
}

/// One thing that happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
    /// Who did it.
    pub who: WhoDidIt,
    /// The entry of the audit log, for those who may read that.
    pub entry: Option<AuditId>,
}

/// What happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// It was made, and leads to this host.
    Created(Option<String>),
    /// Its URL was changed, and leads to this host since.
    Moved(Option<String>),
    /// It was disabled.
    Disabled,
    /// It was enabled.
    Enabled,
    /// Its signing secret was replaced.
    SecretRotated,
    /// Its receiver was asked whether it wants what it is to get.
    Asked,
    /// It said so.
    Proved,
    /// It did not, for this reason.
    NotProved(String),
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoDidIt {
    /// The organisation's people.
    Operator,
    /// The application's own.
    Application,
    /// A rule that the operator has set. Its name is for the organisation alone.
    Rule(Option<String>),
    /// Nobody: it came of what the endpoint's attempts met with.
    Attempts,
}

impl App {
    /// How an endpoint came to stand as it does, for whoever may look at it.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn endpoint_history(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
    ) -> Result<EndpointHistory, AppError> {
        caller.require_application(tenant.application())?;
        let row = tenant.endpoint(path)?;
        let is_within = caller.require_organisation().is_ok();
        let mut rows = self.done(tenant, row, is_within).await?;
        rows.extend(self.failed(row).await?);
        rows.extend(row.proof().and_then(proved));
        rows.sort_by_key(|row| Reverse(row.at));
        rows.truncate(HISTORY_MAX);
        Ok(EndpointHistory {
            rows,
            failing_since: row.failing_since,
        })
    }

    /// What people and rules did.
    async fn done(
        &self,
        tenant: &Tenant,
        row: &EndpointRow,
        is_within: bool,
    ) -> Result<Vec<HistoryRow>, AppError> {
        let query = AuditQuery {
            window: newest(ENTRIES_MAX),
            application: Some(tenant.key()),
            actions: TOLD.to_vec(),
            actor: None,
            subject: Some(Subject::endpoint(row.endpoint.id)),
        };
        let walk = self.store.audit(&query).await?;
        let application = tenant.application().id;
        let rows = walk.rows.iter().flat_map(|row| {
            let who = who(&row.entry.actor, application, is_within);
            let told = move |what| HistoryRow {
                at: row.entry.at,
                what,
                who: who.clone(),
                entry: is_within.then_some(row.entry.id),
            };
            happenings(&row.entry).into_iter().map(told)
        });
        Ok(rows.collect())
    }

    /// That it was disabled for what its attempts met with. What a rule did is in the audit log.
    async fn failed(&self, row: &EndpointRow) -> Result<Vec<HistoryRow>, AppError> {
        let query = SecurityQuery {
            window: newest(HISTORY_MAX),
            application: None,
            subject: Some(Subject::endpoint(row.endpoint.id)),
            kind: Some(SecurityKind::EndpointDisabled),
            severity: None,
            with_samples: false,
        };
        let walk = self.store.security_events(&query).await?;
        let events = walk.rows.into_iter().map(|row| row.event);
        let own = events.filter(|event| !event.description.starts_with(BY_RULE));
        Ok(own
            .map(|event| by_attempts(event.last_seen, Happening::Disabled))
            .collect())
    }
}

fn newest<K>(limit: usize) -> Window<K> {
    Window {
        above: Key::MIN,
        below: Key::MAX,
        ascending: false,
        limit,
    }
}

/// What an entry says of it, the last first.
fn happenings(entry: &AuditEntry) -> Vec<Happening> {
    let detail = entry.detail.as_str();
    let host = || {
        let (_, host) = detail.rsplit_once(LEADS_TO)?;
        Some(host.to_owned())
    };
    match entry.action {
        AuditAction::EndpointCreated => vec![Happening::Created(host())],
        AuditAction::EndpointSecretRotated => vec![Happening::SecretRotated],
        AuditAction::EndpointChallengeSent => vec![Happening::Asked],
        AuditAction::EndpointUpdated => [
            (DISABLED, Happening::Disabled),
            (ENABLED, Happening::Enabled),
            (URL, Happening::Moved(host())),
        ]
        .into_iter()
        .filter_map(|(field, what)| is_changed(detail, field).then_some(what))
        .collect(),
        _ => Vec::new(),
    }
}

/// Whom the application's people may be told of.
fn who(actor: &Actor, application: ApplicationId, is_within: bool) -> WhoDidIt {
    match actor.kind {
        ActorKind::System => WhoDidIt::Rule(is_within.then(|| actor.subject.clone())),
        ActorKind::Receiver => WhoDidIt::Attempts,
        ActorKind::Token if actor.subject == application.to_string() => WhoDidIt::Application,
        ActorKind::Token | ActorKind::ApiKey | ActorKind::Person | ActorKind::Command => {
            WhoDidIt::Operator
        }
    }
}

/// What came of the last challenge.
fn proved(proof: &Proof) -> Option<HistoryRow> {
    let told = proof.told.as_ref()?;
    let what = match &told.outcome {
        Outcome::Proved { .. } => Happening::Proved,
        Outcome::Failed { reason } => Happening::NotProved(reason.clone()),
    };
    Some(by_attempts(told.at, what))
}

fn by_attempts(at: Timestamp, what: Happening) -> HistoryRow {
    HistoryRow {
        at,
        what,
        who: WhoDidIt::Attempts,
        entry: None,
    }
}
