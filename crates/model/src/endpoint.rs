//! An endpoint: a registered URL, what it wants to hear, and the texts in which its secrets are
//! kept. Opening what is sealed is the vault's work, parsing keys the `webhook` room's.

use crate::application::Metadata;
use crate::challenge::is_challenge;
use crate::clock::Timestamp;
use crate::id::{ApplicationKey, EndpointId};
use crate::name::Name;
use crate::secret::Secret;
use std::collections::BTreeSet;
use std::num::NonZeroU16;

/// An endpoint as its users see it, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its public id.
    pub id: EndpointId,
    /// The application whose messages it gets.
    pub application: ApplicationKey,
    /// Its user's own name for it, unique in the application.
    pub uid: Option<Name>,
    /// Where requests go: normalised as WHATWG's URL standard says, with user name and password
    /// masked ([`crate::address::CheckedUrl::masked`]).
    pub url: String,
    /// What people say of it.
    pub description: String,
    /// Gets nothing while disabled.
    pub disabled: bool,
    /// The event types that it wants; `None`: all.
    pub event_types: Option<BTreeSet<Name>>,
    /// The channels that it listens to; `None`: all messages, those without channels included.
    pub channels: Option<BTreeSet<Name>>,
    /// Attempts that may start per second; a burst of one second's worth.
    pub rate_limit: Option<NonZeroU16>,
    /// Notes.
    pub metadata: Metadata,
    /// An old field of the API: stored and shown.
    pub version: u16,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last saved.
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// Whether messages of this type are for this endpoint, as far as their type says. No challenge
    /// is: those are sent to one endpoint alone.
    pub fn hears(&self, event_type: &Name) -> bool {
        let wanted = self.event_types.as_ref();
        !is_challenge(event_type) && wanted.is_none_or(|wanted| wanted.contains(event_type))
    }

    /// Whether requests go over TLS.
    pub fn is_tls(&self) -> bool {
        self.url.starts_with("https:")
    }

    /// Whether a message of this type and with these channels is for this endpoint.
    pub fn wants(&self, event_type: &Name, channels: &BTreeSet<Name>) -> bool {
        !self.disabled
            && self.hears(event_type)
            && self
                .channels
                .as_ref()
                .is_none_or(|wanted| !wanted.is_disjoint(channels))
    }
}

/// What should hold what [`SigningSecrets`], [`CustomHeaders`] or
/// [`Protection`](crate::protection::Protection) wrote, and doesn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored {0} can't be read: it is not in the form that this version of Postrider writes")]
pub struct StoredFormError(&'static str);

impl StoredFormError {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self(what)
    }
}

/// The secrets that an endpoint's deliveries are signed with, as the texts `webhook` parses
/// (`whsec_…`, `whsk_…`; for other senders' schemes any text without control characters): the
/// current one, and old ones that still sign until they expire.
#[derive(Clone)]
pub struct SigningSecrets {
    /// Signs first.
    pub current: Secret,
    /// Replaced ones with the end of their grace period, the next to expire first.
    pub old: Vec<(Timestamp, Secret)>,
}

impl SigningSecrets {
    /// The most unexpired old secrets: one more rotation is refused.
    pub const OLD_MAX: usize = 10;

    /// Only this one.
    pub fn new(current: Secret) -> Self {
        Self {
            current,
            old: Vec::new(),
        }
    }

    /// Makes `next` the current secret; the one before goes on signing until `until`, and what has
    /// expired by `now` goes.
    pub fn rotate(&mut self, next: Secret, until: Timestamp, now: Timestamp) {
        let before = std::mem::replace(&mut self.current, next);
        self.old.push((until, before));
        self.old.retain(|(expires, _)| *expires > now);
        self.old.sort_by_key(|(expires, _)| *expires);
    }

    /// Those that sign at `now`: the current one, then the old ones by ascending expiry.
    pub fn signing_at(&self, now: Timestamp) -> impl Iterator<Item = &Secret> {
        let old = self.old.iter().filter(move |(expires, _)| *expires > now);
        std::iter::once(&self.current).chain(old.map(|(_, secret)| secret))
    }

    /// The text that is sealed into the store: the current secret, then a line for each old one.
    pub fn to_stored(&self) -> Secret {
        let expiry = |(expires, _): &(Timestamp, _)| format!("\n{} ", expires.micros());
        let expiries: Vec<String> = self.old.iter().map(expiry).collect();
        let mut parts = vec![self.current.expose()];
        for (expiry, (_, secret)) in expiries.iter().zip(&self.old) {
            parts.extend([expiry.as_bytes(), secret.expose()]);
        }
        // In one piece: a text that grows leaves its old copies behind, unwiped.
        Secret::new(parts.concat())
    }

    /// Reads what [`Self::to_stored`] wrote.
    pub fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        const WRONG: StoredFormError = StoredFormError("signing secrets");
        let mut lines = stored.split(|byte| *byte == b'\n');
        let current = Secret::new(lines.next().ok_or(WRONG)?.to_vec());
        let old = lines.map(|line| {
            let space = line.iter().position(|byte| *byte == b' ').ok_or(WRONG)?;
            let expires = std::str::from_utf8(&line[..space])
                .ok()
                .and_then(|n| n.parse().ok());
            let secret = Secret::new(line[space + 1..].to_vec());
            Ok((Timestamp::from_micros(expires.ok_or(WRONG)?), secret))
        });
        Ok(Self {
            current,
            old: old.collect::<Result<_, _>>()?,
        })
    }
}

/// Headers that an endpoint's owner adds to its requests, in the case they were typed in. Names
/// and values are validated where they come in; a value never holds a line break. With them is
/// kept what becomes a header unless one of these is it: the URL's user name and password.
#[derive(Clone, Default)]
pub struct CustomHeaders {
    headers: Vec<(String, Secret)>,
    /// `user:password` as it stands in the URL.
    pub url_credentials: Option<Secret>,
}

impl CustomHeaders {
    /// Sets one; a header of the same name in whatever case is replaced.
    pub fn set(&mut self, name: String, value: Secret) {
        self.remove(&name);
        self.headers.push((name, value));
    }

    /// Removes one, in whatever case it was typed.
    pub fn remove(&mut self, name: &str) {
        self.headers
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    /// Names and values in the order they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.url_credentials.is_none()
    }

    /// The text that is sealed into the store: a line `name:value` each, and one without a name
    /// for the URL's credentials.
    pub fn to_stored(&self) -> Secret {
        let mut parts = Vec::with_capacity(4 * (self.headers.len() + 1));
        if let Some(credentials) = &self.url_credentials {
            parts.extend([b":", credentials.expose(), b"\n"]);
        }
        for (name, value) in &self.headers {
            parts.extend([name.as_bytes(), b":", value.expose(), b"\n"]);
        }
        Secret::new(parts.concat())
    }

    /// Reads what [`Self::to_stored`] wrote.
    pub fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        const WRONG: StoredFormError = StoredFormError("headers");
        let mut headers = Self::default();
        for line in stored
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let colon = line.iter().position(|byte| *byte == b':').ok_or(WRONG)?;
            let name = std::str::from_utf8(&line[..colon]).map_err(|_| WRONG)?;
            let value = Secret::new(line[colon + 1..].to_vec());
            if name.is_empty() {
                headers.url_credentials = Some(value);
            } else {
                headers.headers.push((name.to_owned(), value));
            }
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests;
