//! Operational webhooks of the real binary: what happens is told, signed, and goes round in no
//! circle.

use e2e::{Answer, Api, Options, Received, Receiver, Server, eventually};
use serde_json::{Value, json};
use svix::Webhook;

const OPERATORS: &str = "/operational-webhook/endpoint";

/// What happens to endpoints and deliveries: security events and the audit log's checkpoints are
/// told besides, of what the tests themselves do.
const TYPES: [&str; 8] = [
    "endpoint.created",
    "endpoint.updated",
    "endpoint.deleted",
    "endpoint.enabled",
    "endpoint.disabled",
    "message.attempt.failing",
    "message.attempt.exhausted",
    "message.attempt.recovered",
];

/// Makes an endpoint of the operator's for these types, and gives its secret.
async fn operator(api: &Api, body: &Value) -> String {
    let mut body = body.clone();
    body["eventTypes"] = json!(TYPES);
    let made = api.post(OPERATORS, &body).await.expect(201).json();
    let id = made["id"].as_str().expect("an id");
    let secret = api.get(&format!("{OPERATORS}/{id}/secret")).await;
    let secret = secret.expect(200).json();
    secret["key"].as_str().expect("a text").to_owned()
}

/// What is told, once it is verified.
fn verified(request: &Received, secret: &str) -> Value {
    let webhook = Webhook::new(secret).expect("the secret is one");
    let verdict = webhook.verify(&request.body, &request.headers);
    verdict.unwrap_or_else(|error| panic!("{error}: {request:?}"));
    request.json()
}

/// What was made of what happened, of the same types, the oldest first.
async fn told(api: &Api) -> Vec<Value> {
    let list = api.get("/app/operational-webhooks/msg").await;
    let list = list.expect(200).json();
    let rows = list["data"].as_array().expect("a list");
    let is_wanted = |row: &&Value| TYPES.iter().any(|name| row["eventType"] == **name);
    let payloads = rows.iter().rev().filter(is_wanted);
    payloads.map(|row| row["payload"].clone()).collect()
}

#[tokio::test]
async fn a_delivery_that_is_given_up_is_told_signed_and_with_its_last_attempt() {
    let mut server = Server::start(Options::dev().option("--retry-schedule", "1")).await;
    let (api, ops) = (server.api().await, Receiver::willing().await);
    let failing = Receiver::in_turn([503, 503].map(Answer::status)).await;
    let secret = operator(&api, &json!({"url": ops.url("/ops")})).await;

    let app = api.application("shop").await;
    let hook = json!({"uid": "hook", "url": failing.url("/")});
    let endpoint = api.endpoint("shop", &hook).await;
    let created = verified(&ops.next().await, &secret);
    let data = json!({
        "appId": app, "appUid": "shop", "endpointId": endpoint, "endpointUid": "hook",
    });
    assert_eq!(created, json!({"type": "endpoint.created", "data": data}));

    let message = api.send("shop", "order.paid", &json!({"n": 1})).await;
    failing.take(2).await;
    let exhausted = verified(&ops.next().await, &secret);
    let attempts = api.get(&format!("/app/shop/attempt/msg/{message}")).await;
    let last = attempts.expect(200).json()["data"][0].clone();
    let expected = json!({"type": "message.attempt.exhausted", "data": {
        "appId": app, "appUid": "shop", "endpointId": endpoint, "msgId": message,
        "msgEventId": null,
        "lastAttempt": {
            "id": last["id"], "responseStatusCode": 503, "timestamp": last["timestamp"],
        },
    }});
    assert_eq!(exhausted, expected);
}

#[tokio::test]
async fn an_example_arrives_signed_and_at_one_endpoint_alone() {
    let mut server = Server::start(Options::dev()).await;
    let (api, ops) = (server.api().await, Receiver::willing().await);
    let secret = operator(&api, &json!({"uid": "ops", "url": ops.url("/ops")})).await;
    operator(&api, &json!({"uid": "other", "url": ops.url("/other")})).await;
    let path = format!("{OPERATORS}/ops/send-example");
    for name in TYPES
        .into_iter()
        .chain(["security.event", "audit.checkpoint"])
    {
        let example = json!({"eventType": name});
        let made = api.post(&path, &example).await.expect(202).json();
        let request = ops.next().await;
        assert_eq!(
            (request.path.as_str(), request.id()),
            ("/ops", made["id"].as_str().expect("an id"))
        );
        assert_eq!(verified(&request, &secret)["type"], name);
    }
    assert_eq!(told(&api).await.len(), TYPES.len());
    // What happens next is told behind all examples, to both.
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": ops.url("/")})).await;
    let mut paths: Vec<String> = Vec::new();
    for request in ops.take(2).await {
        assert_eq!(request.json()["type"], "endpoint.created");
        paths.push(request.path);
    }
    paths.sort();
    assert_eq!(paths, ["/ops", "/other"]);
}

