//! Operations of the contract that are not built: each says so to whoever may know.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::problem::Problem;
use crate::render::not_built;
use axum::Router;
use axum::routing::{delete, post};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/api/v1/app/{app_id}/endpoint/{endpoint_id}/send-example",
            post(organisation_only),
        )
        .route(
            "/api/v1/app/{app_id}/msg/{msg_id}/content",
            delete(organisation_only),
        )
        .route(
            "/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/content",
            delete(organisation_only),
        )
        .route(
            "/api/v1/auth/app-portal-access/{app_id}",
            post(organisation_only),
        )
        .route(
            "/api/v1/auth/dashboard-access/{app_id}",
            post(organisation_only),
        )
        .route(
            "/api/v1/auth/logout",
            post(|| async { Problem::from(not_built()) }),
        )
}

async fn organisation_only(Authenticated(caller): Authenticated) -> Problem {
    match caller.require_organisation() {
        Ok(()) => not_built().into(),
        Err(refused) => refused.into(),
    }
}
