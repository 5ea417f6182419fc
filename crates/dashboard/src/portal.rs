//! The portal: how an application's own people come in by a link that is good once, what its pages
//! look like, and the way out. What its pages show is in `tenant`.

use crate::layout;
use crate::needs::ANYBODY;
use crate::posted::Posted;
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::sign_in::{Origin, enter, leave};
use crate::{PORTAL, Shared, assets, tenant};
use app::tokens::sessions::Pages;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderValue, Method};
use maud::html;

/// Where the logo is, if there is one.
pub(crate) const LOGO: &str = "/portal/logo";

pub(crate) fn routes() -> Routes {
    assets::portal()
        .open(Method::GET, "/portal/theme.css", theme)
        .open(Method::GET, LOGO, logo)
        .open(Method::GET, "/portal/open/{token}", ask)
        .open(Method::POST, "/portal/open/{token}", come_in)
        .action("/portal/sign-out", ANYBODY, sign_out)
        .merge(tenant::portal())
}

/// Shows a button, and takes nothing: what looks at links in mail and in chats presses none.
async fn ask(State(rooms): State<Shared>) -> Response {
    let content = html! {
        h1 { "Your webhooks" }
        p { "This link is good once, and for a short time." }
        // To this address, of which nothing is written into the page: it may hold anything.
        form method="post" {
            button.primary type="submit" { "Open" }
        }
    };
    let page = layout::bare((&rooms, Pages::Portal), "Your webhooks", content);
    // The address is what lets in: it goes nowhere else.
    let silent = HeaderValue::from_static("no-referrer");
    ([(REFERRER_POLICY, silent)], page).into_response()
}

async fn come_in(
    State(rooms): State<Shared>,
    Origin(from): Origin,
    Path(token): Path<String>,
) -> Answer {
    let signed_in = rooms.app.open_portal(&token, from).await;
    Ok(enter(
        Pages::Portal,
        &signed_in.map_err(Refused::link)?,
        PORTAL,
    ))
}

async fn sign_out(State(rooms): State<Shared>, posted: Posted) -> Response {
    let ended = rooms.app.log_out(&posted.seat.caller).await;
    let content = html! {
        h1 { "Signed out" }
        p { "To come back, open these pages again from where you came." }
    };
    let page = layout::bare((&rooms, Pages::Portal), "Signed out", content);
    leave(posted.seat.pages, ended, page)
}

/// Colours, as they are configured.
async fn theme(State(rooms): State<Shared>) -> Response {
    let text = match &rooms.config.brand.colours {
        None => String::new(),
        Some((light, dark)) => format!(
            ":root {{ --link: {light}; }}\n\
             @media (prefers-color-scheme: dark) {{ :root {{ --link: {dark}; }} }}\n"
        ),
    };
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

/// The logo, as it is configured.
async fn logo(State(rooms): State<Shared>) -> Answer {
    let (kind, bytes) = rooms
        .config
        .brand
        .logo
        .clone()
        .ok_or_else(Refused::no_page)?;
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache".to_owned())];
    Ok((headers, bytes).into_response())
}
