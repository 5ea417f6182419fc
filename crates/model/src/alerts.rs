//! Whom security events are told to, of which, and how often. Pure: what is sent when is `watch`'s,
//! and how is `transport`'s.

use crate::secret::Secret;
use crate::security::{SecurityKind, Severity};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// The most channels that there may be.
pub const CHANNELS_MAX: usize = 10;
/// The most people that one letter goes to.
pub const RECIPIENTS_MAX: usize = 20;
/// How long, in seconds, the same may be kept from being told again.
pub const DEDUP_SECONDS: RangeInclusive<u64> = 10..=86_400;
/// How many seconds may lie between two digests.
pub const DIGEST_SECONDS: RangeInclusive<u64> = 10..=86_400;
/// How many alerts may go out at once before the rest waits for a digest.
pub const AT_ONCE: RangeInclusive<u16> = 1..=100;

/// What is said, and to whom.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Alerts {
    /// To whom.
    pub channels: Vec<Channel>,
    /// How often.
    pub pace: Pace,
}

/// How often something is said on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// For so long the same kind of event with the same subject is not told of by itself again.
    pub dedup: Duration,
    /// What is not told at once is told together, no more often than this.
    pub digest: Duration,
    /// So many alerts go out at once within the time of a digest, and as many that are critical.
    pub at_once: u16,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            dedup: Duration::from_secs(3_600),
            digest: Duration::from_secs(900),
            at_once: 5,
        }
    }
}

/// A way to people.
#[derive(Clone, PartialEq, Eq)]
pub struct Channel {
    /// Where to.
    pub to: Destination,
    /// Of what is at least so bad.
    pub min_severity: Severity,
    /// Of these kinds; `None`: of all.
    pub kinds: Option<BTreeSet<SecurityKind>>,
}

impl Channel {
    /// Whether it is to be told of such an event.
    pub fn wants(&self, kind: SecurityKind, severity: Severity) -> bool {
        severity >= self.min_severity
            && self
                .kinds
                .as_ref()
                .is_none_or(|kinds| kinds.contains(&kind))
    }
}

/// Where a channel leads.
#[derive(Clone)]
pub enum Destination {
    /// An incoming webhook as Slack has it. Who knows the URL may write there.
    Slack(Secret),
    /// E-mail to these people.
    Email(Vec<MailAddress>),
}

impl Destination {
    /// The API's word for what it is.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Email(_) => "email",
        }
    }
}

impl PartialEq for Destination {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Slack(one), Self::Slack(other)) => one.expose() == other.expose(),
            (Self::Email(one), Self::Email(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Destination {}

/// An e-mail address: what most people have, and nothing that could be read as more than one, or as
/// something else than an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailAddress(String);

/// As the API's document says it.
pub const MAIL_ADDRESS_PATTERN: &str = concat!(
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*",
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$",
);
/// The longest address, in bytes.
pub const MAIL_ADDRESS_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 63;

/// Text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address such as ops@example.com, without a name before it")]
pub struct NoMailAddress;

impl MailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`, and behind it.
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('@').expect("it has one: it was parsed")
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MailAddress {
    type Err = NoMailAddress;

    fn from_str(text: &str) -> Result<Self, NoMailAddress> {
        let (local, domain) = text.split_once('@').ok_or(NoMailAddress)?;
        let is_right = text.len() <= MAIL_ADDRESS_BYTES_MAX
            && local.len() <= LOCAL_BYTES_MAX
            && local.split('.').all(is_atom)
            && domain.split('.').all(is_label);
        is_right.then(|| Self(text.to_owned())).ok_or(NoMailAddress)
    }
}

fn is_atom(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_one)
}

fn is_label(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_bare = !text.starts_with('-') && !text.ends_with('-');
    !text.is_empty() && text.len() <= LABEL_BYTES_MAX && is_bare && text.bytes().all(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address_and_nothing_else() {
        for text in ["ops@example.com", "a.b+c@x", "o'neill@mail-1.example.org"] {
            let address: MailAddress = text.parse().expect(text);
            assert_eq!(address.as_str(), text);
        }
        for text in [
            "",
            "ops",
            "@example.com",
            "ops@",
            "ops@@example.com",
            "Ops <ops@example.com>",
            "a@example.com,b@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com\n",
            ".a@example.com",
            "a..b@example.com",
            "a@-example.com",
            "a@example..com",
            "a b@example.com",
            "ü@example.com",
            "a@bücher.example",
            "\"a b\"@example.com",
        ] {
            assert_eq!(text.parse::<MailAddress>(), Err(NoMailAddress), "{text:?}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        assert_eq!(long.parse::<MailAddress>(), Err(NoMailAddress));
    }

    #[test]
    fn a_channel_wants_its_kinds_from_its_severity_on() {
        let channel = |kinds: Option<&[SecurityKind]>| Channel {
            to: Destination::Email(Vec::new()),
            min_severity: Severity::Warning,
            kinds: kinds.map(|kinds| kinds.iter().copied().collect()),
        };
        let (pin, read) = (SecurityKind::PinMismatch, SecurityKind::SecretRead);
        assert!(channel(None).wants(pin, Severity::Critical));
        assert!(!channel(None).wants(read, Severity::Info));
        assert!(!channel(Some(&[read])).wants(pin, Severity::Critical));
        assert!(channel(Some(&[read])).wants(read, Severity::Warning));
    }

    #[test]
    fn two_channels_are_the_same_where_all_of_them_is() {
        let slack = |url: &str| Destination::Slack(Secret::from(url.to_owned()));
        assert!(slack("https://a.example/1") == slack("https://a.example/1"));
        assert!(slack("https://a.example/1") != slack("https://a.example/2"));
        assert!(slack("") != Destination::Email(Vec::new()));
    }
}
