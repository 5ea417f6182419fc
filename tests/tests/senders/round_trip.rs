//! From one server to another: the first encrypts to the key that the second's source publishes,
//! knows the second by the pin of its certificate, shows a user name and a password, and signs.
//! What the second sends on is what the first was given. Where any of that is wrong, nothing gets
//! in, and both say why.

use std::net::SocketAddr;

use e2e::chance::Chance;
use e2e::server::quiet_address;
use e2e::vectors::{private_key, public_key};
use e2e::{Api, Authority, Back, Call, Options, Receiver, Server, Shown, Source, eventually};
use http::Method;
use serde_json::{Value, json};

use crate::SECRET;

const HOST: &str = "localhost";
/// The source's type.
const TYPE: &str = "standard-webhooks";
const CREDENTIALS: &str = "credentials_invalid";
const PASSWORD: &str = "open sesame";
/// Nobody's.
const OTHER_PIN: &str = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const OTHER_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// As it stands here, it is to come out.
const PAYLOAD: &str = "{ \"text\": \"for\\u0020its receiver's eyes\", \"amount\": 1.50e+1 }";

/// Two servers, and whoever gets what the second sends on.
struct World {
    first: Server,
    sending: Api,
    second: Server,
    receiving: Api,
    _way_to_it: Back,
    authority: Authority,
    shown: Shown,
    source: Source,
    door: SocketAddr,
    url: String,
    receiver: Receiver,
}

impl World {
    /// The second's source verifies by this, and a signature.
    async fn new(mut config: Value) -> Self {
        config["secret"] = SECRET.into();
        let (authority, mut chance) = (Authority::new("the second's own"), Chance::new());
        let shown = authority.show(HOST);
        let home = tempfile::tempdir().expect("a directory");
        let file = |name: &str, text: String| {
            let path = home.path().join(name);
            std::fs::write(&path, text).expect("it can be written");
            path.to_string_lossy().into_owned()
        };
        let certificate = file("second.pem", shown.pem().to_owned());
        let roots = file("roots.pem", authority.pem());
        let door = quiet_address(&mut chance);
        let root = format!("https://{HOST}:{}", door.port());
        let options = Options::dev()
            .option("--tls-cert", &certificate)
            .option("--tls-key", &certificate)
            .option("--ingest-listen", door.to_string())
            .option("--public-url", &root);
        let mut second = Server::start(options).await;
        let way_to_it = Back::start(second.address(), &authority, HOST).await;
        let receiving = second.api().await.of(&way_to_it.url());
        let receiver = Receiver::willing().await;
        let source = Source::new(&receiving, TYPE, config).await;
        source.endpoint(&receiver.url("/")).await;
        // Nothing is sent again but by hand; and keys are fetched from whom the system trusts.
        let options = Options::dev()
            .option("--retry-schedule", "600")
            .option("--trusted-roots", roots);
        let mut first = Server::start(options).await;
        let sending = first.api().await;
        sending.application("shop").await;
        let url = format!("{root}{}", source.inbound);
        Self {
            first,
            sending,
            second,
            receiving,
            _way_to_it: way_to_it,
            authority,
            shown,
            source,
            door,
            url,
            receiver,
        }
    }

    /// An endpoint of the first that leads to the second, and knows it by its certificate.
    async fn endpoint(&self, name: &str, secret: &str, parts: &[(&str, Value)]) -> Endpoint<'_> {
        let body = json!({"uid": name, "url": self.url, "channels": [name], "secret": secret});
        self.sending.endpoint("shop", &body).await;
        let mut all = vec![
            ("ca", json!({"cert": self.authority.pem()})),
            ("pins", pins(self.shown.pin())),
        ];
        all.extend_from_slice(parts);
        let endpoint = Endpoint {
            world: self,
            name: name.to_owned(),
        };
        for (part, body) in &all {
            endpoint.put(part, body).await;
        }
        endpoint
    }

    /// The key that the source publishes.
    fn published(&self) -> Value {
        json!({"jwksUrl": format!("{}/jwks.json", self.url)})
    }

    /// What the first was given arrives, as it was, behind the second.
    async fn arrives(&self, sent: &str, event_type: &str) {
        let arrived = self.receiver.next().await;
        assert_eq!(arrived.body, PAYLOAD);
        assert_eq!(arrived.header("content-type"), "application/json");
        let message = self.source.message(arrived.id()).await;
        assert_eq!(message["eventId"], sent, "{message}");
        assert_eq!(message["eventType"], event_type, "{message}");
    }

    async fn nothing_came_in(&self) {
        let path = format!("/app/{}/msg", self.source.id);
        let list = self.receiving.get(&path).await.expect(200).json();
        assert_eq!(list["data"], json!([]));
        assert!(self.receiver.rest().await.is_empty());
    }
}

