//! What an endpoint may be given beside its URL, each of which costs something with every delivery:
//! certificates, credentials, encryption, redaction, signatures.
//!
//! They are measured on one server, which stays for all rounds, each by endpoints of its own: two
//! servers differ by more than most of these cost. The receiver looks at each delivery for what it
//! must show, so that nothing is measured that isn't there.

mod certificates;
mod keys;
mod settings;
mod shown;
mod subjects;

pub(crate) use certificates::{Certificates, acceptor};
pub(crate) use keys::shared as shared_secret;
pub(crate) use shown::Delivery;
pub(crate) use subjects::{Receivers, Subjects};

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Something that an endpoint is given, or what that is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointOption {
    /// Nothing, over plain HTTP.
    Plain,
    /// Nothing, over TLS to a receiver whose authority the server trusts anyway.
    Tls,
    /// An authority of its own.
    Ca,
    /// A pin that is enforced.
    Pins,
    /// A client certificate.
    Mtls,
    /// User name and password.
    Basic,
    /// A token that was given.
    Bearer,
    /// HTTP Message Signatures with ed25519.
    HttpSignatureEd25519,
    /// The same with HMAC.
    HttpSignatureHmac,
    /// A token that is fetched.
    Oauth,
    /// A payload encrypted by ECDH-ES with P-256.
    EncryptionP256,
    /// The same with X25519.
    EncryptionX25519,
    /// The same by RSA-OAEP-256.
    EncryptionRsa,
    /// Of a payload, one value masked and another hashed.
    Redaction,
    /// A scheme of its own, an HMAC.
    Signature,
    /// An ed25519 pair in place of a shared secret.
    Ed25519,
}

impl EndpointOption {
    /// All of them, each behind what it is compared with.
    pub const ALL: [Self; 16] = [
        Self::Plain,
        Self::Tls,
        Self::Ca,
        Self::Pins,
        Self::Mtls,
        Self::Basic,
        Self::Bearer,
        Self::HttpSignatureEd25519,
        Self::HttpSignatureHmac,
        Self::Oauth,
        Self::EncryptionP256,
        Self::EncryptionX25519,
        Self::EncryptionRsa,
        Self::Redaction,
        Self::Signature,
        Self::Ed25519,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
            Self::Ca => "ca",
            Self::Pins => "pins",
            Self::Mtls => "mtls",
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::HttpSignatureEd25519 => "http-signature-ed25519",
            Self::HttpSignatureHmac => "http-signature-hmac",
            Self::Oauth => "oauth",
            Self::EncryptionP256 => "encryption-p256",
            Self::EncryptionX25519 => "encryption-x25519",
            Self::EncryptionRsa => "encryption-rsa",
            Self::Redaction => "redaction",
            Self::Signature => "signature",
            Self::Ed25519 => "ed25519",
        }
    }

    /// What it is compared with.
    pub fn base(self) -> Option<Self> {
        match self {
            Self::Plain => None,
            Self::Tls => Some(Self::Plain),
            _ => Some(Self::Tls),
        }
    }

    /// Whether its receiver is spoken to over TLS.
    pub(crate) fn is_secure(self) -> bool {
        self != Self::Plain
    }
}

/// A choice of them: in the order of [`EndpointOption::ALL`], with what each is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointOptions(Vec<EndpointOption>);

impl EndpointOptions {
    /// Those that were chosen.
    pub fn list(&self) -> &[EndpointOption] {
        &self.0
    }
}

impl FromStr for EndpointOptions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = EndpointOption::ALL;
        if text == "all" {
            return Ok(Self(all.to_vec()));
        }
        let mut chosen = Vec::new();
        for name in text.split(',') {
            let found = all.into_iter().find(|option| option.name() == name);
            let names = || all.map(EndpointOption::name).join(", ");
            let found = found.ok_or_else(|| format!("write all, or some of {}", names()))?;
            chosen.extend(std::iter::successors(Some(found), |option| option.base()));
        }
        chosen.sort();
        chosen.dedup();
        Ok(Self(chosen))
    }
}

impl fmt::Display for EndpointOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for EndpointOption {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_comes_with_what_it_is_compared_with_and_once() {
        let chosen: EndpointOptions = "pins,ca,pins".parse().unwrap();
        let expected = ["plain", "tls", "ca", "pins"];
        let names: Vec<_> = chosen.list().iter().map(|option| option.name()).collect();
        assert_eq!(names, expected);
        let all: EndpointOptions = "all".parse().unwrap();
        assert_eq!(all.list(), EndpointOption::ALL);
        for option in EndpointOption::ALL {
            assert!(option.base() < Some(option), "{option} is before its base");
            assert_eq!(
                option
                    .name()
                    .parse::<EndpointOptions>()
                    .unwrap()
                    .list()
                    .last(),
                Some(&option)
            );
        }
        for wrong in ["", "pin", "pins,", "plain, tls"] {
            let refused = wrong.parse::<EndpointOptions>();
            assert!(
                refused.unwrap_err().contains("http-signature-hmac"),
                "{wrong}"
            );
        }
    }
}
