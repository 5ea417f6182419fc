//! What leaves for the store sealed, and what comes back: an endpoint's signing secrets, headers
//! and protection here, payloads and excerpts beside their nouns. Each is sealed by its
//! application's data key for its place, so that a row moved elsewhere does not open.

use crate::App;
use crate::error::AppError;
use model::endpoint::{CustomHeaders, SigningSecrets};
use model::id::Tail;
use model::protection::Protection;
use store::Sealed;
use store::rows::{ApplicationRow, EndpointRow};
use vault::{KeyRing, Place, SealedDataKey, VaultError};

impl App {
    /// An application's keys.
    pub(crate) fn keys(&self, row: &ApplicationRow) -> Result<KeyRing, AppError> {
        let sealed: Vec<_> = row
            .data_keys
            .iter()
            .map(|key| SealedDataKey::from_bytes(&key[..]))
            .collect();
        Ok(self.vault.key_ring(row.application.id, &sealed)?)
    }
}

/// Seals an endpoint's secrets. `endpoint` is the tail of its id.
pub(crate) fn seal_secrets(keys: &KeyRing, endpoint: Tail, secrets: &SigningSecrets) -> Sealed {
    keys.seal(secrets_of(&endpoint), secrets.to_stored().expose())
        .into()
}

/// Opens an endpoint's secrets.
pub(crate) fn open_secrets(keys: &KeyRing, row: &EndpointRow) -> Result<SigningSecrets, AppError> {
    let tail = row.endpoint.id.tail();
    let stored = model::Secret::new(keys.open(secrets_of(&tail), &row.sealed.secrets)?);
    SigningSecrets::from_stored(stored.expose()).map_err(AppError::internal)
}

/// Seals an endpoint's headers; none are kept as nothing.
pub(crate) fn seal_headers(
    keys: &KeyRing,
    endpoint: Tail,
    headers: &CustomHeaders,
) -> Option<Sealed> {
    if headers.is_empty() {
        return None;
    }
    Some(
        keys.seal(headers_of(&endpoint), headers.to_stored().expose())
            .into(),
    )
}

/// Opens an endpoint's headers.
pub(crate) fn open_headers(keys: &KeyRing, row: &EndpointRow) -> Result<CustomHeaders, AppError> {
    let Some(sealed) = &row.sealed.headers else {
        return Ok(CustomHeaders::default());
    };
    let tail = row.endpoint.id.tail();
    let stored = model::Secret::new(keys.open(headers_of(&tail), sealed)?);
    CustomHeaders::from_stored(stored.expose()).map_err(AppError::internal)
}

/// Seals an endpoint's protection; none is kept as nothing.
pub(crate) fn seal_protection(
    keys: &KeyRing,
    endpoint: Tail,
    protection: &Protection,
) -> Option<Sealed> {
    let stored = (!protection.is_empty()).then(|| protection.to_stored())?;
    Some(keys.seal(protection_of(&endpoint), stored.expose()).into())
}

/// Opens an endpoint's protection.
pub(crate) fn open_protection(keys: &KeyRing, row: &EndpointRow) -> Result<Protection, AppError> {
    let Some(sealed) = &row.sealed.protection else {
        return Ok(Protection::default());
    };
    let tail = row.endpoint.id.tail();
    let stored = model::Secret::new(keys.open(protection_of(&tail), sealed)?);
    Protection::from_stored(stored.expose()).map_err(AppError::internal)
}

fn secrets_of(endpoint: &Tail) -> Place<'_> {
    Place {
        table: "endpoint",
        row: endpoint,
        column: "secrets",
    }
}

fn headers_of(endpoint: &Tail) -> Place<'_> {
    Place {
        table: "endpoint",
        row: endpoint,
        column: "headers",
    }
}

fn protection_of(endpoint: &Tail) -> Place<'_> {
    Place {
        table: "endpoint",
        row: endpoint,
        column: "protection",
    }
}

impl From<VaultError> for AppError {
    fn from(error: VaultError) -> Self {
        Self::internal(error)
    }
}
