//! `postrider keys generate`.

use super::{say, say_json};
use crate::cli::GenerateArgs;
use crate::failure::Failure;
use crate::keys::{self, KeyError};
use crate::system::SystemEntropy;
use serde_json::json;
use store_sqlite::DataDirectory;

/// Makes the keys that are not there, in a directory that only its owner can enter and that no
/// server works in.
pub(crate) fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let data_dir = &args.data_dir;
    let directory = DataDirectory::lock(data_dir).map_err(Failure::could_not)?;
    let master = data_dir.join(keys::MASTER_KEY_FILE);
    if directory.database().exists() && !master.exists() {
        // A new one could not read the store.
        return Err(KeyError::Missing(master).into());
    }
    let made = keys::generate(data_dir, &SystemEntropy)?;
    let made: Vec<_> = made.iter().map(|path| path.display().to_string()).collect();
    if args.json {
        return say_json(&json!({"written": made}));
    }
    let made = made.join(" and ");
    say(format_args!("wrote {made}: keep a copy apart from backups"))
}
