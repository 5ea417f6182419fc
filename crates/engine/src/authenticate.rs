//! Puts an endpoint's credentials on a request, and tries the ones before where the current ones
//! are refused while both are valid.
//!
//! It knows nothing of what was sent for or when it is tried again: all tries are one attempt.

use crate::ready::Unsound;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::{HeaderName, HeaderValue};
use model::protection::{Auth, Credential, KeyPlace};
use model::{Secret, Timestamp};
use std::sync::Arc;
use transport::{Answer, Outgoing, SendError, Target, Transport};

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

    /// Sends a request with the credentials that are valid at `now`, one after the other, until one
    /// is not refused.
    pub(crate) async fn send(
        &self,
        transport: &dyn Transport,
        request: Outgoing,
        now: Timestamp,
    ) -> Result<Answer, SendError> {
        let mut valid = self.tries.iter().filter(|(until, _)| *until > now);
        let Some((_, first)) = valid.next() else {
            return transport.send(request).await;
        };
        let mut laid = first;
        for (_, next) in valid {
            let answer = transport.send(laid.on(request.clone())).await?;
            if !REFUSED.contains(&answer.status) {
                return Ok(answer);
            }
            laid = next;
        }
        transport.send(laid.on(request)).await
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

    /// The request with it, in place of a header of the same name that the endpoint has.
    fn on(&self, mut request: Outgoing) -> Outgoing {
        match self {
            Self::Header(name, value) => {
                request.headers.insert(name.clone(), value.clone());
            }
            Self::Target(target) => request.target = target.clone(),
        }
        request
    }
}