#[tokio::test]
async fn what_happened_before_the_end_is_told_behind_it() {
    let mut server = Server::start(Options::dev()).await;
    let (api, ops) = (server.api().await, Receiver::willing().await);
    let secret = operator(&api, &json!({"url": ops.url("/ops")})).await;
    api.application("shop").await;
    for _ in 0..20 {
        api.endpoint("shop", &json!({"url": ops.url("/")})).await;
    }
    assert!(server.terminate().await.success());
    server.restart().await;
    let mut requests = Vec::new();
    while requests.len() < 20 {
        // What was sent before the end may be sent again.
        let request = ops.next().await;
        verified(&request, &secret);
        let id = request.id().to_owned();
        if !requests.contains(&id) {
            requests.push(id);
        }
    }
}

/// The operator's endpoint fails, and what it gets would be told again if it could.
#[tokio::test]
async fn an_operators_endpoint_that_fails_tells_nobody() {
    let mut server = Server::start(Options::dev().option("--retry-schedule", "")).await;
    let (api, gone) = (
        server.api().await,
        Receiver::start(|_| Answer::status(410)).await,
    );
    operator(&api, &json!({"uid": "gone", "url": gone.url("/gone")})).await;
    operator(&api, &json!({"uid": "other", "url": gone.url("/other")})).await;
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": gone.url("/")})).await;
    for uid in ["gone", "other"] {
        let path = format!("{OPERATORS}/{uid}");
        eventually(format!("that {uid} is disabled"), || async {
            let shown = api.get(&path).await.expect(200).json();
            let is_disabled = shown["disabled"] == true;
            is_disabled.then_some(()).ok_or_else(|| shown.to_string())
        })
        .await;
    }
    // What happens next is told behind all that happened before.
    api.endpoint("shop", &json!({"url": gone.url("/")})).await;
    let types = eventually("the last that happened".to_owned(), || async {
        let told = told(&api).await;
        match told.len() {
            0 | 1 => Err(format!("{told:?}")),
            _ => Ok(told),
        }
    });
    let types: Vec<_> = types.await.iter().map(|one| one["type"].clone()).collect();
    assert_eq!(types, ["endpoint.created", "endpoint.created"]);
}

/// What is told comes to a source here, whose endpoint fails, which is something to tell.
#[tokio::test]
async fn what_is_told_does_not_come_in_again() {
    let mut server = Server::start(Options::dev().option("--retry-schedule", "")).await;
    let api = server.api().await;
    let failing = Receiver::start(|_| Answer::status(500)).await;
    let source = json!({
        "name": "Round", "uid": "round", "type": "generic-webhook",
        "config": {"unverified": true},
    });
    let source = api.post("/ingest/api/v1/source", &source).await;
    let source = source.expect(201).json();
    let ingest = source["ingestUrl"].as_str().expect("a URL");
    let start = ingest.find("/in/").expect("it is an inbound URL");
    let back = format!("http://{}{}", server.address(), &ingest[start..]);
    let own = "/ingest/api/v1/source/round/endpoint";
    let hook = json!({"url": failing.url("/")});
    api.post(own, &hook).await.expect(201);
    operator(&api, &json!({"uid": "back", "url": back})).await;

    api.application("shop").await;
    api.endpoint("shop", &json!({"url": failing.url("/")}))
        .await;
    let path = "/app/operational-webhooks/attempt/endpoint/back";
    let codes = eventually("what is told is refused".to_owned(), || async {
        let list = api.get(path).await.expect(200).json();
        let rows = list["data"].as_array().expect("a list");
        let codes = rows.iter().map(|row| row["responseStatusCode"].clone());
        let codes: Vec<Value> = codes.collect();
        (!codes.is_empty()).then_some(codes).ok_or(list.to_string())
    });
    assert_eq!(codes.await, [508]);
    assert_eq!(told(&api).await.len(), 1);
    // Only the endpoint of the application `shop` could have been asked, and nobody sent to it.
    let came = failing.rest().await;
    assert!(came.is_empty(), "{came:?}");
}
