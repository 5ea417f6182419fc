//! Pages for people: the operator's dashboard below `/dashboard`, and the portal below `/portal`,
//! in which an application's own people look after their endpoints.
//!
//! Every page is made on the server and works without scripts; where they run, what a page shows is
//! kept up to date by server-sent events from the same address ([`live`](self), the file). Nothing
//! is loaded from another host, no style or script stands in a page. Pages call the use cases of
//! `app`, as the API does, and hold no rule of their own: what a page needs of whoever asks for it
//! is declared beside its route, in the API's own terms.
//!
//! Deliberately not here: HTTP itself (the binary serves what [`open`] makes), figures that others
//! count ([`Figures`] is asked for them), and any state of a session, which browsers keep.
//!
//! Map: `routes` (how pages are declared) · `seat` (who asks), `posted` (what they send), `guard`
//! (what holds for every page) · `sign_in`, `oidc` (the ways in and out) · `layout`, `parts`,
//! `problem`, `live`, `search`, `pairs`, `rules`, `words`, `chart` (what pages are made of) ·
//! `assets` (style and script) · `operator`, `portal` (pages of one of both), `tenant` (pages of an
//! application, which both have), `catalogue` (event types, which both have too).

mod assets;
mod catalogue;
mod chart;
mod config;
mod guard;
mod layout;
mod live;
mod needs;
mod oidc;
mod operator;
mod pairs;
mod parts;
mod portal;
mod posted;
mod problem;
mod routes;
mod rules;
mod search;
mod seat;
mod sign_in;
mod tenant;
mod words;

pub use config::{
    Blocked, Brand, Counted, Figures, PagesConfig, Reading, Recent, RuleExplained, SHEETS,
    Threshold, Written,
};
pub use oidc::{CALLBACK, Exchange, ExchangeError, Identity, RoleRule, place_of};
pub use routes::Declared;

use app::App;
use axum::Router;
use live::Live;
use operator::Glance;
use std::sync::Arc;

/// Where the operator's pages are.
pub const DASHBOARD: &str = "/dashboard";
/// Where the portal is.
pub const PORTAL: &str = "/portal";

/// What pages are made with.
pub(crate) struct Rooms {
    pub(crate) app: App,
    pub(crate) config: PagesConfig,
    pub(crate) live: Live,
    pub(crate) glance: Glance,
    pub(crate) provider: Option<oidc::Provider>,
}

/// Handlers share it.
pub(crate) type Shared = Arc<Rooms>;

/// Both kinds of pages, to be served.
pub struct Pages {
    /// The operator's.
    pub dashboard: Router,
    /// The portal.
    pub portal: Router,
}

/// The pages, with what they show.
pub fn open(app: App, config: PagesConfig) -> Pages {
    let rooms = Arc::new(Rooms {
        live: Live::new(app.listeners.clone()),
        glance: Glance::default(),
        provider: config.identity.clone().map(oidc::Provider::new),
        app,
        config,
    });
    Pages {
        dashboard: guard::around(operator::routes().router, &rooms),
        portal: guard::around(portal::routes().router, &rooms),
    }
}

/// All that is declared of pages, for whoever wants to try each of them.
pub fn declared() -> Vec<Declared> {
    let mut declared = operator::routes().declared;
    declared.extend(portal::routes().declared);
    declared
}
