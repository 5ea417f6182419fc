//! A URL that passed the policy's check of its text.
//!
//! Parsed once, so that what was checked is what is called. Its host may still have to be resolved,
//! and then each answer is checked again. It prints without its user name and password: those
//! belong in no log.

use std::fmt;
use std::net::IpAddr;

use url::Url;

use crate::Secret;

/// What stands for a user name and a password that are not shown.
const MASK: &str = "***:***";

/// A URL that [`AddressPolicy::check_url`](super::AddressPolicy::check_url) accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedUrl {
    url: Url,
    host: Host,
    port: u16,
}

/// What stands between `//` and the port, as far as connecting is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An address, already checked.
    Address(IpAddr),
    /// `localhost` or a name below it: the loopback addresses that the operator's rules open. Never
    /// resolved.
    Loopback(Vec<IpAddr>),
    /// A name to resolve.
    Name {
        /// A private network's name: good only for addresses that the operator's rules open.
        private: bool,
    },
}

impl CheckedUrl {
    pub(super) fn new(url: Url, host: Host, port: u16) -> Self {
        Self { url, host, port }
    }

    /// The URL as the WHATWG standard normalises it, for storing and showing: user name and
    /// password are masked, where there are any, and given apart, as they stand in it.
    pub fn masked(&self) -> (String, Option<Secret>) {
        let pair = userinfo(&self.url);
        let shown = match &pair {
            Some(_) => self.clone().unmasked(&Secret::from(MASK.to_owned())),
            None => self.clone(),
        };
        (shown.url.into(), pair)
    }

    /// Whether user name and password are masked: whoever wrote this URL copied it from where it is
    /// shown.
    pub fn is_masked(&self) -> bool {
        userinfo(&self.url).is_some_and(|pair| pair.expose() == MASK.as_bytes())
    }

    /// The same URL with the user name and password that [`Self::masked`] took out of it.
    pub fn unmasked(mut self, userinfo: &Secret) -> Self {
        let text = String::from_utf8_lossy(userinfo.expose());
        let (name, password) = match text.split_once(':') {
            Some((name, password)) => (name, Some(password)),
            None => (&*text, None),
        };
        // Only URLs without a host refuse this, and none of these is one.
        let _ = self.url.set_username(name);
        let _ = self.url.set_password(password);
        self
    }

    /// Whether scheme, host and port are those of another URL.
    pub fn has_origin_of(&self, other: &str) -> bool {
        Url::parse(other).is_ok_and(|other| other.origin() == self.url.origin())
    }

    /// Whether the connection is to be over TLS.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The kind of host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The host as it goes into a `Host` header: IPv6 in brackets, international names in punycode.
    pub fn host_text(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The host as a name to look up or an address in text, without brackets or the root's dot.
    pub fn name(&self) -> &str {
        let host = self.host_text();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        host.strip_suffix('.').unwrap_or(host)
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port where it is not the scheme's own, as `Host` headers want it.
    pub fn explicit_port(&self) -> Option<u16> {
        self.url.port()
    }

    /// Path and query, as they go into the request line.
    pub fn path_and_query(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// The addresses, where no resolver is needed to know them.
    pub fn fixed_addresses(&self) -> Option<&[IpAddr]> {
        match &self.host {
            Host::Address(address) => Some(std::slice::from_ref(address)),
            Host::Loopback(addresses) => Some(addresses),
            Host::Name { .. } => None,
        }
    }

    /// `user:password` of the URL, percent-decoded, as Basic authentication sends it.
    pub fn credentials(&self) -> Option<Secret> {
        credentials(&self.url)
    }
}

/// `user:password` as it stands in a URL, where it has one of the two.
fn userinfo(url: &Url) -> Option<Secret> {
    let pair = match (url.username(), url.password()) {
        ("", None) => return None,
        (name, None) => name.to_owned(),
        (name, Some(password)) => format!("{name}:{password}"),
    };
    Some(Secret::from(pair))
}

/// `user:password` of any URL, percent-decoded, where it has one of the two.
pub fn credentials(url: &Url) -> Option<Secret> {
    let pair = userinfo(url)?;
    let mut decoded = Vec::with_capacity(pair.expose().len() + 1);
    push_decoded(&mut decoded, pair.expose());
    if url.password().is_none() {
        decoded.push(b':');
    }
    Some(Secret::new(decoded))
}

impl fmt::Display for CheckedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use url::Position::{AfterPath, AfterQuery, BeforeHost, BeforeUsername};
        let scheme = &self.url[..BeforeUsername];
        let rest = &self.url[BeforeHost..AfterPath];
        let query = &self.url[AfterPath..AfterQuery];
        write!(f, "{scheme}{rest}{query}")
    }
}

impl fmt::Debug for CheckedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckedUrl({self})")
    }
}

fn push_decoded(out: &mut Vec<u8>, text: &[u8]) {
    let hex = |byte: u8| char::from(byte).to_digit(16);
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if let (b'%', [high, low, after @ ..]) = (*first, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push((high * 16 + low) as u8);
            rest = after;
        } else {
            out.push(*first);
        }
    }
}
