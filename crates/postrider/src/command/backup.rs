//! `postrider backup`: a consistent copy while the server runs.

use super::{drive, say, say_json};
use crate::cli::BackupArgs;
use crate::failure::Failure;
use crate::keys::{MASTER_KEY_FILE, TOKEN_KEY_FILE};
use crate::storage::postgres;
use serde_json::json;

/// Copies the store, and says what is not in the copy.
pub(crate) fn run(args: BackupArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let (kind, from) = match &config.database {
        None => {
            let copied = store_sqlite::backup(&config.data_dir, &args.directory);
            copied.map_err(Failure::could_not)?;
            ("dataDir", config.data_dir.display().to_string())
        }
        Some(database) => {
            let postgres = postgres(database);
            let copied = drive(store_postgres::backup(&postgres, &args.directory))?;
            copied.map_err(Failure::could_not)?;
            ("database", database.url.shown().to_owned())
        }
    };
    let to = args.directory.display();
    if args.json {
        let result = json!({
            kind: from,
            "backup": to.to_string(),
            "keysIncluded": false,
        });
        return say_json(&result);
    }
    say(format_args!(
        "copied the store of {from} to {to}\n\
         The keys are not in it: without {MASTER_KEY_FILE} it can't be read. Keep copies of \
         {MASTER_KEY_FILE} and {TOKEN_KEY_FILE} apart from it."
    ))
}
