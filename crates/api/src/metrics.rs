//! What is counted, as monitoring reads it, for installations that have no listener of their own
//! for that. The text is made elsewhere: here it is only looked at who asks.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::problem::Problem;
use app::access::limits::{ForPortal, Need};
use axum::Router;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use model::api_key::Right;
use model::role::Role;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// Where it is.
pub const METRICS_PATH: &str = "/metrics";
/// What it is: the text format that Prometheus reads.
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a token must be good for.
pub(crate) const NEED: Need = Need {
    noun: "metrics",
    right: Right::Read,
    portal: ForPortal::None,
    role: Role::Viewer,
};

/// Makes the text.
pub trait Scrape: Send + Sync + 'static {
    /// All that is counted, now.
    fn scrape(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>>;
}

/// Whoever makes the text.
#[derive(Clone)]
pub struct Metrics(pub Arc<dyn Scrape>);

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// The route; none where it is elsewhere.
pub(crate) fn routes(metrics: Option<&Metrics>) -> Router<Shared> {
    let Some(Metrics(scrape)) = metrics.cloned() else {
        return Router::new();
    };
    let answer = move |Authenticated(caller): Authenticated| {
        let scrape = scrape.clone();
        async move {
            caller.require_organisation()?;
            let text = scrape.scrape().await;
            Ok::<Response, Problem>(([(CONTENT_TYPE, METRICS_TYPE)], text).into_response())
        }
    };
    Router::new().route(METRICS_PATH, get(answer).layer(Extension(NEED)))
}
