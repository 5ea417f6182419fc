//! Thin events: what is set of an endpoint, and what whoever shows a URL gets.

use crate::call::Answer;
use crate::world::World;
use app::Settings;
use model::Clock as _;
use model::Timestamp;
use model::id::{ApplicationId, EndpointId};
use serde_json::{Value, json};
use std::time::Duration;
use store::rows::ApplicationRef;
use vault::{KeyRing, SealedDataKey, Ticket};

const PATH: &str = "/app/a/endpoint/e/payload";
const DAY: Duration = Duration::from_secs(86_400);

fn reachable() -> World {
    World::with(Settings {
        public_url: Some("https://hooks.shop.example".to_owned()),
        ..Settings::default()
    })
}

/// A world with a message for an endpoint, and what a ticket for it names.
async fn world() -> (World, Ticket) {
    let world = reachable();
    let application = world.application("a").await;
    let endpoint = world.endpoint("a", json!({"uid": "e"})).await;
    world.put(PATH, json!({"mode": "thin"})).await.is(204);
    let message = world.message("a", json!({"eventId": "m"})).await;
    let ticket = ticket(&world, [&application, &endpoint, &message]);
    (world, ticket)
}

fn ticket(world: &World, [application, endpoint, message]: [&str; 3]) -> Ticket {
    let application: ApplicationId = application.parse().expect("an id");
    let endpoint: EndpointId = endpoint.parse().expect("an id");
    Ticket {
        application: application.key(),
        endpoint: endpoint.key(),
        message: message.parse().expect("an id"),
        until: world.clock.now().plus(DAY),
    }
}

/// What stands at the end of the URL for an application's message, as an endpoint of its gets it.
pub(crate) async fn issued(world: &World, ids: [&str; 3]) -> String {
    issue(world, &ticket(world, ids)).await
}

async fn ring(world: &World, ticket: &Ticket) -> KeyRing {
    let application = ApplicationRef::Key(ticket.application);
    let row = world.app.registry.find(&application).await;
    let row = row.expect("reads go on").expect("it is there");
    let keys: Vec<_> = row
        .application
        .data_keys
        .iter()
        .map(|key| SealedDataKey::from_bytes(&key[..]))
        .collect();
    let id = row.application.application.id;
    world.app.vault.key_ring(id, &keys).expect("they open")
}

async fn issue(world: &World, ticket: &Ticket) -> String {
    ring(world, ticket).await.issue(ticket)
}

async fn fetch(world: &World, ticket: &str) -> Answer {
    let path = format!("/payload/{ticket}");
    world.get(path).without_token().await
}

