//! `postrider restore`: a data directory, or a database, from a backup.

use super::{drive, say, say_json};
use crate::cli::RestoreArgs;
use crate::failure::Failure;
use crate::keys::{MASTER_KEY_FILE, TOKEN_KEY_FILE};
use crate::storage::postgres;
use serde_json::json;

/// Makes the data directory, or fills the database, and says what is still missing.
pub(crate) fn run(args: RestoreArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let (kind, to) = match &config.database {
        None => {
            let restored = store_sqlite::restore(&args.backup, &config.data_dir);
            restored.map_err(Failure::could_not)?;
            ("dataDir", config.data_dir.display().to_string())
        }
        Some(database) => {
            let postgres = postgres(database);
            let restored = drive(store_postgres::restore(&args.backup, &postgres))?;
            restored.map_err(Failure::could_not)?;
            ("database", database.url.shown().to_owned())
        }
    };
    let from = args.backup.display();
    if args.json {
        let result = json!({
            "backup": from.to_string(),
            kind: to,
            "keysIncluded": false,
        });
        return say_json(&result);
    }
    let keys = match &config.database {
        None => format!(
            "Put {MASTER_KEY_FILE} and {TOKEN_KEY_FILE} there before `postrider serve` starts, or \
             give them by configuration"
        ),
        Some(_) => format!(
            "Give each node the {MASTER_KEY_FILE} and {TOKEN_KEY_FILE} that it was made with"
        ),
    };
    say(format_args!(
        "restored {from} into {to}\n{keys}: with other keys it refuses to start."
    ))
}
