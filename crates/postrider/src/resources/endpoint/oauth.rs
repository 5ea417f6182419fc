//! How an endpoint's deliveries come by an access token.

use super::super::{APP, Operation, Parameter, Shows, Verb};
use super::ID;

const PATHS: &[&str] = &["/app/{app}/endpoint/{id}/oauth"];

pub(super) const SHOW: Operation = Operation {
    name: "oauth",
    about: "Show how its deliveries come by an access token, masked",
    examples: "Example:
  postrider endpoint oauth --app acme first",
    verb: Verb::Get,
    paths: PATHS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const SET: Operation = Operation {
    name: "set-oauth",
    about: "Say how its deliveries come by an access token (OAuth 2.0)",
    examples: "Example:
  postrider endpoint set-oauth --app acme first oauth.json",
    verb: Verb::Put,
    paths: PATHS,
    parameters: &[
        ID,
        APP,
        Parameter::whole("file", "File with it as JSON, or -: it holds a secret"),
    ],
    fixed: &[],
    shows: Shows::Done("set the OAuth client of"),
};

pub(super) const DELETE: Operation = Operation {
    name: "delete-oauth",
    about: "Send its deliveries without an access token",
    examples: "Example:
  postrider endpoint delete-oauth --app acme first",
    verb: Verb::Delete,
    paths: PATHS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Done("deleted the OAuth client of"),
};
