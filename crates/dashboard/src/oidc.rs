//! Signing in by an identity provider (OpenID Connect Core 1.0, the code flow): there with state,
//! nonce and PKCE, back with a code, which is exchanged for a signed statement of who came.
//!
//! What is asked of the provider is in `provider`, what is believed of its answers in `statement`,
//! what somebody may do by them in `rule`; what a browser keeps meanwhile in `app::tokens::trips`.
//! Sessions end here alone: whoever signs out stays signed in at the provider.
//!
//! Deliberately not here: HTTP towards the provider ([`Exchange`], which the binary has), other
//! flows, tokens of the provider's beyond that one statement, and what it might tell beside it.

mod exchange;
mod provider;
mod refusal;
mod rule;
mod shapes;
mod statement;

pub use exchange::{Exchange, ExchangeError, place_of};
pub use rule::RoleRule;

pub(crate) use provider::Provider;

use crate::posted::Fields;
use crate::problem::status_of;
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::cookie;
use crate::sign_in::{self, Next, Origin};
use crate::{Rooms, Shared};
use app::tokens::sessions::Pages;
use app::tokens::trips::{TRIP_LIFETIME, Trip};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Method};
use maud::{Markup, html};
use model::Secret;
use model::role::Role;
use provider::Returned;
pub(crate) use refusal::NoPerson;
use std::net::IpAddr;
use std::sync::Arc;
use url::form_urlencoded::byte_serialize;

/// Where the way there begins.
const START: &str = "/dashboard/sign-in/oidc";
/// Where the provider sends people back to: what has to be registered there ends with it.
pub const CALLBACK: &str = "/dashboard/sign-in/oidc/callback";
/// What a browser keeps that is on its way, and sends when it comes back from the provider's page.
const COOKIE: &str = "__Host-postrider-oidc";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// The provider, as it is configured.
#[derive(Clone)]
pub struct Identity {
    /// What it calls itself, letter by letter.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// By what it knows us, unless this is a public client.
    pub client_secret: Option<Secret>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Where it sends people back to.
    pub redirect_url: String,
    /// Who may be asked: each as [`place_of`] has it.
    pub places: Vec<String>,
    /// What whom it names may do.
    pub rule: RoleRule,
    /// By whom it is asked.
    pub exchange: Arc<dyn Exchange>,
}

pub(crate) fn routes() -> Routes {
    Routes::default()
        .open(Method::GET, START, start)
        .open(Method::GET, CALLBACK, come_back)
}

/// The way there, where there is one.
pub(crate) fn link(rooms: &Rooms, next: &str) -> Markup {
    let mut to = START.to_owned();
    if !next.is_empty() {
        to.push_str("?next=");
        to.extend(byte_serialize(next.as_bytes()));
    }
    html! {
        @if rooms.provider.is_some() {
            p { a.button href=(to) { "Sign in with the identity provider" } }
        }
    }
}

async fn start(
    State(rooms): State<Shared>,
    Origin(from): Origin,
    Query(Next { next }): Query<Next>,
) -> Answer {
    let provider = rooms.provider.as_ref().ok_or_else(Refused::no_page)?;
    rooms.app.may_sign_in(from)?;
    let (trip, kept) = rooms.app.begin_trip(sign_in::within(&next));
    match provider.way_there(&trip).await {
        Ok(to) => {
            let cookie = cookie_of(
                &String::from_utf8_lossy(kept.expose()),
                TRIP_LIFETIME.as_secs(),
            );
            Ok(([(SET_COOKIE, cookie)], Redirect::to(to.as_str())).into_response())
        }
        Err(refused) => Ok(keep_out(&rooms, (&trip.next, &refused), from)),
    }
}

async fn come_back(
    State(rooms): State<Shared>,
    Origin(from): Origin,
    headers: HeaderMap,
    Query(fields): Query<Vec<(String, String)>>,
) -> Answer {
    let provider = rooms.provider.as_ref().ok_or_else(Refused::no_page)?;
    rooms.app.may_sign_in(from)?;
    let fields = Fields::from(fields);
    let trip = match cookie(&headers, COOKIE) {
        Some(kept) => rooms.app.trip(kept),
        None => None,
    };
    let mut response = match find(&rooms, provider, (trip.as_ref(), &fields)).await {
        Ok(person) => {
            let signed_in = rooms.app.sign_in_person(person, from).await;
            let next = trip.as_ref().map_or("", |trip| trip.next.as_str());
            sign_in::enter(Pages::Dashboard, &signed_in, sign_in::within(next))
        }
        Err(refused) => {
            let next = trip.as_ref().map_or("", |trip| trip.next.as_str());
            keep_out(&rooms, (next, &refused), from)
        }
    };
    // It is for one way there and back, however that ended.
    response.headers_mut().append(SET_COOKIE, cookie_of("", 0));
    Ok(response)
}

/// Whom the provider sent, and what they may do.
async fn find(
    rooms: &Shared,
    provider: &Provider,
    (trip, fields): (Option<&Trip>, &Fields),
) -> Result<(String, Role), NoPerson> {
    let trip = trip.ok_or(NoPerson::NoTrip)?;
    if !trip.is_state(fields.raw("state")) {
        return Err(NoPerson::OtherTrip);
    }
    let returned = Returned {
        code: fields.some("code"),
        issuer: fields.some("iss"),
        error: fields.some("error"),
        description: fields.some("error_description"),
    };
    provider.person(returned, trip, rooms.app.clock.now()).await
}

/// Says why, on the page on which one can sign in otherwise; and in the log and among the security
/// events what is worth it.
fn keep_out(rooms: &Shared, (next, refused): (&str, &NoPerson), from: Option<IpAddr>) -> Response {
    if let Some(detail) = refused.for_log() {
        tracing::warn!("nobody can sign in by the identity provider: {detail}");
    }
    if refused.is_somebodys() {
        rooms.app.sign_in_failed(from);
    }
    if let Some(why) = refused.for_event() {
        rooms.app.person_kept_out(&why, from);
    }
    let status = status_of(refused);
    (
        status,
        sign_in::page(rooms, next, Some(&refused.to_string())),
    )
        .into_response()
}

fn cookie_of(kept: &str, lifetime_s: u64) -> HeaderValue {
    let text = format!("{COOKIE}={kept}; Max-Age={lifetime_s}; {ATTRIBUTES}");
    let mut cookie =
        HeaderValue::from_str(&text).expect("a signed token has no control characters");
    cookie.set_sensitive(true);
    cookie
}
