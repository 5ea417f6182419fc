//! Spellings that are refused although a parser accepts them.
//!
//! A URL passes many hands: a tenant's form, an operator's eyes, our parser, a proxy. Where these
//! may read different hosts from the same text, the text is refused, even if the host that we read
//! is harmless. This looks at the raw text beside the parsed URL; it decides nothing about
//! addresses.

use url::{Host, Url};

use super::{Refusal, URL_BYTES_MAX};

/// Refuses what is too long to be stored and sent.
pub(super) fn check_length(url: &str) -> Result<(), Refusal> {
    if url.len() > URL_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    Ok(())
}

/// Refuses characters that parsers drop, trim or turn into others.
pub(super) fn check_characters(raw: &str) -> Result<(), Refusal> {
    let odd = |c: &char| *c == '\\' || c.is_control() || c.is_whitespace();
    match raw.chars().find(odd) {
        Some(character) => Err(Refusal::Character(character)),
        None => Ok(()),
    }
}

/// Compares the host as written with the host as parsed, of a URL whose scheme is http or https.
pub(super) fn check_host(raw: &str, url: &Url) -> Result<(), Refusal> {
    let authority = authority(raw, url.scheme())?;
    let (userinfo, host_and_port) = authority.rsplit_once('@').unwrap_or(("", authority));
    if userinfo.contains('@') {
        return Err(Refusal::Userinfo);
    }
    let port_at = if host_and_port.starts_with('[') {
        host_and_port.find(']').map(|at| at + 1)
    } else {
        host_and_port.find(':')
    };
    let written = &host_and_port[..port_at.unwrap_or(host_and_port.len())];
    let parsed = url.host_str().unwrap_or_default();
    if is_plain(written, url.host()) {
        Ok(())
    } else {
        Err(Refusal::HostSpelling(canonical(url, parsed)))
    }
}

/// What stands between `scheme://` and the path. The parser also takes `https:host`,
/// `https:///host` and more.
fn authority<'a>(raw: &'a str, scheme: &str) -> Result<&'a str, Refusal> {
    let after_scheme = raw
        .get(scheme.len()..)
        .and_then(|rest| rest.strip_prefix("://"));
    let rest = after_scheme
        .filter(|rest| !rest.starts_with('/'))
        .ok_or(Refusal::Slashes)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Ok(&rest[..end])
}

fn is_plain(written: &str, host: Option<Host<&str>>) -> bool {
    match host {
        // Dotted decimal only: no octal, hex, short or percent-encoded form, no final dot.
        Some(Host::Ipv4(address)) => written == address.to_string(),
        Some(Host::Ipv6(address)) => {
            let inside = written
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'));
            let dotted = written.contains('.');
            !dotted
                && address.to_ipv4_mapped().is_none()
                && inside.is_some_and(|inside| inside.parse() == Ok(address))
        }
        Some(Host::Domain(parsed)) => {
            written.split('.').count() == parsed.split('.').count()
                && written
                    .split('.')
                    .zip(parsed.split('.'))
                    .all(is_plain_label)
        }
        None => false,
    }
}

/// A label in another script becomes punycode; one that doesn't was a plain label in disguise.
fn is_plain_label((written, parsed): (&str, &str)) -> bool {
    if written.is_ascii() {
        written.eq_ignore_ascii_case(parsed)
    } else {
        parsed.starts_with("xn--")
    }
}

fn canonical(url: &Url, parsed: &str) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => parsed.to_owned(),
        },
        _ => parsed.to_owned(),
    }
}
