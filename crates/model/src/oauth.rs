//! How an endpoint's requests come by an access token (OAuth 2.0, RFC 6749): whom to ask for one,
//! as whom, and for what. Values alone: what of them can be sent is judged where the request is
//! made, and they are kept sealed.

use std::time::Duration;

use crate::Secret;

/// How long an assertion is good for where nothing else is said.
pub const ASSERTION_LIFETIME_DEFAULT: Duration = Duration::from_secs(300);

/// How an endpoint's requests come by an access token.
#[derive(Clone)]
pub struct OauthConfig {
    /// The token server's URL.
    pub token_url: String,
    /// Who asks.
    pub client_id: String,
    /// How it proves that.
    pub authentication: ClientAuthentication,
    /// What it asks with.
    pub grant: Grant,
    /// What the token is to be good for; empty for what the server chooses.
    pub scopes: Vec<String>,
    /// Further parameters of the request, such as `audience`. They are shown, so no secrets.
    pub extra_params: Vec<(String, String)>,
    /// Further headers of the request. They are shown, so no secrets.
    pub extra_headers: Vec<(String, String)>,
}

/// How a client proves who it is.
#[derive(Clone)]
pub enum ClientAuthentication {
    /// `client_secret_basic`: in the header `authorization`.
    SecretBasic(Secret),
    /// `client_secret_post`: in the form.
    SecretPost(Secret),
    /// `private_key_jwt` (RFC 7523): an assertion, signed anew for each request.
    PrivateKeyJwt(AssertionKey),
}

/// The names of these ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientMethod {
    /// [`ClientAuthentication::SecretBasic`].
    SecretBasic,
    /// [`ClientAuthentication::SecretPost`].
    SecretPost,
    /// [`ClientAuthentication::PrivateKeyJwt`].
    PrivateKeyJwt,
}

impl ClientMethod {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt];

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecretBasic => "clientSecretBasic",
            Self::SecretPost => "clientSecretPost",
            Self::PrivateKeyJwt => "clientSecretJwt",
        }
    }
}

impl ClientAuthentication {
    /// Which way it is.
    pub fn method(&self) -> ClientMethod {
        match self {
            Self::SecretBasic(_) => ClientMethod::SecretBasic,
            Self::SecretPost(_) => ClientMethod::SecretPost,
            Self::PrivateKeyJwt(_) => ClientMethod::PrivateKeyJwt,
        }
    }
}

/// What assertions are signed with, by RS256.
#[derive(Clone)]
pub struct AssertionKey {
    /// An RSA private key, PKCS#8 or PKCS#1, as PEM or DER.
    pub key: Secret,
    /// The `kid` that an assertion's header names.
    pub key_id: Option<String>,
    /// How long an assertion is good for.
    pub lifetime: Duration,
}

/// What a client asks for a token with.
#[derive(Clone)]
pub enum Grant {
    /// Who it is.
    ClientCredentials,
    /// A refresh token that it was given.
    RefreshToken(Secret),
}
