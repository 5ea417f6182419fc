//! `postrider completions`: what a shell needs to complete a command line.

use crate::cli::{Cli, CompletionsArgs};
use crate::failure::Failure;
use anyhow::Context as _;
use clap::CommandFactory as _;
use std::io::{Write as _, stdout};

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "postrider", &mut script);
    stdout()
        .write_all(&script)
        .context("the script can't be written to standard output")
        .map_err(Failure::CouldNot)
}
