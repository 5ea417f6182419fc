//! How often an event has come round: deliveries tell, and who posts one on tells it back.
//!
//! A receiver that posts what it gets into an installation again may close a circle that nobody
//! sees. Nothing here looks for circles: it only counts, so that any of them ends.

use std::fmt;
use std::str::FromStr;

/// The header that tells it, in lower case: one name, whatever family the signature's have.
pub const HOPS_HEADER: &str = "webhook-hops";

/// How many deliveries an event has been through before it was posted: none, where it began here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hops(u8);

impl Hops {
    /// What began here.
    pub const NONE: Self = Self(0);
    /// The most that a delivery tells: what was through so many is not posted on.
    pub const MAX: Self = Self(3);

    /// What may be delivered once, and not be posted on into any installation.
    pub const LAST: Self = Self(Self::MAX.0 - 1);

    /// What a store has kept; `None`: it is not one that was let in.
    pub fn kept(number: i64) -> Option<Self> {
        let number = u8::try_from(number).ok()?;
        (number < Self::MAX.0).then_some(Self(number))
    }

    /// As a number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// What deliveries of it tell.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whether it may not be posted on.
    pub fn is_spent(self) -> bool {
        self >= Self::MAX
    }
}

impl fmt::Display for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 0 to 255, as a delivery told it")]
pub struct NoHops;

impl FromStr for Hops {
    type Err = NoHops;

    fn from_str(text: &str) -> Result<Self, NoHops> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.map(Self).ok_or(NoHops)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_read_as_it_is_told_and_nothing_else_is() {
        for number in [0, 1, 3, 255_u8] {
            assert_eq!(number.to_string().parse(), Ok(Hops(number)));
        }
        for wrong in ["", "-1", "+1", " 1", "1, 2", "256", "1.0", "one", "٣"] {
            assert_eq!(wrong.parse::<Hops>(), Err(NoHops), "{wrong}");
        }
    }

    #[test]
    fn the_third_delivery_is_the_last() {
        let mut hops = Hops::NONE;
        let mut told = Vec::new();
        while !hops.is_spent() {
            assert_eq!(Hops::kept(i64::from(hops.number())), Some(hops));
            hops = hops.next();
            told.push(hops.number());
        }
        assert_eq!(told, [1, 2, 3]);
        assert!(!Hops::LAST.is_spent() && Hops::LAST.next().is_spent());
        assert_eq!(Hops::kept(3), None);
        assert_eq!(Hops::kept(-1), None);
        assert!(Hops(255).next().is_spent());
    }
}
