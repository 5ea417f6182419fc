//! Where the database of many nodes is. Checked as far as it can be without asking the database,
//! kept where nothing prints it, and shown without its password.
//!
//! Others' URLs are forgiving: a password with `@` or `/` in it as they are is understood by some
//! readers and not by others. Here that is refused, so that no part of a password can be taken for
//! a host, and be shown.

use super::checked::ConfigError;
use super::options::Options;
use model::Secret;

/// What a URL begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// Parameters that hold no secret. Others are shown by name alone.
const HARMLESS: [&str; 11] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];
const FORM: &str = "write postgres://USER:PASSWORD@HOST/DATABASE, and what is neither a letter nor \
                    a digit in the user or the password as % and two hexadecimal digits";

/// The database that a node shares with others.
pub(crate) struct Database {
    /// The way for everything.
    pub(crate) url: DatabaseUrl,
    /// The way past a pooler, where the other leads to one.
    pub(crate) direct_url: Option<DatabaseUrl>,
}

/// A URL that may hold a password.
pub(crate) struct DatabaseUrl {
    text: Secret,
    shown: String,
    has_password: bool,
}

impl Database {
    /// What the options say, if they name one.
    pub(super) fn from_options(options: &Options) -> Result<Option<Self>, ConfigError> {
        let url = parse("database_url", options.database_url.as_deref())?;
        let direct_url = parse(
            "database_direct_url",
            options.database_direct_url.as_deref(),
        )?;
        match (url, direct_url) {
            (None, Some(_)) => Err(ConfigError::Option {
                name: "database_direct_url",
                reason: "it is a second way to the database that `database_url` names, which is \
                         not given"
                    .to_owned(),
            }),
            (url, direct_url) => Ok(url.map(|url| Self { url, direct_url })),
        }
    }
}

impl DatabaseUrl {
    /// From its text, or what is wrong with that, without repeating it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        database_url(text)
    }

    /// The whole of it, for whoever connects.
    pub(crate) fn expose(&self) -> &str {
        std::str::from_utf8(self.text.expose()).expect("it was a text")
    }

    /// The same without the password.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether there is a password in it.
    pub(crate) fn has_password(&self) -> bool {
        self.has_password
    }
}

fn parse(name: &'static str, text: Option<&str>) -> Result<Option<DatabaseUrl>, ConfigError> {
    let wrong = |reason: &str| ConfigError::Option {
        name,
        reason: reason.to_owned(),
    };
    text.map(|text| database_url(text).map_err(|reason| wrong(&reason)))
        .transpose()
}

/// A URL in its parts, or what is wrong with it, without repeating it.
fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    let scheme = SCHEMES.iter().find(|scheme| text.starts_with(**scheme));
    let Some(scheme) = scheme else {
        return Err("it must begin with postgres:// or postgresql://".to_owned());
    };
    let rest = &text[scheme.len()..];
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if path.contains('@') || authority.matches('@').count() > 1 {
        return Err(format!("it has an @ too many: {FORM}"));
    }
    let (credentials, hosts) = match authority.split_once('@') {
        None => (None, authority),
        Some((credentials, hosts)) => (Some(credentials), hosts),
    };
    if !hosts.split(',').all(is_host) {
        return Err(format!("its host is none: {FORM}"));
    }
    let (path, query) = match path.split_once('?') {
        None => (path, None),
        Some((path, query)) => (path, Some(query)),
    };
    let mut shown = (*scheme).to_owned();
    let mut has_password = false;
    if let Some(credentials) = credentials {
        let (user, password) = match credentials.split_once(':') {
            None => (credentials, None),
            Some((user, password)) => (user, Some(password)),
        };
        has_password |= password.is_some();
        let password = password.map_or("", |_| ":***");
        shown.push_str(&format!("{user}{password}@"));
    }
    shown.push_str(hosts);
    shown.push_str(path);
    for (index, pair) in query.into_iter().flat_map(|q| q.split('&')).enumerate() {
        let (pair, harmless) = parameter(pair);
        has_password |= !harmless;
        shown.push(if index == 0 { '?' } else { '&' });
        shown.push_str(&pair);
    }
    Ok(DatabaseUrl {
        text: Secret::from(text.to_owned()),
        shown,
        has_password,
    })
}

