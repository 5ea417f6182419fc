//! The public keys that deliveries are verified with, for whoever asks: no permission is needed,
//! and nothing but keys is told.
//!
//! A receiver asks for its endpoint's. All of them together are there to find one by its name, and
//! end at bounds: an installation may have more endpoints than anybody reads.

use super::http_signature::public_half;
use crate::sealing::{open_protection, open_secrets};
use crate::{App, AppError};
use model::Secret;
use model::id::{EndpointId, Key};
use model::protection::{Auth, Credential};
use std::collections::BTreeSet;
use store::query::{ApplicationQuery, Window};
use store::rows::{ApplicationRef, EndpointRow};
use vault::KeyRing;
pub use webhook::http_signature::PublicJwk;

/// The most keys that are listed.
pub const KEYS_MAX: usize = 1_000;
/// The most applications that are looked through for that, the newest first.
const APPLICATIONS_MAX: usize = 1_000;
/// The most endpoints.
const ENDPOINTS_MAX: usize = 10_000;

impl App {
    /// The public keys of an endpoint, those too that still sign or are tried beside the current
    /// ones. There are none of what isn't there.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn public_keys(&self, endpoint: EndpointId) -> Result<Vec<PublicJwk>, AppError> {
        let Some(row) = self.store.endpoint(endpoint).await? else {
            return Ok(Vec::new());
        };
        let Some(tenant) = self.find_by_key(row.endpoint.application).await? else {
            return Ok(Vec::new());
        };
        let mut keys = Keys::default();
        if let Some(row) = tenant.row().endpoint(endpoint.key()) {
            keys.add(self, &self.keys(&tenant.row().application)?, row)?;
        }
        Ok(keys.found)
    }

    /// Those of all endpoints, up to [`KEYS_MAX`].
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn all_public_keys(&self) -> Result<Vec<PublicJwk>, AppError> {
        let query = ApplicationQuery {
            window: Window {
                above: Key::MIN,
                below: Key::MAX,
                ascending: false,
                limit: APPLICATIONS_MAX,
            },
            with_endpoints: true,
            without_disabled_endpoints: false,
        };
        let mut keys = Keys::default();
        for found in self.store.applications(&query).await?.rows {
            // Not by way of the registry: what is looked at once need not stay in memory.
            let by_id = ApplicationRef::Id(found.application.id);
            let Some(row) = self.store.registry(&by_id).await? else {
                continue;
            };
            let ring = self.keys(&row.application)?;
            for endpoint in &row.endpoints {
                if keys.is_full() {
                    return Ok(keys.found);
                }
                keys.add(self, &ring, endpoint)?;
            }
        }
        Ok(keys.found)
    }
}

/// Keys that were found, each once.
#[derive(Default)]
struct Keys {
    found: Vec<PublicJwk>,
    names: BTreeSet<String>,
    looked_at: usize,
}

impl Keys {
    fn is_full(&self) -> bool {
        self.found.len() >= KEYS_MAX || self.looked_at >= ENDPOINTS_MAX
    }

    fn add(&mut self, app: &App, ring: &KeyRing, row: &EndpointRow) -> Result<(), AppError> {
        self.looked_at += 1;
        let now = app.clock.now();
        for secret in open_secrets(ring, row)?.signing_at(now) {
            self.add_half(secret);
        }
        let auth = open_protection(ring, row)?.auth;
        let previous = |auth: &Auth| {
            let (until, credential) = auth.previous.clone()?;
            (until > now).then_some(credential)
        };
        let credentials = auth.map(|auth| [previous(&auth), Some(auth.current)]);
        for credential in credentials.into_iter().flatten().flatten() {
            if let Credential::HttpSignature { key, .. } = credential {
                self.add_half(&key);
            }
        }
        Ok(())
    }

    fn add_half(&mut self, secret: &Secret) {
        if let Some(key) = public_half(secret)
            && self.names.insert(key.kid.clone())
        {
            self.found.push(key);
        }
    }
}
