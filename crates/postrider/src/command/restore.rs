//! `postrider restore`: a data directory from a backup.

use super::say;
use crate::cli::RestoreArgs;
use crate::failure::Failure;
use crate::keys::{MASTER_KEY_FILE, TOKEN_KEY_FILE};
use serde_json::json;

/// Makes the data directory, and says what is still missing in it.
pub(crate) fn run(args: RestoreArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    store_sqlite::restore(&args.backup, &config.data_dir).map_err(Failure::could_not)?;
    let (from, to) = (args.backup.display(), config.data_dir.display());
    if args.json {
        let result = json!({
            "backup": from.to_string(),
            "dataDir": to.to_string(),
            "keysIncluded": false,
        });
        return say(result);
    }
    say(format_args!(
        "restored {from} into {to}\n\
         Put {MASTER_KEY_FILE} and {TOKEN_KEY_FILE} there before `postrider serve` starts, or give \
         them by configuration: with other keys it refuses to start."
    ))
}
