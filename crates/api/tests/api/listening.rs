//! Listening: messages as answers to requests that wait for them.

use crate::world::{World, merged};
use serde_json::{Value, json};
use store::query::EXAMINED_MAX;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What is asked, from here on.
fn from(iterator: &str, more: Value) -> Value {
    let body = json!({ "secret": SECRET, "iterator": iterator, "waitSeconds": 20 });
    merged(body, more)
}

/// Where a listener begins.
async fn begin(world: &World) -> String {
    let begun = world.post("/app/acme/listen", json!({ "secret": SECRET }));
    let begun = begun.await.is(200);
    assert_eq!(begun["data"], json!([]));
    begun.text("iterator")
}

#[tokio::test]
async fn what_is_sent_reaches_whoever_waits_as_an_endpoint_would_get_it() {
    let world = World::new();
    let app = world.application("acme").await;
    world.message(&app, json!({})).await;
    let start = begin(&world).await;
    let listening = world.post("/app/acme/listen", from(&start, json!({})));
    let (heard, id) = tokio::join!(listening, world.message(&app, json!({})));
    let heard = heard.is(200);
    assert_eq!(
        heard.column("id"),
        std::slice::from_ref(&id),
        "and not what was there before"
    );
    let letter = &heard.rows()[0];
    assert_eq!(letter["eventType"], "order.paid");
    assert_eq!(letter["body"], json!({ "total": 12 }).to_string());
    assert_eq!(letter["encoding"], "text");
    let headers = &letter["headers"];
    assert_eq!(headers["webhook-id"], json!(id));
    assert_eq!(headers["content-type"], "application/json");
    let signature = headers["webhook-signature"].as_str().expect("it is signed");
    assert!(signature.starts_with("v1,"), "{signature}");

    let next = from(&heard.text("iterator"), json!({ "waitSeconds": 0 }));
    let next = world.post("/app/acme/listen", next).await.is(200);
    assert_eq!(next["data"], json!([]), "each comes once");
    for list in ["/app/acme/endpoint", &format!("/app/acme/attempt/msg/{id}")] {
        assert_eq!(
            world.get(list).await.is(200)["data"],
            json!([]),
            "nothing is kept"
        );
    }
    assert_eq!(world.app.listeners.count(), 0);
}

#[tokio::test]
async fn a_listener_hears_only_what_it_asks_for_and_passes_over_the_rest() {
    let world = World::new();
    let app = world.application("acme").await;
    let start = begin(&world).await;
    world.message(&app, json!({})).await;
    let sent = json!({ "eventType": "order.sent", "channels": ["eu"] });
    let wanted = world.message(&app, sent).await;
    let raw = json!({ "transformationsParams": { "rawPayload": "\u{1}" }, "channels": ["us"] });
    world.message(&app, raw).await;
    for (filter, bodies) in [
        (json!({ "eventTypes": ["order.sent"] }), 1),
        (json!({ "channels": ["eu", "x"] }), 1),
        (json!({ "channels": ["x"], "waitSeconds": 0 }), 0),
        (json!({ "eventTypes": null }), 3),
    ] {
        let heard = world.post("/app/acme/listen", from(&start, filter.clone()));
        let heard = heard.await.is(200);
        assert_eq!(heard.rows().len(), bodies, "{filter}");
        assert!(
            bodies != 1 || heard.column("id") == [wanted.clone()],
            "{filter}"
        );
        assert_ne!(heard.text("iterator"), start, "{filter}");
    }
    let us = from(&start, json!({ "channels": ["us"] }));
    let us = world.post("/app/acme/listen", us).await.is(200);
    assert_eq!(us.rows()[0]["body"], "AQ==");
    assert_eq!(us.rows()[0]["encoding"], "base64");
}

#[tokio::test]
async fn one_answer_looks_at_no_more_than_a_list_does() {
    let world = World::new();
    let app = world.application("acme").await;
    let start = begin(&world).await;
    let unwanted = json!({ "eventType": "order.paid", "payload": {} });
    let unwanted = json!({ "messages": vec![unwanted; EXAMINED_MAX / 5] });
    for _ in 0..5 {
        let sent = world.post("/app/acme/msg/batch", &unwanted).await;
        sent.is(202);
    }
    let wanted = world.message(&app, json!({ "eventType": "rare" })).await;
    let rare = |iterator: &str| from(iterator, json!({ "eventTypes": ["rare"] }));
    let first = world.post("/app/acme/listen", rare(&start)).await.is(200);
    assert_eq!(first["data"], json!([]), "it came so far, and says where");
    let then = world.post("/app/acme/listen", rare(&first.text("iterator")));
    assert_eq!(then.await.is(200).column("id"), [wanted]);
}

#[tokio::test]
async fn a_listener_ends_with_its_token_with_its_application_and_with_the_node() {
    let world = World::new();
    let app = world.application("acme").await;
    let start = begin(&world).await;
    let token = world.token_of(&app, &[]);
    let listen = || world.post("/app/acme/listen", from(&start, json!({})));
    let ending = async {
        world.post("/auth/logout", "").token(&token).await.is(204);
        world.message(&app, json!({})).await;
    };
    let (ended, ()) = tokio::join!(listen().token(&token), ending);
    ended.is(401);

    let end = world.get("/app/acme/events").await.is(200).text("iterator");
    let waiting = world.post("/app/acme/listen", from(&end, json!({})));
    let deleting = async {
        world.delete("/app/acme").await.is(204);
    };
    let (gone, ()) = tokio::join!(waiting, deleting);
    gone.is(404);

    world.application("acme").await;
    let waiting = world.post("/app/acme/listen", from(&end, json!({})));
    let closing = async { world.app.listeners.close() };
    let (closed, ()) = tokio::join!(waiting, closing);
    assert_eq!(closed.is(200)["data"], json!([]));
}

#[tokio::test]
async fn an_application_listens_to_itself_and_to_no_other() {
    let world = World::new();
    let app = world.application("acme").await;
    world.application("other").await;
    let token = world.token_of(&app, &[]);
    let ask = |path: &str| world.post(path, json!({ "secret": SECRET })).token(&token);
    ask("/app/acme/listen").await.is(200);
    ask("/app/other/listen").await.is(404);
}

#[tokio::test]
async fn what_can_not_be_listened_for_is_refused_with_the_place() {
    let world = World::new();
    world.application("acme").await;
    for (body, place) in [
        (json!({ "secret": "hush" }), "body/secret"),
        (
            json!({ "secret": SECRET, "iterator": "x" }),
            "body/iterator",
        ),
        (
            json!({ "secret": SECRET, "waitSeconds": 21 }),
            "body/waitSeconds",
        ),
        (
            json!({ "secret": SECRET, "eventTypes": [] }),
            "body/eventTypes",
        ),
        (
            json!({ "secret": SECRET, "channels": ["a b"] }),
            "body/channels[0]/__all__",
        ),
    ] {
        let refused = world.post("/app/acme/listen", &body).await;
        assert!(!refused.text.contains("hush"), "{}", refused.text);
        assert_eq!(refused.broken(), [place]);
    }
}
