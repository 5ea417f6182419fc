//! How an endpoint's connections are verified, and what they show of us: authorities in place of
//! the system's, pins, a client certificate. Certificates are texts here, which whoever took them
//! has judged; what they mean is `transport`'s business.

use super::rotated::Rotated;
use crate::endpoint::StoredFormError;
use crate::fields::{Fields, Part, WRONG, text};
use crate::pin::Pin;
use crate::secret::Secret;

/// Whom to trust, and how old TLS may be. Without either there is no such part.
#[derive(Clone, PartialEq, Eq)]
pub struct Trust {
    /// The authorities that are trusted in place of the system's, as PEM.
    pub authorities: Option<String>,
    /// TLS 1.3 at the least, rather than 1.2.
    pub tls13_only: bool,
}

/// Keys that a receiver's chain must have one of, besides being valid.
#[derive(Clone, PartialEq, Eq)]
pub struct Pinning {
    /// The keys. None where they are still to be taken from the first connection.
    pub pins: Vec<Pin>,
    /// What they are for.
    pub mode: PinningMode,
}

/// What pins are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinningMode {
    /// Nothing is sent without one of them.
    Enforce,
    /// Their lack is reported, and deliveries are made.
    Report,
    /// The first verified connection's is taken, and enforced from then on.
    FirstUse,
}

/// A client certificate.
pub type Mtls = Rotated<Identity>;

/// A certificate with its key.
#[derive(Clone)]
pub struct Identity {
    /// The client's own, then its issuers', as PEM.
    pub certificates: String,
    /// Its key, as PEM.
    pub key: Secret,
}

impl PinningMode {
    const ALL: [Self; 3] = [Self::Enforce, Self::Report, Self::FirstUse];

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Report => "report",
            Self::FirstUse => "firstUse",
        }
    }
}

impl Pinning {
    /// Whether the next verified connection's pin is to be taken.
    pub fn awaits_first_use(&self) -> bool {
        self.mode == PinningMode::FirstUse && self.pins.is_empty()
    }
}

impl Part for Trust {
    fn write(&self, fields: &mut Fields) {
        if let Some(authorities) = &self.authorities {
            fields.put_text("authorities", authorities);
        }
        if self.tls13_only {
            fields.put_text("tls13", "");
        }
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        let authorities = fields.take("authorities");
        Ok(Self {
            authorities: authorities.as_ref().map(text).transpose()?,
            tls13_only: fields.take("tls13").is_some(),
        })
    }
}

impl Part for Pinning {
    fn write(&self, fields: &mut Fields) {
        fields.put_text("mode", self.mode.as_str());
        for pin in &self.pins {
            fields.put_text("pin", &pin.to_string());
        }
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        let mode = fields.word("mode", &PinningMode::ALL, PinningMode::as_str)?;
        let mut pins = Vec::new();
        while let Some(pin) = fields.take("pin") {
            pins.push(text(&pin)?.parse().map_err(|_| WRONG)?);
        }
        Ok(Self { pins, mode })
    }
}

impl Part for Identity {
    fn write(&self, fields: &mut Fields) {
        fields.put_text("certificates", &self.certificates);
        fields.put("key", &self.key);
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        Ok(Self {
            certificates: fields.text("certificates")?,
            key: fields.secret("key")?,
        })
    }
}
