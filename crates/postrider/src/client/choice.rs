//! Which server is asked, with which token. A flag goes before a profile that was typed, that
//! before the environment, that before the environment's profile; the last resort is a server on
//! this machine. A profile's token goes to that profile's server and to no other.
//!
//! The operator names the server, so its address may be a private one, and its certificate an
//! authority's of their own. The token does not cross a network unencrypted, unless a flag that
//! says what it does allows it.

use super::{ClientError, Request};
use crate::cli::ServerArgs;
use crate::command::{Input, escaped};
use crate::config::{Profile, profile};
use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use http::HeaderValue;
use model::Secret;
use model::address::{AddressPolicy, AllowRule, CheckedUrl, Host};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use url::Url;

/// Where `serve` listens unless it is told otherwise.
const SERVER_DEFAULT: &str = "http://127.0.0.1:8071";
/// Every address: whoever types a server's name means it.
const ANYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// What is behind this stands below a root of its own.
const INGEST: &str = "ingest";

/// The base of a server's URLs, of which the token may be sent to.
#[derive(Debug, Clone)]
pub(crate) struct ServerUrl {
    base: Url,
    /// PEM: who else than the system's authorities may vouch for it.
    authorities: Option<Vec<u8>>,
}

/// A bearer token.
pub(crate) struct Credentials(Secret);

/// What the environment says.
#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) server: Option<String>,
    pub(crate) token: Option<Secret>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) profile: Option<String>,
    pub(crate) config: Option<PathBuf>,
}

/// A server, and where its token is, neither of them looked at yet.
struct Chosen {
    server: String,
    /// Whether the way there may be unencrypted.
    unsafe_http: bool,
    ca_file: Option<PathBuf>,
    token: Option<Token>,
}

enum Token {
    Text(Secret),
    File(PathBuf),
}

impl ServerArgs {
    /// The server and the token that are meant.
    pub(crate) fn choose(&self) -> Result<(ServerUrl, Credentials), Failure> {
        let Chosen {
            server,
            unsafe_http,
            ca_file,
            token,
        } = chosen(self, Environment::read())?;
        let server = ServerUrl::parse(&server, unsafe_http)?.trusting(ca_file.as_deref())?;
        let token = match token {
            Some(Token::Text(text)) => text,
            Some(Token::File(path)) => Input::file(&path).secret()?,
            None => {
                return Err(Failure::Misuse(anyhow!(
                    "there is no token: give --token-file FILE, POSTRIDER_TOKEN_FILE, \
                     POSTRIDER_TOKEN, or a --profile that has one; `postrider token` prints one"
                )));
            }
        };
        Ok((server, Credentials::new(token)?))
    }
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "configuration is read here")]
    fn read() -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        let variable = |name: &str| std::env::var_os(name).filter(|text| !text.is_empty());
        let text = |name| variable(name).map(|text| text.to_string_lossy().into_owned());
        Self {
            server: text("POSTRIDER_SERVER"),
            token: variable("POSTRIDER_TOKEN")
                .map(|text| Secret::new(text.as_bytes().trim_ascii().to_vec())),
            token_file: variable("POSTRIDER_TOKEN_FILE").map(PathBuf::from),
            ca_file: variable("POSTRIDER_CA_FILE").map(PathBuf::from),
            profile: text("POSTRIDER_PROFILE"),
            config: variable("POSTRIDER_CONFIG").map(PathBuf::from),
        }
    }

    fn token(&self) -> Result<Option<Token>, Failure> {
        match (&self.token, &self.token_file) {
            (Some(_), Some(_)) => Err(Failure::Misuse(anyhow!(
                "POSTRIDER_TOKEN and POSTRIDER_TOKEN_FILE are both set: which one is meant?"
            ))),
            (Some(text), None) => Ok(Some(Token::Text(text.clone()))),
            (None, Some(path)) => Ok(Some(Token::File(path.clone()))),
            (None, None) => Ok(None),
        }
    }
}

fn chosen(typed: &ServerArgs, environment: Environment) -> Result<Chosen, Failure> {
    let config = typed.config.as_ref().or(environment.config.as_ref());
    let named = |name: &Option<String>| match name {
        None => Ok(Profile::default()),
        Some(name) => {
            let config = config.context(
                "profiles are in the configuration file: give --config FILE or POSTRIDER_CONFIG",
            );
            Ok::<_, Failure>(profile(config.map_err(Failure::Misuse)?, name)?)
        }
    };
    let is_typed = typed.profile.is_some();
    let name = typed.profile.as_ref().or(environment.profile.as_ref());
    let profile = named(&name.cloned())?;
    let (before, after) = match is_typed {
        true => (profile.clone(), Profile::default()),
        false => (Profile::default(), profile.clone()),
    };
    let servers = [
        typed.server.clone(),
        before.server,
        environment.server.clone(),
        after.server,
    ];
    let server = servers.into_iter().flatten().next();
    let server = server.unwrap_or_else(|| SERVER_DEFAULT.to_owned());
    let is_of_profile = profile.server.as_ref() == Some(&server);
    let of_profile = profile.ca_file.clone().filter(|_| is_of_profile);
    let ca_file = typed.ca_file.clone().or_else(|| match is_typed {
        true => of_profile.or(environment.ca_file.clone()),
        false => environment.ca_file.clone().or(of_profile),
    });
    let of_environment = match (&typed.token_file, &before.token_file) {
        (None, None) => environment.token()?,
        // Whatever it says is not asked for.
        _ => None,
    };
    let token = match (&typed.token_file, of_environment) {
        (Some(path), _) => Some(Token::File(path.clone())),
        (None, Some(token)) => Some(token),
        (None, None) => match &profile.token_file {
            Some(_) if profile.server.is_none() => {
                return Err(Failure::Misuse(anyhow!(
                    "the profile says of no server that its token is for it: give it a `server`, \
                     such as {SERVER_DEFAULT}"
                )));
            }
            Some(_) if !is_of_profile => {
                return Err(Failure::Misuse(anyhow!(
                    "the profile's token is not for {}: give that server's own with --token-file",
                    escaped(&server)
                )));
            }
            path => path.clone().map(Token::File),
        },
    };
    Ok(Chosen {
        server,
        unsafe_http: typed.unsafe_http || (is_of_profile && profile.unsafe_http),
        ca_file,
        token,
    })
}

