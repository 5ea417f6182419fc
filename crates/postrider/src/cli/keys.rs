//! What can be typed behind `keys`.

use crate::config::ConfigArgs;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `keys generate`.
#[derive(Args)]
pub(crate) struct GenerateArgs {
    /// The data directory, made if it is not there
    #[arg(
        long,
        env = "POSTRIDER_DATA_DIR",
        hide_env_values = true,
        default_value = "./postrider-data"
    )]
    pub(crate) data_dir: PathBuf,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `keys export`.
#[derive(Args)]
pub(crate) struct ExportKeyArgs {
    /// Which key
    #[arg(value_enum, default_value_t = ExportedKey::Master)]
    pub(crate) key: ExportedKey,
    /// The file to write, new and for its owner only; otherwise the key is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// A key that can be exported.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportedKey {
    /// The master key
    Master,
    /// The other master key, while one gives way to another
    PreviousMaster,
    /// The key that tokens are signed with
    Token,
}

/// `keys rotate`.
#[derive(Args)]
#[command(
    after_help = "The data directory's key is replaced by a new one, and stays beside it as \
    previous-master.key.\nWhere the key is configured, give the new one as master_key, and the one in \
    use as\nprevious_master_key, on all nodes first. See docs/operations.md."
)]
pub(crate) struct RotateArgs {
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}
