//! The attacker: sits on the way, has recorded genuine requests, one of them long ago, and tries
//! two doors: the order system's gateway, and the order system itself, whose address it has found
//! out.
//!
//! Map: [`gateway`], [`order_system`] (what is tried where) · here, how a try is made and judged.

mod gateway;
mod order_system;

pub(super) use gateway::Gate;

use super::shop::{SEEN_BEFORE, Shop};
use super::wire::Recorded;
use http::StatusCode;
use model::address::AddressPolicy;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use transport::{Guard, HttpsTransport, Limits, Outgoing, SystemResolver, Target, Transport as _};
use webhook::Refused;

/// An hour and a half ago: beyond any tolerance.
const OLD: Duration = Duration::from_secs(5_400);

/// One try, and how it was answered.
pub(super) struct Attack {
    /// What was tried.
    pub(super) name: &'static str,
    /// Who refused it, and in which words; `None` if it got through.
    pub(super) refused: Option<String>,
}

/// What is to be tried.
struct Try {
    name: &'static str,
    expected: Refusal,
    request: Recorded,
}

/// How a request has to be refused. Anything else is no defence: an error on the way, or a refusal
/// for another reason, says nothing about what was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Refusal {
    /// By the order system as not genuine, for this reason.
    Because(Refused),
    /// By the order system as genuine and too old.
    TooOld,
    /// By the order system as one that it has had.
    SeenBefore,
    /// By the gateway, with this status and code.
    AtGateway(u16, &'static str),
    /// By the gateway as one that came before: it is answered as then, and not handed on.
    Repeat,
}

impl Refusal {
    fn is(self, status: u16, text: &str) -> bool {
        let unauthorized = status == StatusCode::UNAUTHORIZED.as_u16();
        let ok = status == StatusCode::OK.as_u16();
        let answer = || serde_json::from_str::<Value>(text).unwrap_or_default();
        match self {
            Self::Because(refused) => unauthorized && text == refused.to_string(),
            Self::TooOld => unauthorized && text.ends_with("s ago, longer than is tolerated"),
            Self::SeenBefore => ok && text == SEEN_BEFORE,
            Self::AtGateway(expected, code) => status == expected && answer()["code"] == code,
            Self::Repeat => ok && answer()["duplicate"] == true,
        }
    }

    /// Who said so, and how.
    fn words(self, text: &str) -> String {
        match self {
            Self::Because(_) | Self::TooOld | Self::SeenBefore => format!("order system: {text}"),
            Self::AtGateway(status, code) => format!("gateway: {status} {code}"),
            Self::Repeat => "gateway: came before, and is not handed on".to_owned(),
        }
    }
}

/// Tries everything; `hanging` was tried before.
pub(super) async fn all(shop: &Shop, gate: &Gate, hanging: Attack) -> anyhow::Result<Vec<Attack>> {
    let mut attacks = made(gate.tries()?, shop).await?;
    attacks.push(hanging);
    attacks.extend(made(order_system::tries(shop)?, shop).await?);
    Ok(attacks)
}

async fn made(tries: Vec<Try>, shop: &Shop) -> anyhow::Result<Vec<Attack>> {
    let sender = Sender::new()?;
    let mut attacks = Vec::with_capacity(tries.len());
    for one in tries {
        let before = shop.books();
        let (status, text) = sender.try_out(one.request).await?;
        let is_refused = one.expected.is(status, &text) && shop.books() == before;
        attacks.push(Attack {
            name: one.name,
            refused: is_refused.then(|| one.expected.words(&text)),
        });
    }
    Ok(attacks)
}

/// Sends what it likes to whatever listens on this machine.
pub(super) struct Sender {
    policy: AddressPolicy,
    transport: HttpsTransport,
}

impl Sender {
    pub(super) fn new() -> anyhow::Result<Self> {
        let policy = AddressPolicy::development();
        let resolver = Arc::new(SystemResolver::from_system()?);
        let guard = Arc::new(Guard::new(policy.clone(), resolver));
        let transport = HttpsTransport::new(guard, transport::Options::default())?;
        Ok(Self { policy, transport })
    }

    /// Sends a request where it was recorded, and gives the answer.
    pub(super) async fn send(&self, request: Recorded) -> anyhow::Result<(StatusCode, String)> {
        let Recorded { url, headers, body } = request;
        let target = Arc::new(Target::new(self.policy.check_url(&url)?)?);
        let request = Outgoing::post(target, headers, body, Limits::default());
        let answer = self.transport.send(request).await?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        Ok((StatusCode::from_u16(answer.status)?, text))
    }

    /// How a request is answered. The order system's bad moments would refuse anybody: an attacker
    /// tries again.
    async fn try_out(&self, request: Recorded) -> anyhow::Result<(u16, String)> {
        let mut answer = self.send(request.clone()).await?;
        if answer.0 == StatusCode::INTERNAL_SERVER_ERROR {
            answer = self.send(request).await?;
        }
        Ok((answer.0.as_u16(), answer.1))
    }
}

/// Pays for an order that nobody paid for.
fn forged_body(body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut event: Value = serde_json::from_slice(body)?;
    event["order"] = "ord_forged".into();
    Ok(event.to_string().into_bytes())
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
