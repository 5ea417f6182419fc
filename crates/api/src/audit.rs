//! The audit log: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::operation::{Routes, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time};
use crate::security::{SecuritySubjectOut, words};
use app::AppError;
use app::audit::{AuditInput, Audited, SignedCheckpoint, hex};
use axum::Json;
use axum::extract::State;
use model::audit::{Actor, ActorKind, AuditAction};
use model::id::AuditKind;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/audit")
        .get(
            organisation(
                "v1.audit.list",
                "The audit log: who did what, the newest first",
            ),
            list,
        )
        .and_at("/api/v1/audit/checkpoint")
        .get(
            organisation(
                "v1.audit.get-checkpoint",
                "The signed head of the audit log's chain, for being kept elsewhere",
            ),
            checkpoint,
        )
}

/// That something was changed, or a secret read.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AuditEntryOut {
    id: String,
    /// When it was asked for.
    at: Time,
    actor: AuditActorOut,
    /// From where; nowhere for commands, and for what the server does by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_address: Option<String>,
    /// What was done.
    #[schemars(schema_with = "actions")]
    action: &'static str,
    subject: SecuritySubjectOut,
    /// The application that it concerns, where it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    /// What else is worth knowing, for people: which fields were changed, how many there were.
    detail: String,
    /// Its position in the chain, which it gets within seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    /// SHA-256 over it and all before it, as hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

/// Who did it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditActor")]
struct AuditActorOut {
    #[serde(rename = "type")]
    #[schemars(schema_with = "actor_kinds")]
    kind: &'static str,
    /// Whom it speaks for: an organisation or an application; the endpoint of a receiver; the rule
    /// by which the server does something by itself; the user of a machine who gave a command.
    id: String,
    /// By what it showed that: the `jti` of a token, or the id of an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
}

/// The signed head of the chain. As a file, `postrider audit verify --checkpoint` takes it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AuditCheckpointOut {
    /// Of the last entry that it seals.
    position: u64,
    /// Of that entry, as hexadecimal digits.
    hash: String,
    /// How many entries it seals that the one before did not.
    count: u64,
    /// The position of the first entry that the log still held then.
    start: u64,
    /// When it was signed.
    at: Time,
    /// The same in microseconds since 1970, as it is signed.
    time_micros: i64,
    /// By ed25519, over all of this, as hexadecimal digits.
    signature: String,
    /// What that is verified with, as hexadecimal digits.
    public_key: String,
}

impl From<SignedCheckpoint> for AuditCheckpointOut {
    fn from(signed: SignedCheckpoint) -> Self {
        let checkpoint = signed.checkpoint;
        Self {
            position: checkpoint.position,
            hash: hex(&checkpoint.hash),
            count: checkpoint.count,
            start: checkpoint.start,
            at: Time(checkpoint.at),
            time_micros: checkpoint.at.micros(),
            signature: hex(&checkpoint.signature),
            public_key: hex(&signed.public_key),
        }
    }
}

fn actions(_: &mut SchemaGenerator) -> Schema {
    words(AuditAction::ALL.iter().map(|action| action.as_str()))
}

fn actor_kinds(_: &mut SchemaGenerator) -> Schema {
    words(ActorKind::ALL.iter().map(|kind| kind.as_str()))
}

impl From<Actor> for AuditActorOut {
    fn from(actor: Actor) -> Self {
        Self {
            kind: actor.kind.as_str(),
            id: actor.subject,
            credential: actor.credential,
        }
    }
}

impl From<Audited> for AuditEntryOut {
    fn from(Audited { entry, link }: Audited) -> Self {
        Self {
            id: entry.id.to_string(),
            at: Time(entry.at),
            remote_address: entry
                .actor
                .remote_address
                .map(|address| address.to_string()),
            actor: entry.actor.into(),
            action: entry.action.as_str(),
            subject: entry.subject.into(),
            app_id: entry.application.map(|id| id.to_string()),
            detail: entry.detail,
            position: link.map(|link| link.position),
            hash: link.map(|link| hex(&link.hash)),
        }
    }
}

impl FromQuery for AuditInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let actions = AuditAction::ALL.iter();
        let actions: Vec<_> = actions.map(|action| (action.as_str(), *action)).collect();
        let action = query.choice("action", &actions);
        Ok(Self {
            list: query.recent::<AuditKind>()?,
            action: action?,
            actor: query.name("actor")?.map(|name| name.to_string()),
            application: query.name("app_id")?,
        })
    }
}

async fn list(
    State(api): State<Shared>,
    Query(input): Query<AuditInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<AuditEntryOut>>> {
    let page = api.app.audit(&caller, &input).await?;
    Ok(Json(page.map(AuditEntryOut::from).into()))
}

async fn checkpoint(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<AuditCheckpointOut>> {
    let signed = api.app.audit_checkpoint(&caller).await?;
    Ok(Json(signed.into()))
}
