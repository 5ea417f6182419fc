//! The HTTP API as a plain client meets it: statuses and shapes of refusals, limits, batches,
//! idempotency through a restart, deliveries put off, payloads that nobody re-writes.

use e2e::{Api, Call, Options, Receiver, Server};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

#[tokio::test]
async fn health_is_told_without_a_token() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    let health = api
        .call(Call::new(Method::GET, "/health").anonymous())
        .await
        .expect(200)
        .json();
    assert_eq!(health["database"]["status"], "ok", "{health}");
    let head = api
        .call(Call::new(Method::HEAD, "/health").anonymous())
        .await
        .expect(200);
    assert!(head.body.is_empty());
    for method in [Method::GET, Method::HEAD] {
        api.call(Call::new(method, "/health/ping").anonymous())
            .await
            .expect(204);
    }
}

#[tokio::test]
async fn every_refusal_has_a_json_body() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.application("shop").await;

    api.call(Call::new(Method::GET, "/app").anonymous())
        .await
        .expect_error(401, "authentication_failed");
    for token in ["nonsense", "a.b.c", &foreign_token()] {
        api.with_token(token)
            .get("/app")
            .await
            .expect_error(401, "authentication_failed");
    }
    api.get("/no/such/route")
        .await
        .expect_error(404, "not_found");
    api.get("/app/no-such-app")
        .await
        .expect_error(404, "not_found");
    let wrong = api.patch("/app", &json!({})).await;
    assert!(
        wrong.headers.contains_key("allow"),
        "a 405 says what is allowed: {wrong}"
    );
    wrong.expect_error(405, "method_not_allowed");

    let body = json!({"name": "x", "uid": "shop"});
    api.post("/app", &body).await.expect_error(409, "conflict");
    for broken in ["", "{", "[]", "{\"name\":\"x\"} x", "{\"name\":7}", "\u{0}"] {
        broken_rule(&api, Call::post("/app", broken)).await;
    }
    broken_rule(
        &api,
        Call::post("/app", r#"{"name":"x","uid":"no spaces"}"#),
    )
    .await;
    broken_rule(&api, Call::new(Method::GET, "/app?limit=251")).await;
    broken_rule(&api, Call::new(Method::GET, "/app?iterator=nonsense")).await;
    for odd in ["/app/%00", "/app/%ff", "/app/shop/msg?before=yesterday"] {
        let reply = api.get(odd).await;
        assert!((400..500).contains(&reply.status), "{reply}");
        assert!(reply.json()["detail"] != Value::Null, "{reply}");
    }
}

#[tokio::test]
async fn a_token_of_one_application_opens_that_one_alone() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    let shop = api.application("shop").await;
    api.application("other").await;
    let mint = server.mint(&["--app", &shop]).await;
    let own = api.with_token(mint.text());
    own.get("/app/shop/endpoint").await.expect(200);
    own.get("/app/other/endpoint")
        .await
        .expect_error(404, "not_found");
    own.get("/app")
        .await
        .expect_error(403, "insufficient access");
    let message = json!({"eventType": "x", "payload": {}});
    own.post("/app/shop/msg", &message)
        .await
        .expect_error(403, "insufficient access");
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_the_name_of_the_limit() {
    let options = Options::dev()
        .option("--payload-bytes-max", "2000")
        .option("--batch-messages-max", "3")
        .option("--endpoints-max", "2");
    let mut server = Server::start(options).await;
    let api = server.api().await;
    api.application("shop").await;
    let message = |bytes: usize| {
        // The payload is {"text":"…"}.
        json!({"eventType": "x", "payload": {"text": "a".repeat(bytes - 11)}})
    };
    api.post("/app/shop/msg", &message(2_000)).await.expect(202);
    let detail = api.post("/app/shop/msg", &message(2_001)).await;
    let detail = detail.expect_error(413, "payload_too_large");
    assert!(detail.contains("payload_bytes_max"), "{detail}");

    let small = json!({"eventType": "x", "payload": {}});
    let batch = |count| json!({"messages": vec![small.clone(); count]});
    api.post("/app/shop/msg/batch", &batch(3)).await.expect(202);
    refused_naming(&api, "/app/shop/msg/batch", &batch(4), "batch_messages_max").await;
    refused_naming(&api, "/app/shop/msg/batch", &batch(0), "batch_messages_max").await;

    let endpoint = json!({"url": "http://127.0.0.1:19999/"});
    for _ in 0..2 {
        api.endpoint("shop", &endpoint).await;
    }
    refused_naming(&api, "/app/shop/endpoint", &endpoint, "endpoints_max").await;
}

