//! Who asks for a page, and where in the house that page is: taken from the session's cookie, and
//! let in only where the page's need is met. A handler that has no seat is for everybody.

use crate::problem::Refused;
use crate::{DASHBOARD, PORTAL, Shared};
use app::access::limits::{ForPortal, Need};
use app::caller::RemoteAddress;
use app::tokens::sessions::Pages;
use app::{AppError, Caller};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{ACCEPT, COOKIE};
use http::request::Parts;
use http::{HeaderMap, Method};
use model::role::Role;
use std::net::IpAddr;
use url::form_urlencoded::byte_serialize;

/// Somebody with a session, at one page.
#[derive(Clone)]
pub(crate) struct Seat {
    /// Who.
    pub(crate) caller: Caller,
    /// Which pages these are.
    pub(crate) pages: Pages,
    /// What its forms carry.
    pub(crate) form_token: String,
    /// The page's path and query.
    pub(crate) here: String,
    /// What the page needs.
    need: Need,
    /// What the path names.
    named: Vec<(String, String)>,
    /// The cookie's text, by which it is asked again whether the session is still good.
    session: String,
}

/// Why there is no seat.
pub(crate) enum NoSeat {
    /// Nobody is signed in: here is where to.
    SignIn(String),
    /// There is nothing that leads in from here.
    Refused(Refused),
}

impl IntoResponse for NoSeat {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(to) => Redirect::to(&to).into_response(),
            Self::Refused(refused) => refused.into_response(),
        }
    }
}

impl FromRequestParts<Shared> for Seat {
    type Rejection = NoSeat;

    async fn from_request_parts(parts: &mut Parts, rooms: &Shared) -> Result<Self, NoSeat> {
        let params = RawPathParams::from_request_parts(parts, rooms).await;
        let params = params.map_err(|_| NoSeat::Refused(Refused::no_page()))?;
        let named = params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let named = named.collect();
        let pages = pages_of(parts.uri.path());
        let session = cookie(&parts.headers, cookie_name(pages))
            .unwrap_or_default()
            .to_owned();
        let caller = rooms.app.session(pages, &session, remote_address(parts));
        let caller = caller.map_err(|_| nobody(pages, parts))?;
        let Some(need) = parts.extensions.get::<Need>() else {
            // What is not declared is nobody's.
            return Err(NoSeat::Refused(Refused::no_page()));
        };
        require(&caller, pages, need).map_err(|error| NoSeat::Refused(error.into()))?;
        let here = parts.uri.path_and_query().map_or("/", |here| here.as_str());
        Ok(Self {
            form_token: rooms.app.form_token(&caller),
            caller,
            pages,
            here: here.to_owned(),
            need: *need,
            named,
            session,
        })
    }
}

impl Seat {
    /// Whether what needs this may be done here: what can't be is not offered.
    pub(crate) fn may(&self, need: Need) -> bool {
        require(&self.caller, self.pages, &need).is_ok()
    }

    /// What the path has in this place; empty where it has none.
    pub(crate) fn named(&self, name: &str) -> &str {
        let found = self.named.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value)
    }

    /// The application that the page is about: the one in the path, or in the portal its own.
    pub(crate) fn application(&self) -> String {
        match self.caller.application() {
            Some(id) => id.to_string(),
            None => self.named("app").to_owned(),
        }
    }

    /// The same, as if the page were about this application.
    pub(crate) fn inside(&self, application: &str) -> Self {
        Self {
            named: vec![("app".to_owned(), application.to_owned())],
            ..self.clone()
        }
    }

    /// Where these pages begin.
    pub(crate) fn base(&self) -> &'static str {
        base(self.pages)
    }

    /// The address of a page of the same application: `rest` begins with a slash, or is empty.
    pub(crate) fn within(&self, rest: &str) -> String {
        match self.pages {
            Pages::Portal => format!("{PORTAL}{rest}"),
            Pages::Dashboard => format!("{DASHBOARD}/applications/{}{rest}", self.application()),
        }
    }

    /// The path alone.
    pub(crate) fn path(&self) -> &str {
        self.here.split('?').next().unwrap_or_default()
    }

    /// What may be done here, in a word; none in the portal.
    pub(crate) fn role(&self) -> Option<Role> {
        self.caller.greatest_role()
    }

    /// The same, if the session is still good, and good enough for the page.
    pub(crate) fn renewed(&self, rooms: &Shared) -> Option<Self> {
        let from = self.caller.remote_address;
        let caller = rooms.app.session(self.pages, &self.session, from).ok()?;
        require(&caller, self.pages, &self.need).ok()?;
        Some(Self {
            caller,
            ..self.clone()
        })
    }
}

