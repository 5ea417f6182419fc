//! The one alphabet of words that people choose: uids, event ids, event type names, channels, tags
//! and feature flags are all `[a-zA-Z0-9\-_.]+`, 1 to 256 bytes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest word, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// What a whole word matches, as a regular expression of ECMA-262.
pub const NAME_PATTERN: &str = r"^[a-zA-Z0-9\-_.]+$";

/// A validated word, cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("String must be at least one character")]
    Empty,
    /// More than [`NAME_BYTES_MAX`] bytes.
    #[error("String too long")]
    TooLong,
    /// A character outside the alphabet.
    #[error("String must match the following pattern: [a-zA-Z0-9\\-_.]+.")]
    Alphabet,
}

impl Name {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        match text.len() {
            0 => Err(NameError::Empty),
            length if length > NAME_BYTES_MAX => Err(NameError::TooLong),
            _ if !text.bytes().all(allowed) => Err(NameError::Alphabet),
            _ => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_outside_the_alphabet_are_refused_for_their_reason() {
        let long = "a".repeat(257);
        let cases = [
            ("invoice.paid", None),
            ("A-b_c.9", None),
            (&long[1..], None),
            ("", Some(NameError::Empty)),
            (long.as_str(), Some(NameError::TooLong)),
            ("a b", Some(NameError::Alphabet)),
            ("é", Some(NameError::Alphabet)),
            ("a\0", Some(NameError::Alphabet)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Name>().err(), expected, "{text}");
        }
    }
}