impl ServerUrl {
    /// Checks what somebody typed.
    pub(crate) fn parse(text: &str, unsafe_http: bool) -> Result<Self, Failure> {
        // The text itself is not shown: there may be a password in it.
        let wrong = |reason: String| Failure::Misuse(anyhow!("the server's URL: {reason}"));
        let text = text.trim_end_matches('/');
        let checked = policy_for(text).check_url(text);
        let checked = checked.map_err(|error| wrong(escaped(&error.to_string())))?;
        let mut url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        if checked.credentials().is_some() {
            return Err(wrong(
                "it has a user name: a token goes there instead".into(),
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("nothing may stand behind its path".into()));
        }
        if !checked.is_tls() && !unsafe_http && !is_loopback(&checked) {
            return Err(wrong(format!(
                "{url} would carry the token unencrypted: use https, or say --unsafe-http"
            )));
        }
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&base);
        Ok(Self {
            base: url,
            authorities: None,
        })
    }

    /// The same, vouched for by the authorities of a file besides the system's.
    pub(crate) fn trusting(self, ca_file: Option<&Path>) -> Result<Self, Failure> {
        let authorities = ca_file.map(|path| Input::File(path.to_owned()).bytes());
        Ok(Self {
            authorities: authorities.transpose()?,
            ..self
        })
    }

    /// A server of one's own configuration, wherever it listens.
    pub(crate) fn own(address: SocketAddr) -> Result<Self, Failure> {
        Self::parse(&format!("http://{address}"), true)
    }

    /// What may be called on the way there: every address that it can stand for.
    pub(super) fn policy(&self) -> AddressPolicy {
        policy_for(self.base.as_str())
    }

    pub(super) fn authorities(&self) -> Option<&[u8]> {
        self.authorities.as_deref()
    }

    pub(super) fn url_of(&self, request: &Request) -> Result<Url, ClientError> {
        let mut url = self.base.clone();
        {
            let mut words = url.path_segments_mut().expect("it is http or https");
            let (root, path) = match request.path.split_first() {
                Some((first, rest)) if first == INGEST => (&[INGEST, "api", "v1"][..], rest),
                _ => (&["api", "v1"][..], &request.path[..]),
            };
            words.pop_if_empty().extend(root);
            for word in path {
                // As a URL's path, these would mean another one: a URL's reader passes over what
                // controls a terminal, so that `\t..` is `..`.
                if ["", ".", ".."].contains(&&**word) || word.contains(char::is_control) {
                    let text = format!("`{}` is no name or id of anything", escaped(word));
                    return Err(ClientError::Unusable(text));
                }
                words.push(word);
            }
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

impl Credentials {
    /// Takes a token, if it looks like one.
    pub(crate) fn new(token: Secret) -> Result<Self, Failure> {
        let bytes = token.expose();
        if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(Failure::Misuse(anyhow!(
                "the token is none: it is empty, or holds what no token does"
            )));
        }
        Ok(Self(token))
    }

    pub(super) fn header(&self) -> Result<HeaderValue, Failure> {
        let value = [b"Bearer ", self.0.expose()].concat();
        let value = HeaderValue::from_maybe_shared(bytes::Bytes::from(value));
        let mut value = value.map_err(Failure::could_not)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Every address is open, and one that is written out also where a wide rule would not open it.
pub(crate) fn policy_for(text: &str) -> AddressPolicy {
    let mut policy = AddressPolicy {
        allow_http: true,
        ..AddressPolicy::default()
    };
    let rule = |text: &str| text.parse::<AllowRule>().ok();
    policy
        .allow
        .extend(ANYWHERE.iter().filter_map(|net| rule(net)));
    let address = Url::parse(text).ok().and_then(|url| match url.host()? {
        url::Host::Ipv4(address) => Some(IpAddr::V4(address)),
        url::Host::Ipv6(address) => Some(IpAddr::V6(address)),
        url::Host::Domain(_) => None,
    });
    policy
        .allow
        .extend(address.and_then(|address| rule(&address.to_string())));
    policy
}

/// Whether what is sent there does not leave this machine.
fn is_loopback(url: &CheckedUrl) -> bool {
    match url.host() {
        Host::Address(address) => address.to_canonical().is_loopback(),
        Host::Loopback(_) => true,
        Host::Name { .. } => false,
    }
}

#[cfg(test)]
mod tests;
