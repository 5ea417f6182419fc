//! What can be typed. Parsing only; [`crate::command`] does the work.

mod audit;
mod bench;
mod import;
mod keys;
mod listen;
mod moving;
mod remote;
mod server;
mod signature;
mod token;
mod transfer;

pub(crate) use audit::{Asked, AuditCommand, ExportLogArgs, VerifyLogArgs};
pub(crate) use bench::{BenchArgs, BenchPart};
pub(crate) use import::{ImportCommand, ImportOpenapiArgs};
pub(crate) use keys::{ExportKeyArgs, ExportedKey, GenerateArgs, RotateArgs};
pub(crate) use listen::ListenArgs;
pub(crate) use moving::{ImportFileArgs, ImportSvixArgs};
pub(crate) use remote::{Given, RemoteArgs};
pub(crate) use server::ServerArgs;
pub(crate) use signature::{GenericArgs, SignArgs, SignedArgs, VerifyArgs};
pub(crate) use token::TokenCommand;
pub(crate) use transfer::TransferArgs;

use crate::command;
use crate::config::ConfigArgs;
use crate::failure::Failure;
use clap::{Args, Parser, Subcommand};
use model::role::Role;
use std::net::IpAddr;
use std::path::PathBuf;

/// Carries webhooks: a durable sender with one HTTP API.
#[derive(Parser)]
#[command(name = "postrider", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(ServeArgs),
    /// Print a bearer token for the API, or revoke one
    Token(TokenArgs),
    /// Print the effective configuration, secrets masked
    Config(PrintArgs),
    /// Make, export and rotate the keys of an installation
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Say whether a URL may be called, and why
    CheckUrl(CheckUrlArgs),
    /// Show a receiver's certificates, with the pins to verify it by
    Pin(PinArgs),
    /// Copy the store while the server runs, without its keys
    Backup(BackupArgs),
    /// Make a data directory from a backup, or fill a database
    Restore(RestoreArgs),
    /// Move a whole installation from one store into another: to a shared database, or back
    Transfer(TransferArgs),
    /// Look at the nodes of an installation
    #[command(subcommand)]
    Node(NodeCommand),
    /// Print what the API takes and answers, as an OpenAPI document
    Openapi,
    /// Run the main job: a shop, its payments and shipments, and trouble on the way
    Demo(DemoArgs),
    /// Measure what a server costs, beside a bare relay and no server at all
    Bench(BenchArgs),
    // What asks a server: the nouns of `resources`, and `send`; and what stands beside that.
    #[command(flatten)]
    Asked(Asked),
    /// Bring over what another system or a document has
    #[command(subcommand)]
    Import(ImportCommand),
    /// Get an application's new messages as an endpoint would, from behind any firewall
    Listen(ListenArgs),
    /// Sign a body, and print the headers to send with it
    Sign(SignArgs),
    /// Say whether a request is genuine, and if not, which check failed
    Verify(VerifyArgs),
    /// Print a script that completes what is typed
    Completions(CompletionsArgs),
}

/// `completions`.
#[derive(Args)]
#[command(after_help = "Examples:
  postrider completions bash > /etc/bash_completion.d/postrider
  postrider completions zsh > \"${fpath[1]}/_postrider\"
  postrider completions fish > ~/.config/fish/completions/postrider.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell that it is for
    pub(crate) shell: clap_complete::Shell,
}

/// `serve`.
#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// `token`.
#[derive(Args)]
// A node's own role says nothing of a token: its flag gives way to the token's.
#[command(mut_arg("role", |arg| arg.long("node-role").hide(true)))]
#[command(after_help = "Examples:
  postrider token                               # may do everything, for 90 days
  postrider token --role viewer --expires 12h   # looks at everything but secrets
  postrider token --app app_2d2yYyBqcv3nhV6r8fZKGjvfhnG")]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub(crate) command: Option<TokenCommand>,
    /// Only for this application (its id, app_…); otherwise for the whole organisation
    #[arg(long, value_name = "APP")]
    pub(crate) app: Option<String>,
    /// Only for what this role may: viewer looks at everything but secrets, operator sends again
    /// besides, admin does everything, as without it
    #[arg(id = "token_role", long = "role", value_name = "ROLE")]
    pub(crate) role: Option<Role>,
    /// How long it is good for, such as 12h or 90d; `never` only when spelled out
    #[arg(long, value_name = "DURATION", default_value = "90d")]
    pub(crate) expires: String,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// `config`.
