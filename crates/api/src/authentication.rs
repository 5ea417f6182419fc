//! Who asks: the bearer token of a request becomes a [`Caller`], if what the token is limited to
//! allows for the operation that was asked for.

use crate::Shared;
use crate::describe::{Describer, Input};
use crate::problem::Problem;
use app::Caller;
use app::access::limits::{ForPortal, Need};
use app::caller::RemoteAddress;
use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use model::Secret;
use model::api_key::Right;
use model::role::Role;
use std::net::IpAddr;

/// The caller of a request whose body doesn't matter.
pub(crate) struct Authenticated(pub(crate) Caller);

impl FromRequestParts<Shared> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let token = bearer(&parts.headers);
        let caller = api.app.authenticate(token, remote_address(parts))?;
        let need = parts.extensions.get::<Need>();
        // What is not declared is nobody's whose token is limited.
        caller.require(need.unwrap_or(&UNDECLARED))?;
        Ok(Self(caller))
    }
}

/// The bearer token itself, for what goes on asking whether it is still good. Empty where there is
/// none, which no caller is let in with.
pub(crate) struct Token(pub(crate) Secret);

impl FromRequestParts<Shared> for Token {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).unwrap_or_default();
        Ok(Self(Secret::from(token.to_owned())))
    }
}

impl Input for Token {
    fn describe(_: &mut Describer) {}
}

/// Where a request comes from that needs no token.
pub(crate) struct Origin(pub(crate) Option<IpAddr>);

impl FromRequestParts<Shared> for Origin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        Ok(Self(remote_address(parts)))
    }
}

impl Input for Origin {
    fn describe(_: &mut Describer) {}
}

const UNDECLARED: Need = Need {
    noun: "",
    right: Right::Write,
    portal: ForPortal::None,
    role: Role::Admin,
};

/// Where a request comes from, if that is known.
pub(crate) fn remote_address(parts: &Parts) -> Option<IpAddr> {
    let remote = parts.extensions.get::<RemoteAddress>();
    remote.map(|RemoteAddress(address)| *address)
}

/// The token of a request that has exactly one `authorization` header, of the scheme `Bearer` in
/// whatever case (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn one_bearer_header_names_the_token() {
        let cases: [(&[&'static str], Option<&str>); 7] = [
            (&["Bearer abc"], Some("abc")),
            (&["bEARER  abc "], Some("abc")),
            (&["Basic abc"], None),
            (&["abc"], None),
            (&["Bearer"], None),
            (&[], None),
            (&["Bearer abc", "Bearer abc"], None),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(bearer(&headers), expected, "{values:?}");
        }
    }
}
