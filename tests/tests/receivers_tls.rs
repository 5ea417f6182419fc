//! Receivers that don't prove who they are, and those that do: by the endpoint's own authorities,
//! by pins, and by what they ask of us. What is not proved gets nothing, and nothing is lost.

use e2e::{Api, Asks, Authority, Front, Options, Receiver, Server, Shown, eventually};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{CertificateParams, date_time_ymd};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const HOST: &str = "localhost";
const PAYLOAD: &str = "for the receiver's eyes";
/// Nobody's.
const OTHER_PIN: &str = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A server with one application, and who vouches for its receivers.
struct World {
    _server: Server,
    api: Api,
    receiver: Receiver,
    authority: Authority,
}

impl World {
    async fn new() -> Self {
        // What fails is sent again by hand alone.
        let options = Options::dev().option("--retry-schedule", "600");
        let mut server = Server::start(options).await;
        let api = server.api().await;
        api.application("shop").await;
        Self {
            _server: server,
            api,
            receiver: Receiver::willing().await,
            authority: Authority::new("the receivers' own"),
        }
    }

    /// A TLS receiver that shows this, in front of the one that is willing.
    async fn front(&self, shown: &Shown, asks: Asks<'_>) -> Front {
        Front::accepting(self.receiver.address(), shown.acceptor(asks)).await
    }

    /// An endpoint with what is set of its connections. Its path tells its requests apart.
    async fn endpoint(&self, name: &str, url: &str, parts: &[(&str, Value)]) -> Endpoint<'_> {
        let url = format!("{url}/{name}");
        let body = json!({"uid": name, "url": url, "channels": [name]});
        let endpoint = Endpoint {
            world: self,
            path: format!("/app/shop/endpoint/{name}"),
            name: name.to_owned(),
        };
        self.api.endpoint("shop", &body).await;
        for (part, body) in parts {
            endpoint.put(part, body).await;
        }
        endpoint
    }

    fn trusted(&self) -> (&'static str, Value) {
        ("ca", json!({"cert": self.authority.pem()}))
    }

    /// The description of the only security event of a kind.
    async fn event(&self, kind: &str) -> String {
        let path = format!("/security/event?kind={kind}");
        eventually(format!("an event {kind}"), || async {
            let list = self.api.get(&path).await.expect(200).json();
            let found = list["data"][0]["description"].as_str().map(str::to_owned);
            found.ok_or_else(|| list.to_string())
        })
        .await
    }
}

struct Endpoint<'w> {
    world: &'w World,
    path: String,
    name: String,
}

impl Endpoint<'_> {
    async fn put(&self, part: &str, body: &Value) {
        let path = format!("{}/{part}", self.path);
        self.world.api.put(&path, body).await.expect(204);
    }

    async fn get(&self, part: &str) -> Value {
        let path = format!("{}/{part}", self.path);
        self.world.api.get(&path).await.expect(200).json()
    }

    async fn send(&self) -> String {
        let body = json!({
            "eventType": "order.paid", "channels": [self.name], "payload": {"text": PAYLOAD},
        });
        let sent = self.world.api.post("/app/shop/msg", &body).await;
        let id = sent.expect(202).json()["id"].as_str().map(str::to_owned);
        id.expect("messages have ids")
    }

    /// What the last attempt says.
    async fn attempt(&self, message: &str) -> Value {
        let path = format!("/app/shop/attempt/msg/{message}");
        eventually(format!("an attempt at {}", self.name), || async {
            let list = self.world.api.get(&path).await.expect(200).json();
            let last = Some(&list["data"][0]).filter(|last| last.is_object());
            last.cloned().ok_or_else(|| list.to_string())
        })
        .await
    }

    async fn delivers(&self) {
        let message = self.send().await;
        let received = self.world.receiver.next().await;
        assert_eq!(received.id(), message, "{}", self.name);
        assert_eq!(received.path, format!("/{}", self.name));
    }

    /// Sends again what was not delivered.
    async fn resends(&self, message: &str) {
        let path = format!("/app/shop/msg/{message}/endpoint/{}/resend", self.name);
        self.world.api.post(&path, &json!({})).await.expect(202);
        let received = self.world.receiver.next().await;
        assert_eq!(received.id(), message, "{}", self.name);
    }

    /// A message that is not delivered, because of this.
    async fn fails(&self, why: &[&str]) -> String {
        let message = self.send().await;
        let attempt = self.attempt(&message).await;
        assert_eq!(attempt["responseStatusCode"], 0, "{attempt}");
        let text = attempt["response"].as_str().expect("a text");
        for part in why {
            assert!(text.contains(part), "{}: {text}", self.name);
        }
        message
    }
}

