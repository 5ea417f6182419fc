//! What a source refused: shapes, routes, handlers. The contract has other words for fields here
//! than elsewhere, and so do the answers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::operation::{Routes, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time};
use crate::segments::Segments;
use app::sources::SourceLogEntry;
use app::{AppError, ListInput};
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use model::id::SourceLogKind;
use model::security::SecurityKind;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) fn routes() -> Routes {
    Routes::at("/ingest/api/v1/source/{source_id}/log").get(
        organisation(
            "v1.ingest.log.list",
            "What it refused, the newest first; equal refusals are one entry",
        ),
        list,
    )
}

/// What was refused. The same from the same network within ten minutes is one entry with a count.
#[derive(Serialize, JsonSchema)]
struct IngestLogOut {
    id: String,
    source_id: String,
    /// How it was answered.
    status_code: u16,
    /// Why, how often, and from where the first time.
    error_text: String,
    /// Of the latest request of which anything was kept, without credentials: the source's
    /// `keepRefused` says whether.
    headers: BTreeMap<String, String>,
    /// Its body's beginning; in base64, where that is no text.
    payload: String,
    /// When it happened first.
    created_at: Time,
    /// When it happened last.
    updated_at: Time,
}

impl From<SourceLogEntry> for IngestLogOut {
    fn from(entry: SourceLogEntry) -> Self {
        let (event, request) = (entry.event, entry.request.unwrap_or_default());
        let mut error_text = event.description;
        if let Some(address) = event.remote_address {
            error_text.push_str(&format!("; from {address}"));
        }
        if event.count > 1 {
            error_text.push_str(&format!("; {} times", event.count));
        }
        Self {
            id: entry.id.to_string(),
            source_id: entry.source.to_string(),
            status_code: answered(event.kind).as_u16(),
            error_text,
            headers: request.headers,
            payload: request.body,
            created_at: Time(event.first_seen),
            updated_at: Time(event.last_seen),
        }
    }
}

/// How what is refused so is answered.
fn answered(kind: SecurityKind) -> StatusCode {
    match kind {
        SecurityKind::IngestMalformed | SecurityKind::IngestDecryptionFailed => {
            StatusCode::BAD_REQUEST
        }
        SecurityKind::IngestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        SecurityKind::IngestRateLimited => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNAUTHORIZED,
    }
}

struct LogQuery(ListInput);

impl FromQuery for LogQuery {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self(query.list::<SourceLogKind>()?))
    }
}

async fn list(
    State(api): State<Shared>,
    Segments(source): Segments<String>,
    Query(LogQuery(input)): Query<LogQuery>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<IngestLogOut>>> {
    let page = api.app.source_log(&caller, &source, &input).await?;
    Ok(Json(page.map(IngestLogOut::from).into()))
}
