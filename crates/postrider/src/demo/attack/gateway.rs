//! What is tried at the gateway, with what was recorded on the way to it, and with what leaked: a
//! secret of one platform, in the hands of somebody without its password.

use super::{Attack, OLD, Refusal, Try, forged_body};
use crate::demo::gateway::{Platform, Source, sign};
use crate::demo::wire::{Recorded, Wire};
use anyhow::Context as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use model::Clock;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than any body that is taken.
const OVERSIZED: usize = 2 * 1024 * 1024;
/// How long a body may hang before the attacker gives up, and has got through.
const HANGING_MAX: Duration = Duration::from_secs(20);

/// The door that is tried.
pub(in crate::demo) struct Gate {
    pub(in crate::demo) wire: Wire,
    pub(in crate::demo) payments: Source,
    pub(in crate::demo) shipments: Source,
    pub(in crate::demo) clock: Arc<dyn Clock>,
}

impl Gate {
    pub(super) fn tries(&self) -> anyhow::Result<Vec<Try>> {
        let payment = self.recorded(&self.payments)?;
        let parcel = self.recorded(&self.shipments)?;
        let unsigned = Refusal::AtGateway(401, "signature_invalid");
        let tries = [
            ("a changed body", unsigned, changed(&payment)?),
            ("a replay, seconds later", Refusal::Repeat, payment.clone()),
            (
                "a replay, an hour later",
                Refusal::AtGateway(401, "timestamp_stale"),
                self.signed(&self.payments, &self.payments.secret, OLD)?,
            ),
            (
                "a captured body under a fresh id",
                Refusal::AtGateway(401, "replayed"),
                with_header(&parcel, "webhook-id", "msg_fresh"),
            ),
            (
                "a wrong secret",
                unsigned,
                self.signed(&self.payments, "whsec_wrong", Duration::ZERO)?,
            ),
            (
                "a wrong user",
                Refusal::AtGateway(401, "credentials_invalid"),
                self.with_a_wrong_user()?,
            ),
            ("no signature", unsigned, without_signature(&payment)?),
            (
                "an oversized body",
                Refusal::AtGateway(413, "too_large"),
                Recorded {
                    body: vec![b' '; OVERSIZED].into(),
                    ..payment
                },
            ),
        ];
        let tries = tries.map(|(name, expected, request)| Try {
            name,
            expected,
            request,
        });
        Ok(tries.into())
    }

    /// Begins a request, and never ends it: the gateway has to, while it answers others.
    pub(in crate::demo) async fn hang(&self) -> anyhow::Result<Attack> {
        let url = url::Url::parse(&self.payments.url)?;
        let address = url.socket_addrs(|| None)?;
        let mut stream = TcpStream::connect(&*address).await?;
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: gateway\r\ncontent-length: 1000\r\n\r\n{{",
            url.path()
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        let ended = tokio::time::timeout(HANGING_MAX, ended).await;
        let text = String::from_utf8_lossy(&answer);
        let status = text
            .strip_prefix("HTTP/1.1 ")
            .and_then(|text| text.get(..3));
        let refused = match (ended, status) {
            (Ok(Ok(_)), Some(status)) if status.starts_with('4') => {
                Some(format!("gateway: {status}, and the connection ended"))
            }
            _ => None,
        };
        Ok(Attack {
            name: "a slow body",
            refused,
        })
    }

    fn recorded(&self, source: &Source) -> anyhow::Result<Recorded> {
        let recorded = self.wire.recorded(&source.url);
        recorded.with_context(|| format!("nothing came to {}", source.platform.name()))
    }

    /// An event that never was, signed so long ago.
    fn signed(&self, source: &Source, secret: &str, age: Duration) -> anyhow::Result<Recorded> {
        let event_type = match source.platform {
            Platform::Payments => "payment.succeeded",
            Platform::Shipments { .. } => "shipment.delivered",
        };
        let body = json!({"id": "evt_forged", "type": event_type, "order": "ord_forged"});
        let body = body.to_string();
        let time = self.clock.now().minus(age).seconds();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in sign(&source.platform, secret, (time, body.as_bytes()))? {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        Ok(Recorded {
            url: source.url.clone(),
            headers,
            body: body.into(),
        })
    }

    fn with_a_wrong_user(&self) -> anyhow::Result<Recorded> {
        let source = &self.shipments;
        let genuine = self.signed(source, &source.secret, Duration::ZERO)?;
        // `mallory:guess`
        let wrong = "Basic bWFsbG9yeTpndWVzcw==";
        Ok(with_header(&genuine, AUTHORIZATION.as_str(), wrong))
    }
}

fn changed(genuine: &Recorded) -> anyhow::Result<Recorded> {
    Ok(Recorded {
        body: forged_body(&genuine.body)?.into(),
        ..genuine.clone()
    })
}

fn with_header(request: &Recorded, name: &'static str, value: &'static str) -> Recorded {
    let mut headers = request.headers.clone();
    headers.insert(name, HeaderValue::from_static(value));
    Recorded {
        headers,
        ..request.clone()
    }
}

fn without_signature(genuine: &Recorded) -> anyhow::Result<Recorded> {
    let mut headers = genuine.headers.clone();
    headers.remove("stripe-signature");
    Ok(Recorded {
        headers,
        ..changed(genuine)?
    })
}
