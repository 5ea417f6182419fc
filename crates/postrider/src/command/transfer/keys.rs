//! The two keys of the installation that is moved: the same on both sides. Rows are moved sealed,
//! so that keys are only held against what the source recognises them by, and put where a data
//! directory has its own.

use super::side::Side;
use crate::config::Checked;
use crate::failure::Failure;
use crate::key_checks::{self, Kept};
use crate::key_file;
use crate::keys::{KeyError, KeySources, MASTER_KEY_FILE, TOKEN_KEY_FILE};
use crate::system::SystemEntropy;
use anyhow::anyhow;
use model::Secret;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::transfer::{Source, Table, Value};
use vault::{MasterKey, Vault};

/// See the file's head.
pub(super) struct Keys {
    vault: Vault,
    /// By the names of their files in a data directory.
    texts: [(&'static str, Secret); 2],
    /// Which of them came from a file in a data directory.
    from_files: [bool; 2],
    /// Where those were.
    directory: PathBuf,
}

impl Keys {
    /// As they are configured, or as they are in a directory: the source's if that is one; else the
    /// one that nodes have theirs in, or the target's.
    pub(super) fn of(config: &Checked, from: &Side, to: &Side) -> Result<Self, Failure> {
        let directory = directory(&config.data_dir, from, to);
        let sources = KeySources {
            data_dir: directory,
            master_key: config.master_key.as_ref(),
            master_key_file: config.master_key_file.as_deref(),
            token_key: config.token_key.as_ref(),
            token_key_file: config.token_key_file.as_deref(),
            are_shared: false,
        };
        let needed = |error: KeyError| {
            match from {
            Side::Directory(_) => error.into(),
            Side::Database(_) => Failure::CouldNot(anyhow!(error).context(
                "the keys of the installation that is moved are needed: name the directory that its \
                 nodes have theirs in as --data-dir",
            )),
        }
        };
        let master: MasterKey = sources.master().map_err(needed)?;
        let token: Secret = sources.token().map_err(needed)?;
        Ok(Self {
            texts: [(MASTER_KEY_FILE, master.to_text()), (TOKEN_KEY_FILE, token)],
            from_files: [
                config.master_key.is_none() && config.master_key_file.is_none(),
                config.token_key.is_none() && config.token_key_file.is_none(),
            ],
            vault: Vault::new(master, Arc::new(SystemEntropy)),
            directory: directory.to_owned(),
        })
    }

    /// Refuses keys that are not those of the source.
    pub(super) async fn verify(&self, source: &mut dyn Source) -> Result<(), Failure> {
        let settings = Table::named("setting").expect("it is one of them");
        let mut after = None;
        loop {
            let read = source.read(settings, after.as_ref(), 100).await;
            let chunk = read.map_err(Failure::could_not)?;
            for row in &chunk.rows {
                let [Value::Text(name), Value::Bytes(value)] = &row[..] else {
                    continue;
                };
                self.verify_one(name, value)?;
            }
            match chunk.next {
                None => return Ok(()),
                next => after = next,
            }
        }
    }

    fn verify_one(&self, name: &str, value: &[u8]) -> Result<(), Failure> {
        match key_checks::kept_as(name) {
            Some(Kept::MasterKey) => key_checks::verify_master_key(&self.vault, value),
            Some(Kept::TokenKey) => {
                let [_, (_, token)] = &self.texts;
                key_checks::verify_token_key(&self.vault, token, value)
            }
            None => Ok(()),
        }
    }

    /// Refuses a target that has other keys.
    pub(super) fn verify_target(&self, to: &Side) -> Result<(), Failure> {
        let Side::Directory(directory) = to else {
            return Ok(());
        };
        for (name, key) in &self.texts {
            let path = directory.join(name);
            match std::fs::read(&path).map(Secret::new) {
                Ok(there) if there.expose().trim_ascii() == key.expose() => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Ok(_) => {
                    return Err(Failure::CouldNot(anyhow!(
                        "{} is another key than that of the installation which is moved: take it \
                         away, or name another directory",
                        path.display()
                    )));
                }
                Err(source) => return Err(KeyError::Io { path, source }.into()),
            }
        }
        Ok(())
    }

    /// Puts those into a data directory that are from one.
    pub(super) fn give_to(&self, to: &Side) -> Result<(), Failure> {
        let Side::Directory(directory) = to else {
            return Ok(());
        };
        for ((name, key), from_file) in self.texts.iter().zip(self.from_files) {
            if from_file {
                let path = directory.join(name);
                let written = key_file::write_new(&path, key);
                written.map_err(|source| KeyError::Io { path, source })?;
            }
        }
        Ok(())
    }

    /// What is to be done about them.
    pub(super) fn advice(&self, to: &Side) -> String {
        let directory = self.directory.display();
        match (to, self.from_files) {
            (Side::Database(_), [true, true]) => format!(
                "Give each node the {MASTER_KEY_FILE} and {TOKEN_KEY_FILE} of {directory}: with \
                 another master key it refuses to start, and tokens are good only with the same \
                 token-signing key."
            ),
            (Side::Directory(to), [true, true]) => format!(
                "{MASTER_KEY_FILE} and {TOKEN_KEY_FILE} are in {}, too.",
                to.display()
            ),
            _ => "Give the same keys by configuration there: with another master key nothing starts, \
                  and tokens are good only with the same token-signing key."
                .to_owned(),
        }
    }
}

fn directory<'a>(configured: &'a Path, from: &'a Side, to: &'a Side) -> &'a Path {
    match (from, to) {
        (Side::Directory(from), _) => from,
        (_, Side::Directory(to)) if !configured.join(MASTER_KEY_FILE).exists() => to,
        _ => configured,
    }
}
