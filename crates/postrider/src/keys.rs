//! The two keys of an installation: the master key, which seals what is stored, and the key that
//! tokens are signed with. From configuration, from a file, or made at the first start. While one
//! master key gives way to another, there are two of them.

use crate::config::{Given, KeyChoice};
use crate::key_command::{self, CommandError};
use crate::key_file;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Entropy, Secret, entropy};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use vault::{MasterKey, MasterKeyError};

/// The master key's file in the data directory.
pub(crate) const MASTER_KEY_FILE: &str = "master.key";
/// The file of the one that it takes the place of, or took.
pub(crate) const PREVIOUS_MASTER_KEY_FILE: &str = "previous-master.key";
/// The token-signing key's file in the data directory.
pub(crate) const TOKEN_KEY_FILE: &str = "token.key";
/// The shortest key that HS256 is safe with (RFC 7518, section 3.2).
const TOKEN_KEY_BYTES_MIN: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// Nobody made it yet.
    #[error(
        "there is no key at {}: put the installation's key there, or give it by configuration (a new \
         installation gets its keys from the first `postrider serve`, or from `postrider keys \
         generate`)",
        .0.display()
    )]
    Missing(PathBuf),
    /// Nobody gave it to a node of many.
    #[error(
        "there is no key at {}: nodes that share a database are all given the same two keys, and \
         none makes any; put the keys of the others there, or give them by configuration (the \
         first node's come from `postrider keys generate`)",
        .0.display()
    )]
    NotGiven(PathBuf),
    /// They must not be overwritten.
    #[error(
        "{MASTER_KEY_FILE} and {TOKEN_KEY_FILE} are in {} already, and what was sealed or signed \
         with them would be lost",
        .0.display()
    )]
    Exists(PathBuf),
    /// It may be needed for backups.
    #[error(
        "{} holds the key of an earlier rotation, which backups from before that are sealed with: \
         move it to a safe place first",
        .0.display()
    )]
    PreviousThere(PathBuf),
    /// The file can't be read or written.
    #[error("key file {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The text is no master key.
    #[error("the key of {whose}")]
    Master {
        /// The option.
        whose: &'static str,
        /// Why.
        #[source]
        source: MasterKeyError,
    },
    /// The command gives none.
    #[error("option `{whose}_command`")]
    Command {
        /// The option without the last part of its name.
        whose: &'static str,
        /// Why.
        #[source]
        source: CommandError,
    },
    /// The text is no token key.
    #[error("a token-signing key has at least {TOKEN_KEY_BYTES_MIN} bytes")]
    TokenTooShort,
}

/// Where the keys come from: configured, in one form; otherwise the file in the data directory.
#[derive(Clone)]
pub(crate) struct KeySources {
    pub(crate) data_dir: PathBuf,
    pub(crate) keys: KeyChoice,
    /// Whether other nodes have the same.
    pub(crate) are_shared: bool,
}

/// The master keys that are given.
#[derive(Clone)]
pub(crate) struct MasterKeys {
    pub(crate) current: MasterKey,
    /// The other one, while one gives way to another.
    pub(crate) previous: Option<MasterKey>,
}

