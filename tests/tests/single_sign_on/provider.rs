//! A small identity provider, as good as the test wants it: it publishes its keys, takes each code
//! once, holds PKCE, redirect URL and client to what they were, and signs what it is told to.
//! The page on which people sign in to it is left out: `Provider::grant` is what it would do.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as URL_SAFE, Engine as _};
use e2e::{Answer, Received, Receiver};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub(crate) const CLIENT: &str = "postrider";
pub(crate) const SECRET: &str = "open-sesame-0123";
/// What comes with a statement.
const ACCESS: &str = "an-access-token";

/// A key of the provider's.
pub(crate) enum Key {
    Elliptic(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Key {
    pub(crate) fn elliptic() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self::Elliptic(pair.expect("a key"))
    }

    pub(crate) fn rsa() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048);
        Self::Rsa(Box::new(pair.expect("a key")))
    }

    fn published(&self, id: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE.encode(bytes);
        match self {
            Self::Elliptic(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                json!({
                    "kty": "EC", "crv": "P-256", "use": "sig", "kid": id,
                    "x": text(&point[..32]), "y": text(&point[32..]),
                })
            }
            Self::Rsa(pair) => {
                let modulus = pair.public_key().modulus();
                let n = text(modulus.big_endian_without_leading_zero());
                json!({"kty": "RSA", "use": "sig", "kid": id, "n": n, "e": "AQAB"})
            }
        }
    }

    fn sign(&self, text: &str) -> (&'static str, Vec<u8>) {
        let (random, bytes) = (SystemRandom::new(), text.as_bytes());
        match self {
            Self::Elliptic(pair) => {
                let signature = pair.sign(&random, bytes).expect("it signs");
                ("ES256", signature.as_ref().to_vec())
            }
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature);
                signed.expect("it signs");
                ("RS256", signature)
            }
        }
    }
}

/// How a statement is signed.
#[derive(Clone, Copy, Default)]
pub(crate) enum Signed {
    /// With the provider's key.
    #[default]
    Rightly,
    /// Not at all.
    Never,
    /// With a secret: the client's.
    WithSecret,
    /// With a secret: what everybody can read of the key.
    WithPublicKey,
    /// With the provider's key, and then changed.
    Changed,
}

/// What the provider does.
pub(crate) struct Said {
    pub(crate) key: Key,
    pub(crate) key_id: String,
    /// What it calls itself instead of what it is.
    pub(crate) issuer: Option<String>,
    /// Where its tokens are instead of here.
    pub(crate) token_endpoint: Option<String>,
    /// Where its keys are instead of here.
    pub(crate) jwks_uri: Option<String>,
    /// What a statement says beside what it has to; null takes away.
    pub(crate) claims: Value,
    pub(crate) signed: Signed,
    granted: HashMap<String, Granted>,
}

/// What a code stands for.
struct Granted {
    challenge: String,
    nonce: String,
    redirect: String,
}

/// A running one.
pub(crate) struct Provider {
    receiver: Receiver,
    said: Arc<Mutex<Said>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let said = Said {
            key: Key::elliptic(),
            key_id: "one".into(),
            issuer: None,
            token_endpoint: None,
            jwks_uri: None,
            claims: json!({}),
            signed: Signed::Rightly,
            granted: HashMap::new(),
        };
        let said = Arc::new(Mutex::new(said));
        let own = said.clone();
        let receiver = Receiver::start(move |request| {
            let mut said = own.lock().expect("nobody panics with it");
            said.answer(request)
        });
        let receiver = receiver.await;
        Self { receiver, said }
    }

    /// What it calls itself.
    pub(crate) fn issuer(&self) -> String {
        self.receiver.url("")
    }

    /// Makes it do something else from now on.
    pub(crate) fn now(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.said.lock().expect("nobody panics with it"));
    }

    /// The paths at which it was asked since the last time.
    pub(crate) async fn asked(&self) -> Vec<String> {
        let asked = self.receiver.rest().await;
        asked.into_iter().map(|request| request.path).collect()
    }

    /// Lets somebody in who was sent to it, and gives the code.
    pub(crate) fn grant(&self, sent: &HashMap<String, String>) -> String {
        let mut said = self.said.lock().expect("nobody panics with it");
        let code = format!("code-{}", said.granted.len());
        let granted = Granted {
            challenge: sent["code_challenge"].clone(),
            nonce: sent["nonce"].clone(),
            redirect: sent["redirect_uri"].clone(),
        };
        said.granted.insert(code.clone(), granted);
        code
    }
}

