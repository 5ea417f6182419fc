//! What was given up, found over all applications, and sent again, as an operator does it.

use e2e::{Answer, Options, Receiver, eventually};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Desk;

/// How many messages the dead receiver is sent.
const SENT: usize = 3;
const EXHAUSTED: [&str; 4] = ["delivery", "list", "--state", "exhausted"];

/// A receiver that fails until it is mended.
async fn dead() -> (Receiver, Arc<AtomicBool>) {
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = mended.clone();
    let receiver = Receiver::start(move |_| {
        Answer::status(match is_mended.load(Ordering::SeqCst) {
            true => 200,
            false => 503,
        })
    });
    (receiver.await, mended)
}

/// The rows of a list, once there are so many.
async fn rows(desk: &Desk, arguments: &[&str], count: usize) -> Vec<Value> {
    eventually(format!("{count} rows by {arguments:?}"), || async {
        let list = desk.json(arguments).await;
        let rows = list["data"].as_array().expect("a list").clone();
        match rows.len() == count {
            true => Ok(rows),
            false => Err(list.to_string()),
        }
    })
    .await
}

/// A desk whose application `acme` has a receiver that gave `SENT` messages no answer it wants.
async fn with_a_dead_receiver() -> (Desk, Receiver, Arc<AtomicBool>) {
    let options = Options::dev().option("--retry-schedule", "1");
    let desk = Desk::with(options).await;
    let (receiver, mended) = dead().await;
    desk.acme(&receiver.url("/in")).await;
    for _ in 0..SENT {
        let send = ["send", "--app", "acme", "--type", "x", "--data", "{}"];
        desk.ask(&send).await.expect(0);
    }
    rows(&desk, &EXHAUSTED, SENT).await;
    receiver.take(2 * SENT).await;
    (desk, receiver, mended)
}

#[tokio::test]
async fn what_a_dead_receiver_did_not_get_is_found_and_sent_again() {
    let (desk, receiver, mended) = with_a_dead_receiver().await;
    let given_up = rows(&desk, &EXHAUSTED, SENT).await;
    for row in &given_up {
        assert_eq!(
            (&row["appUid"], &row["endpointUid"], &row["attempts"]),
            (&json!("acme"), &json!("first"), &json!(2))
        );
        assert_eq!(row["lastAttempt"]["responseStatusCode"], 503);
    }
    let shown = desk.ask(&EXHAUSTED).await;
    let id = given_up[0]["id"].as_str().expect("an id");
    assert!(
        shown.text().contains(id) && shown.text().contains("503"),
        "{shown:?}"
    );

    let resend = [
        "delivery",
        "resend",
        "--state",
        "exhausted",
        "--app",
        "acme",
    ];
    let meant = [&resend[..], &["--since", "1h"]].concat();
    let dry = desk.ask(&[&meant[..], &["--dry-run"]].concat()).await;
    assert!(
        dry.text().ends_with("3 deliveries would be sent again"),
        "{dry:?}"
    );
    let unasked = desk.ask_with("", &meant).await;
    unasked.expect(2).complains_of("--yes");
    assert_eq!(
        rows(&desk, &EXHAUSTED, SENT).await,
        given_up,
        "nothing is done yet"
    );

    let first = desk
        .json(&[&EXHAUSTED[..], &["--limit", "1"]].concat())
        .await;
    let iterator = first["iterator"].as_str().expect("there is more");
    let rest = ["--dry-run", "--iterator", iterator];
    let rest = desk.json(&[&meant[..], &rest].concat()).await;
    assert_eq!(rest["data"], json!(given_up[1..]), "it goes on from there");

    mended.store(true, Ordering::SeqCst);
    let done = desk.ask(&[&meant[..], &["--yes"]].concat()).await;
    assert_eq!(done.text(), "sent again: 3 of 3 deliveries");
    receiver.take(SENT).await;
    rows(&desk, &["delivery", "list", "--state", "delivered"], SENT).await;
    let none = desk.ask(&EXHAUSTED).await;
    assert_eq!(none.text(), "none");
    let nothing = desk.json(&[&meant[..], &["--yes"]].concat()).await;
    let expected = json!({ "resent": 0, "refused": [], "iterator": null, "done": true });
    assert_eq!(nothing, expected);
}

#[tokio::test]
async fn deliveries_are_sent_again_by_the_ids_that_the_list_prints() {
    let (desk, receiver, mended) = with_a_dead_receiver().await;
    let given_up = rows(&desk, &EXHAUSTED, SENT).await;
    let id = |place: usize| given_up[place]["id"].as_str().expect("an id");
    let shown = desk.json(&["delivery", "get", id(0)]).await;
    assert_eq!(shown, given_up[0]);

    mended.store(true, Ordering::SeqCst);
    let done = desk.ask(&["delivery", "resend", id(0), id(2)]).await;
    assert_eq!(done.text(), "sent again: 2 of 2 deliveries");
    receiver.take(2).await;
    let left = rows(&desk, &EXHAUSTED, 1).await;
    assert_eq!(left[0]["id"], id(1));

    let message = given_up[1]["msgId"].as_str().expect("an id");
    let expunge = ["message", "delete", "--app", "acme", message];
    desk.ask(&expunge).await.expect(0);
    let refused = desk.ask(&["delivery", "resend", id(1)]).await;
    refused.expect(1).complains_of("missing_payload");
    let both = ["delivery", "resend", id(1), "--state", "exhausted"];
    desk.ask(&both).await.expect(2).complains_of("not both");
    let neither = desk.ask(&["delivery", "resend"]).await;
    neither.expect(2).complains_of("--state exhausted");
    let unknown = ["delivery", "resend", "dlv_2KWPBgLlAfxdpx2AI54pPJ85f4W"];
    desk.ask(&unknown).await.expect(1).complains_of("not_found");
}
