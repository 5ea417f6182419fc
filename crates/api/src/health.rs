//! Whether the process works, for load balancers and people. Needs no token.

use crate::Shared;
use crate::describe::{Describer, Output};
use crate::operation::{Routes, public};
use crate::render::{NoContent, Time};
use app::{Health, Ill};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/health")
        .get(public("v1.health.get", "Whether the node works"), health)
        .and_at("/api/v1/health/ping")
        .get(public("v1.health.ping", "Whether the node answers"), ping)
}

#[derive(Serialize, JsonSchema)]
struct HealthOut {
    database: PartOut,
    queue: PartOut,
    cache: PartOut,
}

/// A part of the node: `ok`, or `error` and why.
#[derive(Serialize, JsonSchema)]
struct PartOut {
    status: &'static str,
    /// What is wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Since when, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Time>,
}

impl From<Health> for HealthOut {
    fn from(health: Health) -> Self {
        let part = |ill: Option<Ill>| PartOut {
            status: if ill.is_none() { "ok" } else { "error" },
            since: ill.as_ref().and_then(|ill| ill.since).map(Time),
            reason: ill.map(|ill| ill.reason),
        };
        Self {
            database: part(health.database),
            queue: part(health.queue),
            cache: part(health.cache),
        }
    }
}

/// 200, or 500 where something does not work.
struct Judged(Health);

impl IntoResponse for Judged {
    fn into_response(self) -> Response {
        let status = match self.0.is_good() {
            true => StatusCode::OK,
            false => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(HealthOut::from(self.0))).into_response()
    }
}

impl Output for Judged {
    fn describe(describer: &mut Describer) {
        describer.answer::<Json<HealthOut>>(200);
        describer.answer::<Json<HealthOut>>(500);
    }
}

async fn health(State(api): State<Shared>) -> Judged {
    Judged(api.app.health())
}

async fn ping() -> NoContent {
    NoContent
}
