//! The configuration file, and names that nobody knows.

use super::checked::ConfigError;
use super::detection::{self, Detection};
use super::key_choice::SecretTexts;
use super::oidc;
use super::options::{Options, Written as _};
use super::profile::{self, Profile, Profiles};
use dashboard::RoleRule;
use model::Secret;
use std::path::Path;

/// The keys of the file that are not options.
const SECRET_NAMES: [&str; 5] = [
    "master_key",
    "previous_master_key",
    "token_key",
    "smtp_password",
    "oidc_client_secret",
];
/// Variables that are no options of `serve` and yet known.
const OTHER_VARIABLES: [&str; 8] = [
    "CA_FILE",
    "CONFIG",
    "PROFILE",
    "SERVER",
    "TOKEN",
    "TOKEN_FILE",
    "TRANSFER_FROM",
    "TRANSFER_TO",
];

/// What a configuration file holds.
struct File {
    options: Options,
    secrets: SecretTexts,
    profiles: Profiles,
    detection: Detection,
    roles: RoleRule,
}

/// Reads a configuration file. An unknown key is an error that names the nearest right one.
pub(crate) fn read(path: &Path) -> Result<(Options, SecretTexts), ConfigError> {
    let File {
        options, secrets, ..
    } = read_all(path)?;
    Ok((options, secrets))
}

/// What a configuration file sets of detection.
pub(crate) fn detection(path: &Path) -> Result<Detection, ConfigError> {
    Ok(read_all(path)?.detection)
}

/// Who a configuration file gives which role that signs in by the identity provider.
pub(crate) fn roles(path: &Path) -> Result<RoleRule, ConfigError> {
    Ok(read_all(path)?.roles)
}

/// A profile of a configuration file, with paths as they are from here.
pub(crate) fn profile(path: &Path, name: &str) -> Result<Profile, ConfigError> {
    let mut profiles = read_all(path)?.profiles;
    profiles.remove(name).ok_or_else(|| {
        let reason = match nearest(name, profiles.keys()) {
            "" => "it has no [profile.NAME]".to_owned(),
            nearest => {
                let name = name.escape_debug();
                format!("there is no profile `{name}`; did you mean `{nearest}`?")
            }
        };
        let path = path.to_owned();
        ConfigError::File { path, reason }
    })
}

fn read_all(path: &Path) -> Result<File, ConfigError> {
    let unreadable = |reason: String| ConfigError::File {
        path: path.to_owned(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The error's own text would show the line, and lines can hold secrets.
        let start = error.span().map_or(0, |span| span.start);
        let before = text.bytes().take(start);
        let line = 1 + before.filter(|byte| *byte == b'\n').count();
        unreadable(format!("line {line} is not TOML: {}", error.message()))
    })?;
    let mut secret = |name: &str| match table.remove(name) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(Secret::from(text))),
        Some(value) => Err(unreadable(wrong_type(name, &value, String::WRITTEN_AS))),
    };
    let secrets = SecretTexts {
        master_key: secret("master_key")?,
        previous_master_key: secret("previous_master_key")?,
        token_key: secret("token_key")?,
        smtp_password: secret("smtp_password")?,
        oidc_client_secret: secret("oidc_client_secret")?,
    };
    let profiles = match table.remove(profile::KEY) {
        None => Profiles::new(),
        Some(value) => profile::read(value, path).map_err(unreadable)?,
    };
    let detection = match table.remove(detection::KEY) {
        None => Detection::default(),
        Some(value) => detection::read(value).map_err(unreadable)?,
    };
    let roles = match table.remove(oidc::KEY) {
        None => RoleRule::default(),
        Some(value) => oidc::read(value).map_err(unreadable)?,
    };
    let mut options = Options::default();
    for (key, value) in table {
        let Some(written_as) = Options::written_as(&key) else {
            let tables = [profile::KEY, detection::KEY, oidc::KEY];
            let others = SECRET_NAMES.iter().chain(&tables);
            let nearest = nearest(&key, Options::NAMES.iter().chain(others));
            let reason = format!("there is no option `{key}`; did you mean `{nearest}`?");
            return Err(unreadable(reason));
        };
        // The library's own text would repeat the value, which may be a secret in the wrong place.
        let reason = wrong_type(&key, &value, written_as);
        let one: Result<Options, _> = toml::Table::from_iter([(key, value)]).try_into();
        options = options.or(one.map_err(|_| unreadable(reason))?);
    }
    Ok(File {
        options,
        secrets,
        profiles,
        detection,
        roles,
    })
}

pub(super) fn wrong_type(key: &str, value: &toml::Value, written_as: &str) -> String {
    let given = value.type_str();
    let article = if given.starts_with(['a', 'i']) {
        "an"
    } else {
        "a"
    };
    format!("`{key}` is {article} {given}, and must be {written_as}")
}

