//! Real payloads: every example of the npm package `@octokit/webhooks-examples`, as it is shipped,
//! white space included, is sent through the API, arrives byte for byte, and is genuine to the
//! published verifiers. And each comes in at a source, signed by Octokit as GitHub does.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use bytes::Bytes;
use e2e::clients::{self, Language, Verifier};
use e2e::senders::Event as Sent;
use e2e::{Api, Call, Options, Receiver, Sender, Server, Source, place};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// The package's examples are grouped by GitHub's versions, then by event.
#[derive(Deserialize)]
struct Event {
    name: String,
    examples: Vec<Box<RawValue>>,
}

struct Example {
    version: String,
    event: String,
    text: Bytes,
}

#[tokio::test]
async fn every_example_arrives_byte_for_byte_and_genuine() {
    let examples = examples();
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("github").await;
    let endpoint = api
        .endpoint("github", &json!({"url": receiver.url("/")}))
        .await;
    let secret = api.secret("github", &endpoint).await;

    let mut sent = HashMap::new();
    for example in &examples {
        let id = send(&api, example).await;
        assert!(
            sent.insert(id, example).is_none(),
            "two messages have one id"
        );
    }
    let mut received = Vec::new();
    for request in receiver.take(examples.len()).await {
        let example = sent
            .remove(request.id())
            .expect("no message arrives twice, or unsent");
        let place = format!("{} of {}", example.event, example.version);
        assert_eq!(request.body, example.text, "{place} came with other bytes");
        assert_eq!(
            request.header("content-type"),
            "application/json",
            "{place}"
        );
        received.push((secret.clone(), request));
    }
    println!(
        "examples: {}, received byte for byte: {}",
        examples.len(),
        received.len()
    );
    assert_eq!((received.len(), sent.len()), (examples.len(), 0));
    assert!(
        receiver.rest().await.is_empty(),
        "more arrived than was sent"
    );
    for language in [Language::Node, Language::Python] {
        clients::verify(language, Verifier::StandardWebhooks, &received).await;
    }
}

#[tokio::test]
async fn every_example_comes_in_at_a_source_as_github_signs_it() {
    let examples = examples();
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    let mut versions: BTreeMap<&str, Vec<&Example>> = BTreeMap::new();
    for example in &examples {
        versions.entry(&example.version).or_default().push(example);
    }
    for (version, examples) in versions {
        let secret = format!("what GitHub signs with, in {version}");
        let source = Source::new(&api, "github", json!({"secret": secret})).await;
        source.endpoint(&receiver.url("/")).await;
        come_in(&source, &receiver, (&secret, &examples)).await;
    }
}

/// What of a version is there twice is sent under one id, as GitHub repeats things, and comes in
/// once.
async fn come_in(source: &Source, receiver: &Receiver, sent: (&str, &[&Example])) {
    let (secret, examples) = sent;
    let mut deliveries: HashMap<&Bytes, Sent> = HashMap::new();
    let mut events = Vec::new();
    for (number, example) in examples.iter().enumerate() {
        let delivery = || Sent {
            id: format!("delivery-{number}"),
            event_type: example.event.clone(),
            timestamp: 0,
            body: example.text.clone(),
        };
        let delivery = deliveries.entry(&example.text).or_insert_with(delivery);
        events.push(delivery.clone());
    }
    let requests = Sender::Octokit.sign(secret, &events).await;
    let mut repeats = 0;
    for reply in source.send_all(&requests).await {
        repeats += usize::from(reply.expect(200).json()["duplicate"] == true);
    }
    let received = receiver.take(deliveries.len()).await;
    assert_eq!(repeats, examples.len() - received.len());
    for request in received {
        let delivery = deliveries.remove(&request.body);
        let delivery = delivery.expect("it comes with other bytes, or twice");
        let message = source.message(request.id()).await;
        assert_eq!(message["eventType"], delivery.event_type, "{message}");
        assert_eq!(message["eventId"], delivery.id, "{message}");
    }
    assert!(
        receiver.rest().await.is_empty(),
        "more arrived than was sent"
    );
}

/// The request's body is put together around the example's text, so that nothing re-writes it.
async fn send(api: &Api, example: &Example) -> String {
    let mut body =
        format!("{{\"eventType\":\"github.{}\",\"payload\":", example.event).into_bytes();
    body.extend_from_slice(&example.text);
    body.push(b'}');
    let reply = api
        .call(Call::post("/app/github/msg", body))
        .await
        .expect(202)
        .json();
    reply["id"]
        .as_str()
        .expect("a message has an id")
        .to_owned()
}

fn examples() -> Vec<Example> {
    let package = place::clients().join("npm/node_modules/@octokit/webhooks-examples");
    let mut indexes: Vec<_> = fs::read_dir(&package)
        .unwrap_or_else(|error| panic!("{}: {error}; run ./check once", package.display()))
        .map(|entry| {
            entry
                .expect("the package can be listed")
                .path()
                .join("index.json")
        })
        .filter(|path| path.is_file())
        .collect();
    indexes.sort();
    let mut examples = Vec::new();
    for path in indexes {
        let text = fs::read_to_string(&path).expect("an index can be read");
        let events: Vec<Event> = serde_json::from_str(&text).expect("an index lists events");
        let folder = path
            .parent()
            .and_then(|folder| folder.file_name())
            .expect("a folder's name");
        for event in events {
            examples.extend(event.examples.iter().map(|example| Example {
                version: folder.to_string_lossy().into_owned(),
                event: event.name.clone(),
                text: Bytes::copy_from_slice(example.get().as_bytes()),
            }));
        }
    }
    assert!(
        examples.len() >= 700,
        "the package shipped 726 examples, and now {}",
        examples.len()
    );
    examples
}
