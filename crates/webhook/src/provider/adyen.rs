//! Adyen: each item of a notification carries a signature over some of its fields, in the body. The
//! other fields can be changed by whoever sees a request.
//!
//! All items have to be signed. The fields are joined without escapes, as Adyen documents it, so
//! that a colon in one of them could be read in two ways; an empty notification is none.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::answer::Accepted;
use super::hmac::is_hmac;
use super::place::Place;
use super::scheme::{Claim, Covers, Item, Names, Scheme};
use super::verify::sha256;
use super::{BatchItem, Id, Manners, Provider, ReplayKey, Request, SecretError};
use crate::refused::Carried;
use crate::scheme::{Encoding, Hash};
use crate::{HmacKey, Refused, SIGNATURES_MAX, TOLERANCE_SECONDS, is_valid_id};
use zeroize::Zeroizing;

pub(super) static PROVIDER: Provider = Provider {
    name: "adyen",
    scheme: &Adyen,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners {
        event_type: &[Place::Member(&[
            "notificationItems",
            "NotificationRequestItem",
            "eventCode",
        ])],
        accepted: Accepted::Fixed {
            content_type: Some("text/plain"),
            body: "[accepted]",
        },
        split: Some(split),
        ..Manners::NONE
    },
};

struct Adyen;

/// A notification whose items keep their bytes. A field that is there twice makes a body that is
/// refused: here, and everywhere else in it.
#[derive(Deserialize)]
struct Notification<'a> {
    #[serde(borrow)]
    live: Option<&'a RawValue>,
    #[serde(borrow, rename = "notificationItems")]
    items: Vec<&'a RawValue>,
}

impl<'a> Notification<'a> {
    fn read(body: &'a [u8]) -> Result<(Self, Vec<Fields<'a>>), Refused> {
        let malformed = |_| Refused::MalformedBody("a notification's items");
        let notification: Self = serde_json::from_slice(body).map_err(malformed)?;
        if notification.items.len() > SIGNATURES_MAX {
            return Err(Refused::TooManySignatures);
        }
        let items = notification.items.iter();
        let fields = items.map(|item| {
            let wrapped: Wrapped<'a> = serde_json::from_str(item.get()).map_err(malformed)?;
            Ok(wrapped.item)
        });
        let fields = fields.collect::<Result<_, _>>()?;
        Ok((notification, fields))
    }
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow, rename = "NotificationRequestItem")]
    item: Fields<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow)]
    additional_data: Option<AdditionalData<'a>>,
    #[serde(borrow)]
    psp_reference: Option<Cow<'a, str>>,
    #[serde(borrow)]
    original_reference: Option<Cow<'a, str>>,
    #[serde(borrow)]
    merchant_account_code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    merchant_reference: Option<Cow<'a, str>>,
    #[serde(borrow)]
    amount: Option<Amount<'a>>,
    #[serde(borrow)]
    event_code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    success: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdditionalData<'a> {
    #[serde(borrow)]
    hmac_signature: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Amount<'a> {
    value: Option<i64>,
    #[serde(borrow)]
    currency: Option<Cow<'a, str>>,
}

impl Scheme for Adyen {
    type Key = HmacKey;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Names::default()
    }

    fn covers(&self) -> Covers {
        Covers {
            body: false,
            ..Covers::BODY
        }
    }

    fn key(&self, secret: &str) -> Result<HmacKey, SecretError> {
        let key = Encoding::Hex.read(secret.as_bytes()).map(Zeroizing::new);
        let key = key.ok_or(SecretError::NotHex)?;
        Ok(Hash::Sha256.key_of_bytes(&key))
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let (_, items) = Notification::read(request.body)?;
        let items: Result<Vec<_>, _> = items.iter().map(Fields::read).collect();
        let mut items = items?;
        // Their order is nothing that is signed: a replay in another order is one too.
        items.sort_by(|one, other| one.content.cmp(&other.content));
        Ok(Claim {
            items,
            id: None,
            time: None,
        })
    }

    fn is_signed(&self, key: &HmacKey, content: &[u8], found: &[Vec<u8>]) -> bool {
        is_hmac(key, content, found)
    }
}

impl Fields<'_> {
    fn read(&self) -> Result<Item<Vec<u8>>, Refused> {
        let signature = self.additional_data.as_ref();
        let signature = signature.and_then(|data| data.hmac_signature.as_ref());
        let signature = signature.ok_or(Refused::Missing(Carried::Signature))?;
        let signature = Encoding::Base64.read(signature.as_bytes());
        Ok(Item {
            content: self.content(),
            signatures: signature.into_iter().collect(),
        })
    }

    /// What is signed.
    fn content(&self) -> Vec<u8> {
        let amount = self.amount.as_ref();
        let value = amount.and_then(|amount| amount.value);
        let value = value.map(|value| value.to_string());
        let text =
            |field: &'_ Option<Cow<'_, str>>| field.as_deref().unwrap_or_default().to_owned();
        // A field that is not there is signed as an empty one.
        let content = [
            text(&self.psp_reference),
            text(&self.original_reference),
            text(&self.merchant_account_code),
            text(&self.merchant_reference),
            value.unwrap_or_default(),
            amount.map_or_else(String::new, |amount| text(&amount.currency)),
            text(&self.event_code),
            text(&self.success),
        ];
        content.join(":").into_bytes()
    }

    /// Adyen tells repeats by reference and event, of which a success may still follow a failure.
    fn id(&self) -> Option<String> {
        let parts = [&self.psp_reference, &self.event_code, &self.success];
        let parts: Option<Vec<_>> = parts.iter().map(|part| part.as_deref()).collect();
        let id = parts?.join(":");
        is_valid_id(&id).then_some(id)
    }
}

/// The items of a notification that was found to be genuine.
fn split(body: &[u8]) -> Vec<BatchItem> {
    let read = Notification::read(body);
    let (notification, fields) = read.expect("so was it read when it was verified");
    let live = notification.live.map_or("null", RawValue::get);
    let mut items: Vec<BatchItem> = Vec::with_capacity(fields.len());
    for (item, fields) in notification.items.into_iter().zip(fields) {
        let replay_key = ReplayKey::Content(sha256(&fields.content()));
        // The same item twice is a repeat within one request.
        if items.iter().any(|other| other.replay_key == replay_key) {
            continue;
        }
        let id = fields.id().map(|text| Id {
            text: text.into(),
            is_signed: true,
        });
        items.push(BatchItem {
            payload: format!(r#"{{"live":{live},"notificationItems":[{item}]}}"#).into_bytes(),
            id,
            event_type: fields.event_code.map(Cow::into_owned),
            replay_key,
        });
    }
    items
}
