//! `postrider openapi`: the document that a server has at `/api/v1/openapi.json`, without one.

use super::say;
use crate::failure::Failure;

/// Prints it.
pub(crate) fn run() -> Result<(), Failure> {
    say(format_args!("{:#}", api::document()))
}
