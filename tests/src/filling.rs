//! A server with something of everything, for whoever looks at it: applications, endpoints in every
//! state, messages that arrived, that didn't, and that wait, sources with refused requests, keys,
//! and security events. And, in places of their own, every text of [`crate::hostile`] wherever
//! somebody outside can leave one.
//!
//! Made through the API alone. The names are fixed, so that a test can ask for
//! `/app/shop/endpoint/failing`; what has none is in [`Filled`].

use http::Method;
use serde_json::{Value, json};

use crate::api::{Api, Call};
use crate::hostile::{HOSTILE, all, long_name};
use crate::receiver::{Answer, Receiver};
use crate::tls::{Authority, Front};
use crate::wait::eventually;

/// Where sources are made.
const SOURCES: &str = "/ingest/api/v1/source";
/// What is signed with it can't be guessed; what is not is refused.
const SECRET: &str = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";

/// What receivers are called that show a certificate.
const HOST: &str = "127.0.0.1";
/// A status and a text.
type Answered = (u16, &'static str);
const DOWN: Answered = (503, "down for an hour");

/// How much later a message goes that waits.
const LATER: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// What to fill with.
#[derive(Clone, Copy, Debug)]
pub struct Filling {
    /// How many messages reach the endpoint `willing`: more than a page has, for lists with pages.
    pub messages: usize,
    /// Whether hostile texts are left too, in the application `hostile` and wherever else.
    pub hostile: bool,
}

impl Default for Filling {
    fn default() -> Self {
        Self {
            messages: 12,
            hostile: true,
        }
    }
}

/// What a server was filled with. Its receivers answer as long as it is held.
pub struct Filled {
    /// The organisation's id.
    pub organisation: String,
    /// A message of `shop` that reached `willing`, and not `failing`, where it is tried again.
    pub delivered: String,
    /// One of `shop` whose attempts have all failed.
    pub exhausted: String,
    /// One of `shop` that waits for its time.
    pub waiting: String,
    /// A message of `hostile`, one for each text.
    pub hostile: Vec<String>,
    /// A URL that signs in to the portal of `shop`.
    pub portal: String,
    receivers: Receivers,
}

struct Receivers {
    willing: Receiver,
    failing: Receiver,
    gone: Receiver,
    losing: Secured,
    hostile: Vec<Secured>,
}

/// A receiver behind TLS, whose certificate an authority of this name has issued.
struct Secured {
    receiver: Receiver,
    front: Front,
    authority: Authority,
}

impl Secured {
    async fn start(answer: Answered, name: &str) -> Self {
        let (status, text) = answer;
        let receiver = Receiver::start(move |_| told(status, text)).await;
        let authority = Authority::new(name);
        let front = Front::start(receiver.address(), &authority, HOST).await;
        Self {
            receiver,
            front,
            authority,
        }
    }

    fn url(&self, path: &str) -> String {
        self.front.url(HOST) + path
    }

    /// Makes an endpoint of it, which trusts its authority.
    async fn endpoint(&self, api: &Api, application: &str, endpoint: &Value) {
        api.endpoint(application, endpoint).await;
        let uid = text(&endpoint["uid"]);
        let path = format!("/app/{application}/endpoint/{uid}/ca");
        let authority = json!({"cert": self.authority.pem()});
        api.put(&path, &authority).await.expect(204);
    }
}

/// Fills the server whose API this is. It must allow loopback, and try again after an hour or so,
/// as with `--retry-schedule 3600`: what waits would be gone.
///
/// # Panics
/// When anything is refused.
pub async fn fill(api: &Api, filling: Filling) -> Filled {
    let receivers = receivers().await;
    let who = api.get("/auth/whoami").await.expect(200).json();
    let organisation = text(&who["envId"]);
    event_types(api).await;
    shop(api, &receivers).await;
    let delivered = messages(api, filling.messages).await;
    let exhausted = api.send("shop", "order.lost", &json!({"id": "o-x"})).await;
    let waiting = later(api).await;
    sources(api, &receivers).await;
    keys_and_refusals(api, &organisation).await;
    let hostile = match filling.hostile {
        true => hostile(api, &receivers, &organisation).await,
        false => Vec::new(),
    };
    let access = api.post("/auth/app-portal-access/shop", &json!({})).await;
    let filled = Filled {
        organisation,
        delivered,
        exhausted,
        waiting,
        hostile,
        portal: text(&access.expect(200).json()["url"]),
        receivers,
    };
    filled.arrived(api, filling).await;
    filled
}

impl Filled {
    /// Waits until everything was sent that is to be.
    async fn arrived(&self, api: &Api, filling: Filling) {
        self.receivers.willing.take(filling.messages).await;
        self.receivers.gone.take(1).await;
        for receiver in &self.receivers.hostile {
            receiver.receiver.take(self.hostile.len().min(1)).await;
        }
        for message in [&self.delivered, &self.exhausted] {
            attempted(api, "shop", message).await;
        }
        for message in &self.hostile {
            attempted(api, "hostile", message).await;
        }
        eventually("the endpoint that is gone to be disabled", || async {
            let gone = api.get("/app/shop/endpoint/gone").await.expect(200).json();
            let disabled = gone["disabled"] == true;
            disabled.then_some(()).ok_or_else(|| gone.to_string())
        })
        .await;
    }
}

/// Waits until there is an attempt to be seen.
async fn attempted(api: &Api, application: &str, message: &str) {
    let path = format!("/app/{application}/msg/{message}/attempt");
    eventually(format!("an attempt of {message}"), || async {
        let list = api.get(&path).await.expect(200).json();
        let there = list["data"].as_array().is_some_and(|rows| !rows.is_empty());
        there.then_some(()).ok_or_else(|| list.to_string())
    })
    .await;
}

async fn receivers() -> Receivers {
    let mut hostile = Vec::with_capacity(HOSTILE.len());
    for (_, text) in HOSTILE {
        hostile.push(Secured::start((500, text), text).await);
    }
    Receivers {
        willing: Receiver::start(|_| told(200, r#"{"taken":true}"#)).await,
        failing: Receiver::start(|_| told(DOWN.0, DOWN.1)).await,
        losing: Secured::start(DOWN, "An authority of the shop's").await,
        gone: Receiver::start(|_| told(410, "moved away")).await,
        hostile,
    }
}

/// An answer with this in its body, and in a header.
fn told(status: u16, text: &'static str) -> Answer {
    Answer::status(status)
        .header("content-type", "text/html")
        .header("x-answer", text)
        .body(text)
}

async fn event_types(api: &Api) {
    let schema = json!({
        "type": "object", "required": ["id"],
        "properties": {"id": {"type": "string"}, "total": {"type": "number"}},
        "examples": [{"id": "o-1", "total": 12.5}],
    });
    let types = [
        json!({"name": "order.paid", "description": "An order was paid", "groupName": "order",
               "schemas": {"1": schema}}),
        json!({"name": "order.lost", "description": "An order was lost", "groupName": "order"}),
        json!({"name": "order.old", "description": "As it was before", "archived": true}),
        json!({"name": "order.soon", "description": "Not for all yet", "featureFlag": "beta"}),
    ];
    for event_type in types {
        api.post("/event-type", &event_type).await.expect(201);
    }
    let once = json!({"retrySchedule": []});
    let path = "/event-type/order.lost/retry-schedule";
    api.put(path, &once).await.expect(200);
}

/// The application `shop`, and an endpoint in every state.
async fn shop(api: &Api, receivers: &Receivers) {
    let shop = json!({"name": "The Shop", "uid": "shop", "metadata": {"plan": "gold"}});
    api.post("/app", &shop).await.expect(201);
    api.application("empty").await;
    let (paid, lost) = (["order.paid"], ["order.lost"]);
    let endpoints = [
        json!({"uid": "willing", "url": receivers.willing.url("/hooks?from=shop"),
               "description": "Takes everything", "eventTypes": paid,
               "metadata": {"team": "billing"},
               "headers": {"x-shop": "one", "authorization": "Bearer of-the-shop"}}),
        json!({"uid": "failing", "url": receivers.failing.url("/down"), "eventTypes": paid}),
        json!({"uid": "gone", "url": receivers.gone.url("/gone"), "channels": ["gone"]}),
        json!({"uid": "paused", "url": receivers.willing.url("/paused"), "disabled": true}),
        json!({"uid": "slow", "url": receivers.willing.url("/slow"), "channels": ["nothing"],
               "throttleRate": 60}),
    ];
    for endpoint in endpoints {
        api.endpoint("shop", &endpoint).await;
    }
    let losing = &receivers.losing;
    let endpoint = json!({"uid": "losing", "url": losing.url("/lost"), "eventTypes": lost});
    losing.endpoint(api, "shop", &endpoint).await;
    let rules = json!({"rules": [{"path": "/card", "action": "mask", "keepLast": 4}]});
    let slow = "/app/shop/endpoint/slow";
    let settings = [
        ("redaction", rules),
        (
            "auth",
            json!({"type": "bearer", "token": "a-token-of-the-receiver"}),
        ),
        (
            "signature",
            json!({"scheme": "generic", "header": "x-signature", "hash": "sha256",
                   "encoding": "hex", "template": "{timestamp}.{body}",
                   "timestampHeader": "x-timestamp"}),
        ),
    ];
    for (name, setting) in settings {
        let path = format!("{slow}/{name}");
        api.put(&path, &setting).await.expect(204);
    }
}

/// Gives the id of the last.
async fn messages(api: &Api, count: usize) -> String {
    let mut last = String::new();
    for number in 0..count {
        let payload = json!({"id": format!("o-{number}"), "total": 12.5});
        last = api.send("shop", "order.paid", &payload).await;
    }
    let gone = json!({
        "eventType": "order.paid", "payload": {"id": "o-gone"}, "channels": ["gone"],
        "tags": ["a-tag"], "eventId": "gone",
    });
    api.post("/app/shop/msg", &gone).await.expect(202);
    last
}

/// A message that waits for its time, which the test doesn't see.
async fn later(api: &Api) -> String {
    let at = jiff::Timestamp::now() + LATER;
    let message = json!({
        "eventType": "order.paid", "payload": {"id": "o-later"}, "deliverAt": at.to_string(),
    });
    let sent = api.post("/app/shop/msg", &message).await.expect(202);
    text(&sent.json()["id"])
}

/// One that lets in anything, one that has refused, and one that makes its messages itself.
async fn sources(api: &Api, receivers: &Receivers) {
    let open = json!({"name": "Warehouse", "uid": "warehouse", "type": "generic-webhook",
                      "config": {"unverified": true}});
    let signed = json!({"name": "Payments", "uid": "payments", "type": "stripe",
                        "config": {"secret": SECRET, "keepRefused": true}});
    let clock = json!({"name": "Every night", "uid": "night", "type": "cron",
                       "config": {"schedule": "0 3 * * *", "contentType": "application/json",
                                  "payload": r#"{"run":true}"#}});
    let warehouse = source(api, &open).await;
    let payments = source(api, &signed).await;
    source(api, &clock).await;
    let endpoint = json!({"uid": "inner", "url": receivers.willing.url("/inner")});
    let path = format!("{SOURCES}/payments/endpoint");
    api.post(&path, &endpoint).await.expect(201);
    let body = r#"{"id":"evt_1"}"#;
    incoming(api, &warehouse, (body, 200)).await;
    incoming(api, &payments, (body, 401)).await;
}

/// Makes a source; gives the path that it is reached at.
async fn source(api: &Api, body: &Value) -> String {
    let made = api.post(SOURCES, body).await.expect(201).json();
    let url = made["ingestUrl"].as_str().unwrap_or_default();
    let token = url.split_once("/in/").map(|(_, token)| token);
    format!("/in/{}", token.unwrap_or_default())
}

async fn incoming(api: &Api, inbound: &str, (body, status): (&str, u16)) {
    let printable: String = body.chars().filter(char::is_ascii).collect();
    let call = Call::post(inbound, body.to_owned())
        .header("stripe-signature", &format!("t=1,v1={printable}"))
        .header("user-agent", &printable)
        .header("x-probe", &printable);
    api.call(call.anonymous()).await.expect(status);
}

/// Keys, one of them expired; what was read and refused; a policy.
async fn keys_and_refusals(api: &Api, organisation: &str) {
    let keys = format!("/management/authentication/{organisation}/api-token");
    for (name, scopes) in [
        ("Billing", json!(["message:write"])),
        ("Metrics", json!(["metrics:read"])),
    ] {
        let key = json!({"name": name, "scopes": scopes});
        api.post(&keys, &key).await.expect(200);
    }
    let old = api.post(&keys, &json!({"name": "Old"})).await.expect(200);
    let path = format!("{keys}/{}/expire", text(&old.json()["id"]));
    api.post(&path, &json!({})).await.expect(204);
    api.secret("shop", "willing").await;
    api.with_token("made-up").get("/app").await.expect(401);
    let missing = Call::new(Method::GET, "/app/nobody");
    api.call(missing).await.expect(404);
}

/// Everything that somebody outside can word, worded with harm in mind: in `hostile` an endpoint
/// and a message for each text; gives the messages.
async fn hostile(api: &Api, receivers: &Receivers, organisation: &str) -> Vec<String> {
    let (every, long) = (all(), long_name());
    let application = json!({"name": every, "uid": "hostile", "metadata": {(&*every): every}});
    api.post("/app", &application).await.expect(201);
    let application = json!({"name": every, "uid": long});
    api.post("/app", &application).await.expect(201);
    let schema = json!({"title": every, "description": every, "examples": [{(&*every): every}],
                        "properties": {(&*every): {"description": every}}});
    let event_type = json!({"name": long, "groupName": long, "description": every,
                            "schemas": {"1": schema}});
    api.post("/event-type", &event_type).await.expect(201);
    let key = json!({"name": every});
    let keys = format!("/management/authentication/{organisation}/api-token");
    api.post(&keys, &key).await.expect(200);
    let mut messages = Vec::with_capacity(HOSTILE.len());
    for (number, receiver) in receivers.hostile.iter().enumerate() {
        messages.push(one_hostile(api, number, receiver).await);
    }
    messages
}

/// An endpoint and its message, and a source and what it refused, with one text everywhere, in the
/// receiver's certificate too.
async fn one_hostile(api: &Api, number: usize, receiver: &Secured) -> String {
    let (_, text_of_it) = HOSTILE[number];
    let (channel, long) = (format!("probe-{number}"), long_name());
    let printable: String = text_of_it.chars().filter(char::is_ascii).collect();
    let in_url = printable.replace(' ', "+"); // a URL with a space is refused
    let endpoint = json!({
        "uid": format!("hostile-{number}"), "description": text_of_it, "channels": [channel],
        "url": receiver.url(&format!("/{in_url}?{in_url}")),
        "metadata": {(text_of_it): text_of_it}, "headers": {"x-probe": printable},
    });
    receiver.endpoint(api, "hostile", &endpoint).await;
    let message = json!({
        "eventType": "order.paid", "channels": [channel, long], "tags": [long],
        "eventId": format!("{number}-{}", &long[..200]),
        "payload": {"id": text_of_it, (text_of_it): [text_of_it]},
    });
    let sent = api.post("/app/hostile/msg", &message).await.expect(202);
    let source_of_it = json!({
        "name": text_of_it, "type": "stripe", "metadata": {(text_of_it): text_of_it},
        "config": {"secret": SECRET, "keepRefused": true},
    });
    let inbound = source(api, &source_of_it).await;
    incoming(api, &inbound, (text_of_it, 401)).await;
    text(&sent.json()["id"])
}

#[track_caller]
fn text(value: &Value) -> String {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    text.to_owned()
}
