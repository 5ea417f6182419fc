//! `postrider keys generate`.

use crate::failure::Failure;
use crate::keys;
use crate::system::SystemEntropy;
use std::path::Path;
use store_sqlite::DataDirectory;

/// Makes both keys, in a directory that only its owner can enter and that no server works in.
pub(crate) fn run(data_dir: &Path) -> Result<(), Failure> {
    let _lock = DataDirectory::lock(data_dir).map_err(Failure::could_not)?;
    keys::generate(data_dir, &SystemEntropy)?;
    let names = [keys::MASTER_KEY_FILE, keys::TOKEN_KEY_FILE];
    let [master, token] = names.map(|name| data_dir.join(name));
    let (master, token) = (master.display(), token.display());
    println!("wrote {master} and {token}: keep copies of them apart from backups");
    Ok(())
}
