//! Endpoints made ready for sending: URL parsed and checked, keys parsed and their HMAC begun,
//! headers laid out. Kept in memory by endpoint and its revision, for as many endpoints as are
//! configured.

use crate::EngineConfig;
use crate::authenticate::Authentication;
use crate::connecting::Connecting;
use crate::encrypt::{NoKey, NotSealing, Sealing};
use crate::signature::Signing;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use lru::LruCache;
use model::address::{AddressPolicy, Refusal};
use model::endpoint::{CustomHeaders, SigningSecrets, StoredFormError};
use model::id::EndpointKey;
use model::policy::Demands;
use model::protection::{Held, PayloadMode, Protection};
use model::redaction::EndpointRedaction;
use std::sync::{Arc, Mutex};
use store::Sealed;
use store::rows::{ApplicationRow, EndpointRow};
use transport::{AuthoritiesError, HeaderSpelling, IdentityError, OauthError, Target, TargetError};
use vault::{KeyRing, Place, SealedDataKey, Vault, VaultError};
use webhook::{GenericError, HeaderFamily, KeyError, TextSecretError, http_signature};

/// Something in the store that no request can be made of. None of it can come about through the
/// API, so it is for the operator: a wrong key, or a damaged store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsound {
    /// It does not open.
    #[error("the {what} can't be opened")]
    Sealed {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: VaultError,
    },
    /// It was opened and isn't in the form that Postrider writes.
    #[error(transparent)]
    Form(#[from] StoredFormError),
    /// A signing secret is none.
    #[error("a signing secret can't be used")]
    Key(#[from] KeyError),
    /// A signing secret is none of the endpoint's scheme.
    #[error("a signing secret can't be used by the endpoint's signature scheme")]
    SchemeKey(#[from] TextSecretError),
    /// The description of a signature scheme is none.
    #[error("the endpoint's signature scheme can't be used")]
    Scheme(#[from] GenericError),
    /// What requests are signed with is none.
    #[error("the endpoint's HTTP signatures can't be made")]
    Signer(#[from] http_signature::SignerError),
    /// The authorities that connections trust are none.
    #[error("the endpoint's authorities can't be used")]
    Authorities(#[from] AuthoritiesError),
    /// A client certificate is none.
    #[error("the endpoint's client certificate can't be used")]
    Identity(#[from] IdentityError),
    /// A text that is none.
    #[error("the {0} is not valid text")]
    Text(&'static str),
    /// Something is not there that was said to be.
    #[error("the {0} is missing")]
    Missing(&'static str),
    /// The URL can't be called.
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl Unsound {
    /// What a tenant may read.
    pub(crate) const FOR_TENANT: &'static str =
        "not sent: this installation could not read its own records; its operator can find out why";
}

/// Why an endpoint can't be made ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error(transparent)]
    Unsound(#[from] Unsound),
    /// The operator's policy refuses the URL, perhaps only since a while.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nothing may be sent until its owner does something about it.
    #[error("{0}")]
    Held(Held),
    /// There is no key to encrypt to.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// No access token can be asked for.
    #[error(transparent)]
    NoToken(#[from] OauthError),
}

impl From<NotSealing> for NotReady {
    fn from(not_sealing: NotSealing) -> Self {
        match not_sealing {
            NotSealing::Unsound(unsound) => Self::Unsound(unsound),
            NotSealing::NoKey(no_key) => Self::NoKey(no_key),
        }
    }
}

/// An endpoint as requests need it.
pub(crate) struct ReadyEndpoint {
    pub(crate) target: Arc<Target>,
    /// All headers but those that differ from message to message.
    pub(crate) headers: HeaderMap,
    pub(crate) spelling: Option<HeaderSpelling>,
    pub(crate) authentication: Authentication,
    pub(crate) connecting: Connecting,
    /// What it has of all that the operator can demand.
    pub(crate) meets: Demands,
    /// What it takes from payloads, and what it may have of them.
    pub(crate) redaction: Option<EndpointRedaction>,
    /// Whether its deliveries carry them.
    pub(crate) payload: PayloadMode,
    pub(crate) sealing: Sealing,
    pub(crate) signing: Signing,
}

fn custom_headers(row: &EndpointRow, ring: &KeyRing) -> Result<CustomHeaders, Unsound> {
    let Some(sealed) = &row.sealed.headers else {
        return Ok(CustomHeaders::default());
    };
    let opened = open(row, ring, "headers", sealed)?;
    Ok(CustomHeaders::from_stored(opened.expose())?)
}

fn signing(row: &EndpointRow, ring: &KeyRing, protection: &Protection) -> Result<Signing, Unsound> {
    let opened = open(row, ring, "secrets", &row.sealed.secrets)?;
    let secrets = SigningSecrets::from_stored(opened.expose())?;
    Signing::new(&secrets, protection.signature.as_ref())
}

/// Opens what is set of an endpoint's protection.
pub(crate) fn open_protection(row: &EndpointRow, ring: &KeyRing) -> Result<Protection, Unsound> {
    let Some(sealed) = &row.sealed.protection else {
        return Ok(Protection::default());
    };
    let opened = open(row, ring, "protection", sealed)?;
    Ok(Protection::from_stored(opened.expose())?)
}

/// Seals it again.
pub(crate) fn seal_protection(
    row: &EndpointRow,
    ring: &KeyRing,
    protection: &Protection,
) -> Sealed {
    let place = Place {
        table: "endpoint",
        row: &row.endpoint.id.tail(),
        column: "protection",
    };
    ring.seal(place, protection.to_stored().expose()).into()
}

fn open(
    row: &EndpointRow,
    ring: &KeyRing,
    column: &'static str,
    sealed: &[u8],
) -> Result<model::Secret, Unsound> {
    let place = Place {
        table: "endpoint",
        row: &row.endpoint.id.tail(),
        column,
    };
    match ring.open(place, sealed) {
        Ok(opened) => Ok(model::Secret::new(opened)),
        Err(source) => Err(Unsound::Sealed {
            what: column,
            source,
        }),
    }
}

/// Custom headers first, and what must not be replaced by them behind. What is no legal header is
/// left out: none gets into the store.
fn layout(custom: &CustomHeaders, user_agent: &HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    for (name, value) in custom.iter() {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.expose());
        if let (Ok(name), Ok(mut value)) = (name, value) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    headers.insert(USER_AGENT, user_agent.clone());
    headers
}

/// The endpoints that are ready.
pub(crate) struct ReadyEndpoints {
    vault: Arc<Vault>,
    policy: Arc<AddressPolicy>,
    user_agent: HeaderValue,
    family: HeaderFamily,
    kept: Mutex<LruCache<EndpointKey, Kept>>,
}

struct Kept {
    endpoint_revision: u32,
    endpoint: Arc<ReadyEndpoint>,
    /// Grows with every change of the application, of its data keys too.
    application_revision: u64,
    ring: KeyRing,
}

impl ReadyEndpoints {
    pub(crate) fn new(
        vault: Arc<Vault>,
        policy: Arc<AddressPolicy>,
        config: &EngineConfig,
    ) -> Self {
        let user_agent = HeaderValue::from_str(&config.user_agent)
            .unwrap_or(HeaderValue::from_static("Postrider"));
        Self {
            vault,
            policy,
            user_agent,
            family: config.header_family,
            kept: Mutex::new(LruCache::new(config.endpoints_cached)),
        }
    }

    /// The application's data keys, opened.
    pub(crate) fn ring(&self, application: &ApplicationRow) -> Result<KeyRing, Unsound> {
        let keys = application.data_keys.iter();
        let sealed: Vec<_> = keys
            .map(|key| SealedDataKey::from_bytes(key.as_ref()))
            .collect();
        let opened = self.vault.key_ring(application.application.id, &sealed);
        opened.map_err(|source| Unsound::Sealed {
            what: "application's data key",
            source,
        })
    }

    /// An endpoint, made ready now or kept ready since before, with its application's keys.
    pub(crate) fn get(
        &self,
        application: &ApplicationRow,
        row: &EndpointRow,
    ) -> Result<(Arc<ReadyEndpoint>, KeyRing), NotReady> {
        let key = row.endpoint.id.key();
        let mut ready = None;
        if let Some(kept) = self.lock().get(&key)
            && kept.endpoint_revision == row.revision
        {
            if kept.application_revision == application.revision {
                return Ok((kept.endpoint.clone(), kept.ring.clone()));
            }
            ready = Some(kept.endpoint.clone());
        }
        let ring = self.ring(application)?;
        let endpoint = match ready {
            Some(endpoint) => endpoint,
            None => Arc::new(self.make_ready(row, &ring)?),
        };
        let kept = Kept {
            endpoint_revision: row.revision,
            endpoint: endpoint.clone(),
            application_revision: application.revision,
            ring: ring.clone(),
        };
        self.lock().put(key, kept);
        Ok((endpoint, ring))
    }

    fn make_ready(&self, row: &EndpointRow, ring: &KeyRing) -> Result<ReadyEndpoint, NotReady> {
        let custom = custom_headers(row, ring)?;
        let protection = open_protection(row, ring)?;
        let signing = signing(row, ring, &protection)?;
        // Only a signature over whole requests has anything to cover.
        let family = self.family.with_specified();
        let signed_in = family.headers_written(signing.scheme());
        if let Some(held) = protection.held(&custom, &signed_in) {
            return Err(NotReady::Held(held));
        }
        let mut url = self.policy.check_url(&row.endpoint.url)?;
        if let Some(credentials) = &custom.url_credentials {
            url = url.unmasked(credentials);
        }
        let target = Target::new(url).map_err(Unsound::from)?;
        let auth = protection.auth.as_ref();
        let names = custom.iter().map(|(name, _)| name);
        let names = names.chain(Authentication::key_header(auth));
        Ok(ReadyEndpoint {
            authentication: Authentication::new(&protection, &target, &self.policy)?,
            sealing: Sealing::new(protection.encryption.as_ref(), &self.policy)?,
            connecting: Connecting::new(&protection)?,
            meets: protection.meets(),
            target: Arc::new(target),
            spelling: HeaderSpelling::of(names.chain(signing.spelled())),
            headers: layout(&custom, &self.user_agent),
            payload: protection.payload.unwrap_or(PayloadMode::Full),
            redaction: protection.redaction,
            signing,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<EndpointKey, Kept>> {
        self.kept
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}
