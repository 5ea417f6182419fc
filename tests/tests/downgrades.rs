//! What an application's token tries in order to get more than it may, or with less protection than
//! the operator demands: nothing of it leaves, and what is as it must be goes on.

use e2e::{Api, Asks, Authority, Front, Options, Receiver, Server, eventually};
use serde_json::{Value, json};

const HOST: &str = "localhost";
const HOOK: &str = "/app/shop/endpoint/hook";
const TOKEN: &str = "open-sesame-open-sesame";
/// How it is said that the operator demands it.
const KEPT: &str = "demanded_by_policy";
const MAIL: &str = "zaphod@heart-of-gold.example";
/// X25519, RFC 7748's example of Bob's.
const JWK: &str = r#"{"kty":"OKP","crv":"X25519","kid":"b",
    "x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#;

struct World {
    server: Server,
    /// The operator's.
    api: Api,
    /// The consumer's.
    theirs: Api,
    receiver: Receiver,
    front: Front,
    authority: Authority,
    pin: String,
    /// Somewhere else, where the consumer would like to have it.
    thief: Receiver,
    elsewhere: Front,
}

impl World {
    async fn new() -> Self {
        let options = Options::dev().option("--retry-schedule", "600");
        let mut server = Server::start(options).await;
        let api = server.api().await;
        let application = api.application("shop").await;
        let minted = server.mint(&["--app", &application]).await;
        let theirs = api.with_token(minted.expect(0).text().trim());
        let (receiver, thief) = (Receiver::willing().await, Receiver::willing().await);
        let authority = Authority::new("all receivers' own");
        let shown = authority.show(HOST);
        let front = Front::accepting(receiver.address(), shown.acceptor(Asks::default())).await;
        let of_thief = authority.show(HOST).acceptor(Asks::default());
        let elsewhere = Front::accepting(thief.address(), of_thief).await;
        let world = Self {
            server,
            api,
            theirs,
            receiver,
            front,
            authority,
            pin: shown.pin().to_owned(),
            thief,
            elsewhere,
        };
        let sensitive = json!({"type": "object", "properties": {
            "mail": {"type": "string", "x-sensitive": true},
        }});
        let event_type = json!({
            "name": "order.paid", "description": "", "schemas": {"1": sensitive},
        });
        world.api.post("/event-type", &event_type).await.expect(201);
        let hook = json!({"url": world.front.url(HOST), "uid": "hook"});
        world.api.endpoint("shop", &hook).await;
        for (part, body) in world.parts() {
            let path = format!("{HOOK}/{part}");
            world.api.put(&path, &body).await.expect(204);
        }
        let all = json!({"require": ["encryption", "auth", "pins", "redaction"]});
        world.api.put("/environment/policy", &all).await.expect(204);
        world
    }

