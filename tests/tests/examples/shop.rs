//! Where the examples are, and what all of these tests begin with: a server, an application with an
//! endpoint, and requests that arrived there.

use e2e::examples::{Call, Judged};
use e2e::{Api, Example, Options, Received, Receiver, Server, eventually};
use serde_json::{Value, json};

/// A page, and the heading under which examples stand.
pub(crate) type Section = (&'static str, &'static str);

pub(crate) const CREDENTIALS: Section = ("authentication.md", "Receivers");
pub(crate) const TOKENS: Section = ("authentication.md", "A receiver that gives tokens itself");
pub(crate) const HANDSHAKE: Section = ("certificates.md", "Receivers");
pub(crate) const PINS: Section = ("certificates.md", "The pins of a receiver's keys");
pub(crate) const ENCRYPTION: Section = ("encryption.md", "Receiving");
pub(crate) const HASHES: Section = ("redaction.md", "Receivers");
pub(crate) const STANDARD: Section = ("signatures.md", "Standard Webhooks");
pub(crate) const SCHEME: Section = ("signatures.md", "The scheme above");
pub(crate) const WHOLE_REQUESTS: Section = ("signatures.md", "Signatures over whole requests");
pub(crate) const THIN: Section = ("thin-events.md", "Receiving");
pub(crate) const WANTING: Section = ("verification.md", "Receivers");

/// A server with an application.
pub(crate) struct Shop {
    pub(crate) api: Api,
    pub(crate) receiver: Receiver,
    _server: Server,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(Options::dev()).await
    }

    /// The same, where the server is started so.
    pub(crate) async fn open_with(options: Options) -> Self {
        // What fails is not sent again while a test runs.
        let options = options.option("--retry-schedule", "600");
        let mut server = Server::start(options).await;
        let api = server.api().await;
        api.application("shop").await;
        Self {
            api,
            receiver: Receiver::willing().await,
            _server: server,
        }
    }

    /// An endpoint with what is set of it.
    pub(crate) async fn endpoint(&self, uid: &str, url: &str, parts: &[(&str, Value)]) {
        let endpoint = json!({"uid": uid, "url": url, "channels": [uid]});
        self.api.endpoint("shop", &endpoint).await;
        for (part, body) in parts {
            let path = format!("/app/shop/endpoint/{uid}/{part}");
            self.api.put(&path, body).await.expect(204);
        }
    }

    /// Sends it a message; gives its id.
    pub(crate) async fn send(&self, uid: &str, payload: &Value) -> String {
        let body = json!({"eventType": "order.paid", "channels": [uid], "payload": payload});
        let sent = self.api.post("/app/shop/msg", &body).await.expect(202);
        let id = sent.json()["id"].as_str().map(str::to_owned);
        id.expect("messages have ids")
    }

    /// What arrives of such a message.
    pub(crate) async fn arrives(&self, uid: &str, payload: &Value) -> Received {
        let message = self.send(uid, payload).await;
        let request = self.receiver.next().await;
        assert_eq!(request.id(), message);
        request
    }

    /// The status that the endpoint's receiver answers with; 0: none.
    pub(crate) async fn answers(&self, uid: &str) -> Value {
        let message = self.send(uid, &json!({"id": "o-1"})).await;
        let path = format!("/app/shop/attempt/msg/{message}");
        eventually(format!("an attempt at {uid}"), || async {
            let list = self.api.get(&path).await.expect(200).json();
            let status = &list["data"][0]["responseStatusCode"];
            let status = Some(status).filter(|status| status.is_number());
            status.cloned().ok_or_else(|| list.to_string())
        })
        .await
    }
}

/// The examples of a section in Python and JavaScript judge these requests as is said.
pub(crate) async fn judge(section: Section, calls: [Call<'_>; 2], requests: &[Judged]) {
    for (language, call) in ["python", "js"].into_iter().zip(calls) {
        let example = Example::find(section.0, section.1, language);
        example.judges(&call, requests).await;
    }
}

/// The same request with another value of a header.
pub(crate) fn with_header(request: &Received, name: &'static str, value: &str) -> Received {
    let mut changed = request.clone();
    let value = value.parse().expect("a header's value");
    changed.headers.insert(name, value);
    changed
}

/// The same request with another body.
pub(crate) fn with_body(request: &Received, body: &str) -> Received {
    let mut changed = request.clone();
    changed.body = body.to_owned().into();
    changed
}

/// A request's headers as Postrider's own crate takes them.
pub(crate) fn headers(request: &Received) -> Vec<(&str, &[u8])> {
    let headers = request.headers.iter();
    let pairs = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
    pairs.collect()
}

/// Now, in seconds.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// How a call is written in both languages, with the same at hand.
pub(crate) fn calls<'a>(python: &'a str, node: &'a str, given: Value) -> [Call<'a>; 2] {
    let call = |expression, given| Call {
        expression,
        given,
        files: &[],
    };
    [call(python, given.clone()), call(node, given)]
}
