//! What is observed of requests: how their time was spent, what their connections showed, and the
//! head of a response that is no success.

use std::time::Duration;

use model::Pin;
use model::answer_head::{AnswerHead, HEADERS_MAX};
use model::chain_seen::ShownChain;
use model::phases::Phases;
use transport::{Observed, PinMode, Purpose, Stage};

use crate::peer::*;
use crate::pins::{pinned, with_profile};
use crate::receiver::*;
use crate::tls::url;

/// Which phases there were, in their order.
fn phases(phases: &Phases) -> [bool; 5] {
    let all = [
        phases.resolve,
        phases.connect,
        phases.tls,
        phases.answer,
        phases.body,
    ];
    all.map(|phase| phase.is_some())
}

/// The pins of what the connection showed, in their order.
fn pins(observed: &Observed) -> Vec<Pin> {
    let chain = observed.chain.as_ref().expect("it was TLS");
    let certificates = ShownChain::certificates(&chain.stored).expect("certificates");
    certificates.iter().map(|one| one.pin).collect()
}

#[tokio::test]
async fn a_new_connection_has_all_phases_and_a_kept_one_the_last_two() {
    let root = Issuer::root("A test's root");
    let between = root.intermediate("A test's intermediate");
    let shown = between.issue(&[&between]);
    let (transport, mut receiver) = (root.trusting(), Receiver::start().await);
    let first = send(&transport, outgoing(&url(&receiver), "{}"));
    let mut connection = Peer::showing(&shown).accept(&mut receiver).await;
    connection.serve().await;
    let new = answered(first).await.observed;
    assert_eq!(phases(&new.phases), [true; 5]);
    assert!(!new.phases.reused && !new.phases.http2);
    assert_eq!(pins(&new), [shown.pin, between.pin()]);

    let second = send(&transport, outgoing(&url(&receiver), "{}"));
    connection.serve().await;
    let kept = answered(second).await.observed;
    assert_eq!(phases(&kept.phases), [false, false, false, true, true]);
    assert!(kept.phases.reused);
    assert_eq!(kept.chain, new.chain);
}

#[tokio::test]
async fn a_connection_that_takes_up_a_session_shows_what_the_session_began_with() {
    let root = Issuer::root("A test's root");
    let shown = root.issue(&[]);
    let (transport, mut receiver) = (root.trusting(), Receiver::start().await);
    let peer = Peer::showing(&shown);
    for resumed in [false, true] {
        let sending = send(&transport, outgoing(&url(&receiver), "{}"));
        let mut connection = peer.accept(&mut receiver).await;
        assert_eq!(is_resumed(&connection), resumed);
        connection.serve().await;
        let answer = answered(sending).await;
        assert_eq!(answer.handshake.is_none(), resumed);
        assert_eq!(pins(&answer.observed), [shown.pin]);
    }
}

#[tokio::test]
async fn with_pins_the_verified_path_is_shown_and_what_was_presented_where_it_is_refused() {
    let root = Issuer::root("A test's root");
    let (shown, other) = (root.issue(&[]), root.issue(&[]));
    let transport = root.trusting();
    let mut receiver = Receiver::start().await;
    let profile = pinned(&[shown.pin], PinMode::Enforce);
    let taken = send(&transport, with_profile(&receiver, &profile));
    let mut connection = Peer::showing(&shown).accept(&mut receiver).await;
    connection.serve().await;
    assert_eq!(
        pins(&answered(taken).await.observed),
        [shown.pin, root.pin()]
    );
    drop(connection);

    let refused = send(&transport, with_profile(&receiver, &profile));
    Peer::showing(&other).sent(&mut receiver).await;
    let error = failed(refused).await;
    assert!(error.pin_mismatch().is_some());
    assert_eq!(pins(error.observed()), [other.pin]);
    let seen = phases(&error.observed().phases);
    assert_eq!(seen, [true, true, true, false, false]);
}

