//! The public keys that deliveries are verified with (RFC 7517), for receivers: no token is needed.
//!
//! Whoever reaches the server may ask, so that it costs little: one endpoint's keys are two rows,
//! and all of them together are looked for once in a while.

use crate::Shared;
use crate::describe::{Describer, Output};
use crate::operation::{Routes, public};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::Answer;
use app::endpoints::PublicJwk;
use app::{App, AppError};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use model::name::Name;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// For how long all keys together are kept, and told to be kept.
const KEPT: Duration = Duration::from_secs(60);
const KEPT_BY_CLIENTS: &str = "public, max-age=60";

pub(crate) fn routes() -> Routes {
    Routes::at("/.well-known/jwks.json").get(
        public(
            "v1.public-key.list",
            "Public keys that deliveries are verified with: an endpoint's, or all of them",
        ),
        list,
    )
}

/// All keys, as they were a moment ago.
#[derive(Default)]
pub(crate) struct AllKeys(Mutex<Option<(Duration, Arc<[PublicJwk]>)>>);

impl AllKeys {
    /// Whoever comes while they are looked for waits for that, rather than look, too.
    async fn of(&self, app: &App) -> Result<Arc<[PublicJwk]>, AppError> {
        let mut kept = self.0.lock().await;
        let now = app.clock.monotonic();
        if let Some((since, keys)) = &*kept
            && now.saturating_sub(*since) < KEPT
        {
            return Ok(keys.clone());
        }
        let keys: Arc<[PublicJwk]> = app.all_public_keys().await?.into();
        *kept = Some((now, keys.clone()));
        Ok(keys)
    }
}

/// Whose keys.
struct Wanted {
    endpoint: Option<Name>,
}

impl FromQuery for Wanted {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            endpoint: query.name("endpoint_id")?,
        })
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "JwkSet")]
struct KeysOut {
    keys: Vec<KeyOut>,
}

/// A key of ed25519 (RFC 8037), which is named by its thumbprint (RFC 7638).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Jwk")]
struct KeyOut {
    kty: &'static str,
    crv: &'static str,
    x: String,
    kid: String,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
}

impl From<&PublicJwk> for KeyOut {
    fn from(key: &PublicJwk) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            x: key.x.clone(),
            kid: key.kid.clone(),
            alg: "EdDSA",
            usage: "sig",
        }
    }
}

impl IntoResponse for KeysOut {
    fn into_response(self) -> Response {
        ([(CACHE_CONTROL, KEPT_BY_CLIENTS)], Json(self)).into_response()
    }
}

impl Output for KeysOut {
    fn describe(describer: &mut Describer) {
        describer.answer::<Json<Self>>(200);
    }
}

async fn list(State(api): State<Shared>, Query(wanted): Query<Wanted>) -> Answer<KeysOut> {
    let Some(endpoint) = wanted.endpoint else {
        let keys = api.keys.of(&api.app).await?;
        return Ok(KeysOut {
            keys: keys.iter().map(KeyOut::from).collect(),
        });
    };
    // A name of the user's own names nothing here: those could be guessed.
    let keys = match endpoint.as_str().parse() {
        Ok(id) => api.app.public_keys(id).await?,
        Err(_) => Vec::new(),
    };
    Ok(KeysOut {
        keys: keys.iter().map(KeyOut::from).collect(),
    })
}
