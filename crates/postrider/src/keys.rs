//! The two keys of an installation: the master key, which seals what is stored, and the key that
//! tokens are signed with. From configuration, from a file, or made at the first start.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Entropy, Secret, entropy};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
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
    /// It must not be overwritten.
    #[error("{} is there already, and what was sealed or signed with it would be lost", .0.display())]
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
}

impl KeySources<'_> {
    /// The master key.
    pub(crate) fn master(&self) -> Result<MasterKey, KeyError> {
        let text = read(
            self.master_key,
            self.master_key_file,
            &self.data_dir.join(MASTER_KEY_FILE),
        )?;
        let text = std::str::from_utf8(text.expose()).map_err(|_| MasterKeyError::NotBase64)?;
        Ok(MasterKey::parse(text)?)
    }

    /// The key that tokens are signed with.
    pub(crate) fn token(&self) -> Result<Secret, KeyError> {
        let text = read(
            self.token_key,
            self.token_key_file,
            &self.data_dir.join(TOKEN_KEY_FILE),
        )?;
        let text = Secret::new(text.expose().trim_ascii().to_vec());
        if text.expose().len() < TOKEN_KEY_BYTES_MIN {
            return Err(KeyError::TokenTooShort);
        }
        Ok(text)
    }

    /// Makes those that are neither configured nor there, in the data directory.
    pub(crate) fn generate_missing(&self, entropy: &dyn Entropy) -> Result<(), KeyError> {
        if self.master_key.is_none() && self.master_key_file.is_none() {
            unless_there(make_master(self.data_dir, entropy))?;
        }
        if self.token_key.is_none() && self.token_key_file.is_none() {
            unless_there(make_token(self.data_dir, entropy))?;
        }
        Ok(())
    }
}

fn unless_there(made: Result<(), KeyError>) -> Result<(), KeyError> {
    match made {
        Err(KeyError::Exists(_)) => Ok(()),
        made => made,
    }
}

/// Makes both keys in a data directory; refuses to overwrite either.
pub(crate) fn generate(data_dir: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
    let files = [MASTER_KEY_FILE, TOKEN_KEY_FILE].map(|name| data_dir.join(name));
    if let Some(there) = files.into_iter().find(|path| path.exists()) {
        return Err(KeyError::Exists(there));
    }
    make_master(data_dir, entropy)?;
    make_token(data_dir, entropy)
}

fn make_master(data_dir: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
    write_new(
        &data_dir.join(MASTER_KEY_FILE),
        &MasterKey::generate(entropy).to_text(),
    )
}

fn make_token(data_dir: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
    let key: [u8; 32] = entropy::random(entropy);
    write_new(
        &data_dir.join(TOKEN_KEY_FILE),
        &Secret::from(STANDARD.encode(key)),
    )
}

/// Writes a key file that nobody else may read, on disk before this returns.
fn write_new(path: &Path, key: &Secret) -> Result<(), KeyError> {
    let failed = |source| KeyError::Io {
        path: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    let mut file = match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyError::Exists(path.to_owned()));
        }
        file => file.map_err(failed)?,
    };
    let written = file
        .write_all(key.expose())
        .and_then(|()| file.write_all(b"\n"));
    let synced = written
        .and_then(|()| file.sync_all())
        .and_then(|()| match path.parent() {
            Some(directory) => fs::File::open(directory)?.sync_all(),
            None => Ok(()),
        });
    synced.map_err(|error| {
        // Half a key would keep the next start from making a whole one.
        let _ = fs::remove_file(path);
        failed(error)
    })
}

fn read(
    text: Option<&Secret>,
    configured: Option<&Path>,
    default: &Path,
) -> Result<Secret, KeyError> {
    if let Some(text) = text {
        return Ok(text.clone());
    }
    let path = configured.unwrap_or(default);
    match fs::read(path) {
        Ok(bytes) => Ok(Secret::new(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(KeyError::Missing(path.to_owned()))
        }
        Err(source) => Err(KeyError::Io {
            path: path.to_owned(),
            source,
        }),
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
