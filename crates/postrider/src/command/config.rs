//! `postrider config`: what is in force, wherever it was said.

use crate::cli::PrintArgs;
use crate::config;
use crate::failure::Failure;

/// Prints the effective configuration.
pub(crate) fn run(args: PrintArgs) -> Result<(), Failure> {
    println!("{}", config::print(&args.config.load()?, args.json));
    Ok(())
}
