//! The operator's rules: `CIDR[:PORT]`.
//!
//! The grammar is `ADDRESS[/PREFIX][:PORT]`. An IPv6 address with a port stands in brackets, the
//! prefix inside or after them: `[fd00::/8]:8080` or `[fd00::]/8:8080`. Without a prefix the rule
//! is for that one address, without a port for every port. There are no rules for names: see the
//! module's head.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// One rule: addresses that are open, at one port or at all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowRule {
    pub(super) net: IpNet,
    pub(super) port: Option<u16>,
}

impl AllowRule {
    /// Whether the rule speaks of this address and port.
    pub fn covers(&self, address: IpAddr, port: u16) -> bool {
        self.port.is_none_or(|only| only == port) && self.net.contains(&address)
    }

    /// Whether it is for one address only.
    pub fn is_exact(&self) -> bool {
        self.net.prefix_len() == self.net.max_prefix_len()
    }
}

/// A rule that can't be read, with what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{rule}` is no rule: {problem}; write CIDR[:PORT], \
     such as 10.1.0.0/16, 127.0.0.1:9000, fd00::/8 or [::1]:8080"
)]
pub struct AllowRuleError {
    rule: String,
    problem: String,
}

impl FromStr for AllowRule {
    type Err = AllowRuleError;

    fn from_str(rule: &str) -> Result<Self, AllowRuleError> {
        let problem = |problem| AllowRuleError {
            rule: rule.to_owned(),
            problem,
        };
        let parts = split(rule).map_err(problem)?;
        parse(parts).map_err(problem)
    }
}

impl fmt::Display for AllowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.net, self.port) {
            (net, None) => write!(f, "{net}"),
            (IpNet::V4(net), Some(port)) => write!(f, "{net}:{port}"),
            (IpNet::V6(net), Some(port)) => write!(f, "[{net}]:{port}"),
        }
    }
}

struct Parts<'a> {
    address: &'a str,
    prefix: Option<&'a str>,
    port: Option<&'a str>,
}

fn split(rule: &str) -> Result<Parts<'_>, String> {
    let (network, after) = if let Some(open) = rule.strip_prefix('[') {
        open.split_once(']').ok_or("`[` is not closed")?
    } else if let Some(slash) = rule.find('/') {
        let colon = rule[slash..].find(':').map_or(rule.len(), |at| slash + at);
        rule.split_at(colon)
    } else if rule.matches(':').count() == 1 {
        rule.split_at(rule.find(':').unwrap_or(rule.len()))
    } else {
        (rule, "")
    };
    let (address, inside) = split_off(network, '/');
    let (outside, port) = split_off(after, ':');
    let prefix = match (inside, outside.strip_prefix('/')) {
        (Some(_), Some(_)) => return Err("it has two prefixes".to_owned()),
        (None, None) if !outside.is_empty() => return Err(format!("`{outside}` is out of place")),
        (inside, outside) => inside.or(outside),
    };
    Ok(Parts {
        address,
        prefix,
        port,
    })
}

fn split_off(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn parse(parts: Parts<'_>) -> Result<AllowRule, String> {
    let Parts {
        address,
        prefix,
        port,
    } = parts;
    let address: IpAddr = address
        .parse()
        .map_err(|_| format!("`{address}` is no IP address"))?;
    if let IpAddr::V6(v6) = address
        && let Some(v4) = Ipv6Addr::to_ipv4_mapped(&v6)
    {
        return Err(format!("an IPv4 address is written as such, {v4}"));
    }
    let full = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => full,
        Some(text) => number::<u8>(text)
            .filter(|&prefix| prefix <= full)
            .ok_or_else(|| format!("the prefix `{text}` is not a number from 0 to {full}"))?,
    };
    let port = match port {
        None => None,
        Some(text) => Some(
            number::<u16>(text)
                .filter(|&port| port > 0)
                .ok_or_else(|| format!("the port `{text}` is not a number from 1 to 65535"))?,
        ),
    };
    let net = IpNet::new_assert(address, prefix);
    if net.trunc() != net {
        let whole = net.trunc();
        return Err(format!(
            "bits behind the prefix are set; it would be {whole}, or {address}/{full}"
        ));
    }
    Ok(AllowRule { net, port })
}

/// Digits only: `FromStr` of integers also takes a `+`.
fn number<N: FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