impl MasterKeys {
    /// Both of them.
    pub(crate) fn into_vec(self) -> Vec<MasterKey> {
        [Some(self.current), self.previous]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Their ids, as people see them.
    pub(crate) fn shown(&self) -> String {
        let ids: Vec<_> = [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .map(|key| key.id().to_string())
            .collect();
        ids.join(" and ")
    }
}

impl KeySources {
    /// Those of a configuration.
    pub(crate) fn of(config: &crate::config::Checked) -> Self {
        Self {
            data_dir: config.data_dir.clone(),
            keys: config.keys.clone(),
            are_shared: config.database.is_some(),
        }
    }

    /// The master keys, read anew.
    pub(crate) async fn masters(&self) -> Result<MasterKeys, KeyError> {
        let whose = "master_key";
        let text = match read(&self.keys.master, whose).await? {
            Some(text) => text,
            None => self.read_file(MASTER_KEY_FILE)?,
        };
        let current = parse(&text, whose)?;
        let whose = "previous_master_key";
        let text = match read(&self.keys.previous, whose).await? {
            Some(text) => Some(text),
            None => read_if_there(&self.data_dir.join(PREVIOUS_MASTER_KEY_FILE))?,
        };
        let previous = text.map(|text| parse(&text, whose)).transpose()?;
        Ok(MasterKeys { current, previous })
    }

    /// The key that tokens are signed with.
    pub(crate) fn token(&self) -> Result<Secret, KeyError> {
        let given = &self.keys.token;
        let text = match (&given.text, &given.file) {
            (Some(text), _) => text.clone(),
            (None, Some(path)) => self.read_path(path)?,
            (None, None) => self.read_file(TOKEN_KEY_FILE)?,
        };
        let text = Secret::new(text.expose().trim_ascii().to_vec());
        if text.expose().len() < TOKEN_KEY_BYTES_MIN {
            return Err(KeyError::TokenTooShort);
        }
        Ok(text)
    }

    /// The password of the mail server's user, where one is given.
    pub(crate) async fn smtp_password(&self) -> Result<Option<Secret>, KeyError> {
        let text = read(&self.keys.smtp_password, "smtp_password").await?;
        Ok(text.map(|text| Secret::new(text.expose().trim_ascii().to_vec())))
    }

    /// What the identity provider knows us by, where it is given.
    pub(crate) async fn oidc_client_secret(&self) -> Result<Option<Secret>, KeyError> {
        let text = read(&self.keys.oidc_client_secret, "oidc_client_secret").await?;
        Ok(text.map(|text| Secret::new(text.expose().trim_ascii().to_vec())))
    }

    /// Makes those that are neither configured nor there, in the data directory.
    pub(crate) fn generate_missing(&self, entropy: &dyn Entropy) -> Result<(), KeyError> {
        if !self.keys.master.is_given() {
            make_master(&self.data_dir, entropy)?;
        }
        if !self.keys.token.is_given() {
            make_token(&self.data_dir, entropy)?;
        }
        Ok(())
    }

    /// The file of this name in the data directory.
    fn read_file(&self, name: &str) -> Result<Secret, KeyError> {
        self.read_path(&self.data_dir.join(name))
    }

    fn read_path(&self, path: &Path) -> Result<Secret, KeyError> {
        match read_if_there(path)? {
            Some(text) => Ok(text),
            None if self.are_shared => Err(KeyError::NotGiven(path.to_owned())),
            None => Err(KeyError::Missing(path.to_owned())),
        }
    }
}

/// What was configured, in whichever form.
async fn read(given: &Given, whose: &'static str) -> Result<Option<Secret>, KeyError> {
    if let Some(command) = &given.command {
        let printed = key_command::output(command).await;
        return printed
            .map(Some)
            .map_err(|source| KeyError::Command { whose, source });
    }
    match (&given.text, &given.file) {
        (Some(text), _) => Ok(Some(text.clone())),
        (None, Some(path)) => match read_if_there(path)? {
            None => Err(KeyError::Missing(path.clone())),
            some => Ok(some),
        },
        (None, None) => Ok(None),
    }
}

fn read_if_there(path: &Path) -> Result<Option<Secret>, KeyError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Secret::new(bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

fn parse(text: &Secret, whose: &'static str) -> Result<MasterKey, KeyError> {
    let text = std::str::from_utf8(text.expose()).map_err(|_| MasterKeyError::NotBase64);
    let key = text.and_then(MasterKey::parse);
    key.map_err(|source| KeyError::Master { whose, source })
}

/// Puts a new master key in the place of the data directory's, which stays beside it, under another
/// name. A file that is there with another key is left as it is, and nothing is done. Goes on where
/// a crash ended it. One process at a time.
pub(crate) fn make_next_master(
    data_dir: &Path,
    current: &MasterKey,
    entropy: &dyn Entropy,
) -> Result<MasterKey, KeyError> {
    let path = data_dir.join(PREVIOUS_MASTER_KEY_FILE);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| KeyError::Io { path, source }
    };
    let text = current.to_text();
    if !key_file::write_new(&path, &text).map_err(io(&path))? {
        let there = read_if_there(&path)?;
        let there = there.map(|there| there.expose().trim_ascii().to_vec());
        if there.as_deref() != Some(text.expose()) {
            return Err(KeyError::PreviousThere(path));
        }
    }
    let next = MasterKey::generate(entropy);
    let path = data_dir.join(MASTER_KEY_FILE);
    key_file::replace(&path, &next.to_text()).map_err(io(&path))?;
    Ok(next)
}

/// Makes the keys that a data directory lacks, and gives their files; goes on where a crash ended
/// it, and overwrites nothing: if both are there, that is an error.
pub(crate) fn generate(data_dir: &Path, entropy: &dyn Entropy) -> Result<Vec<PathBuf>, KeyError> {
    let made = [
        make_master(data_dir, entropy)?,
        make_token(data_dir, entropy)?,
    ];
    let made: Vec<_> = made.into_iter().flatten().collect();
    if made.is_empty() {
        return Err(KeyError::Exists(data_dir.to_owned()));
    }
    Ok(made)
}

fn make_master(data_dir: &Path, entropy: &dyn Entropy) -> Result<Option<PathBuf>, KeyError> {
    let key = MasterKey::generate(entropy).to_text();
    write_new(data_dir.join(MASTER_KEY_FILE), &key)
}

fn make_token(data_dir: &Path, entropy: &dyn Entropy) -> Result<Option<PathBuf>, KeyError> {
    let key: [u8; 32] = entropy::random(entropy);
    let key = Secret::from(STANDARD.encode(key));
    write_new(data_dir.join(TOKEN_KEY_FILE), &key)
}

/// Gives the file, unless it was there.
fn write_new(path: PathBuf, key: &Secret) -> Result<Option<PathBuf>, KeyError> {
    match key_file::write_new(&path, key) {
        Ok(new) => Ok(new.then_some(path)),
        Err(source) => Err(KeyError::Io { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;
    use std::os::unix::fs::PermissionsExt as _;

    fn sources(data_dir: &Path) -> KeySources {
        KeySources {
            data_dir: data_dir.to_owned(),
            keys: KeyChoice::default(),
            are_shared: false,
        }
    }

    #[test]
    fn keys_are_made_once_and_only_for_their_owner() {
        let directory = tempfile::tempdir().unwrap();
        sources(directory.path())
            .generate_missing(&SystemEntropy)
            .unwrap();
        let first = sources(directory.path()).token().unwrap();
        sources(directory.path())
            .generate_missing(&SystemEntropy)
            .unwrap();
        assert_eq!(
            sources(directory.path()).token().unwrap().expose(),
            first.expose()
        );
        for name in [MASTER_KEY_FILE, TOKEN_KEY_FILE] {
            let mode = fs::metadata(directory.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let again = generate(directory.path(), &SystemEntropy);
        assert!(matches!(again, Err(KeyError::Exists(_))));
    }

    #[test]
    fn generating_goes_on_where_it_was_left() {
        let directory = tempfile::tempdir().unwrap();
        for (lost, kept) in [
            (TOKEN_KEY_FILE, MASTER_KEY_FILE),
            (MASTER_KEY_FILE, TOKEN_KEY_FILE),
        ] {
            let _ = generate(directory.path(), &SystemEntropy);
            let before = fs::read(directory.path().join(kept)).unwrap();
            fs::remove_file(directory.path().join(lost)).unwrap();
            let made = generate(directory.path(), &SystemEntropy).unwrap();
            assert_eq!(made, [directory.path().join(lost)]);
            assert_eq!(fs::read(directory.path().join(kept)).unwrap(), before);
        }
    }

    #[test]
    fn a_configured_key_goes_before_the_data_directorys() {
        let directory = tempfile::tempdir().unwrap();
        generate(directory.path(), &SystemEntropy).unwrap();
        let configured = Secret::from("k".repeat(32));
        let mut sources = sources(directory.path());
        sources.keys.token.text = Some(configured.clone());
        assert_eq!(sources.token().unwrap().expose(), configured.expose());
    }

    #[tokio::test]
    async fn missing_short_and_unreadable_keys_say_so() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(
            sources(directory.path()).masters().await,
            Err(KeyError::Missing(_))
        ));
        let shared = KeySources {
            are_shared: true,
            ..sources(directory.path())
        };
        assert!(matches!(shared.masters().await, Err(KeyError::NotGiven(_))));
        fs::write(directory.path().join(TOKEN_KEY_FILE), "short").unwrap();
        fs::write(directory.path().join(MASTER_KEY_FILE), "not a key").unwrap();
        assert!(matches!(
            sources(directory.path()).token(),
            Err(KeyError::TokenTooShort)
        ));
        assert!(matches!(
            sources(directory.path()).masters().await,
            Err(KeyError::Master { .. })
        ));
    }

    #[tokio::test]
    async fn a_command_gives_a_master_key_and_the_previous_one_stands_beside() {
        let directory = tempfile::tempdir().unwrap();
        generate(directory.path(), &SystemEntropy).unwrap();
        let old = sources(directory.path()).masters().await.unwrap();
        assert!(old.previous.is_none());
        let mut with_command = sources(directory.path());
        let path = directory.path().join(MASTER_KEY_FILE);
        with_command.keys.previous.command = Some(format!("cat {}", path.display()));
        let both = with_command.masters().await.unwrap();
        assert_eq!(both.previous.map(|key| key.id()), Some(old.current.id()));
        with_command.keys.previous.command = Some("echo no key".to_owned());
        let refused = with_command.masters().await.err().unwrap();
        assert!(matches!(
            refused,
            KeyError::Master {
                whose: "previous_master_key",
                ..
            }
        ));
    }

    #[tokio::test]
    async fn a_next_master_key_goes_on_where_it_was_left_and_loses_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        generate(path, &SystemEntropy).unwrap();
        let old = sources(path).masters().await.unwrap().current;
        // As after a crash between the two files.
        fs::copy(
            path.join(MASTER_KEY_FILE),
            path.join(PREVIOUS_MASTER_KEY_FILE),
        )
        .unwrap();
        let next = make_next_master(path, &old, &SystemEntropy).unwrap();
        let both = sources(path).masters().await.unwrap();
        assert_eq!(both.current.id(), next.id());
        assert_eq!(both.previous.unwrap().id(), old.id());

        let refused = make_next_master(path, &next, &SystemEntropy).err();
        assert!(matches!(refused, Some(KeyError::PreviousThere(_))));
        let both = sources(path).masters().await.unwrap();
        assert_eq!(both.current.id(), next.id());
    }
}