/// A word on each variable that begins like ours and is none, with the nearest right one. Only a
/// warning: an orchestrator may set some for a service of this name.
pub(crate) fn unknown_variables() -> Vec<String> {
    let known: Vec<String> = Options::NAMES
        .iter()
        .chain(&SECRET_NAMES)
        .map(|name| name.to_uppercase())
        .chain(OTHER_VARIABLES.map(str::to_owned))
        .collect();
    let given = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let ours = given.filter_map(|name| name.strip_prefix("POSTRIDER_").map(str::to_owned));
    let unknown = ours.filter(|name| !known.contains(name));
    unknown
        .map(|name| {
            let nearest = nearest(&name, known.iter());
            let advice = format!("does nothing; did you mean POSTRIDER_{nearest}?");
            let name = name.escape_debug();
            format!("POSTRIDER_{name} is not an option and {advice}")
        })
        .collect()
}

pub(super) fn nearest<'a, S: AsRef<str> + 'a>(
    word: &str,
    known: impl Iterator<Item = &'a S>,
) -> &'a str {
    known
        .map(AsRef::as_ref)
        .min_by_key(|name| distance(word, name))
        .unwrap_or_default()
}

/// Levenshtein's distance.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<(Options, SecretTexts), ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("postrider.toml");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn an_unknown_key_names_the_nearest_right_one() {
        let cases = [
            ("lissten = 'x'", "`listen`"),
            ("retry_shedule = [1]", "`retry_schedule`"),
            ("masterkey = 'x'", "`master_key`"),
        ];
        for (text, expected) in cases {
            let error = read_text(text).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn values_of_the_wrong_type_and_broken_files_are_refused_without_their_content() {
        for text in [
            "listen = 5",
            "master_key = 5",
            "listen = 'sesame",
            "= 'sesame'",
        ] {
            let error = read_text(text).err().unwrap().to_string();
            assert!(!error.contains("sesame"), "{error}");
        }
    }

    #[test]
    fn a_value_of_a_wrong_type_is_named_with_what_would_be_right_and_never_shown() {
        let cases = [
            ("listen = 5", "`listen` is an integer, and must be a string"),
            (
                "token_key = 5",
                "`token_key` is an integer, and must be a string",
            ),
            (
                "egress_proxy = ['sesame']",
                "`egress_proxy` is an array, and must be a string",
            ),
            (
                "dev = 'sesame'",
                "`dev` is a string, and must be true or false",
            ),
            (
                "endpoints_max = 'sesame'",
                "is a string, and must be a whole number",
            ),
            (
                "endpoints_max = -1",
                "is an integer, and must be a whole number of 0 or more",
            ),
            (
                "retry_schedule = '5,sesame'",
                "is a string, and must be an array of whole numbers",
            ),
            (
                "retry_schedule = [5.5]",
                "is an array, and must be an array of whole numbers",
            ),
            (
                "allow_destination = '10.0.0.0/8'",
                "is a string, and must be an array of strings",
            ),
            (
                "[data_dir]\nx = 'sesame'",
                "`data_dir` is a table, and must be a string",
            ),
        ];
        for (text, expected) in cases {
            let error = read_text(text).err().unwrap().to_string();
            let right = error.contains(expected) && !error.contains("sesame");
            assert!(right, "{text:?}: {error}");
        }
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let cases = [
            ("= 1", 1),
            ("listen = 'x'\n= 1", 2),
            ("listen = 'x'\n\nlog = =", 3),
            ("# é\nlisten = é", 2),
        ];
        for (text, line) in cases {
            let error = read_text(text).err().unwrap().to_string();
            let place = format!("line {line} is not TOML");
            assert!(error.contains(&place), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_file_holds_options_and_secrets() {
        let text = "listen = '127.0.0.1:1'\nallow_destination = ['10.0.0.0/8']\ntoken_key = 'k'";
        let (options, secrets) = read_text(text).unwrap();
        assert_eq!(options.listen.as_deref(), Some("127.0.0.1:1"));
        assert_eq!(options.allow_destination.unwrap(), ["10.0.0.0/8"]);
        assert_eq!(secrets.token_key.unwrap().expose(), b"k");
        assert!(secrets.master_key.is_none());
    }

    #[test]
    fn profiles_stand_beside_the_options_and_are_held_to_the_same() {
        let good = "[profile.a]\nserver = 'https://h'\ntoken_file = 't'\nunsafe_http = true\n\
                    ca_file = 'c'";
        assert!(read_text(good).is_ok());
        let cases = [
            ("profile = 'sesame'", "`profile` is a string, and must be"),
            (
                "[profile]\na = 'sesame'",
                "`profile.a` is a string, and must be",
            ),
            (
                "[profile.a]\nserver = 5",
                "`profile.a.server` is an integer, and must be a string",
            ),
            (
                "[profile.a]\nunsafe_http = 'sesame'",
                "must be true or false",
            ),
            (
                "[profile.a]\ntoken = 'sesame'",
                "did you mean `token_file`?",
            ),
            ("profiles = 1", "did you mean `profile`?"),
        ];
        for (text, expected) in cases {
            let error = read_text(text).err().unwrap().to_string();
            assert!(
                error.contains(expected) && !error.contains("sesame"),
                "{error}"
            );
        }
    }
}
