//! Whether an endpoint has proved that its receiver wants what it gets.

use super::super::{APP, Operation, Shows, Verb};
use super::ID;

const PATHS: &[&str] = &["/app/{app}/endpoint/{id}/verification"];

pub(super) const SHOW: Operation = Operation {
    name: "verification",
    about: "Show whether it has proved that its receiver wants what it gets",
    examples: "Example:
  postrider endpoint verification --app acme first",
    verb: Verb::Get,
    paths: PATHS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const SEND: Operation = Operation {
    name: "send-challenge",
    about: "Ask its receiver whether it wants what it gets, at most once a minute",
    examples: "Example:
  postrider endpoint send-challenge --app acme first",
    verb: Verb::Post,
    paths: PATHS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Fields,
};
