//! Ways to the identity provider and back. What is kept of one is with the browser that is on it: a
//! signed token that is good for nothing else, and holds no secret. What the provider is given, and
//! gives back, is derived from its id and our own secret, so that every node can tell it again.

use super::sessions::SUBJECT;
use super::{ISSUER, Tokens, hexadecimal};
use crate::App;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use jsonwebtoken::{Algorithm, Header, decode, encode};
use model::entropy::random;
use model::{Entropy, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long somebody may be on the way.
pub const TRIP_LIFETIME: Duration = Duration::from_secs(600);
/// The longest address that is remembered: a cookie has no place for more.
const NEXT_BYTES_MAX: usize = 1_024;
const AUDIENCE: &str = "postrider-trip";

/// One way to the identity provider and back.
pub struct Trip {
    /// Comes back with whoever was sent, in the clear.
    pub state: String,
    /// Comes back in what the provider signs.
    pub nonce: String,
    /// What only we can show when a code is exchanged (PKCE).
    pub verifier: Secret,
    /// Where to go then.
    pub next: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    /// In seconds.
    exp: i64,
    next: String,
}

impl Trip {
    /// Whether this is the state that it began with.
    pub fn is_state(&self, given: &str) -> bool {
        verify_slices_are_equal(given.as_bytes(), self.state.as_bytes()).is_ok()
    }
}

impl App {
    /// A new one, and what the browser keeps meanwhile.
    pub fn begin_trip(&self, next: &str) -> (Trip, Secret) {
        self.tokens
            .begin_trip(next, self.clock.now(), &*self.entropy)
    }

    /// The one that a browser is on, unless it took too long.
    pub fn trip(&self, kept: &str) -> Option<Trip> {
        self.tokens.trip(kept, self.clock.now())
    }
}

impl Tokens {
    fn begin_trip(&self, next: &str, now: Timestamp, entropy: &dyn Entropy) -> (Trip, Secret) {
        let next = match next.len() {
            0..=NEXT_BYTES_MAX => next,
            _ => "",
        };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: SUBJECT.to_owned(),
            jti: hexadecimal("", &random::<16>(entropy)),
            exp: now.plus(TRIP_LIFETIME).seconds(),
            next: next.to_owned(),
        };
        let kept = encode(&Header::new(Algorithm::HS256), &claims, &self.encoding);
        let kept = kept.expect("claims are plain JSON, and HMAC takes any key");
        (self.trip_of(claims), Secret::from(kept))
    }

    fn trip(&self, kept: &str, now: Timestamp) -> Option<Trip> {
        let decoded = decode::<Claims>(kept, &self.decoding, &self.validation);
        let claims = decoded.ok()?.claims;
        let is_ours = claims.iss == ISSUER && claims.aud == AUDIENCE;
        let is_good = is_ours && now.seconds() < claims.exp;
        is_good.then(|| self.trip_of(claims))
    }

    fn trip_of(&self, claims: Claims) -> Trip {
        let secret = Key::new(HMAC_SHA256, self.secret.expose());
        let key = sign(&secret, b"trips to the identity provider");
        let key = Key::new(HMAC_SHA256, key.as_ref());
        let derive = |what: &str| {
            let tag = sign(&key, format!("{what} {}", claims.jti).as_bytes());
            hexadecimal("", tag.as_ref())
        };
        Trip {
            state: derive("state"),
            nonce: derive("nonce"),
            verifier: Secret::from(derive("verifier")),
            next: claims.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::sessions::Pages;
    use crate::tokens::{Lifetime, TokenSettings};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    /// Each time another byte, again and again.
    struct Drawing(std::sync::atomic::AtomicU8);

    impl Entropy for Drawing {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    fn tokens(secret: &str) -> Tokens {
        let settings = TokenSettings {
            accept_foreign: true,
            ..TokenSettings::default()
        };
        Tokens::new(Secret::from(secret.to_owned()), settings)
    }

    #[test]
    fn a_trip_is_told_again_on_every_node_until_it_takes_too_long() {
        let entropy = Drawing(1.into());
        let (one, other) = (tokens("a secret of ours"), tokens("a secret of ours"));
        let (trip, kept) = one.begin_trip("/dashboard/x", NOW, &entropy);
        let kept = String::from_utf8(kept.expose().to_vec()).unwrap();
        let again = other.trip(&kept, NOW.plus(TRIP_LIFETIME / 2)).unwrap();
        assert_eq!(
            (&again.state, &again.nonce, again.verifier.expose()),
            (&trip.state, &trip.nonce, trip.verifier.expose())
        );
        assert_eq!(again.next, "/dashboard/x");
        assert!(other.trip(&kept, NOW.plus(TRIP_LIFETIME)).is_none());
        assert!(tokens("another's").trip(&kept, NOW).is_none());
    }

    #[test]
    fn nothing_of_a_trip_is_said_by_what_the_browser_keeps_or_by_another_trip() {
        let (entropy, tokens) = (Drawing(1.into()), tokens("a secret of ours"));
        let (trip, kept) = tokens.begin_trip("", NOW, &entropy);
        let (other, _) = tokens.begin_trip("", NOW, &entropy);
        let verifier = String::from_utf8(trip.verifier.expose().to_vec()).unwrap();
        assert!(trip.is_state(&trip.state) && !trip.is_state(""));
        assert!(!trip.is_state(&other.state) && !trip.is_state(&trip.nonce));
        let texts = [&trip.state, &trip.nonce, &verifier, &other.nonce];
        assert!(texts.iter().all(|text| text.len() == 64));
        let kept = String::from_utf8(kept.expose().to_vec()).unwrap();
        let payload = kept.split('.').nth(1).unwrap();
        assert!(payload.len() < 400, "{payload}");
        assert_ne!(verifier, trip.nonce);
    }

    #[test]
    fn what_is_kept_of_a_trip_lets_nobody_in() {
        let (entropy, tokens) = (Drawing(1.into()), tokens("a secret of ours"));
        let (_, kept) = tokens.begin_trip(&"x".repeat(5_000), NOW, &entropy);
        let kept = String::from_utf8(kept.expose().to_vec()).unwrap();
        assert!(kept.len() < 1_000, "what is too long is not kept");
        assert!(tokens.check(&kept, NOW).is_err());
        let from = (NOW, None);
        assert!(tokens.check_session(Pages::Dashboard, &kept, from).is_err());
        let (grant, lifetime) = (crate::tokens::Grant::Organisation, Lifetime::default());
        let bearer = tokens.mint(&grant, lifetime, NOW, &entropy);
        assert!(tokens.trip(&bearer, NOW).is_none());
    }
}
