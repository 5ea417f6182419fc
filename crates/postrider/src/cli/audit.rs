//! What can be typed behind `audit` that asks no server: the store is looked at itself.

use super::RemoteArgs;
use crate::config::ConfigArgs;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};
use std::path::PathBuf;

/// The noun.
const AUDIT: &str = "audit";

/// What asks a server, and what stands beside it under a noun that it shares.
pub(crate) enum Asked {
    /// Of a server.
    Remote(Box<RemoteArgs>),
    /// Of the store's audit log, or an exported one.
    Audit(AuditCommand),
}

/// `audit …`.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Say whether the audit log is whole, and if not, what was done to it
    Verify(Box<VerifyLogArgs>),
    /// Write the audit log as lines of JSON, to be verified elsewhere with the public key alone
    Export(Box<ExportLogArgs>),
}

/// `audit verify`.
#[derive(Args)]
#[command(
    after_help = "Exit status 0: whole; 1: changed; 4: whole as far as can be shown, since no \
    checkpoint\nfrom outside was given, or none that is still of any use. See docs/audit-log.md.

Examples:
  postrider audit verify --checkpoint /elsewhere/checkpoints.jsonl   # beside the server, or without it
  postrider audit verify --export audit.jsonl --public-key 3b6a… --checkpoint checkpoints.jsonl"
)]
pub(crate) struct VerifyLogArgs {
    /// Checkpoints that were kept outside, a line each, or `-`: the file of audit_checkpoint_file,
    /// or lines of the server's log
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Verify an exported log, or `-`, in place of the store's
    #[arg(long, value_name = "FILE", requires = "public_key")]
    pub(crate) export: Option<PathBuf>,
    /// The key that the log is signed with, as checkpoints have it; otherwise the store's own is
    /// taken, for which the master key is needed
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// `audit export`.
#[derive(Args)]
#[command(after_help = "Examples:
  postrider audit export --out audit.jsonl
  postrider audit export --data-dir /var/lib/postrider | gzip > audit.jsonl.gz")]
pub(crate) struct ExportLogArgs {
    /// The file to write, new and for its owner only; otherwise the log is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The key that the log is signed with; otherwise the store's own is taken, for which the
    /// master key is needed
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

impl Subcommand for Asked {
    fn augment_subcommands(command: Command) -> Command {
        let mut command = RemoteArgs::augment_subcommands(command);
        if command.find_subcommand(AUDIT).is_none() {
            command = command.subcommand(Command::new(AUDIT));
        }
        command.mut_subcommand(AUDIT, |audit| {
            AuditCommand::augment_subcommands(audit)
                .about("The audit log: who did what, and whether all of it is there")
                .subcommand_required(true)
                .arg_required_else_help(true)
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        name == AUDIT || RemoteArgs::has_subcommand(name)
    }
}

impl FromArgMatches for Asked {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        if let Some((AUDIT, audit)) = matches.subcommand()
            && audit
                .subcommand_name()
                .is_some_and(AuditCommand::has_subcommand)
        {
            return AuditCommand::from_arg_matches(audit).map(Self::Audit);
        }
        RemoteArgs::from_arg_matches(matches)
            .map(Box::new)
            .map(Self::Remote)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
