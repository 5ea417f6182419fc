//! Pins: the key of a certificate, known by its digest, as receivers and their owners write it.
//!
//! `sha256/` and the base64 of the SHA-256 digest of the key's DER (`SubjectPublicKeyInfo`). Of the
//! key, not of the certificate: a certificate that is renewed with the same key keeps its pin. What
//! a pin is compared with is the business of whoever verifies a connection.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// What every pin begins with: there is one kind.
const PREFIX: &str = "sha256/";

/// The SHA-256 digest of a certificate's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin([u8; 32]);

/// A text that is no pin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no pin: write `sha256/` and the base64 of the SHA-256 digest of the key, 44 \
     characters; `postrider pin URL` prints them"
)]
pub struct PinError;

impl Pin {
    /// Of a digest.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let digest = text.strip_prefix(PREFIX).ok_or(PinError)?;
        let digest = BASE64_STANDARD.decode(digest).map_err(|_| PinError)?;
        digest.try_into().map(Self).map_err(|_| PinError)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_one_spelling_of_a_digest_is_a_pin() {
        let pin = "sha256/tT9hBcn5/EikR6o2unBzrpcr1XKri4OZFWq7an7978c=";
        let parsed: Pin = pin.parse().unwrap();
        assert_eq!(parsed.to_string(), pin);
        for odd in [
            "",
            "sha256/",
            "tT9hBcn5/EikR6o2unBzrpcr1XKri4OZFWq7an7978c=",
            "sha1/AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "sha256/abc",
            "sha256/2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
            "sha256/tT9hBcn5_EikR6o2unBzrpcr1XKri4OZFWq7an7978c=",
            "sha256/tT9hBcn5/EikR6o2unBzrpcr1XKri4OZFWq7an7978c",
            "sha256/tT9hBcn5/EikR6o2unBzrpcr1XKri4OZFWq7an7978d=",
            "SHA256/tT9hBcn5/EikR6o2unBzrpcr1XKri4OZFWq7an7978c=",
            " sha256/tT9hBcn5/EikR6o2unBzrpcr1XKri4OZFWq7an7978c=",
        ] {
            assert_eq!(odd.parse::<Pin>(), Err(PinError), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(digest: [u8; 32]) {
            let pin = Pin::new(digest);
            prop_assert_eq!(pin.to_string().parse(), Ok(pin));
        }
    }
}
