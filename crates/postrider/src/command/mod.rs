//! One file for each command. `demo` has a folder of its own.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod check_url;
pub(crate) mod completions;
pub(crate) mod config;
mod escape;
pub(crate) mod import;
mod input;
pub(crate) mod keys;
mod left;
pub(crate) mod listen;
pub(crate) mod node;
pub(crate) mod openapi;
pub(crate) mod pin;
pub(crate) mod remote;
pub(crate) mod restore;
pub(crate) mod rotate;
pub(crate) mod serve;
pub(crate) mod signature;
mod table;
pub(crate) mod token;
pub(crate) mod transfer;

pub(crate) use escape::escaped;
pub(crate) use input::Input;
pub(crate) use table::Column;

use crate::failure::Failure;
use anyhow::Context as _;
use escape::plain_value;
use serde_json::Value;
use std::fmt::Display;
use std::io::{Write as _, stdout};
use tokio::runtime::Builder;

/// Carries through what needs a runtime.
fn drive<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(Failure::could_not)?.block_on(work))
}

/// Prints a result. A reader that is gone, or a full disk, is something that could not be done, and
/// no reason to panic.
fn say(text: impl Display) -> Result<(), Failure> {
    writeln!(stdout(), "{text}")
        .context("the result can't be written to standard output")
        .map_err(Failure::CouldNot)
}

/// Prints a result as JSON. Names and reasons in it may have come from outside.
fn say_json(value: &Value) -> Result<(), Failure> {
    say(plain_value(value))
}
