//! The style, the script and the icon of all pages, as they are in the binary. Their addresses
//! change with their content, so that browsers may keep them.

use crate::routes::Routes;
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

/// One of them.
#[derive(Clone, Copy)]
pub(crate) struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    version: u64,
}

impl Asset {
    const fn new(name: &'static str, kind: &'static str, text: &'static str) -> Self {
        Self {
            name,
            kind,
            text,
            version: fingerprint(text.as_bytes()),
        }
    }
}

/// What all pages look like.
pub(crate) const STYLE: Asset = Asset::new(
    "style.css",
    "text/css; charset=utf-8",
    include_str!("assets/style.css"),
);
/// What keeps pages up to date.
pub(crate) const SCRIPT: Asset = Asset::new(
    "page.js",
    "text/javascript; charset=utf-8",
    include_str!("assets/page.js"),
);
/// What stands beside a page's title.
pub(crate) const ICON: Asset =
    Asset::new("icon.svg", "image/svg+xml", include_str!("assets/icon.svg"));

/// FNV-1a, 64 bits: it tells versions of our own files apart, and guards nothing.
const fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash
}

/// Where it is, for pages that begin there.
pub(crate) fn address(base: &str, asset: Asset) -> String {
    format!("{base}/assets/{}?v={:016x}", asset.name, asset.version)
}

/// The operator's.
pub(crate) fn dashboard() -> Routes {
    Routes::default()
        .open(Method::GET, "/dashboard/assets/style.css", || async {
            answer(STYLE)
        })
        .open(Method::GET, "/dashboard/assets/page.js", || async {
            answer(SCRIPT)
        })
        .open(Method::GET, "/dashboard/assets/icon.svg", || async {
            answer(ICON)
        })
}

/// The portal's.
pub(crate) fn portal() -> Routes {
    Routes::default()
        .open(Method::GET, "/portal/assets/style.css", || async {
            answer(STYLE)
        })
        .open(Method::GET, "/portal/assets/page.js", || async {
            answer(SCRIPT)
        })
        .open(Method::GET, "/portal/assets/icon.svg", || async {
            answer(ICON)
        })
}

fn answer(asset: Asset) -> Response {
    let headers = [
        (CONTENT_TYPE, asset.kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, asset.text).into_response()
}