#[derive(Args)]
pub(crate) struct PrintArgs {
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// `keys …`.
#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Write a master key and a token-signing key where `serve` reads them; overwrites nothing
    Generate(GenerateArgs),
    /// Write a key to standard output, or into a file for its owner only, for a safe place
    Export(ExportKeyArgs),
    /// Give the store another master key, while servers work on it
    Rotate(RotateArgs),
}

/// `check-url`.
#[derive(Args)]
pub(crate) struct CheckUrlArgs {
    /// The URL, as an endpoint would have it
    pub(crate) url: String,
    /// Take these addresses for the resolver's answer
    #[arg(long, value_name = "IP,IP…", value_delimiter = ',')]
    pub(crate) resolve: Option<Vec<IpAddr>>,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// `pin`.
#[derive(Args)]
#[command(after_help = "Examples:
  postrider pin https://hooks.example.com/in
  postrider pin https://hooks.internal.example.com/in --ca-file ca.pem --allow-destination 10.0.0.0/8")]
pub(crate) struct PinArgs {
    /// The URL, as an endpoint would have it; of it, only the host and the port count
    pub(crate) url: String,
    /// Trust the authorities in this file (PEM) in place of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Take these addresses for the resolver's answer
    #[arg(long, value_name = "IP,IP…", value_delimiter = ',')]
    pub(crate) resolve: Option<Vec<IpAddr>>,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// `backup`.
#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The directory to write to: new or empty
    pub(crate) directory: PathBuf,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// `restore`.
#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// The directory that a backup was written to
    pub(crate) backup: PathBuf,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// `node …`.
#[derive(Subcommand)]
pub(crate) enum NodeCommand {
    /// Say who is alive, and what each node holds
    List(NodeListArgs),
}

/// `node list`.
#[derive(Args)]
pub(crate) struct NodeListArgs {
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// `demo`.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// How many orders' events to send
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) orders: u32,
    /// Leave the server running, and show how to look at what happened
    #[arg(long)]
    pub(crate) keep: bool,
}

impl Command {
    /// Does it.
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(args) => command::serve::run(args),
            Self::Token(args) => command::token::run(args),
            Self::Config(args) => command::config::run(args),
            Self::Keys(KeysCommand::Generate(args)) => command::keys::generate(&args),
            Self::Keys(KeysCommand::Export(args)) => command::keys::export(args),
            Self::Keys(KeysCommand::Rotate(args)) => command::rotate::run(args),
            Self::CheckUrl(args) => command::check_url::run(args),
            Self::Pin(args) => command::pin::run(args),
            Self::Backup(args) => command::backup::run(args),
            Self::Restore(args) => command::restore::run(args),
            Self::Transfer(args) => command::transfer::run(args),
            Self::Node(NodeCommand::List(args)) => command::node::list(args),
            Self::Openapi => command::openapi::run(),
            Self::Demo(args) => crate::demo::run(&args),
            Self::Bench(args) => command::bench::run(args),
            Self::Asked(Asked::Remote(args)) => command::remote::run(*args),
            Self::Asked(Asked::Audit(asked)) => command::audit::run(asked),
            Self::Import(command) => command::import::run(command),
            Self::Listen(args) => command::listen::run(args),
            Self::Sign(args) => command::signature::sign(&args),
            Self::Verify(args) => command::signature::verify(&args),
            Self::Completions(args) => command::completions::run(&args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_parser_is_well_formed_and_help_shows_no_value_of_a_variable() {
        let mut pending = vec![Cli::command()];
        pending[0].clone().debug_assert();
        while let Some(command) = pending.pop() {
            for argument in command.get_arguments() {
                let hidden = argument.is_hide_env_values_set();
                assert!(hidden || argument.get_env().is_none(), "{argument}");
            }
            pending.extend(command.get_subcommands().cloned());
        }
    }
}
