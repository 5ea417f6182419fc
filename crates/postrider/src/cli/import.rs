//! What can be typed of `import`.

use super::{ImportFileArgs, ImportSvixArgs, ServerArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `import …`.
#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    /// Make event types of an OpenAPI document's webhooks
    Openapi(ImportOpenapiArgs),
    /// Move event types, applications and endpoints in from a server with the same API
    Svix(ImportSvixArgs),
    /// Move endpoints in from a file of JSON Lines
    File(ImportFileArgs),
}

/// `import openapi`.
#[derive(Args)]
#[command(after_help = "Examples:
  postrider import openapi openapi.yaml --dry-run
  postrider import openapi openapi.json --replace-all
  curl https://api.example.com/openapi.json | postrider import openapi -")]
pub(crate) struct ImportOpenapiArgs {
    /// The document, JSON or YAML, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) document: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Archive the event types that are not in the document
    #[arg(long)]
    pub(crate) replace_all: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
