//! `postrider token`: prints a bearer token, minted by the use case that the API checks with.

use super::say;
use crate::cli::TokenArgs;
use crate::duration;
use crate::failure::Failure;
use crate::node;
use crate::system::{SystemClock, SystemEntropy};
use anyhow::anyhow;
use app::tokens::{Grant, Lifetime};
use model::Clock as _;
use serde_json::json;

/// Prints the token alone, or a JSON object.
pub(crate) fn run(args: TokenArgs) -> Result<(), Failure> {
    let lifetime = match args.expires.as_str() {
        "never" => Lifetime::Never,
        text => Lifetime::For(duration::parse(text).map_err(|e| Failure::Misuse(e.into()))?),
    };
    let grant = match args.app {
        None => Grant::Organisation,
        Some(text) => Grant::Application {
            id: text.parse().map_err(|error| {
                Failure::Misuse(anyhow!("`{text}` is not the id of an application: {error}"))
            })?,
            feature_flags: Vec::new(),
        },
    };
    let config = args.config.load()?;
    let tokens = node::tokens(&config)?;
    let token = tokens.mint(&grant, lifetime, SystemClock::new().now(), &SystemEntropy);
    if args.json {
        say(json!({"token": token}))
    } else {
        say(token)
    }
}