/// Passes whoever may do this on these pages. What is no application's to do is not done in the
/// portal, whatever the link allows.
fn require(caller: &Caller, pages: Pages, need: &Need) -> Result<(), AppError> {
    if pages == Pages::Portal && need.portal == ForPortal::None {
        return Err(AppError::Forbidden);
    }
    caller.require(need)
}

/// Which pages a path is of.
pub(crate) fn pages_of(path: &str) -> Pages {
    match path.starts_with(PORTAL) {
        true => Pages::Portal,
        false => Pages::Dashboard,
    }
}

/// Where they begin.
pub(crate) fn base(pages: Pages) -> &'static str {
    match pages {
        Pages::Dashboard => DASHBOARD,
        Pages::Portal => PORTAL,
    }
}

/// What their cookie is called. The prefix binds it to this host and to all of it, and to what no
/// one on the way can read.
pub(crate) fn cookie_name(pages: Pages) -> &'static str {
    match pages {
        Pages::Dashboard => "__Host-postrider",
        Pages::Portal => "__Host-postrider-portal",
    }
}

/// Where a request comes from, if that is known.
pub(crate) fn remote_address(parts: &Parts) -> Option<IpAddr> {
    let remote = parts.extensions.get::<RemoteAddress>();
    remote.map(|RemoteAddress(address)| *address)
}

/// The cookie of this name. Where there are two, one is not ours: neither is believed.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter();
    let pairs = all.filter_map(|header| header.to_str().ok());
    let pairs = pairs.flat_map(|text| text.split(';'));
    let mut values = pairs.filter_map(|pair| {
        let (own, value) = pair.trim().split_once('=')?;
        (own == name).then_some(value)
    });
    values.next().filter(|_| values.next().is_none())
}

/// Whoever has no session is led to where one is opened, and back to a page that only looks. What
/// waits for events is told in a status.
fn nobody(pages: Pages, parts: &Parts) -> NoSeat {
    let for_events = |value: &http::HeaderValue| value.as_bytes().starts_with(b"text/event-stream");
    if pages == Pages::Portal || parts.headers.get(ACCEPT).is_some_and(for_events) {
        return NoSeat::Refused(Refused::no_session(pages));
    }
    let mut to = format!("{DASHBOARD}/sign-in");
    if let Some(here) = parts.uri.path_and_query()
        && parts.method == Method::GET
        && here.as_str() != DASHBOARD
    {
        to.push_str("?next=");
        to.extend(byte_serialize(here.as_str().as_bytes()));
    }
    NoSeat::SignIn(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_only_where_there_is_one() {
        for (headers, expected) in [
            (&["a=1; __Host-postrider=x"][..], Some("x")),
            (&["a=1", "__Host-postrider=x; b=2"], Some("x")),
            (&["__Host-postrider-portal=x"], None),
            (&["__Host-postrider=x; __Host-postrider=y"], None),
            (&["__Host-postrider=x", "__Host-postrider=y"], None),
            (&["__Host-postrider"], None),
            (&[], None),
        ] {
            let mut map = HeaderMap::new();
            for header in headers {
                map.append(COOKIE, HeaderValue::from_static(header));
            }
            let found = cookie(&map, cookie_name(Pages::Dashboard));
            assert_eq!(found, expected, "{headers:?}");
        }
    }
}
