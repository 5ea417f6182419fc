//! The HTTP API: routes, request and response shapes, authentication, refusals.
//!
//! A request meets, in this order: the `door` (what holds for every request: panics, unread
//! bodies, CORS, slashes at the end) · its route · the extractors, which look at path and query,
//! then at who asks, then read the body · the handler, which finds the application, parses the
//! body, calls a use case of `app` and renders what comes back. So a request that is wrong in
//! several ways is always refused for the same one.
//!
//! The wire's shapes live here, apart from the domain's types. No rule of the domain does.
//!
//! Map: `door`, `authentication`, `body`, `query`, `segments` (the way in) · `problem` (refusals) ·
//! `render` (the way out) · then one file for each noun, with its routes, shapes and handlers.

mod applications;
mod attempts;
mod authentication;
mod body;
mod door;
mod endpoints;
mod event_types;
mod health;
mod messages;
mod nodes;
mod not_built;
mod problem;
mod query;
mod recovery;
mod render;
mod segments;
mod standings;
mod status;

pub use authentication::RemoteAddress;
pub use door::Door;
pub use nodes::NodeOut;

use app::App;
use axum::Router;
use std::sync::Arc;
use std::time::Duration;

/// The operator's settings of the API itself.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// The largest body of a request, in bytes.
    pub body_bytes_max: usize,
    /// The largest body of a request that brings many messages, in bytes.
    pub batch_bytes_max: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            body_bytes_max: 2 * 1024 * 1024,
            batch_bytes_max: 8 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
        }
    }
}

/// What handlers work with.
pub(crate) struct Api {
    /// The use cases.
    pub(crate) app: App,
    /// The settings.
    pub(crate) config: ApiConfig,
}

/// Handlers share it.
pub(crate) type Shared = Arc<Api>;

/// Health checks alone, for a node that does not answer for the rest of the API.
pub fn open_for_health(app: App, config: ApiConfig) -> Door {
    let api: Shared = Arc::new(Api { app, config });
    let routes = health::routes()
        .fallback(|| async { problem::not_here() })
        .method_not_allowed_fallback(|| async { problem::unknown_method() })
        .with_state(api);
    Door::before(routes)
}

/// The API, ready to be served.
pub fn open(app: App, config: ApiConfig) -> Door {
    let messages = messages::routes(&config);
    let api: Shared = Arc::new(Api { app, config });
    let routes = Router::new()
        .merge(applications::routes())
        .merge(attempts::routes())
        .merge(endpoints::routes())
        .merge(event_types::routes())
        .merge(health::routes())
        .merge(messages)
        .merge(nodes::routes())
        .merge(not_built::routes())
        .merge(recovery::routes())
        .merge(standings::routes())
        .fallback(|| async { problem::unknown_route() })
        .method_not_allowed_fallback(|| async { problem::unknown_method() })
        .with_state(api);
    Door::before(routes)
}
