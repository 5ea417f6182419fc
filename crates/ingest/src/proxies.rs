//! Where a request comes from that came through proxies. Only those that are trusted are believed:
//! what they say is read from the right, since each puts whoever it heard before it there, and what
//! stands further left is what strangers say of themselves.

use http::HeaderMap;
use http::header::{FORWARDED, HeaderName};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The header that most proxies write.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// As many proxies are passed over at the most.
const HOPS_MAX: usize = 16;

/// The proxies that are trusted: none, unless somebody says so.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// Both headers are there, and say different things: a proxy writes one of them and hands the other
/// on from a stranger, and nobody can tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`Forwarded` and `X-Forwarded-For` name different senders")]
pub struct Contradictory;

impl TrustedProxies {
    /// Those of these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Where a request comes from that `remote` has sent. `None`: from a trusted proxy that does
    /// not say on whose behalf.
    ///
    /// # Errors
    /// [`Contradictory`].
    pub fn origin(
        &self,
        remote: IpAddr,
        headers: &HeaderMap,
    ) -> Result<Option<IpAddr>, Contradictory> {
        let remote = remote.to_canonical();
        if !self.trusts(remote) {
            return Ok(Some(remote));
        }
        let lines = lines(headers, &FORWARDED);
        let forwarded = lines.iter().rev().flat_map(|line| line.rsplit(','));
        let forwarded = self.first_stranger(forwarded.map(forwarded_for));
        let lines = self::lines(headers, &X_FORWARDED_FOR);
        let older = lines.iter().rev().flat_map(|line| line.rsplit(','));
        let older = self.first_stranger(older.map(address));
        match (forwarded, older) {
            (Some(one), Some(other)) if one != other => Err(Contradictory),
            (one, other) => Ok(one.or(other).flatten()),
        }
    }

    /// The first, from the right, that is not trusted; `Some(None)` where it can't be told.
    fn first_stranger(&self, hops: impl Iterator<Item = Option<IpAddr>>) -> Option<Option<IpAddr>> {
        let mut is_there = None;
        for hop in hops.take(HOPS_MAX) {
            is_there = Some(None);
            match hop {
                Some(address) if self.trusts(address) => {}
                hop => return Some(hop),
            }
        }
        is_there
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// What is no text is a hop that can't be told.
fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Vec<&'h str> {
    let values = headers.get_all(name).iter();
    values.map(|value| value.to_str().unwrap_or("?")).collect()
}

/// The parameter `for` of an element of `Forwarded` (RFC 7239).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(node.trim().trim_matches('"'))
}

/// An address, with or without a port; an IPv6 one may be in brackets.
fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let bare = node
        .strip_prefix('[')
        .and_then(|node| node.strip_suffix(']'));
    let plain = || bare.unwrap_or(node).parse().ok();
    let with_port = || node.parse().ok().map(|socket: SocketAddr| socket.ip());
    let found: Option<IpAddr> = plain().or_else(with_port);
    found.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn origin(
        remote: &str,
        lines: &[(&'static str, &str)],
    ) -> Result<Option<String>, Contradictory> {
        let networks = ["10.0.0.0/8", "fd00::/8"];
        let networks = networks.map(|network| network.parse().expect("a network"));
        let proxies = TrustedProxies::new(networks.to_vec());
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = value.parse().expect("a value");
            headers.append(HeaderName::from_static(name), value);
        }
        let remote = remote.parse().expect("an address");
        let origin = proxies.origin(remote, &headers)?;
        Ok(origin.map(|origin| origin.to_string()))
    }

    #[test]
    fn strangers_are_not_believed() {
        for name in ["x-forwarded-for", "forwarded"] {
            let origin = origin("192.0.2.1", &[(name, "for=198.51.100.7")]);
            assert_eq!(origin, Ok(Some("192.0.2.1".to_owned())));
        }
        let mapped = origin("::ffff:192.0.2.1", &[]);
        assert_eq!(mapped, Ok(Some("192.0.2.1".to_owned())));
    }

    #[test]
    fn the_rightmost_that_is_not_trusted_is_the_sender() {
        for (name, value, expected) in [
            ("x-forwarded-for", "198.51.100.7", "198.51.100.7"),
            (
                "x-forwarded-for",
                "203.0.113.9, 198.51.100.7",
                "198.51.100.7",
            ),
            (
                "x-forwarded-for",
                "203.0.113.9,198.51.100.7, 10.2.3.4",
                "198.51.100.7",
            ),
            ("x-forwarded-for", "198.51.100.7:4711", "198.51.100.7"),
            ("x-forwarded-for", "[2001:db8::7]:4711", "2001:db8::7"),
            ("x-forwarded-for", "2001:db8::7, fd00::1", "2001:db8::7"),
            ("forwarded", "for=198.51.100.7;proto=https", "198.51.100.7"),
            (
                "forwarded",
                "for=203.0.113.9, For=\"198.51.100.7:80\"",
                "198.51.100.7",
            ),
            (
                "forwarded",
                "by=10.0.0.9;for=\"[2001:db8::7]:80\", for=10.0.0.2",
                "2001:db8::7",
            ),
        ] {
            let origin = origin(PROXY, &[(name, value)]);
            assert_eq!(origin, Ok(Some(expected.to_owned())), "{value}");
        }
    }

    #[test]
    fn a_trusted_proxy_is_never_the_sender() {
        for lines in [
            vec![],
            vec![("x-forwarded-for", "10.0.0.2")],
            vec![("x-forwarded-for", "unknown")],
            vec![("x-forwarded-for", "198.51.100.7, unknown, 10.0.0.2")],
            vec![("forwarded", "for=_hidden")],
            vec![("forwarded", "proto=https")],
        ] {
            assert_eq!(origin(PROXY, &lines), Ok(None), "{lines:?}");
        }
    }

    #[test]
    fn further_lines_go_on_to_the_right() {
        let lines = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-for", "198.51.100.7"),
        ];
        assert_eq!(origin(PROXY, &lines), Ok(Some("198.51.100.7".to_owned())));
    }

    #[test]
    fn two_headers_have_to_agree() {
        let both = |one: &'static str| {
            let lines = [("x-forwarded-for", "198.51.100.7"), ("forwarded", one)];
            origin(PROXY, &lines)
        };
        assert_eq!(
            both("for=198.51.100.7"),
            Ok(Some("198.51.100.7".to_owned()))
        );
        assert_eq!(both("for=203.0.113.9"), Err(Contradictory));
        assert_eq!(both("for=_hidden"), Err(Contradictory));
    }
}
