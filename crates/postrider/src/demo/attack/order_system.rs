//! What is tried at the order system itself, past its gateway. It verifies what comes as every
//! receiver should, also if only its own gateway is expected to call.

use super::{OLD, Refusal, Try, forged_body};
use crate::demo::shop::Shop;
use crate::demo::wire::Recorded;
use anyhow::Context as _;
use http::{HeaderMap, HeaderValue};
use webhook::{Refused, SigningKey};

pub(super) fn tries(shop: &Shop) -> anyhow::Result<Vec<Try>> {
    let genuine = shop.genuine().context("nothing genuine was seen")?;
    let old = shop.recorded_before(OLD)?;
    let changed = Recorded {
        body: forged_body(&genuine.body)?.into(),
        ..genuine.clone()
    };
    let stranger = SigningKey::generate_hmac(&[7; 24]);
    let wrongly_signed = Recorded {
        headers: signed_by(&stranger, &genuine, &changed.body)?,
        ..changed.clone()
    };
    let unsigned = Recorded {
        headers: HeaderMap::new(),
        ..changed.clone()
    };
    let wrong = Refusal::Because(Refused::WrongSignature);
    let none = Refusal::Because(Refused::MissingHeader("webhook-signature"));
    let tries = [
        ("past the gateway: a changed body", wrong, changed),
        ("past the gateway: a replay", Refusal::SeenBefore, genuine),
        ("past the gateway: an old request", Refusal::TooOld, old),
        ("past the gateway: a wrong secret", wrong, wrongly_signed),
        ("past the gateway: no signature", none, unsigned),
    ];
    let tries = tries.map(|(name, expected, request)| Try {
        name,
        expected,
        request,
    });
    Ok(tries.into())
}

/// A request of a new id, correctly signed, with a key that is not the endpoint's.
fn signed_by(key: &SigningKey, genuine: &Recorded, body: &[u8]) -> anyhow::Result<HeaderMap> {
    let mut headers = genuine.headers.clone();
    let timestamp = headers.get("webhook-timestamp").context("it was signed")?;
    let timestamp = timestamp.to_str()?.parse()?;
    let signature = webhook::sign(&[key], "msg_forged", timestamp, body);
    headers.insert("webhook-id", HeaderValue::from_static("msg_forged"));
    headers.insert("webhook-signature", HeaderValue::try_from(signature)?);
    Ok(headers)
}
