//! `postrider config`: what is in force, wherever it was said.

use super::say;
use crate::cli::PrintArgs;
use crate::config;
use crate::failure::Failure;

/// Prints the effective configuration.
pub(crate) fn run(args: PrintArgs) -> Result<(), Failure> {
    say(config::print(&args.config.load()?, args.json))
}