fn pins(pin: &str) -> Value {
    json!({"mode": "enforce", "pins": [pin]})
}

fn basic(password: &str) -> Value {
    json!({"type": "basic", "username": "first", "password": password})
}

struct Endpoint<'w> {
    world: &'w World,
    name: String,
}

impl Endpoint<'_> {
    fn path(&self, part: &str) -> String {
        format!("/app/shop/endpoint/{}/{part}", self.name)
    }

    async fn put(&self, part: &str, body: &Value) {
        let path = self.path(part);
        self.world.sending.put(&path, body).await.expect(204);
    }

    async fn get(&self, part: &str) -> Value {
        let got = self.world.sending.get(&self.path(part)).await;
        got.expect(200).json()
    }

    /// What it sends does not get in: it is told so, and the second's operator is, and neither is
    /// told a secret.
    async fn is_refused(&self, code: &str) {
        let name = &self.name;
        let (status, answer) = self.attempt(&self.send().await).await;
        assert!(matches!(status, 400 | 401), "{name}: {status} {answer}");
        assert!(answer.contains(code), "{name}: {answer}");
        let event = self.world.source.event(&format!("ingest.{code}")).await;
        assert_eq!(event["remoteAddress"], "127.0.0.1", "{event}");
        let said = format!("{answer} {event}");
        for secret in [PASSWORD, "sesame", SECRET, OTHER_SECRET] {
            assert!(!said.contains(secret), "{said}");
        }
    }

    /// Sends the payload to it alone; gives the message's id.
    async fn send(&self) -> String {
        let (kind, channel) = (r#""eventType":"invoice.paid""#, &self.name);
        let body = format!(r#"{{{kind},"channels":["{channel}"],"payload":{PAYLOAD}}}"#);
        let sent = self.world.sending.call(Call::post("/app/shop/msg", body));
        let id = sent.await.expect(202).json()["id"]
            .as_str()
            .map(str::to_owned);
        id.expect("a message has an id")
    }

    /// What the first says of its attempt: the answer's status and text.
    async fn attempt(&self, message: &str) -> (u64, String) {
        let path = format!("/app/shop/attempt/msg/{message}");
        let attempt = eventually(format!("an attempt at {}", self.name), || async {
            let list = self.world.sending.get(&path).await.expect(200).json();
            let first = Some(list["data"][0].clone()).filter(Value::is_object);
            first.ok_or_else(|| list.to_string())
        });
        let attempt = attempt.await;
        let status = attempt["responseStatusCode"].as_u64();
        let text = attempt["response"].as_str().map(str::to_owned);
        (status.expect("a status"), text.expect("a text"))
    }

    /// Sends again what did not get in.
    async fn resend(&self, message: &str) {
        let path = format!("/app/shop/msg/{message}/endpoint/{}/resend", self.name);
        self.world.sending.post(&path, &json!({})).await.expect(202);
    }
}

/// What a source asks that wants all of it.
fn all() -> Value {
    let key = private_key("x25519-1");
    json!({"auth": basic(PASSWORD), "encryption": {"privateJwk": key}})
}

#[tokio::test]
async fn what_one_server_sends_another_takes_in_and_sends_on_as_it_was() {
    let world = World::new(all()).await;
    let parts = [("auth", basic(PASSWORD)), ("encryption", world.published())];
    let endpoint = world.endpoint("all", SECRET, &parts).await;
    let sent = endpoint.send().await;
    world.arrives(&sent, "invoice.paid").await;
    let (status, answer) = endpoint.attempt(&sent).await;
    assert_eq!(status, 200, "{answer}");

    let door = Back::start(world.door, &world.authority, HOST).await;
    let path = format!("{}/jwks.json", world.source.inbound);
    let asked = Call::new(Method::GET, path).anonymous();
    let set = world.receiving.of(&door.url()).call(asked).await;
    let set = set.expect(200).json();
    let key = public_key(&private_key("x25519-1"));
    assert_eq!(set["keys"][0]["x"], key["x"], "{set}");
    assert!(!set.to_string().contains("\"d\""), "{set}");
}

#[tokio::test]
async fn where_one_thing_is_wrong_nothing_gets_in_and_both_say_why() {
    let world = World::new(all()).await;
    let (mine, encrypted) = (("auth", basic(PASSWORD)), ("encryption", world.published()));
    let stranger = json!({"jwk": public_key(&private_key("ec-enc-1"))});
    let cases = [
        (
            "password",
            vec![("auth", basic("sesame")), encrypted.clone()],
            CREDENTIALS,
        ),
        ("nobody", vec![encrypted.clone()], CREDENTIALS),
        (
            "key",
            vec![mine.clone(), ("encryption", stranger)],
            "decryption_failed",
        ),
        ("plain", vec![mine.clone()], "decryption_failed"),
    ];
    for (name, parts, code) in cases {
        let endpoint = world.endpoint(name, SECRET, &parts).await;
        endpoint.is_refused(code).await;
    }
    let parts = [mine, encrypted];
    let endpoint = world.endpoint("secret", OTHER_SECRET, &parts).await;
    endpoint.is_refused("signature_invalid").await;

    // By its pin, the second is another: it is told nothing.
    let endpoint = world.endpoint("pin", SECRET, &parts).await;
    endpoint.put("pins", &pins(OTHER_PIN)).await;
    let unsent = endpoint.send().await;
    let (status, why) = endpoint.attempt(&unsent).await;
    assert_eq!(status, 0, "{why}");
    let received = format!("received {}", world.shown.pin());
    assert!(why.contains(&received), "{why}");
    world.nothing_came_in().await;

    // What was not sent is not lost either.
    endpoint.put("pins", &pins(world.shown.pin())).await;
    endpoint.resend(&unsent).await;
    world.arrives(&unsent, "invoice.paid").await;
    for server in [&world.first, &world.second] {
        let log = server.log();
        let told = [PASSWORD, &SECRET[6..]].map(|secret| log.contains(secret));
        assert_eq!(told, [false; 2], "{log}");
    }
}

#[tokio::test]
async fn a_signature_over_the_whole_request_is_verified_by_its_public_half() {
    let world = World::new(json!({})).await;
    let signing = json!({"type": "httpSignature", "algorithm": "ed25519"});
    let parts = [("auth", signing.clone())];
    let endpoint = world.endpoint("signing", SECRET, &parts).await;
    let other = world.endpoint("other", SECRET, &parts).await;
    let shown = endpoint.get("auth").await;
    let mut demanded = signing.clone();
    demanded["key"] = shown["publicKey"].clone();
    let config = json!({"secret": SECRET, "auth": demanded});
    world.source.configure(TYPE, config).await;

    other.is_refused(CREDENTIALS).await;
    let unsigned = world.endpoint("unsigned", SECRET, &[]).await;
    unsigned.is_refused(CREDENTIALS).await;
    world.nothing_came_in().await;
    let sent = endpoint.send().await;
    world.arrives(&sent, TYPE).await;
}

#[tokio::test]
async fn a_client_s_certificate_is_verified_by_the_source_s_own_authority() {
    let (clients, strangers) = (Authority::new("clients"), Authority::new("strangers"));
    let auth = json!({"type": "mtls", "ca": clients.pem(), "subjects": ["first.example"]});
    let world = World::new(json!({"auth": auth})).await;
    let identity = |authority: &Authority, name: &str| {
        let identity = json!({"identity": authority.show(name).pem()});
        [("mtls", identity)]
    };
    let cases = [
        ("stranger", identity(&strangers, "first.example")),
        ("namesake", identity(&clients, "other.example")),
    ];
    for (name, parts) in cases {
        let endpoint = world.endpoint(name, SECRET, &parts).await;
        endpoint.is_refused(CREDENTIALS).await;
    }
    let bare = world.endpoint("bare", SECRET, &[]).await;
    bare.is_refused(CREDENTIALS).await;
    world.nothing_came_in().await;
    let parts = identity(&clients, "first.example");
    let endpoint = world.endpoint("known", SECRET, &parts).await;
    let sent = endpoint.send().await;
    world.arrives(&sent, TYPE).await;
}
