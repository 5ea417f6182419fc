//! A URL made ready for sending: parsed once when its endpoint is loaded, used for every request to
//! it.

use std::fmt;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use model::Secret;
use model::address::{CheckedUrl, Host};
use rustls::pki_types::ServerName;
use url::form_urlencoded::byte_serialize;

use crate::pool::PoolKey;

/// Why a parameter can't be added: what `http` says of it could repeat it.
const TOO_LONG: &str = "with its parameter, it is longer than a request line may be";

/// Where requests go: a checked URL with what each request needs of it.
#[derive(Clone)]
pub struct Target {
    url: CheckedUrl,
    path: PathAndQuery,
    absolute: Uri,
    host: HeaderValue,
    basic: Option<HeaderValue>,
    server_name: ServerName<'static>,
    origin: Arc<str>,
}

/// A URL that passed the policy and still can't be put into a request.
#[derive(Debug, thiserror::Error)]
#[error("`{url}` can't be put into a request; percent-encode unusual characters")]
pub struct TargetError {
    url: String,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl Target {
    /// Prepares a checked URL.
    ///
    /// # Errors
    /// Its parts are no legal parts of an HTTP request.
    pub fn new(url: CheckedUrl) -> Result<Self, TargetError> {
        match Self::parts(&url) {
            Ok(parts) => Ok(parts),
            Err(cause) => Err(TargetError {
                url: url.to_string(),
                cause,
            }),
        }
    }

    /// The same with one more parameter behind those of the URL's query. It is part of what is sent
    /// and of nothing else: where the target is printed or logged, it is not seen.
    ///
    /// # Errors
    /// The URL is too long with it.
    pub fn with_parameter(&self, name: &str, value: &Secret) -> Result<Self, TargetError> {
        let wrong = |cause: Box<dyn std::error::Error + Send + Sync>| TargetError {
            url: self.url.to_string(),
            cause,
        };
        let value: String = byte_serialize(value.expose()).collect();
        let between = if self.path.query().is_some() {
            '&'
        } else {
            '?'
        };
        let path = format!("{}{between}{name}={value}", self.path);
        let path: PathAndQuery = path.parse().map_err(|_| wrong(TOO_LONG.into()))?;
        let mut parts = self.absolute.clone().into_parts();
        parts.path_and_query = Some(path.clone());
        Ok(Self {
            path,
            absolute: Uri::from_parts(parts).map_err(|_| wrong(TOO_LONG.into()))?,
            ..self.clone()
        })
    }

    /// The URL.
    pub fn url(&self) -> &CheckedUrl {
        &self.url
    }

    fn parts(url: &CheckedUrl) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let authority = match url.explicit_port() {
            Some(port) => format!("{}:{port}", url.host_text()),
            None => url.host_text().to_owned(),
        };
        let path: PathAndQuery = url.path_and_query().parse()?;
        let scheme = if url.is_tls() {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        };
        let absolute = Uri::builder()
            .scheme(scheme.clone())
            .authority(authority.as_str())
            .path_and_query(path.clone())
            .build()?;
        let server_name = match url.host() {
            Host::Address(address) => ServerName::from(*address),
            Host::Loopback(_) | Host::Name { .. } => ServerName::try_from(url.name().to_owned())?,
        };
        Ok(Self {
            url: url.clone(),
            path,
            absolute,
            host: HeaderValue::from_str(&authority)?,
            basic: basic_authorization(url)?,
            server_name,
            origin: format!("{scheme}://{authority}").into(),
        })
    }

    /// The request line's target of HTTP/1.1.
    pub(crate) fn path(&self) -> Uri {
        Uri::from(self.path.clone())
    }

    /// The whole as it is sent, of which HTTP/2 makes its pseudo-headers: a parameter that was
    /// added is in it, and no user name or password.
    pub fn absolute(&self) -> Uri {
        self.absolute.clone()
    }

    pub(crate) fn host(&self) -> HeaderValue {
        self.host.clone()
    }

    /// `Basic …` of the URL's own user name and password.
    pub(crate) fn basic(&self) -> Option<HeaderValue> {
        self.basic.clone()
    }

    /// The name that the certificate is verified for.
    pub(crate) fn server_name(&self) -> ServerName<'static> {
        self.server_name.clone()
    }

    /// Connections with the same key may be used for each other's requests.
    pub(crate) fn pool_key(&self, spelled: bool, profile: u64) -> PoolKey {
        PoolKey {
            origin: self.origin.clone(),
            spelled,
            profile,
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.url)
    }
}

fn basic_authorization(
    url: &CheckedUrl,
) -> Result<Option<HeaderValue>, http::header::InvalidHeaderValue> {
    let Some(credentials) = url.credentials() else {
        return Ok(None);
    };
    let encoded = BASE64_STANDARD.encode(credentials.expose());
    let mut value = HeaderValue::try_from(format!("Basic {encoded}"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use model::address::AddressPolicy;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn credentials_become_basic_authentication_and_nothing_else() {
        let url = "https://user:pass%20word@hooks.customer-site.net:8443/in?q=1#part";
        let url = AddressPolicy::default().check_url(url).expect("a URL");
        let target = Target::new(url).expect("a target");
        assert_eq!(
            target.basic().expect("credentials"),
            "Basic dXNlcjpwYXNzIHdvcmQ="
        );
        assert_eq!(target.host(), "hooks.customer-site.net:8443");
        assert_eq!(target.path(), "/in?q=1");
        assert_eq!(
            target.absolute(),
            "https://hooks.customer-site.net:8443/in?q=1"
        );
        assert!(!format!("{target:?}").contains("pass"));
    }

    #[test]
    fn a_parameter_is_sent_and_never_printed() {
        let cases = [
            (
                "https://hooks.customer-site.net/in?q=1",
                "/in?q=1&key=a%26b%2B%3D",
            ),
            ("https://hooks.customer-site.net/in", "/in?key=a%26b%2B%3D"),
            ("https://hooks.customer-site.net", "/?key=a%26b%2B%3D"),
        ];
        for (url, sent) in cases {
            let url = AddressPolicy::default().check_url(url).expect("a URL");
            let target = Target::new(url).expect("a target");
            let value = Secret::from("a&b+=".to_owned());
            let target = target.with_parameter("key", &value).expect("a target");
            assert_eq!(target.path(), sent);
            assert_eq!(target.absolute().path_and_query().expect("a path"), sent);
            assert!(!format!("{target:?} {}", target.url()).contains("key"));
        }
    }

    #[test]
    fn every_character_that_a_url_may_hold_can_be_sent() {
        let visible: String = ('!'..='~').filter(|c| !"\\#".contains(*c)).collect();
        let long = "é".repeat(2_000);
        for rest in [
            &visible,
            &format!("?{visible}"),
            &long,
            &format!("{visible}?{long}"),
        ] {
            let url = format!("https://hooks.customer-site.net/{rest}");
            let url = AddressPolicy::default().check_url(&url).expect(rest);
            Target::new(url).expect(rest);
        }
    }

    proptest! {
        #[test]
        fn every_accepted_url_is_a_target(host in "[a-z0-9_.-]{1,80}", rest in "\\PC{0,60}") {
            if let Ok(url) = AddressPolicy::default().check_url(&format!("https://{host}/{rest}")) {
                prop_assert!(Target::new(url.clone()).is_ok(), "{}", url);
            }
        }
    }
}