#[tokio::test]
async fn payloads_over_a_mebibyte_are_refused_by_default() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let payload = |bytes: usize| json!({"text": "a".repeat(bytes - 11)});
    let message = |bytes| json!({"eventType": "x", "payload": payload(bytes)});
    let large = 1 << 20;
    api.post("/app/shop/msg", &message(large)).await.expect(202);
    assert_eq!(receiver.next().await.body.len(), large);
    for bytes in [large + 1, 3 << 20, 10 << 20] {
        let reply = api.post("/app/shop/msg", &message(bytes)).await;
        reply.expect_error(413, "payload_too_large");
    }
    // Nobody is read for ever: the connection may end before this one is written.
    let endless = Call::post("/app/shop/msg", message(40 << 20).to_string());
    if let Ok(reply) = api.try_call(endless).await {
        reply.expect_error(413, "payload_too_large");
    }
    api.send("shop", "x", &json!({"still": "works"})).await;
    assert_eq!(receiver.next().await.json(), json!({"still": "works"}));
}

#[tokio::test]
async fn a_batch_of_a_thousand_is_answered_in_order_and_partly_refused() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let taken = json!({"eventType": "x", "eventId": "taken", "payload": {"n": "before"}});
    api.post("/app/shop/msg", &taken).await.expect(202);
    receiver.next().await;

    let message = |n: usize| match n {
        100 => json!({"eventType": "x", "eventId": "taken", "payload": {"n": n}}),
        200 => json!({"eventType": "x", "payload": ["no object"]}),
        300 => json!({"payload": {"n": n}}),
        400 => json!({"eventType": "no spaces", "payload": {"n": n}}),
        500 => json!({"eventType": "x", "eventId": "event-1", "payload": {"n": n}}),
        _ => json!({"eventType": "x", "eventId": format!("event-{n}"), "payload": {"n": n}}),
    };
    let messages: Vec<Value> = (0..1_000).map(message).collect();
    let reply = api
        .post("/app/shop/msg/batch", &json!({"messages": messages}))
        .await
        .expect(202);
    let results = reply.json()["results"]
        .as_array()
        .expect("a list of results")
        .clone();
    assert_eq!(results.len(), 1_000);
    for (n, result) in results.iter().enumerate() {
        let expected = match n {
            100 | 500 => 409,
            200 | 300 | 400 => 422,
            _ => 202,
        };
        assert_eq!(result["status"], expected, "result {n}: {result}");
        if expected == 202 {
            assert_eq!(
                result["message"]["eventId"],
                format!("event-{n}"),
                "result {n}: {result}"
            );
        } else {
            let error = &result["error"];
            assert!(
                error["code"].is_string() && error["detail"].is_string(),
                "{n}: {result}"
            );
        }
    }
    let mut arrived: Vec<u64> = Vec::new();
    for request in receiver.take(995).await {
        arrived.push(request.json()["n"].as_u64().expect("a number was sent"));
    }
    arrived.sort_unstable();
    let refused = [100, 200, 300, 400, 500];
    let expected: Vec<u64> = (0..1_000).filter(|n| !refused.contains(n)).collect();
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn an_idempotency_key_holds_when_the_server_is_killed() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let message = json!({"eventType": "x", "payload": {"n": 1}}).to_string();
    let call =
        |body: &str| Call::post("/app/shop/msg", body.to_owned()).header("idempotency-key", "once");
    let first = api.call(call(&message)).await.expect(202).json();
    receiver.next().await;

    server.kill().await;
    server.restart().await;
    let api = server.api().await;
    let again = api.call(call(&message)).await.expect(202).json();
    assert_eq!(again["id"], first["id"]);
    let other = json!({"eventType": "x", "payload": {"n": 2}}).to_string();
    api.call(call(&other)).await.expect_error(409, "conflict");
    let list = api.get("/app/shop/msg").await.expect(200).json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list}");

    let app = |name: &str| {
        let body = json!({"name": name}).to_string();
        Call::post("/app", body).header("idempotency-key", "once")
    };
    let made = api.call(app("a")).await.expect(201).json();
    assert_eq!(
        api.call(app("a")).await.expect(201).json()["id"],
        made["id"]
    );
    api.call(app("b")).await.expect_error(409, "conflict");
}

#[tokio::test]
async fn a_delivery_that_was_put_off_waits_also_through_a_restart() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let seconds = SignedDuration::from_secs;
    let due = Timestamp::now() + seconds(12);
    let message = |n: u64, due: Timestamp| json!({"eventType": "x", "payload": {"n": n}, "deliverAt": due.to_string()});
    for (n, due) in [(1, due - seconds(4)), (2, due)] {
        api.post("/app/shop/msg", &message(n, due))
            .await
            .expect(202);
    }
    let first = receiver.next().await;
    assert_eq!(
        first.json()["n"],
        1,
        "the one that is due first comes first"
    );
    assert!(
        Timestamp::now() >= due - seconds(4),
        "it came before it was due"
    );
    server.kill().await;
    server.restart().await;
    let mut next = receiver.next().await;
    while next.json()["n"] == 1 {
        // Its outcome was not on disk when the server was killed.
        assert_eq!(next.id(), first.id());
        next = receiver.next().await;
    }
    assert_eq!(next.json()["n"], 2);
    assert!(Timestamp::now() >= due, "it came before it was due");

    let api = server.api().await;
    let month = Timestamp::now() + SignedDuration::from_hours(30 * 24);
    api.post("/app/shop/msg", &message(3, month - seconds(60)))
        .await
        .expect(202);
    let reply = api
        .post("/app/shop/msg", &message(4, month + seconds(60)))
        .await
        .expect(422)
        .json();
    assert_eq!(
        reply["detail"][0]["loc"],
        json!(["body", "deliverAt"]),
        "{reply}"
    );
}

