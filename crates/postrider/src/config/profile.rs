//! Profiles of the configuration file: servers that the command line can talk to, by name. `serve`
//! has no use for them, and reads the same file.

use super::file::{nearest, wrong_type};
use super::options::Written;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The key of the file under which they are.
pub(super) const KEY: &str = "profile";
/// What a profile may have.
const NAMES: [&str; 4] = ["token_file", "server", "ca_file", "unsafe_http"];

/// All profiles of a file, by name.
pub(super) type Profiles = BTreeMap<String, Profile>;

/// A server by name, and where its token is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) server: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
    /// Certificates of authorities to trust besides the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// Whether the token may go there unencrypted.
    pub(crate) unsafe_http: bool,
}

/// Reads `[profile.NAME]`; a path is from where the file is.
pub(super) fn read(value: Value, file: &Path) -> Result<Profiles, String> {
    let directory = file.parent().unwrap_or(Path::new(""));
    let profiles = table(KEY, value)?;
    let read = profiles.into_iter().map(|(name, value)| {
        let key = format!("{KEY}.{}", name.escape_debug());
        Ok((name, one(&key, value, directory)?))
    });
    read.collect()
}

fn one(key: &str, value: Value, directory: &Path) -> Result<Profile, String> {
    let mut profile = Profile::default();
    for (name, value) in table(key, value)? {
        let wrong = |written_as| wrong_type(&format!("{key}.{name}"), &value, written_as);
        let text = || value.as_str().ok_or_else(|| wrong(String::WRITTEN_AS));
        match name.as_str() {
            "server" => profile.server = Some(text()?.to_owned()),
            "token_file" => profile.token_file = Some(directory.join(text()?)),
            "ca_file" => profile.ca_file = Some(directory.join(text()?)),
            "unsafe_http" => {
                profile.unsafe_http = value.as_bool().ok_or_else(|| wrong(bool::WRITTEN_AS))?;
            }
            other => {
                let nearest = nearest(other, NAMES.iter());
                let other = other.escape_debug();
                return Err(format!(
                    "`{key}` has no `{other}`; did you mean `{nearest}`?"
                ));
            }
        }
    }
    Ok(profile)
}

fn table(key: &str, value: Value) -> Result<Table, String> {
    match value {
        Value::Table(table) => Ok(table),
        value => Err(wrong_type(key, &value, "a table, such as [profile.NAME]")),
    }
}
