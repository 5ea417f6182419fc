//! How an endpoint's deliveries come by an access token.

use super::super::Parameter;
use super::part::{Part, part};

pub(super) const OAUTH: Part = part! {
    name: "oauth",
    of: "the OAuth client of",
    show: "Show how its deliveries come by an access token, masked",
    set: "Say how its deliveries come by an access token (OAuth 2.0)",
    delete: "Send its deliveries without an access token",
    examples: "Example:
  postrider endpoint set-oauth --app acme first oauth.json",
    parameters: [
        Parameter::whole("file", "File with it as JSON, or -: it holds a secret"),
    ],
};
