//! Security events: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::operation::{Routes, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time};
use app::AppError;
use app::security::{KeptEvent, SecurityEventsInput};
use axum::Json;
use axum::extract::State;
use model::id::SecurityEventKind;
use model::security::{SecurityKind, Severity, Subject, SubjectKind};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/security/event").get(
        organisation(
            "v1.security.event.list",
            "Security events, the newest first",
        ),
        list,
    )
}

/// Something suspicious, or worth knowing. What happened again within ten minutes, to the same and
/// from the same network, is one event with a count.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SecurityEventOut {
    id: String,
    /// What happened.
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    #[schemars(schema_with = "severities")]
    severity: &'static str,
    subject: SecuritySubjectOut,
    /// The other side's address, of the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_address: Option<String>,
    /// How often it happened.
    count: u64,
    first_seen: Time,
    last_seen: Time,
    /// A sentence for people.
    description: String,
}

/// To what or whom it happened, or was done.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SecuritySubject")]
pub(crate) struct SecuritySubjectOut {
    #[serde(rename = "type")]
    #[schemars(schema_with = "subject_kinds")]
    kind: &'static str,
    /// Its id, or its name where it has none; `*` for others than are told apart.
    id: String,
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    words(SecurityKind::ALL.iter().map(|kind| kind.as_str()))
}

fn severities(_: &mut SchemaGenerator) -> Schema {
    words(Severity::ALL.iter().map(|severity| severity.as_str()))
}

fn subject_kinds(_: &mut SchemaGenerator) -> Schema {
    words(SubjectKind::ALL.iter().map(|kind| kind.as_str()))
}

pub(crate) fn words(words: impl Iterator<Item = &'static str>) -> Schema {
    let words: Vec<&str> = words.collect();
    json_schema!({ "type": "string", "enum": words })
}

impl From<Subject> for SecuritySubjectOut {
    fn from(subject: Subject) -> Self {
        Self {
            kind: subject.kind.as_str(),
            id: subject.id,
        }
    }
}

impl From<KeptEvent> for SecurityEventOut {
    fn from(KeptEvent { id, event }: KeptEvent) -> Self {
        Self {
            id: id.to_string(),
            kind: event.kind.as_str(),
            severity: event.severity.as_str(),
            subject: event.subject.into(),
            remote_address: event.remote_address.map(|address| address.to_string()),
            count: event.count,
            first_seen: Time(event.first_seen),
            last_seen: Time(event.last_seen),
            description: event.description,
        }
    }
}

impl FromQuery for SecurityEventsInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let kinds = SecurityKind::ALL.iter().map(|kind| (kind.as_str(), *kind));
        let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
        let (kind, severity) = (
            query.choice("kind", &kinds.collect::<Vec<_>>()),
            query.choice("severity", &severities),
        );
        Ok(Self {
            list: query.recent::<SecurityEventKind>()?,
            kind: kind?,
            severity: severity?,
            application: query.name("app_id")?,
            subject: None,
        })
    }
}

async fn list(
    State(api): State<Shared>,
    Query(input): Query<SecurityEventsInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<SecurityEventOut>>> {
    let page = api.app.security_events(&caller, &input).await?;
    Ok(Json(page.map(SecurityEventOut::from).into()))
}