    /// All that is demanded, and the authority without which there is no connection.
    fn parts(&self) -> [(&'static str, Value); 5] {
        let jwk: Value = serde_json::from_str(JWK).expect("it is JSON");
        [
            ("ca", json!({"cert": self.authority.pem()})),
            ("pins", json!({"pins": [self.pin], "mode": "enforce"})),
            ("auth", json!({"type": "bearer", "token": TOKEN})),
            ("encryption", json!({"jwk": jwk})),
            (
                "redaction",
                json!({"rules": [{"path": "/name", "action": "drop"}]}),
            ),
        ]
    }

    async fn send(&self) -> String {
        let payload = json!({"mail": MAIL, "name": MAIL});
        self.api.send("shop", "order.paid", &payload).await
    }

    /// A message arrives, with all of its protection.
    async fn delivers(&self) {
        let message = self.send().await;
        let received = self.receiver.next().await;
        assert_eq!(received.id(), message);
        assert_eq!(received.header("authorization"), format!("Bearer {TOKEN}"));
        assert_eq!(received.header("content-type"), "application/jose");
        let body = String::from_utf8_lossy(&received.body);
        assert!(!body.contains(MAIL), "{body}");
    }

    /// Why the only attempt of a message at an endpoint was not made.
    async fn withheld(&self, message: &str, endpoint: &str) -> String {
        let path = format!("/app/shop/attempt/endpoint/{endpoint}?limit=1");
        let attempt = eventually("an attempt", || async {
            let list = self.api.get(&path).await.expect(200).json();
            let last = list["data"][0].clone();
            match last["msgId"] == message {
                true => Ok(last),
                false => Err(list.to_string()),
            }
        })
        .await;
        assert_eq!(attempt["responseStatusCode"], 0, "{attempt}");
        attempt["response"].as_str().expect("a text").to_owned()
    }
}

#[tokio::test]
async fn no_downgrade_by_an_application_s_token_is_done() {
    let world = World::new().await;
    world.delivers().await;
    for part in ["encryption", "auth", "pins", "redaction"] {
        let path = format!("{HOOK}/{part}");
        let refused = world.theirs.delete(&path).await;
        refused.expect_error(409, KEPT);
    }
    let (kept, forbidden) = ((409, KEPT), (403, "insufficient access"));
    let rule = |path: &str| json!({"rules": [{"path": path, "action": "drop"}]});
    let mut more = rule("/name");
    more["allowSensitive"] = json!(["/mail"]);
    let report = json!({"pins": [world.pin], "mode": "report"});
    for (path, body, (status, code)) in [
        (format!("{HOOK}/pins"), report, kept),
        (format!("{HOOK}/redaction"), json!({"rules": []}), kept),
        (format!("{HOOK}/redaction"), rule("/other"), kept),
        (format!("{HOOK}/redaction"), more, forbidden),
        ("/environment/policy".to_owned(), json!({}), forbidden),
        (
            "/event-type/order.paid/redaction".to_owned(),
            rule("/x"),
            forbidden,
        ),
        (
            "/event-type/order.paid".to_owned(),
            json!({"description": ""}),
            forbidden,
        ),
    ] {
        let refused = world.theirs.put(&path, &body).await;
        refused.expect_error(status, code);
    }
    world.delivers().await;
    assert!(world.thief.rest().await.is_empty());
}

#[tokio::test]
async fn no_other_origin_gets_what_was_set_for_the_one_before() {
    let world = World::new().await;
    let moved = json!({"url": world.elsewhere.url(HOST)});
    let moved = world.theirs.patch(HOOK, &moved).await.expect(200).json();
    assert_eq!(moved["held"]["code"], "credentials_withdrawn");
    let message = world.send().await;
    let why = world.withheld(&message, "hook").await;
    assert!(why.contains("leads to another origin"), "{why}");

    // To say that no credentials are needed is no way around the policy.
    let path = format!("{HOOK}/auth");
    world.theirs.delete(&path).await.expect(204);
    let shown = world.theirs.get(HOOK).await.expect(200).json();
    assert_eq!(shown["held"]["code"], "policy_unmet");
    let message = world.send().await;
    let why = world.withheld(&message, "hook").await;
    assert!(why.contains("does not have: auth"), "{why}");

    // With credentials of its own it is called, and its certificate is not the pinned one.
    let other = json!({"type": "bearer", "token": "another-token"});
    world.theirs.put(&path, &other).await.expect(204);
    let message = world.send().await;
    let why = world.withheld(&message, "hook").await;
    assert!(why.contains(&world.pin), "{why}");
    assert!(world.thief.rest().await.is_empty());
    assert!(!world.elsewhere.heard().contains(TOKEN));
}

#[tokio::test]
async fn a_new_endpoint_gets_nothing_before_it_has_what_is_demanded() {
    let world = World::new().await;
    let made = json!({"url": world.thief.url("/"), "uid": "bare"});
    let made = world.theirs.post("/app/shop/endpoint", &made).await;
    assert_eq!(made.expect(201).json()["held"]["code"], "policy_unmet");
    let message = world.send().await;
    assert_eq!(world.receiver.next().await.id(), message);
    let why = world.withheld(&message, "bare").await;
    let lacks = "not have: encryption, auth, pins, redaction: ";
    assert!(why.contains(lacks), "{why}");
    let of_kind = "/security/event?kind=delivery.policy_unmet";
    let event = eventually("an event", || async {
        let list = world.api.get(of_kind).await.expect(200).json();
        let found = list["data"][0]["description"].as_str().map(str::to_owned);
        found.ok_or_else(|| list.to_string())
    })
    .await;
    assert!(event.contains(lacks), "{event}");
    assert!(world.thief.rest().await.is_empty());
    assert!(!world.server.log().contains(TOKEN));
}
