//! An endpoint that leads back to where its messages come from: what goes round in it comes to an
//! end, whichever way in it takes.

use e2e::{Api, Options, Server, eventually};
use serde_json::{Value, json};

/// An application whose endpoint `e` posts what it gets to `path` of the same server, and can tell
/// that it may.
async fn circle(path: &str) -> (Server, Api) {
    let options = Options::dev().option("--retry-schedule", "3600");
    let mut server = Server::start(options).await;
    let (api, token) = (server.api().await, server.token().await);
    api.application("circle").await;
    let url = format!("http://{}/api/v1{path}", server.address());
    api.endpoint("circle", &json!({"uid": "e", "url": url}))
        .await;
    let auth = json!({"type": "bearer", "token": token});
    api.put("/app/circle/endpoint/e/auth", &auth)
        .await
        .expect(204);
    (server, api)
}

/// What the attempts were answered with, from the first to the last, once one was refused.
async fn answers(api: &Api) -> Vec<Value> {
    let path = "/app/circle/attempt/endpoint/e";
    let list = eventually("a delivery that is refused".to_owned(), || async {
        let list = api.get(path).await.expect(200).json();
        let rows = list["data"].as_array().expect("a list").clone();
        let codes = rows.iter().map(|row| row["responseStatusCode"].clone());
        let codes: Vec<Value> = codes.rev().collect();
        match codes.last() {
            Some(last) if last != 202 => Ok(codes),
            _ => Err(format!("{codes:?}")),
        }
    });
    list.await
}

async fn messages(api: &Api) -> usize {
    let list = api.get("/app/circle/msg").await.expect(200).json();
    list["data"].as_array().expect("a list").len()
}

#[tokio::test]
async fn a_message_that_is_posted_on_ends_with_its_third_delivery() {
    let (_server, api) = circle("/app/circle/msg").await;
    // As deep as it goes, each round takes one layer off.
    let mut payload = json!({"end": true});
    for _ in 0..8 {
        payload = json!({"eventType": "round", "payload": payload});
    }
    api.send("circle", "round", &payload).await;
    assert_eq!(answers(&api).await, [202, 202, 508]);
    assert_eq!(messages(&api).await, 3);
}

#[tokio::test]
async fn an_example_that_asks_for_itself_ends_with_its_third_delivery() {
    let path = "/app/circle/endpoint/e/send-example";
    let (_server, api) = circle(path).await;
    let own = json!({"eventType": "round"});
    let schemas = json!({"1": {"examples": [own]}});
    let event_type = json!({"name": "round", "description": "", "schemas": schemas});
    api.post("/event-type", &event_type).await.expect(201);
    api.post(path, &own).await.expect(202);
    assert_eq!(answers(&api).await, [202, 202, 508]);
    assert_eq!(messages(&api).await, 3);
}

#[tokio::test]
async fn a_delivery_that_asks_for_itself_again_is_not_heard() {
    let (server, api) = circle("/health").await;
    let message = api.send("circle", "round", &json!({})).await;
    answers(&api).await;
    let path = format!("/api/v1/app/circle/msg/{message}/endpoint/e/resend");
    let url = format!("http://{}{path}", server.address());
    api.patch("/app/circle/endpoint/e", &json!({"url": url}))
        .await
        .expect(200);
    api.post(path.trim_start_matches("/api/v1"), &json!({}))
        .await
        .expect(202);
    let codes = eventually("the resend's answer".to_owned(), || async {
        let list = api.get("/app/circle/attempt/endpoint/e").await.expect(200);
        let list = list.json();
        let rows = list["data"].as_array().expect("a list").clone();
        match rows.len() {
            0 | 1 => Err(list.to_string()),
            _ => Ok(rows),
        }
    });
    let codes = codes.await;
    assert_eq!(codes.len(), 2, "{codes:?}");
    assert_eq!(codes[0]["responseStatusCode"], 508, "{codes:?}");
}
