//! A source on a disk that is full or can't sync: what could not be kept is refused, and none of it
//! is remembered, so that the sender's repeat comes in when the disk is back.

use e2e::disk::{Disk, Fault};
use e2e::{Api, Options, Receiver, Sender, Server, Signed, Source, eventually};
use serde_json::json;

use crate::{SECRET, event, these};

/// Whoever has no answer tries so often.
const TRIES: usize = 5;

/// A source of each kind: Stripe's requests are old at some time, and GitHub's never.
async fn sources(api: &Api, receiver: &Receiver) -> [(Source, [Signed; 2]); 2] {
    let config = json!({"secret": SECRET});
    let (stripe, github) = (
        Source::new(api, "stripe", config.clone()).await,
        Source::new(api, "github", config).await,
    );
    let stripes = [1, 2].map(|n| {
        let body = format!(r#"{{"id":"evt_{n}","type":"invoice.paid"}}"#);
        event(&format!("evt_{n}"), "invoice.paid", body)
    });
    let githubs = [1, 2].map(|n| event(&n.to_string(), "push", format!(r#"{{"n":{n}}}"#)));
    let stripes = these(Sender::Stripe.sign(SECRET, &stripes).await);
    let githubs = these(Sender::Octokit.sign(SECRET, &githubs).await);
    for source in [&stripe, &github] {
        source.endpoint(&receiver.url("/")).await;
    }
    [(stripe, stripes), (github, githubs)]
}

/// Sends it until it is taken, as its sender would; it was not taken before.
async fn taken(source: &Source, request: &Signed) -> String {
    eventually("the request to be taken", || async {
        let reply = source.send(request).await;
        match reply.status {
            200 => {
                assert_eq!(reply.json()["duplicate"], json!(null), "{reply}");
                Ok(reply.json()["id"].as_str().expect("an id").to_owned())
            }
            503 => Err(reply.to_string()),
            _ => panic!("{reply}"),
        }
    })
    .await
}

#[tokio::test]
async fn what_a_full_disk_could_not_keep_comes_in_when_space_returns() {
    let (disk, receiver) = (Disk::new(), Receiver::willing().await);
    let mut server = Server::start(disk.under(Options::dev())).await;
    let sources = sources(&server.api().await, &receiver).await;
    for (source, [before, _]) in &sources {
        source.send(before).await.expect(200);
        receiver.next().await;
    }

    disk.set(Fault::Full);
    for (source, [before, request]) in &sources {
        for _ in 0..TRIES {
            let refused = source.send(request).await;
            assert!(refused.headers.contains_key("retry-after"), "{refused}");
            refused.expect_error(503, "unavailable");
        }
        let known = source.send(before).await;
        assert!(matches!(known.status, 200 | 503), "{known}");
    }
    assert!(
        receiver.rest().await.is_empty(),
        "refused, and sent all the same"
    );

    disk.set(Fault::None);
    for (source, [before, request]) in &sources {
        let id = taken(source, request).await;
        let arrived = receiver.next().await;
        assert_eq!((arrived.id(), &arrived.body), (&*id, &request.body));
        for known in [before, request] {
            let again = source.send(known).await.expect(200).json();
            assert_eq!(again["duplicate"], true, "{again}");
        }
    }
    assert!(receiver.rest().await.is_empty());
}

#[tokio::test]
async fn what_a_failed_sync_leaves_in_doubt_comes_in_once_after_the_next_start() {
    let (disk, receiver) = (Disk::new(), Receiver::willing().await);
    let mut server = Server::start(disk.under(Options::dev())).await;
    let api = server.api().await;
    let sources = sources(&api, &receiver).await;
    for (source, [before, _]) in &sources {
        source.send(before).await.expect(200);
        let message = receiver.next().await.id().to_owned();
        // An outcome that the disk does not take is sent again.
        let path = format!("/app/{}/attempt/msg/{message}", source.id);
        eventually("an outcome", async || {
            let listed = api.get(&path).await.expect(200).json();
            match listed["data"].as_array().map_or(0, Vec::len) {
                1 => Ok(()),
                other => Err(format!("{other}")),
            }
        })
        .await;
    }

    disk.set(Fault::HeldSync);
    let waiting = sources
        .clone()
        .map(|(source, [_, request])| tokio::spawn(async move { source.try_send(&request).await }));
    // Reads don't wait for the disk: by the end of these, both have long been taken in.
    for _ in 0..50 {
        api.get("/app").await.expect(200);
    }
    disk.set(Fault::NoSync);
    for answer in waiting {
        let reply = answer.await.expect("a call does not panic");
        let reply = reply.unwrap_or_else(|error| panic!("{error}: {}", server.log()));
        reply.expect_error(503, "unavailable");
    }
    assert_eq!(server.ended().await.code(), Some(3), "{}", server.log());

    disk.set(Fault::None);
    server.restart().await;
    // Whether they had reached the disk is not known: they are the same messages, and one each.
    let mut known = Vec::new();
    for (source, [_, request]) in &sources {
        let reply = source.send(request).await.expect(200).json();
        let again = source.send(request).await.expect(200).json();
        assert_eq!(again, json!({"id": reply["id"], "duplicate": true}));
        known.push((reply["id"].clone(), request.body.clone()));
    }
    let arrived = receiver.take(known.len()).await;
    for request in arrived {
        let this = (json!(request.id()), request.body.clone());
        assert!(known.contains(&this), "{this:?} of {known:?}");
    }
    assert!(receiver.rest().await.is_empty());
}
