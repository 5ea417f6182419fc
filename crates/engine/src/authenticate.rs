//! Puts an endpoint's credentials on a request, and tries the ones before where the current ones
//! are refused while both are valid.
//!
//! It knows nothing of what was sent for or when it is tried again: all tries are one attempt.

use crate::ready::Unsound;
use crate::verdict::Happened;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::{HeaderName, HeaderValue};
use model::entropy::random;
use model::protection::{Auth, Credential, Held, KeyPlace};
use model::{Entropy, Secret, Timestamp};
use std::sync::Arc;
use transport::{Outgoing, Target, Transport};
use webhook::http_signature::{self, Moment, SignError, Signer};
use webhook::{HeaderFamily, SigningKey};

/// By these a receiver says that it does not know the credentials.
const REFUSED: [u16; 2] = [401, 403];

/// What an endpoint's requests are authenticated with, laid out.
#[derive(Default)]
pub(crate) struct Authentication {
    /// The current one first, each with the time until which it is tried.
    tries: Vec<(Timestamp, Laid)>,
}

/// A credential as a request carries it.
enum Laid {
    Header(HeaderName, HeaderValue),
    Target(Arc<Target>),
    Signature(Box<Signer>),
}

/// What sending takes besides the request.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) transport: &'a dyn Transport,
    pub(crate) entropy: &'a dyn Entropy,
    /// The attempt's time.
    pub(crate) now: Timestamp,
}

impl Authentication {
    /// Lays out what is set for requests to `target`.
    pub(crate) fn new(auth: Option<&Auth>, target: &Target) -> Result<Self, Unsound> {
        let Some(auth) = auth else {
            return Ok(Self::default());
        };
        let mut tries = vec![(Timestamp::MAX, Laid::new(&auth.current, target)?)];
        if let Some((until, previous)) = &auth.previous {
            tries.push((*until, Laid::new(previous, target)?));
        }
        Ok(Self { tries })
    }

    /// The header that has a key, as it is spelled.
    pub(crate) fn key_header(auth: Option<&Auth>) -> Option<&str> {
        match &auth?.current {
            Credential::ApiKey {
                place: KeyPlace::Header,
                name,
                ..
            } => Some(name),
            _ => None,
        }
    }

    /// The names that id and time have on its requests: what signs requests goes by the standard's.
    pub(crate) fn family(&self, family: HeaderFamily) -> HeaderFamily {
        let signs = |(_, laid): &(Timestamp, Laid)| matches!(laid, Laid::Signature(_));
        match family {
            HeaderFamily::Svix if self.tries.iter().any(signs) => HeaderFamily::Both,
            family => family,
        }
    }

    /// Sends a request with the credentials that are valid now, one after the other, until one is
    /// not refused.
    pub(crate) async fn send(&self, request: Outgoing, means: Means<'_>) -> Happened {
        let valid = self.valid_at(means.now);
        let Some((last, before)) = valid.split_last() else {
            return means.transport.send(request).await.into();
        };
        for laid in before {
            match laid.send(request.clone(), means).await {
                Happened::Answered(answer) if REFUSED.contains(&answer.status) => {}
                happened => return happened,
            }
        }
        last.send(request, means).await
    }

    fn valid_at(&self, now: Timestamp) -> Vec<&Laid> {
        let valid = self.tries.iter().filter(|(until, _)| *until > now);
        valid.map(|(_, laid)| laid).collect()
    }
}

impl Laid {
    fn new(credential: &Credential, target: &Target) -> Result<Self, Unsound> {
        match credential {
            Credential::Basic { username, password } => {
                let pair = Secret::new([username.as_bytes(), b":", password.expose()].concat());
                let encoded = Secret::from(BASE64_STANDARD.encode(pair.expose()));
                Self::header("authorization", &[b"Basic ", encoded.expose()])
            }
            Credential::Bearer { token } => {
                Self::header("authorization", &[b"Bearer ", token.expose()])
            }
            Credential::ApiKey {
                place: KeyPlace::Header,
                name,
                value,
            } => Self::header(name, &[value.expose()]),
            Credential::ApiKey {
                place: KeyPlace::Query,
                name,
                value,
            } => {
                let target = target.with_parameter(name, value)?;
                Ok(Self::Target(Arc::new(target)))
            }
            Credential::HttpSignature {
                key, components, ..
            } => {
                let text = std::str::from_utf8(key.expose());
                let key = SigningKey::parse(text.map_err(|_| Unsound::Text("credential"))?)?;
                let components: Vec<&str> = components.iter().map(String::as_str).collect();
                let signer = Signer::new(&key, &http_signature::key_id(&key), &components)?;
                Ok(Self::Signature(Box::new(signer)))
            }
        }
    }

    fn header(name: &str, value: &[&[u8]]) -> Result<Self, Unsound> {
        let value = Secret::new(value.concat());
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.expose());
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(Unsound::Text("credential"));
        };
        value.set_sensitive(true);
        Ok(Self::Header(name, value))
    }

    async fn send(&self, request: Outgoing, means: Means<'_>) -> Happened {
        match self.on(request, means) {
            Ok(request) => means.transport.send(request).await.into(),
            Err(held) => Happened::Held(held),
        }
    }

    /// The request with it, in place of headers of the same names that the endpoint has.
    fn on(&self, mut request: Outgoing, means: Means<'_>) -> Result<Outgoing, Held> {
        match self {
            Self::Header(name, value) => {
                request.headers.insert(name.clone(), value.clone());
            }
            Self::Target(target) => request.target = target.clone(),
            Self::Signature(signer) => sign(signer, &mut request, means)?,
        }
        Ok(request)
    }
}

/// Signs the request as it is: its body as it goes on the wire, its target with all parameters.
fn sign(signer: &Signer, request: &mut Outgoing, means: Means<'_>) -> Result<(), Held> {
    for name in http_signature::HEADERS {
        request.headers.remove(name);
    }
    let headers = request.headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let target_uri = request.target.absolute().to_string();
    let whole = http_signature::Request {
        method: request.method.as_str(),
        target_uri: &target_uri,
        headers: &headers,
    };
    let moment = Moment {
        created: means.now.seconds(),
        lifetime_seconds: webhook::TOLERANCE_SECONDS,
        nonce: random(means.entropy),
    };
    let signed = signer.sign(whole, &request.body, moment);
    let signed = signed.map_err(|error| {
        Held::Uncovered(match error {
            SignError::Unavailable(component) => component,
            other => other.to_string(),
        })
    })?;
    for (name, value) in signed.headers() {
        let value = HeaderValue::try_from(value).expect("structured fields are visible ASCII");
        request.headers.insert(HeaderName::from_static(name), value);
    }
    Ok(())
}
