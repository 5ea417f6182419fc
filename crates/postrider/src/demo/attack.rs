//! The attacker: has recorded genuine requests, one of them long ago, knows the order system's
//! address, and has no secret. Five tries, each against the order system's own verification.

use super::api::Api;
use super::shop::{Genuine, Shop};
use anyhow::Context as _;
use http::{HeaderMap, HeaderValue};
use std::time::Duration;
use webhook::SigningKey;

/// One try, and how it was answered.
pub(super) struct Attack {
    /// What was tried.
    pub(super) name: &'static str,
    /// Who refused it, and in which words; `None` if it got through.
    pub(super) refused: Option<String>,
}

/// An hour and a half ago: beyond any tolerance.
const OLD: Duration = Duration::from_secs(5_400);

/// Tries everything.
pub(super) async fn all(api: &Api, shop: &Shop) -> anyhow::Result<Vec<Attack>> {
    let genuine = shop.genuine().context("nothing genuine was seen")?;
    let old = shop.recorded_before(OLD)?;
    let forged = forged_body(&genuine.body)?;
    let stranger = SigningKey::generate_hmac(&[7; 24]);
    let tries = [
        ("a changed body", (genuine.headers.clone(), forged.clone())),
        ("a replay", (genuine.headers.clone(), genuine.body.clone())),
        ("an old request, genuinely signed", (old.headers, old.body)),
        (
            "a wrong secret",
            (signed_by(&stranger, &genuine, &forged)?, forged.clone()),
        ),
        ("an unsigned request", (HeaderMap::new(), forged)),
    ];
    let mut attacks = Vec::new();
    for (name, (headers, body)) in tries {
        let before = shop.books();
        let answer = api
            .send(&genuine.url, headers.clone(), body.clone())
            .await?;
        // The order system's bad moments would refuse anybody: an attacker tries again.
        let answer = if answer.status == 500 {
            api.send(&genuine.url, headers, body).await?
        } else {
            answer
        };
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let through = shop.books() != before || text == "processed";
        attacks.push(Attack {
            name,
            refused: (!through).then(|| format!("order system: {text}")),
        });
    }
    Ok(attacks)
}

/// Pays for an order that nobody paid for.
fn forged_body(body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut event: serde_json::Value = serde_json::from_slice(body)?;
    event["order"] = "ord_forged".into();
    Ok(event.to_string().into_bytes())
}

/// A request of a new id, correctly signed, with a key that is not the endpoint's.
fn signed_by(key: &SigningKey, genuine: &Genuine, body: &[u8]) -> anyhow::Result<HeaderMap> {
    let mut headers = genuine.headers.clone();
    let timestamp = headers.get("webhook-timestamp").context("it was signed")?;
    let timestamp = timestamp.to_str()?.parse()?;
    let signature = webhook::sign(&[key], "msg_forged", timestamp, body);
    headers.insert("webhook-id", HeaderValue::from_static("msg_forged"));
    headers.insert("webhook-signature", HeaderValue::try_from(signature)?);
    Ok(headers)
}
