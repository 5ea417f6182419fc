//! Idempotency keys, a new one for each request: as client libraries send them, `auto_` and a
//! random UUID, or as callers do, who name their own.

use http::HeaderValue;
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher as _, RandomState};

/// Whose keys they are. A server may forget those of libraries sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// A client library's: for a repeat within seconds.
    Library,
    /// The caller's own.
    Caller,
}

/// Makes keys. They never repeat in practice, and are no secrets.
pub(crate) struct Keys(u64);

impl Keys {
    /// With a beginning that the system draws.
    pub(crate) fn new() -> Self {
        Self(RandomState::new().hash_one(std::process::id()))
    }

    /// The next one.
    pub(crate) fn next(&mut self, origin: Origin) -> HeaderValue {
        let uuid = uuid4(self.draw(), self.draw());
        let text = match origin {
            Origin::Library => format!("auto_{uuid}"),
            Origin::Caller => uuid,
        };
        HeaderValue::try_from(text).expect("a UUID is good in a header")
    }

    /// SplitMix64.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }
}

/// What makes a count look like chance, in SplitMix64.
pub(crate) fn mix(mut mixed: u64) -> u64 {
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn uuid4(high: u64, low: u64) -> String {
    let (high, low) = (high & !0xf000 | 0x4000, low & !(0b11 << 62) | 0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_form_of_random_uuids() {
        let all = uuid4(u64::MAX, u64::MAX);
        assert_eq!(all, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid4(0, 0), "00000000-0000-4000-8000-000000000000");
        let key = Keys::new().next(Origin::Library);
        assert!(key.as_bytes().starts_with(b"auto_"), "{key:?}");
    }

    #[test]
    fn no_key_comes_twice() {
        let (mut one, mut other) = (Keys::new(), Keys::new());
        let mut keys: Vec<_> = (0..1_000)
            .flat_map(|_| [&mut one, &mut other].map(|keys| keys.next(Origin::Caller)))
            .collect();
        keys.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        keys.dedup();
        assert_eq!(keys.len(), 2_000);
    }
}
