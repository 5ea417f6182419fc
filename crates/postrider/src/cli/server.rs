//! How the server of a remote command is named.

use clap::Args;
use std::path::PathBuf;

/// Which server, with which token. What is not typed may be in the environment, which is read where
/// a server is chosen: there it matters which of the two it was.
#[derive(Args, Debug, Default, Clone)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// The server (or POSTRIDER_SERVER); otherwise the one on this machine
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// File with the token, or - (or POSTRIDER_TOKEN_FILE; or POSTRIDER_TOKEN, the token itself)
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Server and token file of [profile.NAME] in the configuration file (or POSTRIDER_PROFILE)
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Configuration file with profiles (or POSTRIDER_CONFIG)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// File with certificates (PEM) of authorities to trust besides the system's (or
    /// POSTRIDER_CA_FILE)
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Let the token go to an http server on another machine: everybody on the way can read it
    #[arg(long)]
    pub(crate) unsafe_http: bool,
}
