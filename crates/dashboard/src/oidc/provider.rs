//! The identity provider: what it says of itself, asked when it is first needed and kept for an
//! hour; where somebody is sent; and who it says has come back.
//!
//! That it is away keeps this server neither from starting nor from letting people in by a token.
//! Of many who come at once one asks. What failed is the answer for a few seconds, and a key that
//! nobody knows is looked for once, and not again for a while.

use super::Identity;
use super::exchange::Boxed;
use super::exchange::{ExchangeError, place_of};
use super::refusal::{NoPerson, plain};
use super::shapes::{Exchanged, Metadata, OidcClient, Refusal};
use super::statement::{Expected, Person, Unbelieved};
use app::tokens::trips::Trip;
use model::role::Role;
use model::{Chain, Timestamp};
use openidconnect::core::{CoreClientAuthMethod, CoreErrorResponseType, CoreResponseType};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, TokenResponse as _,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use url::Url;

/// How long what a provider says of itself is kept, its keys included.
const FRESH: Duration = Duration::from_secs(3_600);
/// How long a failure is the answer.
const FAILED: Duration = Duration::from_secs(5);
/// How often keys are looked for that are not known.
const KEYS_AGAIN: Duration = Duration::from_secs(30);
/// How many requests are on their way at once.
const AT_ONCE: usize = 16;

/// The provider.
pub(crate) struct Provider {
    identity: Identity,
    known: Mutex<Known>,
    places: Semaphore,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Instant)>,
    failed: Option<(NoPerson, Instant)>,
    /// When keys were looked for that were not known.
    looked: Option<Instant>,
}

/// What somebody came back with.
pub(super) struct Returned {
    pub(super) code: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) error: Option<String>,
    pub(super) description: Option<String>,
}

impl Provider {
    pub(crate) fn new(identity: Identity) -> Self {
        Self {
            identity,
            known: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
        }
    }

