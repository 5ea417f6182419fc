//! The receivers' examples of the documentation, run as they stand there against deliveries of the
//! real binary: genuine ones they take, and changed ones they refuse.
//!
//! Those in Python and JavaScript are read from the pages. Those in Rust are the files beside this
//! one, which the pages repeat word for word.
#![expect(
    unreachable_pub,
    reason = "the pages' readers put the examples into crates of their own"
)]

mod connections;
mod contents;
mod credentials;
mod encryption;
mod events;
mod handshake;
mod hashes;
mod pins;
mod scheme;
mod shop;
mod standard;
mod thin;
mod tokens;
mod wanting;
mod whole_requests;

use e2e::Example;
use shop::{
    CREDENTIALS, ENCRYPTION, HANDSHAKE, HASHES, PINS, SCHEME, STANDARD, THIN, TOKENS, WANTING,
    WHOLE_REQUESTS,
};

/// The pages, their headings above examples, and the example there in Rust.
const EXAMPLES: [((&str, &str), &str); 11] = [
    (CREDENTIALS, include_str!("credentials.rs")),
    (TOKENS, include_str!("tokens.rs")),
    (HANDSHAKE, include_str!("handshake.rs")),
    (PINS, include_str!("pins.rs")),
    (ENCRYPTION, include_str!("encryption.rs")),
    (HASHES, include_str!("hashes.rs")),
    (STANDARD, include_str!("standard.rs")),
    (SCHEME, include_str!("scheme.rs")),
    (WHOLE_REQUESTS, include_str!("whole_requests.rs")),
    (THIN, include_str!("thin.rs")),
    (WANTING, include_str!("wanting.rs")),
];

#[test]
fn every_example_of_these_pages_is_one_that_is_run() {
    let mut pages: Vec<&str> = EXAMPLES.iter().map(|((page, _), _)| *page).collect();
    pages.push("security.md");
    pages.dedup();
    let found = pages.into_iter().flat_map(Example::all);
    let found: Vec<_> = found
        .map(|one| (one.page, one.heading, one.language))
        .collect();
    let run = EXAMPLES.iter().flat_map(|((page, heading), _)| {
        ["python", "js", "rust"].map(|one| [*page, *heading, one].map(str::to_owned).into())
    });
    assert_eq!(found, run.collect::<Vec<(String, String, String)>>());
    for ((page, heading), rust) in EXAMPLES {
        let (_, code) = rust.split_once("\n\n").expect("a head, and the code");
        assert_eq!(
            Example::find(page, heading, "rust").code,
            code,
            "{page}, {heading}"
        );
    }
}
