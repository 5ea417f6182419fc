//! A URL that passed the policy's check of its text.
//!
//! Parsed once, so that what was checked is what is called. Its host may still have to be resolved,
//! and then each answer is checked again. It prints without its user name and password: those
//! belong in no log.

use std::fmt;
use std::net::IpAddr;

use url::Url;

use crate::Secret;

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

    /// The whole URL as the WHATWG standard normalises it, for storing. It holds the user name and
    /// password where there are any: don't log it.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
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

/// `user:password` of any URL, percent-decoded, where it has one of the two.
pub fn credentials(url: &Url) -> Option<Secret> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair = Vec::with_capacity(url.as_str().len());
    push_decoded(&mut pair, url.username());
    pair.push(b':');
    push_decoded(&mut pair, url.password().unwrap_or_default());
    Some(Secret::new(pair))
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

fn push_decoded(out: &mut Vec<u8>, text: &str) {
    let hex = |byte: u8| char::from(byte).to_digit(16);
    let mut rest = text.as_bytes();
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
