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
//! Map: `operation` (how operations are declared), `describe`, `openapi`, `links` and `reference`
//! (what is said of them, to programs and people) · `door`, `authentication`, `body`, `strict`,
//! `query`, `segments` (the way in) · `problem` (refusals) · `render` (the way out) ·
//! `metered`, `metrics` (what is counted, and who may look) · then one file
//! for each noun, with its operations, shapes and handlers.

mod api_tokens;
mod applications;
mod attempts;
mod audit;
mod authentication;
mod background;
mod body;
mod bounds;
mod deliveries;
mod describe;
mod door;
mod endpoints;
mod environment;
mod event_types;
mod events;
mod health;
mod links;
mod listening;
mod messages;
mod metered;
mod metrics;
mod nodes;
mod not_built;
mod openapi;
mod operation;
mod operational;
mod payloads;
mod portal;
mod problem;
mod public_keys;
mod query;
mod recovery;
mod redaction;
mod reference;
mod render;
mod security;
mod segments;
mod sessions;
mod sources;
mod standings;
mod statistics;
mod status;
mod strict;

pub use api_tokens::nouns;
pub use door::Door;
pub use metered::{OperationMeter, Requests};
pub use metrics::{METRICS_PATH, METRICS_TYPE, Metrics, Scrape};
pub use nodes::NodeOut;
pub use operation::{Access, MethodName, Operation};
pub use sources::{read_source_config, show_source_config};

use app::App;
use operation::Routes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The operator's settings of the API itself.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// The largest body of a request, in bytes.
    pub body_bytes_max: usize,
    /// The largest body of a request that brings many messages, in bytes.
    pub batch_bytes_max: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// Where links point to, without a slash at its end.
    pub public_url: String,
    /// Where the gateway is reached, by which sources' URLs begin: without a slash at its end.
    pub gateway_url: String,
    /// What makes the text that monitoring reads, if it reads that here.
    pub metrics: Option<Metrics>,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            body_bytes_max: 2 * 1024 * 1024,
            batch_bytes_max: 8 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            public_url: "http://127.0.0.1:8071".to_owned(),
            gateway_url: "http://127.0.0.1:8071".to_owned(),
            metrics: None,
        }
    }
}

/// What handlers work with.
pub(crate) struct Api {
    /// The use cases.
    pub(crate) app: App,
    /// The settings.
    pub(crate) config: ApiConfig,
    /// Public keys that were asked for.
    pub(crate) keys: public_keys::AllKeys,
}

impl Api {
    fn new(app: App, config: ApiConfig) -> Shared {
        Arc::new(Self {
            app,
            config,
            keys: <_>::default(),
        })
    }
}

/// Handlers share it.
pub(crate) type Shared = Arc<Api>;

/// Health checks alone, for a node that does not answer for the rest of the API.
pub fn open_for_health(app: App, config: ApiConfig) -> Door {
    let metrics = metrics::routes(config.metrics.as_ref());
    let api = Api::new(app, config);
    let routes = health::routes();
    let requests = Requests::new(routes.meters);
    let routes = routes
        .router
        .merge(metrics)
        .fallback(|| async { problem::not_here() })
        .method_not_allowed_fallback(|| async { problem::unknown_method() })
        .with_state(api);
    Door::before(routes).counting(requests)
}

/// The API, ready to be served.
pub fn open(app: App, config: ApiConfig) -> Door {
    let mut routes = routes(&config);
    let metrics = metrics::routes(config.metrics.as_ref());
    let others = OperationMeter::of_others();
    let unknown = others.meter();
    routes.meters.push(others);
    let api = Api::new(app, config);
    let requests = Requests::new(routes.meters);
    let document = openapi::routes(routes.operations.clone());
    let reference = reference::routes(routes.operations);
    let routes = routes
        .router
        .merge(document)
        .merge(reference)
        .merge(metrics)
        .fallback(|| async move {
            let response = problem::unknown_route();
            unknown.answered(response.status(), Instant::now());
            response
        })
        .method_not_allowed_fallback(|| async { problem::unknown_method() })
        .with_state(api);
    Door::before(routes).counting(requests)
}

/// Every operation.
fn routes(config: &ApiConfig) -> Routes {
    api_tokens::routes()
        .merge(applications::routes())
        .merge(attempts::routes())
        .merge(background::routes())
        .merge(deliveries::routes())
        .merge(security::routes())
        .merge(audit::routes())
        .merge(endpoints::routes())
        .merge(environment::routes())
        .merge(event_types::routes())
        .merge(events::routes())
        .merge(health::routes())
        .merge(listening::routes())
        .merge(messages::routes(config))
        .merge(nodes::routes())
        .merge(not_built::routes())
        .merge(operational::routes())
        .merge(payloads::routes())
        .merge(portal::routes())
        .merge(public_keys::routes())
        .merge(recovery::routes())
        .merge(sessions::routes())
        .merge(sources::routes())
        .merge(standings::routes())
        .merge(statistics::routes())
}

/// All that is declared of the operations, for whoever wants to try each of them.
pub fn operations() -> Vec<Operation> {
    routes(&ApiConfig::default()).operations
}

/// What the server says of itself at `/api/v1/openapi.json`.
pub fn document() -> serde_json::Value {
    openapi::document(&operations())
}
