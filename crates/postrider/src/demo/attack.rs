//! The attacker: has recorded genuine requests, one of them long ago, knows the order system's
//! address, and has no secret. Five tries, each against the order system's own verification.

use super::shop::{Genuine, SEEN_BEFORE, Shop};
use anyhow::Context as _;
use http::{HeaderMap, HeaderValue, StatusCode};
use model::address::AddressPolicy;
use std::sync::Arc;
use std::time::Duration;
use transport::{Guard, HttpsTransport, Limits, Outgoing, SystemResolver, Target, Transport as _};
use webhook::{Refused, SigningKey};

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
    /// As not genuine, for this reason.
    Because(Refused),
    /// As genuine and too old.
    TooOld,
    /// As one that it has had.
    SeenBefore,
}

impl Refusal {
    fn is(self, status: u16, text: &str) -> bool {
        let unauthorized = status == StatusCode::UNAUTHORIZED.as_u16();
        match self {
            Self::Because(refused) => unauthorized && text == refused.to_string(),
            Self::TooOld => unauthorized && text.ends_with("s ago, longer than is tolerated"),
            Self::SeenBefore => status == StatusCode::OK.as_u16() && text == SEEN_BEFORE,
        }
    }
}

/// An hour and a half ago: beyond any tolerance.
const OLD: Duration = Duration::from_secs(5_400);

/// Tries everything.
pub(super) async fn all(shop: &Shop) -> anyhow::Result<Vec<Attack>> {
    let genuine = shop.genuine().context("nothing genuine was seen")?;
    let old = shop.recorded_before(OLD)?;
    let changed = Genuine {
        body: forged_body(&genuine.body)?,
        ..genuine.clone()
    };
    let stranger = SigningKey::generate_hmac(&[7; 24]);
    let wrongly_signed = Genuine {
        headers: signed_by(&stranger, &genuine, &changed.body)?,
        ..changed.clone()
    };
    let unsigned = Genuine {
        headers: HeaderMap::new(),
        ..changed.clone()
    };
    let wrong = Refusal::Because(Refused::WrongSignature);
    let none = Refusal::Because(Refused::MissingHeader("webhook-signature"));
    let tries = [
        ("a changed body", wrong, changed),
        ("a replay", Refusal::SeenBefore, genuine),
        ("an old request, genuinely signed", Refusal::TooOld, old),
        ("a wrong secret", wrong, wrongly_signed),
        ("an unsigned request", none, unsigned),
    ];
    let attacker = Attacker::new()?;
    let mut attacks = Vec::new();
    for (name, expected, request) in tries {
        let before = shop.books();
        let (status, text) = attacker.try_out(request).await?;
        let is_refused = expected.is(status, &text) && shop.books() == before;
        attacks.push(Attack {
            name,
            refused: is_refused.then(|| format!("order system: {text}")),
        });
    }
    Ok(attacks)
}

/// Sends what it likes to whatever listens on this machine.
struct Attacker {
    policy: AddressPolicy,
    transport: HttpsTransport,
}

impl Attacker {
    fn new() -> anyhow::Result<Self> {
        let policy = AddressPolicy::development();
        let resolver = Arc::new(SystemResolver::from_system()?);
        let guard = Arc::new(Guard::new(policy.clone(), resolver));
        let transport = HttpsTransport::new(guard, transport::Options::default())?;
        Ok(Self { policy, transport })
    }

    /// How the order system answers a request, at the entrance that it was recorded at. Its bad
    /// moments would refuse anybody: an attacker tries again.
    async fn try_out(&self, request: Genuine) -> anyhow::Result<(u16, String)> {
        let Genuine { url, headers, body } = request;
        let target = Arc::new(Target::new(self.policy.check_url(&url)?)?);
        let request = Outgoing::post(target, headers, body.into(), Limits::default());
        let mut answer = self.transport.send(request.clone()).await?;
        if answer.status == StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
            answer = self.transport.send(request).await?;
        }
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        Ok((answer.status, text))
    }
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
        let wrong = Refused::WrongSignature.to_string();
        let old = Refused::TooOld { seconds: 5_400 }.to_string();
        let refusals = [
            Refusal::Because(Refused::WrongSignature),
            Refusal::TooOld,
            Refusal::SeenBefore,
        ];
        for (status, text, fits) in [
            (401, &*wrong, Some(0)),
            (401, &*old, Some(1)),
            (200, SEEN_BEFORE, Some(2)),
            (401, "the header `webhook-id` is missing", None),
            (200, &*wrong, None),
            (200, "processed", None),
            (400, "no event of an order", None),
            (404, "no such entrance", None),
            (500, "the order system has a bad moment", None),
            (503, SEEN_BEFORE, None),
        ] {
            let fitting = refusals.iter().position(|refusal| refusal.is(status, text));
            assert_eq!(fitting, fits, "{status} {text}");
        }
    }
}
