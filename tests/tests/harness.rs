//! The harness itself: a story is worth what its receiver and its verifiers are.

use e2e::clients::{self, Language, Verifier};
use e2e::{Answer, Api, Call, Gate, Receiver};
use http::Method;

#[tokio::test]
async fn the_receiver_keeps_what_arrives_and_answers_in_turn() {
    let gate = Gate::new();
    let held = Answer::status(503)
        .header("retry-after", 7)
        .body("later")
        .after(&gate);
    let receiver = Receiver::in_turn([held, Answer::status(299)]).await;
    let api = Api::new(&receiver.url(""), "token");
    let body = b"\0\xff exact".to_vec();
    let call = Call::post("/a?b=c", body.clone())
        .header("x-one", "1")
        .header("x-one", "2");
    let sending = tokio::spawn({
        let (api, call) = (api.clone(), call.clone());
        async move { api.call(call).await }
    });
    let received = receiver.next().await;
    assert_eq!(
        (received.method.as_str(), received.path.as_str()),
        ("POST", "/api/v1/a?b=c")
    );
    assert_eq!(received.body, body);
    assert_eq!(received.headers.get_all("x-one").iter().count(), 2);
    assert_eq!(received.header("authorization"), "Bearer token");
    assert!(
        !sending.is_finished(),
        "answered before the gate was opened"
    );
    gate.open();
    let reply = sending.await.expect("the call does not panic").expect(503);
    assert_eq!(
        (&reply.headers["retry-after"], &reply.body[..]),
        (&"7".parse().unwrap(), &b"later"[..])
    );

    for _ in 0..2 {
        let reply = api
            .call(Call::new(Method::GET, "/").anonymous())
            .await
            .expect(299);
        assert!(reply.body.is_empty());
    }
    assert_eq!(receiver.rest().await.len(), 2);
    drop(api);
    receiver.disconnected().await;
    assert!(receiver.rest().await.is_empty());
}

#[tokio::test]
async fn the_published_verifiers_refuse_what_is_forged() {
    for (language, verifier, family) in [
        (Language::Node, Verifier::StandardWebhooks, "webhook"),
        (Language::Node, Verifier::Svix, "svix"),
        (Language::Python, Verifier::StandardWebhooks, "webhook"),
        (Language::Python, Verifier::Svix, "svix"),
    ] {
        let receiver = Receiver::willing().await;
        let now = jiff::Timestamp::now().as_second().to_string();
        let forged = Call::post("/", "{}")
            .header(&format!("{family}-id"), "msg_1")
            .header(&format!("{family}-timestamp"), &now)
            .header(
                &format!("{family}-signature"),
                "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
            );
        Api::new(&receiver.url(""), "token")
            .call(forged)
            .await
            .expect(200);
        let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned();
        let requests = vec![(secret, receiver.next().await)];
        let judging = async move { clients::verify(language, verifier, &requests).await };
        let judged = tokio::spawn(judging).await;
        assert!(
            judged.is_err(),
            "{language:?} {verifier:?} took a forged request for genuine"
        );
    }
}
