//! The two keys of an installation: the master key, which seals what is stored, and the key that
//! tokens are signed with. From configuration, from a file, or made at the first start.

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
    #[error(transparent)]
    Master(#[from] MasterKeyError),
    /// The text is no token key.
    #[error("a token-signing key has at least {TOKEN_KEY_BYTES_MIN} bytes")]
    TokenTooShort,
}

/// Where the keys come from: configured, as a text or as a file, never both; otherwise the file in
/// the data directory.
pub(crate) struct KeySources<'a> {
    pub(crate) data_dir: &'a Path,
    pub(crate) master_key: Option<&'a Secret>,
    pub(crate) master_key_file: Option<&'a Path>,
    pub(crate) token_key: Option<&'a Secret>,
    pub(crate) token_key_file: Option<&'a Path>,
    /// Whether other nodes have the same.
    pub(crate) are_shared: bool,
}

impl KeySources<'_> {
    /// The master key.
    pub(crate) fn master(&self) -> Result<MasterKey, KeyError> {
        let text = self.read((self.master_key, self.master_key_file), MASTER_KEY_FILE)?;
        let text = std::str::from_utf8(text.expose()).map_err(|_| MasterKeyError::NotBase64)?;
        Ok(MasterKey::parse(text)?)
    }

    /// The key that tokens are signed with.
    pub(crate) fn token(&self) -> Result<Secret, KeyError> {
        let text = self.read((self.token_key, self.token_key_file), TOKEN_KEY_FILE)?;
        let text = Secret::new(text.expose().trim_ascii().to_vec());
        if text.expose().len() < TOKEN_KEY_BYTES_MIN {
            return Err(KeyError::TokenTooShort);
        }
        Ok(text)
    }

    /// Makes those that are neither configured nor there, in the data directory.
    pub(crate) fn generate_missing(&self, entropy: &dyn Entropy) -> Result<(), KeyError> {
        if self.master_key.is_none() && self.master_key_file.is_none() {
            make_master(self.data_dir, entropy)?;
        }
        if self.token_key.is_none() && self.token_key_file.is_none() {
            make_token(self.data_dir, entropy)?;
        }
        Ok(())
    }

    /// What was configured, as a text or a file, or else the file of this name in the data
    /// directory.
    fn read(
        &self,
        (text, file): (Option<&Secret>, Option<&Path>),
        name: &str,
    ) -> Result<Secret, KeyError> {
        if let Some(text) = text {
            return Ok(text.clone());
        }
        let path = file.map_or_else(|| self.data_dir.join(name), Path::to_owned);
        match fs::read(&path) {
            Ok(bytes) => Ok(Secret::new(bytes)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let source = error;
                Err(KeyError::Io { path, source })
            }
            Err(_) if self.are_shared => Err(KeyError::NotGiven(path)),
            Err(_) => Err(KeyError::Missing(path)),
        }
    }
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

    fn sources(data_dir: &Path) -> KeySources<'_> {
        let (master_key, token_key) = (None, None);
        let (master_key_file, token_key_file) = (None, None);
        KeySources {
            data_dir,
            master_key,
            master_key_file,
            token_key,
            token_key_file,
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
        sources.token_key = Some(&configured);
        assert_eq!(sources.token().unwrap().expose(), configured.expose());
    }

    #[test]
    fn missing_short_and_unreadable_keys_say_so() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(
            sources(directory.path()).master(),
            Err(KeyError::Missing(_))
        ));
        let shared = KeySources {
            are_shared: true,
            ..sources(directory.path())
        };
        assert!(matches!(shared.master(), Err(KeyError::NotGiven(_))));
        fs::write(directory.path().join(TOKEN_KEY_FILE), "short").unwrap();
        fs::write(directory.path().join(MASTER_KEY_FILE), "not a key").unwrap();
        assert!(matches!(
            sources(directory.path()).token(),
            Err(KeyError::TokenTooShort)
        ));
        assert!(matches!(
            sources(directory.path()).master(),
            Err(KeyError::Master(_))
        ));
    }
}