fn ended_years_ago() -> CertificateParams {
    let mut params = CertificateParams::new([HOST.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
    params
}

/// Answers whoever greets it with TLS 1.1.
async fn old_receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut greeting = [0; 16 << 10];
            let _ = client.read(&mut greeting).await;
            let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
            hello.extend([7; 32]);
            hello.extend([0, 0xc0, 0x13, 0]);
            let _ = client.write_all(&hello).await;
            let _ = client.read(&mut greeting).await;
        }
    });
    format!("https://{HOST}:{port}")
}

/// Not by those in front of the receiver either, but for the one whom others trust; and it is told.
async fn nothing_was_heard(world: &World, fronts: &[Front]) {
    assert!(world.receiver.rest().await.is_empty());
    for (number, front) in fronts.iter().enumerate().skip(1) {
        assert_eq!(front.heard(), "", "front {number}");
    }
    let heard = fronts[0].heard();
    assert!(
        heard.contains("/proved") && !heard.contains("/changed"),
        "{heard}"
    );
    let event = world.event("delivery.pin_mismatch").await;
    assert!(
        event.contains("expected sha256/") && event.contains("received"),
        "{event}"
    );
    world.event("delivery.certificate_invalid").await;
}

/// Whoever proves itself then gets what it has not got.
async fn repaired(failed: &[(Endpoint<'_>, String)], name: &str, (part, body): (&str, &Value)) {
    let found = failed.iter().find(|(endpoint, _)| endpoint.name == name);
    let (endpoint, message) = found.expect("it failed");
    endpoint.put(part, body).await;
    endpoint.resends(message).await;
}

#[tokio::test]
async fn a_receiver_that_does_not_prove_itself_gets_nothing_and_others_get_theirs() {
    let world = World::new().await;
    let good = world.authority.show(HOST);
    let stranger = Authority::new("a stranger");
    let forged = world.authority.show(HOST).above(&stranger);
    let genuine = stranger.show(HOST);
    let appended = world.authority.show(HOST).with(&genuine);
    let any = Asks::default();
    let old = Asks {
        tls12_only: true,
        ..any
    };
    let pinned = |pin: &str| ("pins", json!({"mode": "enforce", "pins": [pin]}));
    let tls13 = json!({"cert": world.authority.pem(), "minTlsVersion": "1.3"});
    let trusted = || world.trusted();
    let (ended, elsewhere) = (
        world.authority.show_with(ended_years_ago()),
        world.authority.show("elsewhere.example"),
    );
    let fronts = [
        world.front(&good, any).await,
        world.front(&stranger.show(HOST), any).await,
        world.front(&ended, any).await,
        world.front(&elsewhere, any).await,
        world.front(&forged, any).await,
        world.front(&appended, any).await,
        world.front(&good, old).await,
    ];
    let url = |front: usize| fronts[front].url(HOST);
    let pins = "has none of the expected pins: expected sha256/";
    let received = format!("received {}", good.pin());
    let (unused, hidden) = (pinned(&stranger.pin()), pinned(genuine.pin()));
    let (issuer, version) = ("issuer is not trusted", "no version of TLS that is allowed");
    let cases = [
        ("system", url(0), vec![], issuer),
        ("stranger", url(1), vec![trusted()], issuer),
        ("ended", url(2), vec![trusted()], "has expired"),
        (
            "elsewhere",
            url(3),
            vec![trusted()],
            "not valid for this host",
        ),
        (
            "changed",
            url(0),
            vec![trusted(), pinned(OTHER_PIN)],
            &received,
        ),
        ("unused", url(4), vec![trusted(), unused], pins),
        ("appended", url(5), vec![trusted(), hidden], pins),
        ("old", old_receiver().await, vec![trusted()], version),
        ("older", url(6), vec![("ca", tls13)], version),
    ];
    let proved = [trusted(), pinned(good.pin())];
    let proved = world.endpoint("proved", &url(0), &proved).await;
    proved.delivers().await;
    let mut failed = Vec::new();
    for (name, url, parts, why) in &cases {
        let endpoint = world.endpoint(name, url, parts).await;
        let message = endpoint.fails(&[why]).await;
        failed.push((endpoint, message));
        proved.delivers().await;
    }
    nothing_was_heard(&world, &fronts).await;
    for (name, (part, body)) in [("system", trusted()), ("changed", pinned(good.pin()))] {
        repaired(&failed, name, (part, &body)).await;
    }
}

#[tokio::test]
async fn the_first_connection_s_pin_holds_until_it_is_given_up() {
    let world = World::new().await;
    let (first, second) = (world.authority.show(HOST), world.authority.show(HOST));
    let front = world.front(&first, Asks::default()).await;
    let first_use = json!({"mode": "firstUse"});
    let parts = [world.trusted(), ("pins", first_use.clone())];
    let endpoint = world.endpoint("first", &front.url(HOST), &parts).await;
    assert_eq!(endpoint.get("pins").await["seen"], json!([]));
    endpoint.delivers().await;
    let pins = endpoint.get("pins").await;
    assert_eq!(pins["pins"], json!([first.pin()]));
    let seen = eventually("what was seen", || async {
        let pins = endpoint.get("pins").await;
        let seen = pins["seen"].as_array().filter(|seen| !seen.is_empty());
        seen.cloned().ok_or_else(|| pins.to_string())
    });
    let seen = seen.await;
    let shown: Vec<_> = seen.iter().map(|one| one["pin"].clone()).collect();
    assert_eq!(shown, [json!(first.pin()), json!(world.authority.pin())]);
    assert_eq!(seen[1]["subject"], "CN=the receivers' own");
    assert!(seen[0]["expiresAt"].is_string() && seen[0]["seenAt"].is_string());

    front.exchange(second.acceptor(Asks::default()));
    let before = front.heard();
    let expected = format!("expected {}", first.pin());
    let received = format!("received {}", second.pin());
    let message = endpoint.fails(&[&expected, &received]).await;
    assert_eq!(front.heard(), before, "nothing was sent");
    assert!(
        world
            .event("delivery.pin_mismatch")
            .await
            .contains(second.pin())
    );

    endpoint.put("pins", &first_use).await;
    endpoint.resends(&message).await;
    assert_eq!(endpoint.get("pins").await["pins"], json!([second.pin()]));
}

/// The receiver is not trusted when it is looked at for the first time.
#[tokio::test]
async fn no_pin_is_taken_of_whom_is_not_verified() {
    let world = World::new().await;
    let front = world
        .front(&world.authority.show(HOST), Asks::default())
        .await;
    let parts = [("pins", json!({"mode": "firstUse"}))];
    let endpoint = world.endpoint("early", &front.url(HOST), &parts).await;
    let message = endpoint.fails(&["issuer is not trusted"]).await;
    assert_eq!(endpoint.get("pins").await["pins"], json!([]));
    assert_eq!(front.heard(), "");
    let (part, body) = world.trusted();
    endpoint.put(part, &body).await;
    endpoint.resends(&message).await;
}

#[tokio::test]
async fn pins_that_only_report_stop_nothing_and_are_reported() {
    let world = World::new().await;
    let shown = world.authority.show(HOST);
    let front = world.front(&shown, Asks::default()).await;
    let report = json!({"mode": "report", "pins": [OTHER_PIN]});
    let parts = [world.trusted(), ("pins", report)];
    let endpoint = world.endpoint("watched", &front.url(HOST), &parts).await;
    endpoint.delivers().await;
    let event = world.event("delivery.pin_mismatch").await;
    assert!(
        event.contains(OTHER_PIN) && event.contains(shown.pin()),
        "{event}"
    );
}

#[tokio::test]
async fn an_intermediate_s_pin_is_as_good_as_the_receiver_s_own() {
    let world = World::new().await;
    let middle = world.authority.intermediate("in the middle");
    let front = world
        .front(&middle.show(HOST).above(&middle), Asks::default())
        .await;
    for (name, pin) in [("middle", middle.pin()), ("root", world.authority.pin())] {
        let pins = json!({"mode": "enforce", "pins": [pin, OTHER_PIN]});
        let parts = [world.trusted(), ("pins", pins)];
        let endpoint = world.endpoint(name, &front.url(HOST), &parts).await;
        endpoint.delivers().await;
        assert!(endpoint.get("pins").await["advice"].is_null());
    }
}

#[tokio::test]
async fn a_receiver_gets_the_client_certificate_that_it_asks_for_also_while_that_is_exchanged() {
    let world = World::new().await;
    let (clients, others) = (Authority::new("clients"), Authority::new("others"));
    for (name, tls12_only) in [("new", false), ("old", true)] {
        let asks = Asks {
            clients_of: Some(&clients),
            tls12_only,
        };
        let front = world.front(&world.authority.show(HOST), asks).await;
        let endpoint = world
            .endpoint(name, &front.url(HOST), &[world.trusted()])
            .await;
        let message = endpoint.fails(&[]).await;
        let stranger = json!({"identity": others.show("client").pem()});
        endpoint.put("mtls", &stranger).await;
        endpoint.fails(&[]).await;
        assert_eq!(front.heard(), "", "nobody was let in");

        let own = json!({"identity": clients.show("client").pem()});
        endpoint.put("mtls", &own).await;
        endpoint.resends(&message).await;
        endpoint.delivers().await;

        let mut next = stranger.clone();
        next["previousExpiresAt"] = "2099-01-01T00:00:00Z".into();
        endpoint.put("mtls", &next).await;
        endpoint.delivers().await;
        endpoint.put("mtls", &stranger).await;
        endpoint.fails(&[]).await;
    }
    assert!(world.receiver.rest().await.is_empty());
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_reported() {
    let world = World::new().await;
    let soon = Timestamp::now() + SignedDuration::from_hours(5 * 24);
    let soon = TimeZone::UTC.to_datetime(soon);
    let mut params = CertificateParams::new([HOST.to_owned()]).expect("a name");
    let (month, day) = (soon.month().unsigned_abs(), soon.day().unsigned_abs());
    params.not_after = date_time_ymd(soon.year().into(), month, day);
    let front = world
        .front(&world.authority.show_with(params), Asks::default())
        .await;
    let endpoint = world
        .endpoint("soon", &front.url(HOST), &[world.trusted()])
        .await;
    endpoint.delivers().await;
    let event = world.event("delivery.certificate_expiring").await;
    assert!(event.contains("ends within 7 days"), "{event}");
}

#[tokio::test]
async fn certificate_settings_and_an_http_url_refuse_each_other_in_either_order() {
    let world = World::new().await;
    let front = world
        .front(&world.authority.show(HOST), Asks::default())
        .await;
    let client = world.authority.show("client");
    let mine = client.pem();
    let parts = [
        ("ca", "cert", json!({"minTlsVersion": "1.3"})),
        ("mtls", "identity", json!({"identity": mine})),
        (
            "pins",
            "pins",
            json!({"pins": [OTHER_PIN], "mode": "report"}),
        ),
    ];
    let plain = world.receiver.url("");
    for (part, field, body) in parts {
        let path = format!("/app/shop/endpoint/{part}");
        let endpoint = json!({"uid": part, "url": plain});
        world.api.endpoint("shop", &endpoint).await;
        let refused = world.api.put(&format!("{path}/{part}"), &body).await;
        let broken = refused.expect(422).json()["detail"][0].clone();
        assert_eq!(broken["loc"], json!(["body", field]), "{broken}");

        let https = json!({"url": front.url(HOST)});
        world.api.patch(&path, &https).await.expect(200);
        world
            .api
            .put(&format!("{path}/{part}"), &body)
            .await
            .expect(204);
        let refused = world.api.patch(&path, &json!({"url": plain})).await;
        let broken = refused.expect(422).json()["detail"][0].clone();
        assert_eq!(broken["loc"], json!(["body", "url"]), "{broken}");
        let text = broken["msg"].as_str().expect("a sentence");
        assert!(text.contains(&format!("`{part}`")), "{text}");

        world
            .api
            .delete(&format!("{path}/{part}"))
            .await
            .expect(204);
        world
            .api
            .patch(&path, &json!({"url": plain}))
            .await
            .expect(200);
    }
}
