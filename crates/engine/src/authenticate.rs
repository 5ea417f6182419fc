//! Puts an endpoint's credentials on a request, and tries the ones before where the current ones
//! are refused while both are valid. An access token is got first, and once more where its receiver
//! refuses it.
//!
//! It knows nothing of what was sent for or when it is tried again: all tries are one attempt, and
//! together they take no longer than one may.

use crate::attempt_time::AttemptTime;
use crate::ready::{NotReady, Unsound};
use crate::verdict::Happened;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use model::address::AddressPolicy;
use model::entropy::random;
use model::oauth::OauthConfig;
use model::protection::{Auth, Credential, Held, KeyPlace, Protection, Rotated};
use model::{Entropy, Secret, Timestamp};
use std::sync::Arc;
use tokio::time::timeout_at;
use transport::{
    AccessToken, FetchError, OauthClient, OauthError, Outgoing, SendError, Target, TimeLimit,
    TokenKeeper, Transport,
};
use webhook::http_signature::{self, Moment, SignError, Signer};
use webhook::{HeaderFamily, SigningKey};

/// By this a receiver says that it does not take the token (RFC 6750, section 3.1).
const UNAUTHORIZED: u16 = 401;
/// By these a receiver says that it does not take whoever asks.
const REFUSED: [u16; 2] = [UNAUTHORIZED, 403];

/// What an endpoint's requests are authenticated with, laid out.
pub(crate) struct Authentication {
    /// The current ones first: never empty, and the first never ends.
    tries: Vec<Try>,
}

/// What one request carries, and until when that is tried.
struct Try {
    until: Timestamp,
    client: Option<Arc<OauthClient>>,
    laid: Option<Arc<Laid>>,
}

/// What is tried one after the other, each with the time until which it is.
type Tried<T> = Vec<(Timestamp, Option<Arc<T>>)>;

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
    pub(crate) tokens: &'a TokenKeeper,
    pub(crate) entropy: &'a dyn Entropy,
    /// When the attempt began.
    pub(crate) now: Timestamp,
    /// For how long it may go on.
    pub(crate) time: AttemptTime,
}

impl Authentication {
    /// Lays out what is set for requests to `target`. A token takes the place of another
    /// authorization.
    pub(crate) fn new(
        protection: &Protection,
        target: &Target,
        policy: &AddressPolicy,
    ) -> Result<Self, NotReady> {
        let clients = clients(protection.oauth.as_ref(), policy)?;
        let mut tries = Vec::new();
        for (until, laid) in layouts(protection.auth.as_ref(), target)? {
            let replaced = |laid: &Arc<Laid>| protection.oauth.is_some() && laid.is_authorization();
            let laid = laid.filter(|laid| !replaced(laid));
            tries.extend(clients.iter().map(|(other, client)| Try {
                until: until.min(*other),
                client: client.clone(),
                laid: laid.clone(),
            }));
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
        let signs = |one: &Try| matches!(one.laid.as_deref(), Some(Laid::Signature(_)));
        match self.tries.iter().any(signs) {
            true => family.with_specified(),
            false => family,
        }
    }

    /// Sends a request with the credentials that are valid now, one after the other, until one is
    /// not refused, neither by the receiver nor by the token server.
    pub(crate) async fn send(&self, request: Box<Outgoing>, means: Means<'_>) -> Happened {
        let valid: Vec<&Try> = self
            .tries
            .iter()
            .filter(|one| one.until > means.now)
            .collect();
        let (last, before) = valid.split_last().expect("the current one never ends");
        let mut refused = None;
        for one in before {
            match one.send(request.clone(), means).await {
                answer @ Happened::Answered(_) if is_refused(&answer) => refused = Some(answer),
                Happened::NoToken(_) => {}
                happened => return happened,
            }
        }
        match (last.send(request, means).await, refused) {
            // A receiver's answer says more than that it was not asked again.
            (Happened::NoToken(_), Some(refused)) => refused,
            (happened, _) => happened,
        }
    }
}

/// Whether a receiver answered that it does not take whoever asks: not by these credentials, or not
/// with this client certificate.
pub(crate) fn is_refused(happened: &Happened) -> bool {
    matches!(happened, Happened::Answered(answer) if REFUSED.contains(&answer.status))
}

/// The credentials, or that there are none.
fn layouts(auth: Option<&Auth>, target: &Target) -> Result<Tried<Laid>, Unsound> {
    let Some(auth) = auth else {
        return Ok(vec![(Timestamp::MAX, None)]);
    };
    let lay = |(until, credential)| Ok((until, Some(Arc::new(Laid::new(credential, target)?))));
    auth.tries().map(lay).collect()
}

/// Who asks for tokens, or that nobody does. A client before that can't ask any more is left out.
fn clients(
    oauth: Option<&Rotated<OauthConfig>>,
    policy: &AddressPolicy,
) -> Result<Tried<OauthClient>, OauthError> {
    let Some(oauth) = oauth else {
        return Ok(vec![(Timestamp::MAX, None)]);
    };
    let mut clients = Vec::new();
    for (until, config) in oauth.tries() {
        match OauthClient::new(config, policy) {
            Ok(client) => clients.push((until, Some(Arc::new(client)))),
            Err(error) if clients.is_empty() => return Err(Arc::new(error).into()),
            Err(_) => {}
        }
    }
    Ok(clients)
}

impl Try {
    async fn send(&self, request: Box<Outgoing>, means: Means<'_>) -> Happened {
        match &self.client {
            None => means.send(self, request, None).await,
            // In a box, since few ask for tokens, and every attempt would be as large.
            Some(client) => Box::pin(self.send_with_token(client, request, means)).await,
        }
    }

    async fn send_with_token(
        &self,
        client: &OauthClient,
        request: Box<Outgoing>,
        means: Means<'_>,
    ) -> Happened {
        let token = match means.token(client).await {
            Ok(token) => token,
            Err(error) => return Happened::NoToken(error),
        };
        let happened = means.send(self, request.clone(), Some(&token)).await;
        if !matches!(&happened, Happened::Answered(answer) if answer.status == UNAUTHORIZED)
            || !means.tokens.refused(client, &token)
        {
            return happened;
        }
        match means.token(client).await {
            Ok(token) => means.send(self, request, Some(&token)).await,
            Err(_) => happened,
        }
    }
}

impl Means<'_> {
    /// Sends a request with what this try has; what signs it goes last.
    async fn send(
        self,
        what: &Try,
        mut request: Box<Outgoing>,
        token: Option<&AccessToken>,
    ) -> Happened {
        if let Some(token) = token {
            let authorization = token.authorization();
            request.headers.insert(AUTHORIZATION, authorization);
        }
        if let Some(laid) = &what.laid {
            request = match laid.on(request, self) {
                Ok(request) => request,
                Err(held) => return Happened::Held(held),
            };
        }
        request.limits.total_timeout = self.time.left();
        self.transport.send(*request).await.into()
    }

    async fn token(self, client: &OauthClient) -> Result<Arc<AccessToken>, OauthError> {
        let token = self.tokens.token(client);
        let time = self.time;
        let Ok(token) = timeout_at(time.ends(), token).await else {
            let error = SendError::timed_out(TimeLimit::Total, time.limit());
            return Err(FetchError::Unanswered(Arc::new(error)).into());
        };
        token
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

    fn is_authorization(&self) -> bool {
        matches!(self, Self::Header(name, _) if *name == AUTHORIZATION)
    }

    /// The request with it, in place of headers of the same names that the endpoint has.
    fn on(&self, mut request: Box<Outgoing>, means: Means<'_>) -> Result<Box<Outgoing>, Held> {
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
