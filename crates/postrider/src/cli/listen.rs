//! What can be typed after `listen`.

use super::ServerArgs;
use clap::Args;
use std::path::PathBuf;

/// `listen`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  postrider listen --app acme --forward http://127.0.0.1:3000/hooks
  postrider listen --app acme --type order.paid --type order.sent
  postrider listen --forward http://127.0.0.1:3000/hooks --secret-file hook-secret.txt
  postrider listen --app acme --json | jq .eventType

It asks the server for new messages over connections that it opens itself, so nothing needs to
reach this machine. It gets them signed, as an endpoint would, and ends with Ctrl-C.")]
pub(crate) struct ListenArgs {
    /// The application, by id or uid; otherwise the one that the token is for
    #[arg(long, value_name = "APP")]
    pub(crate) app: Option<String>,
    /// Send what arrives on to this URL, as it would have come, and show what it answers
    #[arg(long, value_name = "URL")]
    pub(crate) forward: Option<String>,
    /// Only messages of these types (repeatable)
    #[arg(long = "type", value_name = "TYPE,…", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// Only messages with one of these channels (repeatable)
    #[arg(long = "channel", value_name = "CHANNEL,…", value_delimiter = ',')]
    pub(crate) channels: Vec<String>,
    /// File with the secret to be signed with (whsec_… or whsk_…), or -; otherwise a new one, which
    /// is shown
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Print a JSON object in a line for each message
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
