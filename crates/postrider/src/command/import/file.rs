//! `postrider import file`: endpoints with their secrets from JSON Lines, as they can be written by
//! a query to any system's database. Every line is read before anything is asked of the target.

use super::lines;
use super::moving::How;
use crate::cli::ImportFileArgs;
use crate::command::Input;
use crate::failure::Failure;
use anyhow::anyhow;

/// Shows what the file would make, or makes it.
pub(super) fn run(args: &ImportFileArgs) -> Result<(), Failure> {
    let text = Input::file(&args.lines).text()?;
    let wanted = lines::read(&text).map_err(|wrong| {
        let wrong = wrong.join("\n  ");
        Failure::Misuse(anyhow!(
            "nothing was done, since not every line is right:\n  {wrong}"
        ))
    })?;
    let (server, token) = args.server.choose()?;
    let how = How {
        yes: args.yes,
        json: args.json,
        at_once: args.at_once,
    };
    let target = how.side("the server", server, &token)?;
    how.run(&target, async |_| Ok(wanted))
}
