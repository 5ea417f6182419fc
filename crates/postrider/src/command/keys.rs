//! `postrider keys generate` and `export`.

use super::{drive, say, say_json};
use crate::cli::{ExportKeyArgs, ExportedKey, GenerateArgs};
use crate::failure::Failure;
use crate::key_file;
use crate::keys::{self, KeyError, KeySources};
use crate::system::SystemEntropy;
use anyhow::anyhow;
use model::Secret;
use serde_json::json;
use std::io::{Write as _, stdout};
use store_sqlite::DataDirectory;

/// Makes the keys that are not there, in a directory that only its owner can enter and that no
/// server works in.
pub(crate) fn generate(args: &GenerateArgs) -> Result<(), Failure> {
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

/// Writes a key to where the operator wants it. Everybody who reads it has what it seals.
pub(crate) fn export(args: ExportKeyArgs) -> Result<(), Failure> {
    let sources = KeySources::of(&args.config.load()?);
    let key = match args.key {
        ExportedKey::Token => sources.token()?,
        ExportedKey::Master => drive(sources.masters())??.current.to_text(),
        ExportedKey::PreviousMaster => {
            let previous = drive(sources.masters())??.previous;
            let none = || Failure::CouldNot(anyhow!("there is no previous master key"));
            previous.ok_or_else(none)?.to_text()
        }
    };
    let Some(path) = args.to else {
        return print(&key);
    };
    let io = |source| KeyError::Io {
        path: path.clone(),
        source,
    };
    if !key_file::write_new(&path, &key).map_err(io)? {
        let path = path.display();
        return Err(Failure::CouldNot(anyhow!(
            "{path} is there already, and is not written over: name another file"
        )));
    }
    say(format_args!(
        "wrote {}: keep it apart from backups of the store, which it opens",
        path.display()
    ))
}

fn print(key: &Secret) -> Result<(), Failure> {
    eprintln!(
        "postrider: warning: this is the key itself: whoever has it and the store has everything. \
         Keep it apart from backups, and out of logs and shells' histories"
    );
    let mut out = stdout();
    let written = out
        .write_all(key.expose())
        .and_then(|()| out.write_all(b"\n"));
    written.map_err(Failure::could_not)
}
