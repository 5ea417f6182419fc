//! What is too much, or too slow, is refused before anything is done for it.

use crate::sender::{BODY, FIRST, Sending, with_secrets};
use crate::world::{SENDER, World, in_pieces};
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use ingest::{IngestConfig, Peer};
use model::source::SourceConfig;
use std::net::IpAddr;
use std::time::Duration;

#[tokio::test]
async fn a_body_that_is_too_long_is_not_read_on() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let long = Sending::to(&at, &"a".repeat(64 * 1_024 + 1));
    world.take(&long).await.refused(413, "too_large");
    let pieces = vec![Bytes::from("a".repeat(40_000)); 20];
    let path = format!("/in/{}", at.token);
    let request = Request::post(path)
        .body(in_pieces(pieces))
        .expect("a request");
    let answer = world.send(Some(SENDER), request).await;
    answer.refused(413, "too_large");
    assert_eq!(answer.headers["connection"], "close");
    assert_eq!(
        world.events.take_kinds(),
        ["ingest.too_large", "ingest.too_large"]
    );
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_is_one() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let sending = world.standard(&at, "msg_1");
    let (head, _) = sending.request().into_parts();
    let pieces = sending
        .body
        .as_bytes()
        .chunks(7)
        .map(Bytes::copy_from_slice);
    let request = Request::from_parts(head, in_pieces(pieces.collect()));
    world.send(Some(SENDER), request).await.accepted();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    struct Never;
    impl axum::body::HttpBody for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
    let path = format!("/in/{}", at.token);
    let request = Request::post(path)
        .body(Body::new(Never))
        .expect("a request");
    let answer = world.send(Some(SENDER), request).await;
    answer.refused(408, "malformed");
    assert_eq!(answer.headers["connection"], "close");
}

#[tokio::test]
async fn a_source_takes_so_many_in_a_second() {
    let world = World::new();
    let config = SourceConfig {
        rate_limit: Some(2),
        ..with_secrets(&[FIRST])
    };
    let at = world.source("standard-webhooks", config).await;
    let other = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    for id in ["msg_1", "msg_2"] {
        world.take(&world.standard(&at, id)).await.accepted();
    }
    let answer = world.take(&world.standard(&at, "msg_3")).await;
    answer.refused(429, "rate_limited");
    assert_eq!(answer.headers["retry-after"], "1");
    world
        .take(&world.standard(&other, "msg_1"))
        .await
        .accepted();
    world.clock.advance(Duration::from_secs(1));
    world.take(&world.standard(&at, "msg_3")).await.accepted();
    assert_eq!(world.events.take_kinds(), ["ingest.rate_limited"]);
}

#[tokio::test]
async fn an_address_from_which_too_much_is_refused_is_heard_no_more_until_it_calms() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    for _ in 0..60 {
        let forged = Sending::to(&at, BODY);
        world.take(&forged).await.refused(401, "signature_invalid");
    }
    // Also what is genuine, or would be another source's: nothing is computed for it.
    let good = world.standard(&at, "msg_1");
    let answer = world.take(&good).await;
    answer.refused(429, "rate_limited");
    assert!(answer.headers.contains_key("retry-after"));
    // A new connection would cost more than the answer.
    assert!(!answer.headers.contains_key("connection"));
    let elsewhere: IpAddr = "192.0.2.8".parse().expect("an address");
    world.send(Some(elsewhere), good.request()).await.accepted();
    world.send(None, good.request()).await.repeated();
    world.clock.advance(Duration::from_secs(2));
    world.take(&good).await.repeated();
}

#[tokio::test]
async fn refusals_of_a_network_of_ipv6_count_together() {
    let world = World::with(IngestConfig {
        refusals_per_minute_max: 1,
        ..IngestConfig::default()
    });
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let from = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
    let forged = || Sending::to(&at, BODY).request();
    let first = world.send(from("2001:db8::1"), forged()).await;
    first.refused(401, "signature_invalid");
    let second = world.send(from("2001:db8::2"), forged()).await;
    second.refused(429, "rate_limited");
    let other = world.send(from("2001:db8:0:1::1"), forged()).await;
    other.refused(401, "signature_invalid");
}

#[tokio::test]
async fn what_proxies_contradict_each_other_about_is_refused() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let peer = Peer {
        is_contradictory: true,
        ..Peer::default()
    };
    let answer = world
        .send_as(peer, world.standard(&at, "msg_1").request())
        .await;
    answer.refused(400, "malformed");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let long = world
        .standard(&at, "msg_1")
        .header("x-long", &"a".repeat(33 * 1_024));
    world.take(&long).await.refused(431, "malformed");
    let many = (0..101).fold(world.standard(&at, "msg_1"), |sending, number| {
        sending.header(&format!("x-{number}"), "a")
    });
    world.take(&many).await.refused(431, "malformed");
}

#[tokio::test]
async fn there_is_room_for_so_many_at_a_time() {
    let world = World::with(IngestConfig {
        requests_max: 0,
        ..IngestConfig::default()
    });
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let answer = world.take(&world.standard(&at, "msg_1")).await;
    answer.refused(503, "unavailable");
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn nothing_but_sources_is_here() {
    let world = World::new();
    for path in ["/in/", "/in", "/api/v1/health", "/in/a/b/c"] {
        let request = Request::post(path).body(Body::empty()).expect("a request");
        world.send(None, request).await.refused(404, "not_found");
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_too_often_waits_for_the_next_refusal() {
    let world = World::with(IngestConfig {
        refusals_per_minute_max: 1,
        ..IngestConfig::default()
    });
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let bad = Sending::to(&at, BODY);
    world.take(&bad).await.refused(401, "signature_invalid");
    let began = tokio::time::Instant::now();
    world.take(&bad).await.refused(429, "rate_limited");
    assert!(began.elapsed() >= Duration::from_millis(500));
}
