//! `postrider backup`: a consistent copy while the server runs.

use crate::cli::BackupArgs;
use crate::failure::Failure;
use crate::keys::{MASTER_KEY_FILE, TOKEN_KEY_FILE};

/// Copies the store, and says what is not in the copy.
pub(crate) fn run(args: BackupArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    store_sqlite::backup(&config.data_dir, &args.directory).map_err(Failure::could_not)?;
    println!(
        "copied the store of {} to {}",
        config.data_dir.display(),
        args.directory.display()
    );
    println!(
        "The keys are not in it: without {MASTER_KEY_FILE} it can't be read. Keep copies of \
         {MASTER_KEY_FILE} and {TOKEN_KEY_FILE} apart from it."
    );
    Ok(())
}
