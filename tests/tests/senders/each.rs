//! What each package signs comes in, byte for byte, with its sender's own event type and event id,
//! and once. What was changed on the way, or is old, does not, and is reported.

use e2e::clients::Language;
use e2e::senders::Event;
use e2e::{Options, Receiver, Sender, Server, Signed, Source};
use serde_json::{Value, json};

use crate::{SECRET, event, these};

/// More than any sender's requests may be late by.
const HOUR: i64 = 3_600;
/// By which they may.
const SECONDS: i64 = 10;

/// A sender, with its way to put things.
struct Case {
    sender: Sender,
    /// The source's type.
    source_type: &'static str,
    /// What of the source's configuration there is beside its secret.
    config: Value,
    /// Its payload of an event with this id.
    body: fn(&str) -> String,
    /// The type of that event.
    event_type: &'static str,
    /// Whether it signs when it sends: then what is old is refused.
    signs_time: bool,
    /// Whether it is told what its request became.
    is_told: bool,
}

impl Case {
    fn event(&self, id: &str) -> Event {
        event(id, self.event_type, (self.body)(id))
    }

    async fn source(&self, server: &mut Server, receiver: &Receiver) -> Source {
        let mut config = self.config.clone();
        config["secret"] = SECRET.into();
        let source = Source::new(&server.api().await, self.source_type, config).await;
        source.endpoint(&receiver.url("/")).await;
        source
    }

    /// Sends it, and sees it arrive; gives the message's id.
    async fn comes_in(&self, to: (&Source, &Receiver), id: &str, request: &Signed) -> String {
        let (source, receiver) = to;
        let reply = source.send(request).await.expect(200);
        let arrived = receiver.next().await;
        assert_eq!(arrived.body, request.body, "{id}");
        let message = source.message(arrived.id()).await;
        assert_eq!(message["eventType"], self.event_type, "{message}");
        assert_eq!(message["eventId"], id, "{message}");
        if self.is_told {
            assert_eq!(reply.json(), json!({"id": arrived.id()}));
        }
        arrived.id().to_owned()
    }
}

