//! What can be typed after `sign` and `verify`.

use clap::Args;
use std::path::PathBuf;

/// `sign`.
#[derive(Args)]
#[command(after_help = "Example:
  postrider sign --scheme standard-webhooks --secret-file secret.txt --body body.json
  postrider sign --scheme generic --header X-Signature --hash sha256 --encoding hex \\
    --template '{timestamp}.{body}' --secret-file secret.txt --body body.json")]
pub(crate) struct SignArgs {
    #[command(flatten)]
    pub(crate) signed: SignedArgs,
    /// The message's id; otherwise a new one
    #[arg(long)]
    pub(crate) id: Option<String>,
}

/// `verify`.
#[derive(Args)]
#[command(after_help = "Example:
  postrider verify --scheme standard-webhooks --secret-file secret.txt \\
    --headers headers.txt --body body.json

HEADERS has a header in each line, `Name: value`, as curl -v or a log shows them.")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) signed: SignedArgs,
    /// File with the request's headers, or -
    #[arg(long, value_name = "FILE")]
    pub(crate) headers: PathBuf,
    /// How far the signed time may be from now, in seconds; otherwise what is the scheme's, mostly
    /// 300
    #[arg(long, value_name = "SECONDS")]
    pub(crate) tolerance: Option<u32>,
}

/// What both need.
#[derive(Args)]
pub(crate) struct SignedArgs {
    /// How it is signed: standard-webhooks, svix, the name of a known sender such as github, or
    /// generic
    #[arg(long)]
    pub(crate) scheme: String,
    #[command(flatten)]
    pub(crate) generic: GenericArgs,
    /// File with the secret, or -; several lines are several secrets
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: PathBuf,
    /// File with the body, byte for byte, or -
    #[arg(long, value_name = "FILE")]
    pub(crate) body: PathBuf,
    /// The time in seconds since 1970; otherwise the clock's
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    pub(crate) now: Option<i64>,
    /// The request's method, for schemes that sign it
    #[arg(long, default_value = "POST")]
    pub(crate) method: String,
    /// The request's whole URL as its sender has it, for schemes that sign it
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a generic scheme is.
#[derive(Args)]
pub(crate) struct GenericArgs {
    /// Of generic: the header that carries the signature
    #[arg(long, value_name = "NAME", required_if_eq("scheme", "generic"))]
    pub(crate) header: Option<String>,
    /// Of generic: sha256, sha512 or sha1
    #[arg(long, required_if_eq("scheme", "generic"))]
    pub(crate) hash: Option<String>,
    /// Of generic: hex or base64
    #[arg(long, required_if_eq("scheme", "generic"))]
    pub(crate) encoding: Option<String>,
    /// Of generic: what stands before the digest
    #[arg(long, default_value = "")]
    pub(crate) prefix: String,
    /// Of generic: what is signed, of {id}, {timestamp} and {body}
    #[arg(long, default_value = "{body}")]
    pub(crate) template: String,
    /// Of generic: the header that carries a signed time; otherwise webhook-timestamp
    #[arg(long, value_name = "NAME")]
    pub(crate) timestamp_header: Option<String>,
}
