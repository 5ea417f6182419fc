//! The names under which a signature travels. The specification's are `webhook-*`; Svix, from whose
//! practice it was written, sends `svix-*`, and its receivers' libraries read either.

use crate::scheme::HmacScheme;
use std::fmt;
use std::str::FromStr;

/// Which names a sender writes, or a receiver reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum HeaderFamily {
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`: the specification's.
    #[default]
    Webhook,
    /// `svix-id`, `svix-timestamp`, `svix-signature`.
    Svix,
    /// A sender writes both. A receiver reads whichever is there; where both are, they must agree.
    Both,
}

/// One family's three names, in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeaderNames {
    /// The message's id, which stays the same over all attempts.
    pub id: &'static str,
    /// The attempt's time, in seconds since the Unix epoch.
    pub timestamp: &'static str,
    /// The signatures, separated by spaces.
    pub signature: &'static str,
}

const WEBHOOK: HeaderNames = HeaderNames {
    id: "webhook-id",
    timestamp: "webhook-timestamp",
    signature: "webhook-signature",
};

const SVIX: HeaderNames = HeaderNames {
    id: "svix-id",
    timestamp: "svix-timestamp",
    signature: "svix-signature",
};

impl HeaderFamily {
    /// The names to write, or to look for: one set, or two for [`HeaderFamily::Both`].
    pub fn names(self) -> &'static [HeaderNames] {
        match self {
            Self::Webhook => &[WEBHOOK],
            Self::Svix => &[SVIX],
            Self::Both => &[WEBHOOK, SVIX],
        }
    }

    /// The same for a sender whose whole requests are signed, too: that goes by the
    /// specification's names.
    pub fn with_specified(self) -> Self {
        match self {
            Self::Svix => Self::Both,
            family => family,
        }
    }

    /// The headers that id, time and signature are written into, by `scheme` where it isn't the
    /// specification's.
    pub fn headers_written(self, scheme: Option<&HmacScheme>) -> Vec<&str> {
        let mut written = Vec::with_capacity(8);
        for names in self.names() {
            written.extend([names.id, names.timestamp]);
            written.extend(scheme.is_none().then_some(names.signature));
        }
        written.extend(scheme.into_iter().flat_map(HmacScheme::headers));
        written
    }
}

impl fmt::Display for HeaderFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook => "webhook",
            Self::Svix => "svix",
            Self::Both => "both",
        })
    }
}

/// A text that names no header family.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("signature headers are `webhook`, `svix` or `both`")]
pub struct UnknownFamily;

impl FromStr for HeaderFamily {
    type Err = UnknownFamily;

    fn from_str(text: &str) -> Result<Self, UnknownFamily> {
        [Self::Webhook, Self::Svix, Self::Both]
            .into_iter()
            .find(|family| family.to_string() == text)
            .ok_or(UnknownFamily)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_read_back_from_its_name() {
        for family in [
            HeaderFamily::Webhook,
            HeaderFamily::Svix,
            HeaderFamily::Both,
        ] {
            assert_eq!(family.to_string().parse(), Ok(family));
        }
        assert_eq!("Webhook".parse::<HeaderFamily>(), Err(UnknownFamily));
    }
}
