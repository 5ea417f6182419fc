//! The example of `docs/authentication.md` in Rust, word for word: credentials that are compared.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::HeaderMap;

fn carries(headers: &HeaderMap, name: &str, expected: &str) -> bool {
    let given = headers.get(name).map_or(&[][..], |value| value.as_bytes());
    verify_slices_are_equal(given, expected.as_bytes()).is_ok()
}

pub fn has_password(headers: &HeaderMap, username: &str, password: &str) -> bool {
    let expected = BASE64_STANDARD.encode(format!("{username}:{password}"));
    carries(headers, "authorization", &format!("Basic {expected}"))
}

pub fn has_token(headers: &HeaderMap, token: &str) -> bool {
    carries(headers, "authorization", &format!("Bearer {token}"))
}

pub fn has_key(headers: &HeaderMap, name: &str, key: &str) -> bool {
    carries(headers, name, key)
}
