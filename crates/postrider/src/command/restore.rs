//! `postrider restore`: a data directory from a backup.

use crate::cli::RestoreArgs;
use crate::failure::Failure;
use crate::keys::{MASTER_KEY_FILE, TOKEN_KEY_FILE};

/// Makes the data directory, and says what is still missing in it.
pub(crate) fn run(args: RestoreArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    store_sqlite::restore(&args.backup, &config.data_dir).map_err(Failure::could_not)?;
    println!(
        "restored {} into {}",
        args.backup.display(),
        config.data_dir.display()
    );
    println!(
        "Put {MASTER_KEY_FILE} and {TOKEN_KEY_FILE} there before `postrider serve` starts, or give \
         them by configuration: with other keys it refuses to start."
    );
    Ok(())
}
