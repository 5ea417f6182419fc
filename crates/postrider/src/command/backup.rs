//! `postrider backup`: a consistent copy while the server runs.

use super::say;
use crate::cli::BackupArgs;
use crate::failure::Failure;
use crate::keys::{MASTER_KEY_FILE, TOKEN_KEY_FILE};
use serde_json::json;

/// Copies the store, and says what is not in the copy.
pub(crate) fn run(args: BackupArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    store_sqlite::backup(&config.data_dir, &args.directory).map_err(Failure::could_not)?;
    let (from, to) = (config.data_dir.display(), args.directory.display());
    if args.json {
        let result = json!({
            "dataDir": from.to_string(),
            "backup": to.to_string(),
            "keysIncluded": false,
        });
        return say(result);
    }
    say(format_args!(
        "copied the store of {from} to {to}\n\
         The keys are not in it: without {MASTER_KEY_FILE} it can't be read. Keep copies of \
         {MASTER_KEY_FILE} and {TOKEN_KEY_FILE} apart from it."
    ))
}