#[tokio::test]
async fn payloads_arrive_byte_for_byte_as_they_were_posted() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    let payloads = [
        "{}",
        "{ }",
        "{\n\t\"b\" : 1 ,\r\n \"a\":2, \"a\": 3 }",
        r#"{"number":1.0e+02,"big":123456789012345678901234567890,"zero":-0.0}"#,
        r#"{"escape":"\u00e9\/\u0000\ud83d\ude00","plain":"é😀\u2028"}"#,
        "{\"keys\":{\"__proto__\":1,\"\":2}}",
        &deep,
    ];
    for payload in payloads {
        let body = format!("{{\"payload\":  {payload} , \"eventType\":\"x\"}}");
        let sent = api
            .call(Call::post("/app/shop/msg", body))
            .await
            .expect(202)
            .json();
        let request = receiver.next().await;
        assert_eq!(String::from_utf8_lossy(&request.body), payload);
        assert_eq!(request.header("content-length"), payload.len().to_string());
        let id = sent["id"].as_str().expect("an id");
        assert_eq!(request.id(), id);
        let read = api.get(&format!("/app/shop/msg/{id}")).await.expect(200);
        let whole = String::from_utf8_lossy(&read.body).into_owned();
        assert!(
            whole.contains(payload),
            "a payload reads back as it was posted: {whole}"
        );
    }
}

#[tokio::test]
async fn what_is_sent_to_try_an_endpoint_arrives_there() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    let hook = json!({"url": receiver.url("/"), "uid": "hook", "channels": ["elsewhere"]});
    api.endpoint("shop", &hook).await;
    let path = "/app/shop/endpoint/hook";
    let ping = json!({"eventType": "svix.ping"});
    let sent = api.post(&format!("{path}/send-example"), &ping).await;
    let sent = sent.expect(202).json();
    let request = receiver.next().await;
    assert_eq!(request.id(), sent["id"]);
    assert_eq!(request.json(), json!({"success": true}));

    let message = json!({"eventType": "x", "payload": {"n": 1}});
    let tried = api
        .post(&format!("{path}/msg/test-attempt"), &message)
        .await;
    let tried = tried.expect(201).json();
    assert_eq!(tried["status"], 0, "{tried}");
    assert_eq!(receiver.next().await.id(), tried["msgId"]);
}

#[tokio::test]
async fn what_was_expunged_or_cancelled_before_it_was_due_does_not_arrive() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    for uid in ["hook", "cancelled"] {
        let hook = json!({"url": receiver.url(&format!("/{uid}")), "uid": uid});
        api.endpoint("shop", &hook).await;
    }
    let due = Timestamp::now() + SignedDuration::from_secs(10);
    let mut ids = Vec::new();
    for n in 0..2 {
        let message = json!({"eventType": "x", "payload": {"n": n}, "deliverAt": due.to_string()});
        let sent = api.post("/app/shop/msg", &message).await.expect(202).json();
        ids.push(sent["id"].as_str().expect("an id").to_owned());
    }
    let content = format!("/app/shop/msg/{}/content", ids[0]);
    api.delete(&content).await.expect(204);
    let cancel = json!({"createdBefore": due.to_string()});
    let path = "/app/shop/endpoint/cancelled/cancel-msgs";
    api.post(path, &cancel).await.expect(204);
    let request = receiver.next().await;
    assert_eq!((request.path.as_str(), request.id()), ("/hook", &*ids[1]));
    let late = api.send("shop", "x", &json!({})).await;
    let mut paths = Vec::new();
    for request in receiver.take(2).await {
        assert_eq!(request.id(), late);
        paths.push(request.path);
    }
    paths.sort();
    assert_eq!(paths, ["/cancelled", "/hook"]);
}

/// Sends what must be refused with 422, in the shape of broken rules.
async fn broken_rule(api: &Api, call: Call) {
    let reply = api.call(call).await.expect(422);
    let body = reply.json();
    let rules = body["detail"]
        .as_array()
        .unwrap_or_else(|| panic!("no list: {reply}"));
    assert!(!rules.is_empty(), "no rule: {reply}");
    for rule in rules {
        assert!(rule["loc"].is_array() && rule["msg"].is_string(), "{reply}");
        assert!(
            rule["type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("value_error")),
            "{reply}"
        );
    }
}

async fn refused_naming(api: &Api, path: &str, body: &Value, limit: &str) {
    let reply = api.post(path, body).await;
    assert!((400..500).contains(&reply.status), "{reply}");
    assert!(
        reply.json()["detail"].to_string().contains(limit),
        "no {limit}: {reply}"
    );
}

/// Well-formed, and signed by nobody here.
fn foreign_token() -> String {
    let parts = [
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "eyJzdWIiOiJvcmdfMSJ9",
        "c2lnbmF0dXJl",
    ];
    parts.join(".")
}
