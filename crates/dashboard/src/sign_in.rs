//! The ways in and out of the operator's pages: by a token, or by the identity provider where there
//! is one. Cookies are set nowhere else.

use crate::layout;
use crate::oidc;
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::{cookie_name, remote_address};
use crate::{DASHBOARD, PORTAL, Rooms, Shared, needs};
use app::AppError;
use app::sign_in::SignedIn;
use app::tokens::sessions::Pages;
use axum::extract::{Form, FromRequestParts, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderValue, Method};
use maud::{Markup, html};
use model::Chain;
use serde::Deserialize;
use std::net::IpAddr;

/// Where the operator's people sign in.
pub(crate) const SIGN_IN: &str = "/dashboard/sign-in";

pub(crate) fn routes() -> Routes {
    Routes::default()
        .open(Method::GET, SIGN_IN, form)
        .open(Method::POST, SIGN_IN, sign_in)
        .action("/dashboard/sign-out", needs::ANYBODY, sign_out)
        .merge(oidc::routes())
}

/// Where a request comes from that needs no session.
pub(crate) struct Origin(pub(crate) Option<IpAddr>);

impl FromRequestParts<Shared> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Self::Rejection> {
        Ok(Self(remote_address(parts)))
    }
}

/// Where to go behind the sign-in.
#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    pub(crate) next: String,
}

async fn form(State(rooms): State<Shared>, Query(Next { next }): Query<Next>) -> Markup {
    page(&rooms, &next, None)
}

async fn sign_in(
    State(rooms): State<Shared>,
    Origin(from): Origin,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answer {
    let fields = Fields::from(fields);
    let next = fields.text("next");
    match rooms.app.sign_in(fields.text("token"), from).await {
        Ok(signed_in) => Ok(enter(Pages::Dashboard, &signed_in, within(next))),
        Err(
            error @ (AppError::Unauthenticated(_)
            | AppError::BadRequest { .. }
            | AppError::TooMany { .. }
            | AppError::TooManySignIns { .. }),
        ) => {
            let text = error.to_string();
            Ok((
                Refused::from(error).status(),
                page(&rooms, next, Some(&text)),
            )
                .into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn sign_out(State(rooms): State<Shared>, posted: Posted) -> Response {
    let ended = rooms.app.log_out(&posted.seat.caller).await;
    leave(posted.seat.pages, ended, Redirect::to(SIGN_IN))
}

/// Gives the browser its session, and leads it on.
pub(crate) fn enter(pages: Pages, signed_in: &SignedIn, to: &str) -> Response {
    if let Some(error) = &signed_in.untold {
        tracing::warn!(error = %Chain(error), "somebody signed in, and the audit log was not told");
    }
    let session = String::from_utf8_lossy(signed_in.session.expose());
    let lifetime = signed_in.lifetime.as_secs();
    let text = format!(
        "{}={session}; Max-Age={lifetime}; {}",
        cookie_name(pages),
        attributes(pages)
    );
    let mut cookie =
        HeaderValue::from_str(&text).expect("a signed token has no control characters");
    cookie.set_sensitive(true);
    ([(SET_COOKIE, cookie)], Redirect::to(to)).into_response()
}

/// Leads out. This browser forgets the session also where it could not be ended.
pub(crate) fn leave(pages: Pages, ended: Result<(), AppError>, out: impl IntoResponse) -> Response {
    let mut response = match ended {
        Ok(()) => out.into_response(),
        Err(error) => Refused::from(error).into_response(),
    };
    let text = format!("{}=; Max-Age=0; {}", cookie_name(pages), attributes(pages));
    let forgotten = HeaderValue::from_str(&text).expect("it is plain text");
    response.headers_mut().insert(SET_COOKIE, forgotten);
    response
}

/// The portal may be in a frame of another site: only there is its cookie sent from others' pages,
/// and kept apart for each of them.
fn attributes(pages: Pages) -> &'static str {
    match pages {
        Pages::Dashboard => "Path=/; Secure; HttpOnly; SameSite=Lax",
        Pages::Portal => "Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
    }
}

/// A page of ours, and nothing else: whoever wrote the link may have written anything into it.
pub(crate) fn within(next: &str) -> &str {
    let plain = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let rest = next.strip_prefix(DASHBOARD);
    let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    match plain && is_ours && !next.starts_with(PORTAL) && !next.starts_with(SIGN_IN) {
        true => next,
        false => DASHBOARD,
    }
}

/// The page, with what went wrong before.
pub(crate) fn page(rooms: &Rooms, next: &str, wrong: Option<&str>) -> Markup {
    let content = html! {
        h1 { "Sign in" }
        @if let Some(wrong) = wrong { p.notice.bad role="alert" { (wrong) } }
        form method="post" action=(SIGN_IN) {
            input type="hidden" name="next" value=(next);
            label for="token" { "Admin token or API key" }
            input #token type="password" name="token" required autocomplete="off" autofocus;
            p.hint {
                "A token is printed by " code { "postrider token" } ". Keys with the scope "
                code { "role:viewer" } " or " code { "role:operator" } " may do what their role may."
            }
            button.primary type="submit" { "Sign in" }
        }
        (oidc::link(rooms, next))
    };
    layout::bare((rooms, Pages::Dashboard), "Sign in", content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_on_to_pages_of_ours_alone() {
        for (next, expected) in [
            ("/dashboard", "/dashboard"),
            ("/dashboard/messages?limit=5", "/dashboard/messages?limit=5"),
            ("/dashboard?x", "/dashboard?x"),
            ("", DASHBOARD),
            ("https://elsewhere.example", DASHBOARD),
            ("//elsewhere.example", DASHBOARD),
            ("/dashboard.elsewhere.example", DASHBOARD),
            ("/dashboard\\..\\x", DASHBOARD),
            ("/dashboard/x\r\nset-cookie: a", DASHBOARD),
            ("/portal", DASHBOARD),
            ("/dashboard/sign-in", DASHBOARD),
        ] {
            assert_eq!(within(next), expected, "{next}");
        }
    }
}
