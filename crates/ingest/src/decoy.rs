//! What is done for a source that isn't there: as much as for a forgery to one that is, so that
//! neither the answer nor the time that it takes tells one from the other.

use crate::refused::Refused;
use app::sources::checks::{Refusal, Request};
use webhook::provider::Verifier;
use webhook::{GenericScheme, HmacScheme};

/// Verifies, and finds every request forged.
pub(crate) struct Decoy(Verifier);

const HEADER: &str = "x-signature";
/// As long as a digest, and none.
const FORGED: [u8; 64] = [b'0'; 64];

impl Default for Decoy {
    fn default() -> Self {
        let scheme = HmacScheme::generic(GenericScheme {
            header: HEADER,
            hash: "sha256",
            encoding: "hex",
            prefix: "",
            template: "{body}",
            timestamp_header: None,
        });
        let scheme = scheme.expect("such a scheme can be described");
        let verifier = Verifier::hmac(scheme, &["a source that is not there"]);
        Self(verifier.expect("any text is a secret of it"))
    }
}

impl Decoy {
    /// How it is refused.
    pub(crate) fn refuse(&self, body: &[u8]) -> Refused {
        let request = Request {
            method: "POST",
            url: "",
            headers: &[(HEADER, &FORGED)],
            body,
        };
        let forged = self.0.verify(&request, 0, 0).err();
        let forged = forged.unwrap_or(webhook::Refused::NoKey);
        Refused::of_check(&Refusal::Signature(forged))
    }
}
