//! What holds for every page, whatever it shows: how large what is sent may be, that no other site
//! sends it, and what browsers may do with the answer.

use crate::problem::{Marked, Refused};
use crate::seat::pages_of;
use crate::{Rooms, Shared};
use app::tokens::sessions::Pages;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::uri::Authority;
use http::{HeaderValue, Method};
use std::sync::Arc;

/// The largest form: a schema or an example is a form's field.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// By what browsers say whether a page of the same origin sent a request.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The pages, guarded.
pub(crate) fn around(router: Router<Shared>, rooms: &Arc<Rooms>) -> Router {
    router
        .fallback(|| async { Refused::no_page() })
        .method_not_allowed_fallback(|| async { Refused::no_page() })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(rooms.clone(), guard))
        .with_state(rooms.clone())
}

async fn guard(State(rooms): State<Shared>, request: Request, next: Next) -> Response {
    let pages = pages_of(request.uri().path());
    let framed = pages == Pages::Portal && !rooms.config.frame_ancestors.is_empty();
    let mut response = match is_from_elsewhere(&request) {
        true => Refused::from_elsewhere().into_response(),
        false => next.run(request).await,
    };
    if let Some(Marked(refused)) = response.extensions_mut().remove::<Marked>() {
        let headers = std::mem::take(response.headers_mut());
        let page = refused.page(&rooms, pages);
        response = (refused.status(), headers, page).into_response();
    }
    let headers = response.headers_mut();
    let policy = policy(if framed {
        &rooms.config.frame_ancestors
    } else {
        &[]
    });
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
    if !framed {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    // Of the origin alone, so that a form's `origin` header tells it.
    headers
        .entry(REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("same-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in ISOLATION {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Nothing of ours is another page's to load or to reach into.
const ISOLATION: [(HeaderName, &str); 2] = [
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Styles, scripts, images and events come from here, forms go here, and nothing stands in a page.
fn policy(ancestors: &[String]) -> HeaderValue {
    let ancestors = match ancestors {
        [] => "'none'".to_owned(),
        some => some.join(" "),
    };
    let text = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src \
         'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Whether a page of another site sends something. A form's own token would tell that, too; this
/// also holds where there is none yet, as when somebody signs in. What is no browser says nothing.
fn is_from_elsewhere<B>(request: &http::Request<B>) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return false;
    }
    let text = |name| {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap_or_default())
    };
    // In HTTP/2 it stands in the request's own address.
    let authority = request.uri().authority().map(Authority::as_str);
    match (text(FETCH_SITE), text(ORIGIN)) {
        (Some(site), _) => site != "same-origin",
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_none() || host != text(HOST).or(authority)
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_site_sends_is_told() {
        let cases: [(&[(HeaderName, &'static str)], bool); 8] = [
            (&[], false),
            (&[(FETCH_SITE, "same-origin")], false),
            (&[(FETCH_SITE, "same-site")], true),
            (&[(FETCH_SITE, "cross-site")], true),
            (&[(FETCH_SITE, "none")], true),
            (&[(HOST, "a:1"), (ORIGIN, "http://a:1")], false),
            (&[(HOST, "a:1"), (ORIGIN, "http://b:1")], true),
            (&[(HOST, "a:1"), (ORIGIN, "null")], true),
        ];
        for (headers, elsewhere) in cases {
            let post = asked(Method::POST, "/x", headers);
            assert_eq!(is_from_elsewhere(&post), elsewhere, "{post:?}");
            assert!(!is_from_elsewhere(&asked(Method::GET, "/x", headers)));
        }
    }

    #[test]
    fn in_http_2_no_header_names_the_host() {
        for (uri, origin, elsewhere) in [
            ("https://a:1/x", "https://a:1", false),
            ("https://a:1/x", "https://b:1", true),
            ("/x", "https://a:1", true),
        ] {
            let post = asked(Method::POST, uri, &[(ORIGIN, origin)]);
            assert_eq!(is_from_elsewhere(&post), elsewhere, "{post:?}");
        }
    }

    fn asked(
        method: Method,
        uri: &str,
        headers: &[(HeaderName, &'static str)],
    ) -> http::Request<()> {
        let request = http::Request::builder().method(method).uri(uri);
        let mut request = request.body(()).expect("it is a request");
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(name, value);
        }
        request
    }
}
