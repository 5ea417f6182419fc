//! One file for each command. `demo` has a folder of its own.

pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod check_url;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod import;
mod input;
pub(crate) mod keys;
pub(crate) mod listen;
pub(crate) mod node;
pub(crate) mod openapi;
pub(crate) mod remote;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod signature;
mod table;
pub(crate) mod token;
pub(crate) mod transfer;

pub(crate) use input::Input;
pub(crate) use table::Column;

use crate::failure::Failure;
use anyhow::Context as _;
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

/// What came from outside, with that shown which a terminal would obey.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.into()
        }
    };
    text.chars().map(escape).collect()
}