/// The one answer for all that can't be had.
#[track_caller]
fn is_refused(answer: &Answer) {
    let detail = answer.refuses(404, "not_found");
    assert!(
        detail.starts_with("there is no payload to be had here"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_mode_is_shown_as_it_was_set() {
    let world = reachable();
    world.application("a").await;
    world.endpoint("a", json!({"uid": "e"})).await;
    world.get(PATH).await.refuses(404, "not_found");
    for mode in ["thin", "full"] {
        let body = json!({ "mode": mode });
        assert_eq!(world.put(PATH, &body).await.is(204).body, Value::Null);
        assert_eq!(world.get(PATH).await.is(200).body, body);
    }
    for wrong in [
        json!({}),
        json!({"mode": "fat"}),
        json!({"mode": "thin", "more": 1}),
    ] {
        assert_eq!(world.put(PATH, &wrong).await.status, 422, "{wrong}");
    }
    world.delete(PATH).await.is(204);
    world.get(PATH).await.refuses(404, "not_found");
}

#[tokio::test]
async fn thin_events_need_a_public_url() {
    let world = World::new();
    world.application("a").await;
    world.endpoint("a", json!({"uid": "e"})).await;
    let refused = world.put(PATH, json!({"mode": "thin"})).await;
    let detail = refused.refuses(400, "public_url_missing");
    assert!(detail.contains("--public-url"), "{detail}");
    world.put(PATH, json!({"mode": "full"})).await.is(204);
}

#[tokio::test]
async fn whoever_has_the_url_gets_the_payload_as_a_delivery_brings_it() {
    let (world, ticket) = world().await;
    let text = issue(&world, &ticket).await;
    let answer = fetch(&world, &text).await;
    let answer = answer.is(200);
    assert_eq!(answer["of"], json!(ticket.message.to_string()));
    assert_eq!(answer["for"], json!(format!("{:?}", ticket.endpoint)));
    assert_eq!(answer.headers["content-type"], "application/jose");
    assert_eq!(answer.headers["webhook-id"], ticket.message.to_string());
    assert_eq!(answer.headers["cache-control"], "no-store");
    // What an unknown sender wrote is shown by no browser as a page of ours.
    assert_eq!(answer.headers["content-disposition"], "attachment");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let policy = answer.headers["content-security-policy"].to_str();
    assert!(policy.expect("a text").contains("sandbox"));
}

#[tokio::test]
async fn what_was_not_issued_is_refused() {
    let (world, ticket) = world().await;
    let text = issue(&world, &ticket).await;
    let other = world.application("b").await;
    world.endpoint("b", json!({"uid": "e"})).await;
    let message = world.message("b", json!({})).await;
    let other: ApplicationId = other.parse().expect("an id");
    let of_another = Ticket {
        application: other.key(),
        message: message.parse().expect("an id"),
        ..ticket
    };
    // By the keys of an application, for what is another's.
    let (own, theirs) = (ring(&world, &ticket).await, ring(&world, &of_another).await);
    let stranger = World::new();
    stranger.application("a").await;
    let mut wrong = vec![
        "x".to_owned(),
        text[1..].to_owned(),
        format!("{text}A"),
        text.to_lowercase(),
        own.issue(&of_another),
        theirs.issue(&ticket),
        theirs.issue(&of_another),
        own.issue(&Ticket {
            message: of_another.message,
            ..ticket
        }),
    ];
    for place in [0, 10, 20, 40, 60, text.len() - 1] {
        let mut changed = text.clone().into_bytes();
        changed[place] = if changed[place] == b'Q' { b'g' } else { b'Q' };
        wrong.push(String::from_utf8(changed).expect("ASCII"));
    }
    for wrong in wrong {
        is_refused(&fetch(&world, &wrong).await);
    }
    is_refused(&fetch(&stranger, &text).await);
    fetch(&world, &text).await.is(200);
}

#[tokio::test]
async fn a_url_is_good_for_its_time() {
    let (world, ticket) = world().await;
    let text = issue(&world, &ticket).await;
    world.clock.advance(DAY - Duration::from_secs(1));
    fetch(&world, &text).await.is(200);
    world.clock.advance(Duration::from_secs(1));
    is_refused(&fetch(&world, &text).await);
    let ever = Ticket {
        until: Timestamp::MAX,
        ..ticket
    };
    fetch(&world, &issue(&world, &ever).await).await.is(200);
}

#[tokio::test]
async fn a_url_ends_with_its_endpoint_and_its_payload() {
    let (world, ticket) = world().await;
    let text = issue(&world, &ticket).await;
    let disabled =
        |disabled: bool| world.patch("/app/a/endpoint/e", json!({ "disabled": disabled }));
    disabled(true).await.is(200);
    is_refused(&fetch(&world, &text).await);
    disabled(false).await.is(200);
    fetch(&world, &text).await.is(200);
    world.delete("/app/a/msg/m/content").await.is(204);
    is_refused(&fetch(&world, &text).await);

    let second = world.message("a", json!({})).await;
    let second = Ticket {
        message: second.parse().expect("an id"),
        ..ticket
    };
    let text = issue(&world, &second).await;
    fetch(&world, &text).await.is(200);
    world.delete("/app/a/endpoint/e").await.is(204);
    is_refused(&fetch(&world, &text).await);
}

#[tokio::test]
async fn a_url_ends_when_the_payload_expires() {
    let (world, ticket) = world().await;
    let ever = Ticket {
        until: Timestamp::MAX,
        ..ticket
    };
    let text = issue(&world, &ever).await;
    world.clock.advance(DAY * 89);
    fetch(&world, &text).await.is(200);
    world.clock.advance(DAY * 2);
    is_refused(&fetch(&world, &text).await);
}

#[tokio::test]
async fn what_was_promised_is_kept_when_deliveries_carry_payloads_again() {
    let (world, ticket) = world().await;
    let text = issue(&world, &ticket).await;
    world.delete(PATH).await.is(204);
    fetch(&world, &text).await.is(200);
}

/// The content type that an attempt's request is shown with, of a message in XML.
async fn content_type(world: &World) -> Value {
    let xml = json!({ "rawPayload": "<a/>", "headers": { "content-type": "text/xml" } });
    let message = json!({ "transformationsParams": xml });
    let id = world.message("a", message).await;
    world.clock.advance(Duration::from_secs(1));
    world.succeed().await;
    let attempts = world.get(format!("/app/a/attempt/msg/{id}")).await;
    let attempt = attempts.column("id").remove(0);
    let path = format!("/app/a/msg/{id}/attempt/{attempt}/headers");
    world.get(path).await.is(200)["sentHeaders"]["content-type"].clone()
}

#[tokio::test]
async fn an_attempts_headers_say_what_was_in_the_body() {
    let world = reachable();
    world.application("a").await;
    world.endpoint("a", json!({"uid": "e"})).await;
    assert_eq!(content_type(&world).await, "text/xml");
    world.put(PATH, json!({"mode": "thin"})).await.is(204);
    assert_eq!(content_type(&world).await, "application/json");
    let jwk = json!({
        "kty": "OKP", "crv": "X25519", "x": "J_bYB6Kp7PRFm89Bg4SeAaMOPefnaPRtNuNH-ZjYbg8",
    });
    let path = "/app/a/endpoint/e/encryption";
    world.put(path, json!({ "jwk": jwk })).await.is(204);
    assert_eq!(content_type(&world).await, "application/jose");
}