impl Said {
    fn answer(&mut self, request: &Received) -> Answer {
        let base = format!("http://{}", request.header("host"));
        let json = |body: Value| {
            let answer = Answer::status(200).header("content-type", "application/json");
            answer.body(body.to_string())
        };
        match request.path.as_str() {
            "/.well-known/openid-configuration" => json(self.configuration(&base)),
            "/keys" => json(json!({"keys": [self.key.published(&self.key_id)]})),
            "/token" => match self.exchange(request, &base) {
                Ok(body) => json(body),
                Err(error) => Answer::status(400).body(json!({"error": error}).to_string()),
            },
            _ => Answer::status(404),
        }
    }

    fn configuration(&self, base: &str) -> Value {
        let at = |own: &Option<String>, path: &str| {
            let own = own.clone();
            own.unwrap_or_else(|| format!("{base}{path}"))
        };
        json!({
            "issuer": at(&self.issuer, ""),
            "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint": at(&self.token_endpoint, "/token"),
            "jwks_uri": at(&self.jwks_uri, "/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        })
    }

    fn exchange(&mut self, request: &Received, base: &str) -> Result<Value, &'static str> {
        let basic = BASE64_STANDARD.encode(format!("{CLIENT}:{SECRET}"));
        if request.header("authorization") != format!("Basic {basic}") {
            return Err("invalid_client");
        }
        let form = super::pairs(std::str::from_utf8(&request.body).expect("a form"));
        let granted = self.granted.remove(&form["code"]).ok_or("invalid_grant")?;
        let verifier = digest(&SHA256, form["code_verifier"].as_bytes());
        let is_right = URL_SAFE.encode(verifier.as_ref()) == granted.challenge
            && form["redirect_uri"] == granted.redirect
            && form["grant_type"] == "authorization_code";
        if !is_right {
            return Err("invalid_grant");
        }
        let statement = self.statement(base, &granted.nonce);
        Ok(json!({"access_token": ACCESS, "token_type": "Bearer", "id_token": statement}))
    }

    fn statement(&self, base: &str, nonce: &str) -> String {
        let now = jiff::Timestamp::now().as_second();
        let hash = digest(&SHA256, ACCESS.as_bytes());
        let mut claims = json!({
            "iss": base, "aud": CLIENT, "sub": "person-1", "nonce": nonce,
            "iat": now, "exp": now + 300, "at_hash": URL_SAFE.encode(&hash.as_ref()[..16]),
        });
        for (name, value) in self.claims.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        let all = claims.as_object_mut().expect("claims");
        all.retain(|_, value| !value.is_null());
        self.sign(&claims)
    }

    fn sign(&self, claims: &Value) -> String {
        let text = |algorithm: &str, claims: &Value| {
            let header = json!({"alg": algorithm, "kid": self.key_id, "typ": "JWT"});
            let part = |value: &Value| URL_SAFE.encode(value.to_string());
            format!("{}.{}", part(&header), part(claims))
        };
        let with_secret = |secret: &[u8]| {
            let text = text("HS256", claims);
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let tag = hmac::sign(&key, text.as_bytes());
            format!("{text}.{}", URL_SAFE.encode(tag.as_ref()))
        };
        let algorithm = self.key.sign("").0;
        match self.signed {
            Signed::Never => format!("{}.", text("none", claims)),
            Signed::WithSecret => with_secret(SECRET.as_bytes()),
            Signed::WithPublicKey => match &self.key {
                Key::Elliptic(pair) => with_secret(pair.public_key().as_ref()),
                Key::Rsa(pair) => with_secret(pair.public_key().as_ref()),
            },
            Signed::Rightly | Signed::Changed => {
                let signature = self.key.sign(&text(algorithm, claims)).1;
                let mut claims = claims.clone();
                if matches!(self.signed, Signed::Changed) {
                    claims["groups"] = json!(["platform"]);
                }
                let text = text(algorithm, &claims);
                format!("{text}.{}", URL_SAFE.encode(signature))
            }
        }
    }
}
