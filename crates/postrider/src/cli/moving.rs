//! What can be typed of `import svix` and `import file`.

use super::ServerArgs;
use clap::Args;
use clap::builder::RangedI64ValueParser;
use std::path::PathBuf;

/// How many requests are open at once unless said otherwise.
const AT_ONCE: u8 = 4;

/// `import svix`.
#[derive(Args)]
#[command(after_help = "Examples:
  postrider import svix --from https://api.eu.svix.com --token-file old.token
  postrider import svix --from https://api.eu.svix.com --token-file old.token --yes
  postrider import svix --from https://old.example.com --token-file old.token --app acme \\
    --server https://hooks.example.com --server-token-file new.token --yes")]
pub(crate) struct ImportSvixArgs {
    /// The server to read: the hosted service's, or any with the same API
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// File with that server's token, or -
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: PathBuf,
    /// Only this application, by id or uid (repeatable); event types are read in any case
    #[arg(long, value_name = "APP")]
    pub(crate) app: Vec<String>,
    /// Do it; otherwise it is only shown what would be done
    #[arg(long, visible_alias = "apply")]
    pub(crate) yes: bool,
    /// How many requests to each server may be open
    #[arg(long, value_name = "N", default_value_t = AT_ONCE, value_parser = at_once())]
    pub(crate) at_once: u8,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Authorities (PEM) to trust besides the system's, for the server to read
    #[arg(long, value_name = "FILE")]
    pub(crate) from_ca_file: Option<PathBuf>,
    /// Let that server's token go over http to another machine
    #[arg(long)]
    pub(crate) from_unsafe_http: bool,
    #[command(flatten)]
    to: TargetArgs,
}

/// The server to write to. As [`ServerArgs`], but that its token file is not the first.
#[derive(Args)]
#[command(next_help_heading = "Server to write to")]
struct TargetArgs {
    /// The server (or POSTRIDER_SERVER); otherwise the one on this machine
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// File with its token (or POSTRIDER_TOKEN_FILE; or POSTRIDER_TOKEN, the token itself)
    #[arg(long, value_name = "FILE")]
    server_token_file: Option<PathBuf>,
    /// Server and token file of [profile.NAME] in the configuration file (or POSTRIDER_PROFILE)
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Configuration file with profiles (or POSTRIDER_CONFIG)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Authorities (PEM) to trust besides the system's (or POSTRIDER_CA_FILE)
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Let its token go to an http server on another machine: everybody on the way can read it
    #[arg(long)]
    unsafe_http: bool,
}

/// `import file`.
#[derive(Args)]
#[command(after_help = "Each line is a JSON object:
  {\"app\": \"acme\", \"url\": \"https://hooks.example.com/in\", \"secret\": \"whsec_…\",
   \"types\": [\"invoice.paid\"], \"scheme\": \"standard-webhooks\"}
(on one line). It may have `uid`, `appName`, `description`, `channels`, `headers`, `rateLimit`,
`disabled` and `metadata` besides.

Examples:
  postrider import file endpoints.jsonl
  postrider import file endpoints.jsonl --yes
  psql -Atf endpoints.sql | postrider import file - --yes")]
pub(crate) struct ImportFileArgs {
    /// JSON Lines, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) lines: PathBuf,
    /// Do it; otherwise it is only shown what would be done
    #[arg(long, visible_alias = "apply")]
    pub(crate) yes: bool,
    /// How many requests may be open
    #[arg(long, value_name = "N", default_value_t = AT_ONCE, value_parser = at_once())]
    pub(crate) at_once: u8,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

fn at_once() -> RangedI64ValueParser<u8> {
    RangedI64ValueParser::new().range(1..=32)
}

impl ImportSvixArgs {
    /// The server to write to.
    pub(crate) fn target(&self) -> ServerArgs {
        ServerArgs {
            server: self.to.server.clone(),
            token_file: self.to.server_token_file.clone(),
            profile: self.to.profile.clone(),
            config: self.to.config.clone(),
            ca_file: self.to.ca_file.clone(),
            unsafe_http: self.to.unsafe_http,
        }
    }
}