/// A name or an address, and perhaps a port.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (text, ""),
    };
    let is_address = name.starts_with('[') && name.ends_with(']');
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_%".contains(&byte);
    let is_of_an_address = |byte: u8| byte.is_ascii_hexdigit() || b":.[]%".contains(&byte);
    port.bytes().all(|byte| byte.is_ascii_digit())
        && name.bytes().all(|byte| {
            if is_address {
                is_of_an_address(byte)
            } else {
                is_of_a_name(byte)
            }
        })
}

/// A parameter as it is shown, and whether that is all of it.
fn parameter(pair: &str) -> (String, bool) {
    match pair.split_once('=') {
        Some((name, _)) if HARMLESS.contains(&name) => (pair.to_owned(), true),
        Some((name, _)) if name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') => {
            (format!("{name}=***"), false)
        }
        _ => ("***".to_owned(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<(String, bool), String> {
        database_url(text).map(|url| {
            assert_eq!(url.expose(), text);
            (url.shown().to_owned(), url.has_password())
        })
    }

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        let cases = [
            ("postgres://u:sesame@h/db", "postgres://u:***@h/db", true),
            ("postgres://u:ses%40me@h/db", "postgres://u:***@h/db", true),
            ("postgres://u:s:sesame@h/db", "postgres://u:***@h/db", true),
            (
                "postgresql://u:sesame@h1:5432,h2/db?target_session_attrs=read-write",
                "postgresql://u:***@h1:5432,h2/db?target_session_attrs=read-write",
                true,
            ),
            (
                "postgres://h/db?user=u&password=sesame&sslmode=disable",
                "postgres://h/db?user=u&password=***&sslmode=disable",
                true,
            ),
            ("postgres://h/db?sesame", "postgres://h/db?***", true),
            ("postgres://h/db?Sesame=x", "postgres://h/db?***", true),
            (
                "postgres:///db?host=%2Frun%2Fpg&user=u",
                "postgres:///db?host=%2Frun%2Fpg&user=u",
                false,
            ),
            ("postgres://u@[::1]:5432", "postgres://u@[::1]:5432", false),
            (
                "postgres://u@[fe80::1]/db",
                "postgres://u@[fe80::1]/db",
                false,
            ),
        ];
        for (text, expected, secret) in cases {
            assert_eq!(shown(text), Ok((expected.to_owned(), secret)), "{text}");
        }
    }

    #[test]
    fn what_readers_would_understand_differently_is_refused_and_not_repeated() {
        for text in [
            "",
            "sesame",
            "mysql://u:sesame@h/db",
            "Postgres://u:sesame@h/db",
            "postgres:u:sesame@h/db",
            "postgres://u:p@sesame@h/db",
            "postgres://u:p/sesame@h/db",
            "postgres://u:p?sesame@h/db",
            "postgres://u:sesame/db",
            "postgres://u@h:sesame/db",
            "postgres://u:p@se same/db",
            "postgres://h/db?options=sesame@x",
        ] {
            let error = shown(text).expect_err(text);
            assert!(!error.contains("sesame"), "{text}: {error}");
        }
    }

    #[test]
    fn a_way_past_a_pooler_needs_the_other_way() {
        let options = |url: Option<&str>, direct: Option<&str>| Options {
            database_url: url.map(str::to_owned),
            database_direct_url: direct.map(str::to_owned),
            ..Options::default()
        };
        let (pooled, direct) = ("postgres://u@pooler/db", "postgres://u@h/db");
        let told = Database::from_options(&options(None, Some(direct)));
        let told = told.err().expect("it is refused").to_string();
        assert!(told.contains("`database_direct_url`"), "{told}");
        let found = Database::from_options(&options(Some(pooled), Some(direct)));
        let found = found
            .expect("both are well-formed")
            .expect("they are given");
        let direct_url = found.direct_url.expect("it is given");
        assert_eq!((found.url.expose(), direct_url.expose()), (pooled, direct));
        let none = Database::from_options(&options(None, None));
        assert!(none.expect("nothing is wrong").is_none());
    }
}