#[tokio::test]
async fn a_chain_that_is_not_trusted_is_shown_as_well() {
    let (trusted, stranger) = (Issuer::root("A test's root"), Issuer::root("A stranger"));
    let shown = stranger.issue(&[&stranger]);
    let mut receiver = Receiver::start().await;
    let sending = send(&trusted.trusting(), outgoing(&url(&receiver), "{}"));
    Peer::showing(&shown).sent(&mut receiver).await;
    let error = failed(sending).await;
    assert_eq!(
        error.for_tenant(),
        "the certificate's issuer is not trusted"
    );
    assert_eq!(pins(error.observed()), [shown.pin, stranger.pin()]);
}

#[tokio::test]
async fn a_failure_tells_how_far_it_got() {
    let mut receiver = Receiver::start().await;
    let mut hurried = outgoing(&receiver.url("/"), "{}");
    hurried.limits.total_timeout = LIMIT;
    let silent = send(&transport(), hurried);
    let mut connection = receiver.connection().await;
    connection.request().await;
    pass(LIMIT).await;
    let error = failed(silent).await;
    assert_eq!(error.stage(), Stage::Timeout);
    let observed = error.observed();
    assert_eq!(phases(&observed.phases), [true, true, false, true, false]);
    assert!(observed.phases.answer > Some(Duration::from_millis(20)));
    assert_eq!(observed.chain, None);

    let closed = send(&transport(), outgoing(&receiver.url("/"), "{}"));
    let mut connection = receiver.connection().await;
    connection.request().await;
    connection
        .write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        .await;
    drop(connection);
    let seen = phases(&failed(closed).await.observed().phases);
    assert_eq!(seen, [true, true, false, true, true]);

    let address = receiver.address;
    receiver.stop().await;
    let refused = send(&transport(), outgoing(&format!("http://{address}/"), "{}"));
    let seen = phases(&failed(refused).await.observed().phases);
    assert_eq!(seen, [false, true, false, false, false]);
}

#[tokio::test]
async fn of_a_request_that_was_sent_once_more_the_second_time_is_told() {
    let mut receiver = Receiver::start().await;
    let transport = transport();
    let first = send(&transport, outgoing(&receiver.url("/1"), "{}"));
    let mut kept = receiver.connection().await;
    kept.serve().await;
    answered(first).await;

    let second = send(&transport, outgoing(&receiver.url("/2"), "{}"));
    kept.request().await;
    drop(kept);
    receiver.connection().await.serve().await;
    let observed = answered(second).await.observed;
    assert!(!observed.phases.reused);
    assert_eq!(phases(&observed.phases), [true, true, false, true, true]);
}

/// What is kept of the head of this response to a request for that.
async fn head(purpose: Purpose, response: &str) -> Option<AnswerHead> {
    let mut receiver = Receiver::start().await;
    let mut request = outgoing(&receiver.url("/"), "{}");
    request.purpose = purpose;
    let sending = send(&transport(), request);
    let mut connection = receiver.connection().await;
    connection.request().await;
    connection.write(response).await;
    answered(sending).await.observed.head
}

#[tokio::test]
async fn headers_are_kept_of_what_did_not_take_a_delivery_and_of_nothing_else() {
    let no = "HTTP/1.1 503 No\r\nX-Reason: full\r\nSet-Cookie: a=b\r\ncontent-length: 0\r\n\r\n";
    let yes = no.replace("503 No", "200 OK");
    let kept = head(Purpose::Delivery, no).await.expect("it failed");
    let expected = [
        ("x-reason", "full"),
        ("set-cookie", ""),
        ("content-length", "0"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!((&kept.headers[..], kept.left_out), (&expected[..], 0));
    assert_eq!(head(Purpose::Delivery, &yes).await, None);
    assert_eq!(head(Purpose::Alert, no).await, None);
}

#[tokio::test]
async fn no_more_headers_are_kept_than_there_is_room_for() {
    let many: String = (0..HEADERS_MAX)
        .map(|n| format!("x-{n}: {n}\r\n"))
        .collect();
    let response = format!("HTTP/1.1 500 No\r\n{many}content-length: 0\r\n\r\n");
    let kept = head(Purpose::Delivery, &response).await.expect("it failed");
    assert_eq!((kept.headers.len(), kept.left_out), (HEADERS_MAX, 1));
}
