//! The attacker: has recorded genuine requests, one of them long ago, knows the order system's
//! address, and has no secret. Five tries, each against the order system's own verification.

use super::api::Api;
use super::shop::{Genuine, SEEN_BEFORE, Shop};
use anyhow::Context as _;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::time::Duration;
use webhook::SigningKey;

/// One try, and how it was answered.
pub(super) struct Attack {
    /// What was tried.
    pub(super) name: &'static str,
    /// Who refused it, and in which words; `None` if it got through.
    pub(super) refused: Option<String>,
}

/// How the order system has to refuse a request. Anything else is no defence: an error on the way,
/// or a refusal for another reason, says nothing about what was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Refusal {
    /// As not genuine.
    NotGenuine,
    /// As one that it has had.
    SeenBefore,
}

impl Refusal {
    fn is(self, status: u16, text: &str) -> bool {
        match self {
            Self::NotGenuine => status == StatusCode::UNAUTHORIZED.as_u16(),
            Self::SeenBefore => status == StatusCode::OK.as_u16() && text == SEEN_BEFORE,
        }
    }
}

/// An hour and a half ago: beyond any tolerance.
const OLD: Duration = Duration::from_secs(5_400);

/// Tries everything.
pub(super) async fn all(api: &Api, shop: &Shop) -> anyhow::Result<Vec<Attack>> {
    let genuine = shop.genuine().context("nothing genuine was seen")?;
    let old = shop.recorded_before(OLD)?;
    let forged = forged_body(&genuine.body)?;
    let stranger = SigningKey::generate_hmac(&[7; 24]);
    let wrongly_signed = signed_by(&stranger, &genuine, &forged)?;
    let (headers, body) = (genuine.headers, genuine.body);
    let tries = [
        (
            "a changed body",
            Refusal::NotGenuine,
            headers.clone(),
            forged.clone(),
        ),
        ("a replay", Refusal::SeenBefore, headers, body),
        (
            "an old request, genuinely signed",
            Refusal::NotGenuine,
            old.headers,
            old.body,
        ),
        (
            "a wrong secret",
            Refusal::NotGenuine,
            wrongly_signed,
            forged.clone(),
        ),
        (
            "an unsigned request",
            Refusal::NotGenuine,
            HeaderMap::new(),
            forged,
        ),
    ];
    let mut attacks = Vec::new();
    for (name, expected, headers, body) in tries {
        let before = shop.books();
        let answer = api
            .send(&genuine.url, headers.clone(), body.clone())
            .await?;
        // The order system's bad moments would refuse anybody: an attacker tries again.
        let answer = if answer.status == StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
            api.send(&genuine.url, headers, body).await?
        } else {
            answer
        };
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let is_refused = expected.is(answer.status, &text) && shop.books() == before;
        attacks.push(Attack {
            name,
            refused: is_refused.then(|| format!("order system: {text}")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_refusal_that_fits_the_attack_counts() {
        for (status, text, not_genuine, seen_before) in [
            (401, "the header `webhook-id` is missing", true, false),
            (200, SEEN_BEFORE, false, true),
            (200, "processed", false, false),
            (400, "no event of an order", false, false),
            (404, "no such entrance", false, false),
            (500, "the order system has a bad moment", false, false),
            (503, SEEN_BEFORE, false, false),
        ] {
            assert_eq!(
                Refusal::NotGenuine.is(status, text),
                not_genuine,
                "{status} {text}"
            );
            assert_eq!(
                Refusal::SeenBefore.is(status, text),
                seen_before,
                "{status} {text}"
            );
        }
    }
}
