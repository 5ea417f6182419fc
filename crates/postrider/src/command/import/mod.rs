//! `postrider import …`: what comes from another system, or from a document. Each through the API
//! of a server, as anybody could.
//!
//! Map: [`openapi`] (event types of a document) · [`svix`] and [`mod@file`] (where applications and
//! endpoints come from; [`lines`]) · [`moving`] (how both of these go) · [`state`] (what should be
//! there, and what is) · [`plan`] (what is to be done so that it is, pure) · [`side`] (what is read
//! of a server) · [`carry_out`] · [`report`].

mod carry_out;
mod file;
mod lines;
mod moving;
mod openapi;
mod plan;
mod report;
mod side;
mod state;
mod svix;

use crate::cli::ImportCommand;
use crate::failure::Failure;

/// Imports.
pub(crate) fn run(command: ImportCommand) -> Result<(), Failure> {
    match command {
        ImportCommand::Openapi(args) => openapi::run(&args),
        ImportCommand::Svix(args) => svix::run(&args),
        ImportCommand::File(args) => file::run(&args),
    }
}
