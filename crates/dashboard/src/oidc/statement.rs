//! What is believed of a signed statement (an ID token): that the provider made it, for us, for
//! this one sign-in, and not long ago. Who it is about, and no more.

use super::refusal::{NoPerson, plain};
use super::rule::RoleRule;
use super::shapes::{Metadata, Others, Statement};
use app::tokens::trips::Trip;
use model::role::Role;
use model::{Chain, Timestamp};
use openidconnect::core::{CoreGenderClaim, CoreJsonWebKey, CoreJwsSigningAlgorithm as Algorithm};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IdTokenClaims,
    IdTokenVerifier, Nonce, SignatureVerificationError,
};
use serde_json::{Map, Value};
use std::time::{Duration, UNIX_EPOCH};

/// How it may be signed: never with a secret that is shared, for what the provider alone can make
/// is what it proves.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];
/// The longest name that is taken over.
const NAME_BYTES_MAX: usize = 255;

/// Why a statement is not believed.
pub(super) enum Unbelieved {
    /// None of the provider's keys is its: there may be a new one.
    NoSuchKey,
    /// Anything else.
    Because(NoPerson),
}

/// By whom and for whom a statement has to be.
pub(super) struct Expected<'e> {
    pub(super) metadata: &'e Metadata,
    pub(super) client_id: &'e str,
    pub(super) trip: &'e Trip,
    pub(super) now: Timestamp,
}

/// Somebody, as the provider knows them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// Their id there.
    subject: String,
    /// Their address, if the provider says that it was verified.
    email: Option<String>,
    claims: Map<String, Value>,
}

impl Person {
    /// Whom a statement is about, if it can be believed. `access_token` came with it.
    pub(super) fn of(
        statement: &Statement,
        access_token: &AccessToken,
        expected: &Expected<'_>,
    ) -> Result<Self, Unbelieved> {
        let verifier = verifier(expected);
        let nonce = Nonce::new(expected.trip.nonce.clone());
        let claims = statement.claims(&verifier, &nonce).map_err(why)?;
        if let Some(hash) = claims.access_token_hash() {
            let own = hash_of(statement, access_token, &verifier);
            if own.as_ref() != Some(hash) {
                return Err(untrue("it came with another access token than it is for"));
            }
        }
        let party = claims.authorized_party();
        if party.is_some_and(|party| party.as_str() != expected.client_id) {
            return Err(untrue("it was issued to another client"));
        }
        Ok(Self::from_claims(claims))
    }

    fn from_claims(claims: &IdTokenClaims<Others, CoreGenderClaim>) -> Self {
        let is_verified = claims.email_verified() == Some(true);
        let email = claims.email().filter(|_| is_verified);
        Self {
            subject: claims.subject().as_str().to_owned(),
            email: email.map(|email| email.as_str().to_owned()),
            claims: claims.additional_claims().0.clone(),
        }
    }

    /// Their name here, and what they may do.
    pub(super) fn with_role(self, rule: &RoleRule) -> Result<(String, Role), NoPerson> {
        let name = self.email.as_deref().unwrap_or(&self.subject);
        let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
        if !fits || name.chars().any(char::is_control) {
            return Err(NoPerson::Untrue(
                "it has no name that could be shown".into(),
            ));
        }
        match rule.role(&self.claims, self.email.as_deref()) {
            Some(role) => Ok((name.to_owned(), role)),
            None => Err(NoPerson::NoRole(name.to_owned())),
        }
    }
}

fn verifier<'v>(expected: &Expected<'v>) -> IdTokenVerifier<'v, CoreJsonWebKey> {
    let now = u64::try_from(expected.now.micros()).unwrap_or_default();
    let now = UNIX_EPOCH + Duration::from_micros(now);
    // As for a client without a secret, whatever it has: so that no statement may be signed by one.
    IdTokenVerifier::new_public_client(
        ClientId::new(expected.client_id.to_owned()),
        expected.metadata.issuer().clone(),
        expected.metadata.jwks().clone(),
    )
    .set_allowed_algs(ALGORITHMS)
    .set_time_fn(move || now.into())
}

fn hash_of(
    statement: &Statement,
    access_token: &AccessToken,
    verifier: &IdTokenVerifier<'_, CoreJsonWebKey>,
) -> Option<AccessTokenHash> {
    let algorithm = statement.signing_alg().ok()?;
    let key = statement.signing_key(verifier).ok()?;
    AccessTokenHash::from_token(access_token, algorithm, key).ok()
}

fn why(error: ClaimsVerificationError) -> Unbelieved {
    match error {
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) => Unbelieved::NoSuchKey,
        error => untrue(&plain(&Chain(&error).to_string())),
    }
}

fn untrue(why: &str) -> Unbelieved {
    Unbelieved::Because(NoPerson::Untrue(why.to_owned()))
}