/// Whoever signs as Standard Webhooks has it says in the payload what happened.
fn standard(sender: Sender, source_type: &'static str) -> Case {
    Case {
        sender,
        source_type,
        config: json!({"eventType": {"pointer": "/type"}}),
        body: |_| payload(r#""type": "invoice.paid""#),
        event_type: "invoice.paid",
        signs_time: true,
        is_told: true,
    }
}

/// JSON that nobody would write again as it stands here.
fn payload(members: &str) -> String {
    format!(
        "{{  {members},\n\t\"text\": \"gr\\u00fcn \u{1F98A} \\/ \\\"\", \"amount\": 1.50e+1  }}"
    )
}

async fn comes_in_once_and_as_it_was_signed(case: Case) {
    let (mut server, receiver) = (
        Server::start(Options::dev()).await,
        Receiver::willing().await,
    );
    let source = case.source(&mut server, &receiver).await;
    let (first, last) = (case.event("evt_1"), case.event("evt_2"));
    let times = [0, SECONDS, HOUR].map(|seconds| first.older(seconds));
    let events = [&times[..], &[last]].concat();
    let signed = case.sender.sign(SECRET, &events).await;
    let [genuine, other, old, last] = these(signed);

    let mut changed = genuine.body.to_vec();
    let place = changed.len() - 2;
    changed[place] = b'\t';
    let changed = source.send(&genuine.with_body(changed)).await;
    let said = changed.expect_error(401, "signature_invalid");
    assert!(!said.contains(SECRET), "{said}");
    if case.signs_time {
        let old = source.send(&old).await;
        old.expect_error(401, "timestamp_stale");
    }

    let message = case.comes_in((&source, &receiver), "evt_1", &genuine).await;
    // Whoever repeats signs either once, or for each attempt anew.
    for repeat in [&genuine, &other] {
        let again = source.send(repeat).await.expect(200);
        if case.is_told {
            let told = json!({"id": message, "duplicate": true});
            assert_eq!(again.json(), told);
        }
    }
    // Nothing else arrives before the last one, or behind it.
    case.comes_in((&source, &receiver), "evt_2", &last).await;
    assert!(receiver.rest().await.is_empty());

    let event = source.event("ingest.signature_invalid").await;
    assert_eq!(event["remoteAddress"], "127.0.0.1", "{event}");
    assert_eq!(event["count"], 1, "{event}");
    if case.signs_time {
        source.event("ingest.timestamp_stale").await;
    }
    assert!(server.terminate().await.success());
    assert!(!server.log().contains(&SECRET[6..]), "a secret is logged");
}

#[tokio::test]
async fn what_stripe_signs_comes_in_once() {
    comes_in_once_and_as_it_was_signed(Case {
        sender: Sender::Stripe,
        source_type: "stripe",
        config: json!({}),
        body: |id| payload(&format!(r#""id": "{id}", "type": "invoice.paid""#)),
        event_type: "invoice.paid",
        signs_time: true,
        is_told: true,
    })
    .await;
}

#[tokio::test]
async fn what_octokit_signs_comes_in_once() {
    comes_in_once_and_as_it_was_signed(Case {
        sender: Sender::Octokit,
        source_type: "github",
        config: json!({}),
        body: |id| payload(&format!(r#""action": "opened", "number": "{id}""#)),
        event_type: "pull_request",
        signs_time: false,
        is_told: true,
    })
    .await;
}

#[tokio::test]
async fn what_slack_sdk_signs_comes_in_once() {
    comes_in_once_and_as_it_was_signed(slack()).await;
}

#[tokio::test]
async fn what_the_packages_of_standard_webhooks_sign_comes_in_once() {
    for language in [Language::Node, Language::Python] {
        let sender = Sender::StandardWebhooks(language);
        comes_in_once_and_as_it_was_signed(standard(sender, "standard-webhooks")).await;
    }
}

#[tokio::test]
async fn what_svix_s_packages_sign_comes_in_once() {
    for language in [Language::Node, Language::Python] {
        comes_in_once_and_as_it_was_signed(standard(Sender::Svix(language), "svix")).await;
    }
}

fn slack() -> Case {
    Case {
        sender: Sender::Slack,
        source_type: "slack",
        config: json!({}),
        body: |id| {
            let event = r#""event": {"type": "app_mention"}"#;
            payload(&format!(
                r#""type": "event_callback", "event_id": "{id}", {event}"#
            ))
        },
        event_type: "app_mention",
        signs_time: true,
        is_told: false,
    }
}

#[tokio::test]
async fn slack_gets_its_challenge_back_and_nobody_else_does() {
    let (mut server, receiver) = (
        Server::start(Options::dev()).await,
        Receiver::willing().await,
    );
    let case = slack();
    let source = case.source(&mut server, &receiver).await;
    let challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P";
    let asked = json!({"type": "url_verification", "token": "x", "challenge": challenge});
    let greeting = event("none", "url_verification", asked.to_string());
    let last = case.event("evt_1");
    let signed = case.sender.sign(SECRET, &[greeting, last]).await;
    let [greeting, last] = these(signed);

    let answer = source.send(&greeting).await.expect(200);
    assert!(
        String::from_utf8_lossy(&answer.body).contains(challenge),
        "{answer}"
    );
    let forged = asked.to_string().replace("3eZ", "4eZ");
    let refused = source.send(&greeting.with_body(forged)).await;
    let said = refused.expect_error(401, "signature_invalid");
    assert!(!said.contains("4eZ"), "{said}");
    // It is no message.
    case.comes_in((&source, &receiver), "evt_1", &last).await;
    assert!(receiver.rest().await.is_empty());
}

#[tokio::test]
async fn an_event_that_comes_under_another_id_is_refused() {
    let (mut server, receiver) = (
        Server::start(Options::dev()).await,
        Receiver::willing().await,
    );
    let source = Source::new(&server.api().await, "github", json!({"secret": SECRET})).await;
    source.endpoint(&receiver.url("/")).await;
    let opened = event("delivery-1", "issues", r#"{"action":"opened"}"#);
    let signed = Sender::Octokit.sign(SECRET, &[opened]).await;
    let [genuine] = these(signed);
    source.send(&genuine).await.expect(200);
    receiver.next().await;
    // GitHub signs no id, so whoever has seen a request can send it under another.
    let other = genuine
        .clone()
        .with_header("x-github-delivery", "delivery-2");
    source.send(&other).await.expect_error(401, "replayed");
    source.event("ingest.replayed").await;
    let again = source.send(&genuine).await.expect(200);
    assert_eq!(again.json()["duplicate"], true, "it is known as before");
    assert!(receiver.rest().await.is_empty());
}
