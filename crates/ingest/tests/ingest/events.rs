//! What becomes of what came: type, id, payload, and how it is answered.

use crate::sender::{BODY, FIRST, SECOND, Sending, with_secrets};
use crate::world::{Answer, World};
use model::message::PayloadForm;
use model::source::{EventTypeAt, SourceConfig};

#[tokio::test]
async fn a_message_is_the_body_byte_for_byte_with_the_sender_s_type_and_id() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    world.take(&world.standard(&at, "msg_1")).await.accepted();
    let messages = world.messages().await;
    let message = &messages[0].message;
    assert_eq!(message.event_type.as_str(), "order.paid");
    assert_eq!(
        message.event_id.as_ref().map(|id| id.as_str()),
        Some("msg_1")
    );
    assert_eq!(message.form, PayloadForm::Json);
    let uid = at.source.id.to_string();
    let name = store::rows::ApplicationRef::Id(uid_of(&world, &uid).await);
    let application = world.app.registry.find(&name).await.expect("it reads");
    let application = application.expect("it is there").application.clone();
    assert_eq!(message.application, application.application.id.key());
}

/// The id of the application with this uid.
async fn uid_of(world: &World, uid: &str) -> model::id::ApplicationId {
    let name = store::rows::ApplicationRef::Uid(uid.parse().expect("a name"));
    let found = world.app.registry.find(&name).await.expect("it reads");
    found.expect("it is there").application.application.id
}

#[tokio::test]
async fn the_type_is_where_the_source_says() {
    let world = World::new();
    for (event_type, expected) in [
        (None, "orders.create"),
        (Some(EventTypeAt::Always("fixed".to_owned())), "fixed"),
        (Some(EventTypeAt::Header("X-Kind".to_owned())), "a.b"),
        (Some(EventTypeAt::Header("x-nothing".to_owned())), "shopify"),
        (Some(EventTypeAt::Pointer("/order/kind".to_owned())), "deep"),
        (Some(EventTypeAt::Pointer("/order/0".to_owned())), "shopify"),
        (
            Some(EventTypeAt::Always("endpoint.challenge".to_owned())),
            "shopify",
        ),
    ] {
        let config = SourceConfig {
            event_type,
            ..with_secrets(&["hush"])
        };
        let at = world.source("shopify", config).await;
        let sending = Sending::to(&at, r#"{"order":{"kind":"deep"}}"#);
        let sending = sending.signed("shopify", "hush", ("id-1", 0));
        let sending = sending.header("x-shopify-topic", "orders/create");
        let sending = sending.header("x-kind", "a b");
        world.take(&sending).await.accepted();
        let messages = world.messages().await;
        let last = &messages.last().expect("one came").message;
        assert_eq!(last.event_type.as_str(), expected);
    }
}

/// How busy the server is, is no stranger's business.
#[tokio::test]
async fn only_who_has_proved_who_it_is_is_told_how_long_a_commit_took() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let timing = |answer: &Answer| {
        let timing = answer.headers.get("server-timing");
        timing.map(|timing| timing.to_str().expect("a text").to_owned())
    };
    let genuine = world.standard(&at, "msg_1");
    for _ in 0..2 {
        let told = timing(&world.take(&genuine).await);
        let told = told.expect("it is genuine");
        let millis = told.strip_prefix("commit;dur=").map(str::parse::<f64>);
        assert!(matches!(millis, Some(Ok(0.0..))), "{told}");
    }
    let forged = Sending::to(&at, BODY).signed("standard-webhooks", SECOND, ("msg_2", world.now()));
    let refused = world.take(&forged).await;
    refused.refused(401, "signature_invalid");
    assert_eq!(timing(&refused), None);
    let config = SourceConfig {
        unverified: true,
        ..SourceConfig::default()
    };
    let open = world.source("generic-webhook", config).await;
    let answer = world.take(&Sending::to(&open, BODY)).await;
    answer.accepted();
    assert_eq!(timing(&answer), None);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_sent_on_with_its_type() {
    let world = World::new();
    let config = SourceConfig {
        unverified: true,
        ..SourceConfig::default()
    };
    let at = world.source("generic-webhook", config).await;
    for (content_type, body, expected) in [
        ("application/json", " {\"a\":1}\n", PayloadForm::Json),
        ("text/plain", " {\"a\":1} x", raw("text/plain")),
        ("application/json", "[1]", raw("application/json")),
        (
            "application/x-www-form-urlencoded",
            "a=1",
            raw("application/x-www-form-urlencoded"),
        ),
    ] {
        let mut sending = Sending::to(&at, body);
        sending.headers = vec![("content-type".to_owned(), content_type.to_owned())];
        world.take(&sending).await.accepted();
        let messages = world.messages().await;
        assert_eq!(
            messages.last().expect("one came").message.form,
            expected,
            "{body}"
        );
    }
}

fn raw(content_type: &str) -> PayloadForm {
    PayloadForm::Raw {
        content_type: Some(content_type.to_owned()),
    }
}

#[tokio::test]
async fn an_id_that_is_taken_keeps_nothing_out() {
    let world = World::new();
    let at = world.source("github", with_secrets(&["hush"])).await;
    let sending = |body: &str| Sending::to(&at, body).signed("github", "hush", ("d-1", 0));
    world.take(&sending(BODY)).await.accepted();
    world.take(&sending("{}")).await.accepted();
    let messages = world.messages().await;
    let ids: Vec<_> = messages
        .iter()
        .map(|row| row.message.event_id.is_some())
        .collect();
    assert_eq!(ids, [true, false]);
}

#[tokio::test]
async fn what_came_round_too_often_ends_here() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let round = world.standard(&at, "msg_1").header("webhook-hops", "3");
    world.take(&round).await.refused(508, "loop_detected");
    let wrong = world.standard(&at, "msg_1").header("webhook-hops", "x");
    world.take(&wrong).await.refused(400, "malformed");
    let once = world.standard(&at, "msg_1").header("webhook-hops", "2");
    world.take(&once).await.accepted();
    assert_eq!(world.messages().await[0].message.hops.number(), 2);
}
