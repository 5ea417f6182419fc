//! A shop that hears from Postrider which orders are paid.
//!
//! ```sh
//! WEBHOOK_SECRET=whsec_… cargo run -p webhook --features axum --example shop
//! ```
//!
//! It listens at 127.0.0.1:8090; `PUBLIC_URL` is how its sender calls it. What it remembers of
//! replays ends with it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use webhook::layer::ReceiverLayer;
use webhook::provider::{Provider, SecretError};
use webhook::replay::InMemory;
use webhook::{Receiver, Webhook};

/// What the sender says, tagged by its `type`.
#[derive(Deserialize)]
#[serde(tag = "type", content = "data")]
enum OrderEvent {
    #[serde(rename = "order.paid")]
    Paid { order: u64 },
    #[serde(rename = "order.cancelled")]
    Cancelled { order: u64 },
}

/// The orders to be packed.
type Orders = Arc<Mutex<BTreeSet<u64>>>;

/// Asked once for every message, however often that is sent, and only if the sender signed it. An
/// answer that is no success has the message sent again.
async fn receive(State(orders): State<Orders>, webhook: Webhook<OrderEvent>) -> StatusCode {
    let Ok(mut orders) = orders.lock() else {
        return StatusCode::INTERNAL_SERVER_ERROR;
    };
    match webhook.event {
        OrderEvent::Paid { order } => orders.insert(order),
        OrderEvent::Cancelled { order } => orders.remove(&order),
    };
    StatusCode::NO_CONTENT
}

fn shop(secret: &str, base_url: &str, now: fn() -> i64) -> Result<(Router, Orders), SecretError> {
    let provider = Provider::named("standard-webhooks").expect("known");
    let guard = Arc::new(InMemory::new(100_000));
    let receiver = Receiver::new(provider, &[secret], guard)?.body_bytes_max(64 << 10);
    let orders = Orders::default();
    let routes = Router::new()
        .route("/hooks", post(receive))
        .layer(ReceiverLayer::new(receiver, base_url, now))
        .with_state(orders.clone());
    Ok((routes, orders))
}

#[expect(clippy::disallowed_methods, reason = "an example is a whole program")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.expect("1970 is over").as_secs();
    seconds.try_into().expect("far from the end of time")
}

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "an example is a whole program")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = std::env::var("WEBHOOK_SECRET")
        .map_err(|_| "WEBHOOK_SECRET has to be the endpoint's signing secret, whsec_…")?;
    let base_url = std::env::var("PUBLIC_URL");
    let base_url = base_url.unwrap_or_else(|_| "http://127.0.0.1:8090".to_owned());
    let (routes, _orders) = shop(&secret, &base_url, now)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8090").await?;
    Ok(axum::serve(listener, routes).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn sent(id: &str, body: &'static str) -> Request<Body> {
        let key = webhook::SigningKey::parse(SECRET).expect("a secret");
        let signature = webhook::sign(&[&key], id, 1_764_000_000, body.as_bytes());
        Request::post("/hooks")
            .header("webhook-id", id)
            .header("webhook-timestamp", "1764000000")
            .header("webhook-signature", signature)
            .body(Body::from(body))
            .expect("a request")
    }

    #[tokio::test]
    async fn an_order_is_packed_once_it_is_paid_and_a_replay_packs_nothing() {
        let shop = shop(SECRET, "https://shop.example", || 1_764_000_000);
        let (routes, orders) = shop.expect("a shop");
        let paid = r#"{"type":"order.paid","data":{"order":7}}"#;
        let cancelled = r#"{"type":"order.cancelled","data":{"order":7}}"#;
        for (id, body, status) in [
            ("msg_1", paid, 204),
            ("msg_2", cancelled, 204),
            ("msg_1", paid, 200),
            ("msg_3", r#"{"type":"order.lost"}"#, 400),
        ] {
            let response = routes.clone().oneshot(sent(id, body)).await;
            assert_eq!(response.expect("an answer").status(), status, "{id}");
        }
        assert!(orders.lock().expect("no panic").is_empty());
    }
}
