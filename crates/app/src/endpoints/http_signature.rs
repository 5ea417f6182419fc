//! Signatures over whole requests (RFC 9421) as an endpoint's credential: their key, made here
//! unless it is brought, and what they cover.

use crate::App;
use crate::rules::Judge;
use model::Secret;
use model::entropy::random;
use model::protection::{Credential, HttpSignatureAlgorithm};
use webhook::SigningKey;
pub use webhook::http_signature::{ADDITIONAL_MAX as COMPONENTS_MAX, UNSIGNABLE};
use webhook::http_signature::{PublicJwk, Signer, WEBHOOK_COMPONENTS, key_id};
use zeroize::Zeroizing;

/// The longest name of a component, in bytes.
pub const COMPONENT_BYTES_MAX: usize = 256;

/// Headers that the connection writes: they are not there yet when a request is signed.
pub const WRITTEN_LATER: [&str; 2] = ["host", "content-length"];

/// What is to sign, parsed and not yet judged.
#[derive(Clone)]
pub struct HttpSignatureInput {
    /// What it is made with.
    pub algorithm: HttpSignatureAlgorithm,
    /// The key; made here for ed25519 if there is none.
    pub key: Option<Secret>,
    /// What is covered beyond what always is.
    pub components: Vec<String>,
}

/// What signs, without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSignatureView {
    /// What it is made with.
    pub algorithm: HttpSignatureAlgorithm,
    /// Masked.
    pub key: String,
    /// What signatures call it.
    pub key_id: String,
    /// What a receiver verifies with, unless that is the key itself.
    pub public_key: Option<String>,
    /// All that is covered.
    pub components: Vec<String>,
}

impl App {
    /// A key for ed25519.
    pub(super) fn new_key_pair(&self) -> SigningKey {
        SigningKey::generate_ed25519(&Zeroizing::new(random::<32>(&*self.entropy)))
    }
}

impl HttpSignatureInput {
    /// The credential; `made` is the key that it gets unless it brings one.
    pub(super) fn judge(self, judge: &mut Judge<'_>, made: SigningKey) -> Credential {
        let key = match (&self.key, self.algorithm) {
            (Some(key), algorithm) => parse(key, algorithm),
            (None, HttpSignatureAlgorithm::Ed25519) => Ok(made),
            (None, HttpSignatureAlgorithm::HmacSha256) => {
                Err("give one: it is a secret that the receiver has too".to_owned())
            }
        };
        let names: Vec<&str> = self.components.iter().map(String::as_str).collect();
        for name in &names {
            if WRITTEN_LATER.contains(name) || name.len() > COMPONENT_BYTES_MAX {
                let text = "can't hold `host`, `content-length`, or a name of more than 256 bytes";
                judge.note("components", text);
            }
        }
        let text = match &key {
            Ok(key) => {
                if let Err(wrong) = Signer::new(key, &key_id(key), &names) {
                    judge.note("components", wrong.to_string());
                }
                key.to_text().expose().to_owned()
            }
            Err(wrong) => {
                judge.note_unreadable("key", wrong);
                String::new()
            }
        };
        let more = |name: &String| !WEBHOOK_COMPONENTS.contains(&name.as_str());
        Credential::HttpSignature {
            algorithm: self.algorithm,
            key: Secret::from(text),
            components: self.components.into_iter().filter(more).collect(),
        }
    }
}

fn parse(key: &Secret, algorithm: HttpSignatureAlgorithm) -> Result<SigningKey, String> {
    let text = std::str::from_utf8(key.expose()).map_err(|_| "a key is text".to_owned())?;
    let prefix = match algorithm {
        HttpSignatureAlgorithm::Ed25519 => "whsk_",
        HttpSignatureAlgorithm::HmacSha256 => "whsec_",
    };
    if !text.starts_with(prefix) {
        let name = algorithm.as_str();
        return Err(format!("a key for {name} begins with `{prefix}`"));
    }
    SigningKey::parse(text).map_err(|error| error.to_string())
}

impl HttpSignatureView {
    /// What is shown of a credential's parts, whose key was judged once.
    pub(super) fn new(
        algorithm: HttpSignatureAlgorithm,
        key: &Secret,
        components: &[String],
    ) -> Self {
        let parsed = parse(key, algorithm).ok();
        let always = WEBHOOK_COMPONENTS.map(str::to_owned);
        Self {
            algorithm,
            key: super::protection::masked(key),
            key_id: parsed.as_ref().map(key_id).unwrap_or_default(),
            public_key: parsed.and_then(|key| key.public_text()),
            components: [&always[..], components].concat(),
        }
    }
}

/// The public half of a key, if it has one.
pub(super) fn public_half(key: &Secret) -> Option<PublicJwk> {
    let text = std::str::from_utf8(key.expose()).ok()?;
    PublicJwk::of(&SigningKey::parse(text).ok()?)
}
