//! What travels, at rest: payloads and what receivers answered, sealed on their way into the store
//! and opened on their way to people.

use crate::{App, AppError};
use bytes::Bytes;
use model::Timestamp;
use model::answer_head::AnswerHead;
use model::id::Tail;
use model::message::{Message, PayloadForm};
use std::sync::Arc;
use store::Sealed;
use store::rows::{ApplicationRow, MessageRow, Payload};
use vault::{DataKey, KeyRing, Place, SealedDataKey, VaultError};

/// A message's payload as a use case gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// It was not asked for.
    Omitted,
    /// Expired, expunged, or a raw text that isn't JSON: nothing that could be shown.
    Gone,
    /// A JSON text, byte for byte as it was posted.
    Json(Bytes),
}

impl Content {
    /// Of a payload that is there.
    pub(crate) fn of(form: &PayloadForm, payload: Bytes) -> Self {
        let is_json = match form {
            PayloadForm::Json => true,
            PayloadForm::Raw { .. } => is_json(&payload),
        };
        if is_json {
            Self::Json(payload)
        } else {
            Self::Gone
        }
    }
}

/// Whether these bytes are one JSON value, whatever it is.
fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<&serde_json::value::RawValue>(text).is_ok()
}

/// The key that seals an application's new values.
pub(crate) fn newest_key(app: &App, row: &ApplicationRow) -> Result<Arc<DataKey>, AppError> {
    let sealed = row.data_keys.last().ok_or(VaultError::NoDataKey)?;
    let sealed = SealedDataKey::from_bytes(&sealed[..]);
    Ok(app.vault.data_key(row.application.id, &sealed)?)
}

/// Seals the payload of the message with this tail; where the operator turned encryption off, ties
/// it to its place and leaves it readable.
pub(crate) fn seal_payload(app: &App, key: &DataKey, tail: &Tail, payload: &[u8]) -> Sealed {
    let place = payload_place(tail);
    let sealed = if app.settings.encrypt_payloads {
        key.seal(place, payload)
    } else {
        key.seal_readable(place, payload)
    };
    sealed.into()
}

/// Opens what is sealed in one application's rows, with keys that are themselves opened once.
pub(crate) struct Opener {
    keys: KeyRing,
    /// What has expired by now is gone, whether or not it was removed already.
    now: Timestamp,
}

impl Opener {
    /// For this application's rows.
    pub(crate) fn new(app: &App, row: &ApplicationRow) -> Result<Self, AppError> {
        Ok(Self {
            keys: app.keys(row)?,
            now: app.clock.now(),
        })
    }

    /// A message's payload; `None` when it is gone or was not read.
    pub(crate) fn payload(&self, row: &MessageRow) -> Result<Option<Bytes>, AppError> {
        let Payload::Sealed(sealed) = &row.payload else {
            return Ok(None);
        };
        if row.message.expires_at <= self.now {
            return Ok(None);
        }
        let opened = self
            .keys
            .open(payload_place(&row.message.id.tail()), sealed)?;
        Ok(Some(opened.into()))
    }

    /// A message and its payload as people see them.
    pub(crate) fn message(&self, row: MessageRow) -> Result<(Message, Content), AppError> {
        let content = match self.payload(&row)? {
            Some(payload) => Content::of(&row.message.form, payload),
            None if row.payload == Payload::NotRead => Content::Omitted,
            None => Content::Gone,
        };
        Ok((row.message, content))
    }

    /// What a receiver answered to the attempt with this tail.
    pub(crate) fn excerpt(&self, tail: &Tail, sealed: &Sealed) -> Result<Vec<u8>, AppError> {
        self.said((tail, "excerpt"), sealed)
    }

    /// The headers of that answer.
    pub(crate) fn head(&self, tail: &Tail, sealed: &Sealed) -> Result<AnswerHead, AppError> {
        let stored = self.said((tail, "head"), sealed)?;
        AnswerHead::from_stored(&stored).map_err(AppError::internal)
    }

    fn said(
        &self,
        (row, column): (&Tail, &'static str),
        sealed: &Sealed,
    ) -> Result<Vec<u8>, AppError> {
        let place = Place {
            table: "attempt",
            row,
            column,
        };
        Ok(self.keys.open(place, sealed)?)
    }
}

fn payload_place(tail: &Tail) -> Place<'_> {
    Place {
        table: "message",
        row: tail,
        column: "payload",
    }
}
