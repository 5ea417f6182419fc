//! The two keys of the installation that is moved: the same on both sides. Rows are moved sealed,
//! so that keys are only held against what the source recognises them by, and put where a data
//! directory has its own.

use super::side::Side;
use crate::config::Checked;
use crate::failure::Failure;
use crate::key_checks::{self, TOKEN_CHECK};
use crate::key_file;
use crate::keys::{KeyError, KeySources, MASTER_KEY_FILE, MasterKeys, TOKEN_KEY_FILE};
use crate::system::SystemEntropy;
use anyhow::anyhow;
use app::master_keys::INSTALLATION_KEY;
use model::Secret;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::master_keys::MASTER_KEYS;
use store::transfer::{Source, Table, Value};
use vault::Standing;

/// See the file's head.
pub(super) struct Keys {
    masters: MasterKeys,
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
    pub(super) async fn of(config: &Checked, from: &Side, to: &Side) -> Result<Self, Failure> {
        let directory = directory(&config.data_dir, from, to);
        let sources = KeySources {
            data_dir: directory.to_owned(),
            keys: config.keys.clone(),
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
        let masters = sources.masters().await.map_err(needed)?;
        let token: Secret = sources.token().map_err(needed)?;
        let master = masters.current.to_text();
        Ok(Self {
            masters,
            texts: [(MASTER_KEY_FILE, master), (TOKEN_KEY_FILE, token)],
            from_files: [&config.keys.master, &config.keys.token].map(|key| !key.is_given()),
            directory: directory.to_owned(),
        })
    }

    /// Refuses keys that are not those of the source.
    pub(super) async fn verify(&self, source: &mut dyn Source) -> Result<(), Failure> {
        let kept = settings(source).await?;
        let [Some(standing), Some(installation), token] =
            [MASTER_KEYS, INSTALLATION_KEY, TOKEN_CHECK].map(|name| kept.get(name))
        else {
            return Ok(());
        };
        let standing = key_checks::needed(&self.masters, standing)?;
        if standing != Standing::Alone(self.masters.current.id()) {
            return Err(Failure::CouldNot(anyhow!(
                "a master key is giving way to another there: transfer when `postrider keys rotate` \
                 says that all is done, with the new one as `master_key`"
            )));
        }
        let (masters, installation) = (self.masters.clone(), installation.clone());
        let entropy = Arc::new(SystemEntropy);
        let vault = key_checks::open_with(masters, standing, installation, entropy)?;
        let [_, (_, key)] = &self.texts;
        match token {
            Some(kept) => key_checks::verify_token_key(&vault, key, kept),
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

/// All settings of a source.
async fn settings(source: &mut dyn Source) -> Result<HashMap<String, Vec<u8>>, Failure> {
    let settings = Table::named("setting").expect("it is one of them");
    let (mut kept, mut after) = (HashMap::new(), None);
    loop {
        let read = source.read(settings, after.as_ref(), 100).await;
        let chunk = read.map_err(Failure::could_not)?;
        for row in chunk.rows {
            if let [Value::Text(name), Value::Bytes(value)] = &row[..] {
                kept.insert(name.clone(), value.to_vec());
            }
        }
        match chunk.next {
            None => return Ok(kept),
            next => after = next,
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
