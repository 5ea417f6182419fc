//! `postrider import svix`: event types, applications and endpoints of a server that speaks the
//! same API, the hosted service's or one's own. The source is only read.

use super::moving::How;
use crate::cli::ImportSvixArgs;
use crate::client::{Credentials, ServerUrl};
use crate::command::Input;
use crate::failure::Failure;
use anyhow::anyhow;

/// Shows what would be moved, or moves it.
pub(super) fn run(args: &ImportSvixArgs) -> Result<(), Failure> {
    let from = ServerUrl::parse(&args.from, args.from_unsafe_http)?;
    let from = from.trusting(args.from_ca_file.as_deref())?;
    let token = Credentials::new(Input::file(&args.token_file).secret()?)?;
    let (to, to_token) = args.target().choose()?;
    if from.to_string() == to.to_string() {
        return Err(Failure::Misuse(anyhow!(
            "--from is the server that it would be moved to: name the other one"
        )));
    }
    let how = How {
        yes: args.yes,
        json: args.json,
        at_once: args.at_once,
    };
    let source = how.side("the source", from, &token)?;
    let target = how.side("the target", to, &to_token)?;
    how.run(&target, async |bar| source.source(&args.app, bar).await)
}
