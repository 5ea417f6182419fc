//! What can be typed behind `token`.

use crate::config::ConfigArgs;
use clap::{Args, Subcommand};

/// `token …`.
#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// End a token before its time, on every node within a second
    Revoke(Box<RevokeArgs>),
}

/// `token revoke`.
#[derive(Args)]
#[command(after_help = "Examples:
  postrider token --json                        # prints the token with its `jti`
  postrider token revoke 0f3c…e1                # the server may be running, or not
  postrider token revoke 0f3c…e1 --database-url postgres://…")]
pub(crate) struct RevokeArgs {
    /// The token's id: its `jti`
    pub(crate) jti: String,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}
