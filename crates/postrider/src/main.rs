//! The one binary: command line, configuration, wiring. It has no rule of its own; whatever it
//! prints as an answer, a room below it has decided.
//!
//! Exit status: 0, did it, or yes; 1, no (denied, something lost); 2, misuse; 3, could not; 4, yes
//! as far as can be shown (`audit verify` alone).

mod alerting;
mod auditing;
mod blocking;
mod cli;
mod client;
mod command;
mod config;
mod demo;
mod entrances;
mod events;
mod failure;
mod identity;
mod keeping;
mod key_checks;
mod key_command;
mod key_file;
mod keys;
mod listen;
mod logging;
mod metrics;
mod node;
mod open_files;
mod otlp;
mod pages;
mod resources;
mod rotation;
mod running;
mod schedules;
mod storage;
mod system;
mod vigilance;

use clap::Parser as _;
use std::process::ExitCode;

/// A delivery allocates about a hundred times, on one thread, and frees it on another: that is what
/// this allocator is made for (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are printed this way too, and are no misuse.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match cli.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
