//! Whether the process works, for load balancers and people. Needs no token.

use crate::Shared;
use app::Health;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Serialize;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/api/v1/health", get(health)).route(
        "/api/v1/health/ping",
        get(|| async { StatusCode::NO_CONTENT }),
    )
}

#[derive(Serialize)]
struct HealthOut {
    database: PartOut,
    queue: PartOut,
    cache: PartOut,
}

#[derive(Serialize)]
struct PartOut {
    status: &'static str,
}

impl From<Health> for HealthOut {
    fn from(health: Health) -> Self {
        let part = |good| PartOut {
            status: if good { "ok" } else { "error" },
        };
        Self {
            database: part(health.database),
            queue: part(health.queue),
            cache: part(health.cache),
        }
    }
}

async fn health(State(api): State<Shared>) -> (StatusCode, Json<HealthOut>) {
    let health = api.app.health();
    let status = match health.is_good() {
        true => StatusCode::OK,
        false => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Json(health.into()))
}
