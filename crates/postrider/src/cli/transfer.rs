//! What can be typed after `transfer`.

use crate::config::ConfigArgs;
use clap::Args;

/// `transfer`.
#[derive(Args)]
pub(crate) struct TransferArgs {
    /// What to move: a data directory, or the URL (postgres://…) of a database
    #[arg(
        long,
        env = "POSTRIDER_TRANSFER_FROM",
        hide_env_values = true,
        value_name = "DIR|URL"
    )]
    pub(crate) from: String,
    /// Where to: a data directory without a store, or the URL of an empty database; or what a
    /// transfer that was broken off has left there, which goes on
    #[arg(
        long,
        env = "POSTRIDER_TRANSFER_TO",
        hide_env_values = true,
        value_name = "DIR|URL"
    )]
    pub(crate) to: String,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}