    /// Where somebody is sent.
    pub(super) async fn way_there(&self, trip: &Trip) -> Result<Url, NoPerson> {
        let metadata = self.metadata().await?;
        let (state, nonce) = (trip.state.clone(), trip.nonce.clone());
        let client = self.client(&metadata)?;
        let mut request = client.authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            || CsrfToken::new(state),
            || Nonce::new(nonce),
        );
        for scope in &self.identity.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier(trip));
        let (url, ..) = request.set_pkce_challenge(challenge).url();
        Ok(url)
    }

    /// Who came back, and what they may do.
    pub(super) async fn person(
        &self,
        returned: Returned,
        trip: &Trip,
        now: Timestamp,
    ) -> Result<(String, Role), NoPerson> {
        let mut metadata = self.metadata().await?;
        self.check_issuer(&returned, &metadata)?;
        if let Some(error) = &returned.error {
            return Err(NoPerson::denied(error, returned.description.as_deref()));
        }
        let code = returned.code.ok_or(NoPerson::Code)?;
        let exchanged = self.exchange(&metadata, code, trip).await?;
        let statement = exchanged.id_token();
        let statement = statement.ok_or_else(|| NoPerson::Untrue("there is no ID token".into()))?;
        let mut again = true;
        let person = loop {
            let expected = Expected {
                metadata: &metadata,
                client_id: &self.identity.client_id,
                trip,
                now,
            };
            match Person::of(statement, exchanged.access_token(), &expected) {
                Ok(person) => break person,
                Err(Unbelieved::Because(refused)) => return Err(refused),
                Err(Unbelieved::NoSuchKey) if again => {
                    metadata = self.look_again(&metadata).await?
                }
                Err(Unbelieved::NoSuchKey) => {
                    let why = "it is signed with none of the provider's keys";
                    return Err(NoPerson::Untrue(why.into()));
                }
            }
            again = false;
        };
        person.with_role(&self.identity.rule)
    }

    /// RFC 9207: a provider that says who it is can't be taken for another.
    fn check_issuer(&self, returned: &Returned, metadata: &Metadata) -> Result<(), NoPerson> {
        let always = metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        match &returned.issuer {
            Some(issuer) if *issuer != self.identity.issuer => {
                let issuer = plain(issuer);
                Err(NoPerson::Untrue(format!("it comes from {issuer}")))
            }
            None if always => Err(NoPerson::Untrue("it doesn't say whom it comes from".into())),
            _ => Ok(()),
        }
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: String,
        trip: &Trip,
    ) -> Result<Exchanged, NoPerson> {
        let client = self.client(metadata)?;
        let request = client.exchange_code(AuthorizationCode::new(code));
        let request = request.map_err(|_| misfit("it names no token endpoint"))?;
        let request = request.set_pkce_verifier(verifier(trip));
        let exchanged = request.request_async(self);
        exchanged.await.map_err(not_exchanged)
    }

    fn client(&self, metadata: &Metadata) -> Result<OidcClient, NoPerson> {
        let there = metadata.authorization_endpoint().url();
        self.check_place(there)
            .map_err(|error| misfit(&error.to_string()))?;
        let redirect = RedirectUrl::new(self.identity.redirect_url.clone());
        let redirect = redirect.map_err(|error| misfit(&error.to_string()))?;
        let secret = self.identity.client_secret.as_ref();
        let secret = secret.map(|secret| String::from_utf8_lossy(secret.expose()).into_owned());
        let client = OidcClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.identity.client_id.clone()),
            secret.map(ClientSecret::new),
        );
        Ok(client
            .set_auth_type(auth_type(metadata))
            .set_redirect_uri(redirect))
    }

    /// What the provider says of itself.
    async fn metadata(&self) -> Result<Arc<Metadata>, NoPerson> {
        let mut known = self.known.lock().await;
        match &known.metadata {
            Some((metadata, since)) if since.elapsed() < FRESH => Ok(metadata.clone()),
            _ => self.discover(&mut known).await,
        }
    }

    /// The same as it is now, since what was known lacks a key; or what was known, where that was
    /// looked for a moment ago.
    async fn look_again(&self, known_before: &Arc<Metadata>) -> Result<Arc<Metadata>, NoPerson> {
        let mut known = self.known.lock().await;
        match &known.metadata {
            // Somebody else has looked meanwhile.
            Some((metadata, _)) if !Arc::ptr_eq(metadata, known_before) => Ok(metadata.clone()),
            _ if known.looked.is_some_and(|at| at.elapsed() < KEYS_AGAIN) => {
                Ok(known_before.clone())
            }
            _ => {
                known.looked = Some(Instant::now());
                self.discover(&mut known).await
            }
        }
    }

    async fn discover(&self, known: &mut Known) -> Result<Arc<Metadata>, NoPerson> {
        if let Some((refused, since)) = &known.failed
            && since.elapsed() < FAILED
        {
            return Err(refused.clone());
        }
        let issuer = IssuerUrl::new(self.identity.issuer.clone());
        let issuer = issuer.map_err(|error| misfit(&error.to_string()))?;
        match Metadata::discover_async(issuer, self).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                known.metadata = Some((metadata.clone(), Instant::now()));
                Ok(metadata)
            }
            Err(error) => {
                let refused = not_discovered(&error);
                known.failed = Some((refused.clone(), Instant::now()));
                Err(refused)
            }
        }
    }

    /// Asks whom the operator has named, and nobody else, whatever the provider's answers name.
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let url = Url::parse(&request.uri().to_string());
        let url = url.map_err(|error| ExchangeError::Unanswered(error.to_string()))?;
        self.check_place(&url)?;
        let place = self.places.acquire().await;
        let _place = place.map_err(|error| ExchangeError::Unanswered(error.to_string()))?;
        self.identity.exchange.exchange(request).await
    }

    fn check_place(&self, url: &Url) -> Result<(), ExchangeError> {
        let place = place_of(url).unwrap_or_default();
        let is_http = matches!(url.scheme(), "https" | "http");
        match is_http && self.identity.places.contains(&place) {
            true => Ok(()),
            false => Err(ExchangeError::NotNamed(plain(&place))),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Provider {
    type Error = ExchangeError;
    type Future = Boxed<'c, Result<HttpResponse, ExchangeError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

fn verifier(trip: &Trip) -> PkceCodeVerifier {
    let text = String::from_utf8_lossy(trip.verifier.expose());
    PkceCodeVerifier::new(text.into_owned())
}

/// A secret goes into a header, unless the provider takes it in the form alone.
fn auth_type(metadata: &Metadata) -> AuthType {
    let taken = metadata.token_endpoint_auth_methods_supported();
    let takes = |method| taken.is_none_or(|taken| taken.contains(&method));
    let in_form = CoreClientAuthMethod::ClientSecretPost;
    match takes(CoreClientAuthMethod::ClientSecretBasic) || !takes(in_form) {
        true => AuthType::BasicAuth,
        false => AuthType::RequestBody,
    }
}

fn misfit(why: &str) -> NoPerson {
    NoPerson::Misfit(plain(why))
}

fn not_discovered(error: &DiscoveryError<ExchangeError>) -> NoPerson {
    match error {
        DiscoveryError::Validation(text) => misfit(&format!(
            "{text}: `oidc_issuer` must be what it calls itself, letter by letter"
        )),
        DiscoveryError::Request(named @ ExchangeError::NotNamed(_)) => misfit(&named.to_string()),
        other => NoPerson::Away(plain(&Chain(other).to_string())),
    }
}

fn not_exchanged(error: RequestTokenError<ExchangeError, Refusal>) -> NoPerson {
    match error {
        RequestTokenError::ServerResponse(refusal) => match refusal.error() {
            CoreErrorResponseType::InvalidGrant => NoPerson::Code,
            CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                misfit("it takes neither `oidc_client_id` nor the secret that belongs to it")
            }
            other => NoPerson::Away(plain(&format!("a code was refused: {}", other.as_ref()))),
        },
        RequestTokenError::Request(named @ ExchangeError::NotNamed(_)) => {
            misfit(&named.to_string())
        }
        other => NoPerson::Away(plain(&Chain(&other).to_string())),
    }
}

#[cfg(test)]
mod tests;
