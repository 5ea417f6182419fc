//! What holds whatever a page shows: how often somebody may fail to come in, that what is live ends
//! with its session, and what is said of every answer.

use crate::visitor::Visitor;
use crate::world::World;
use app::caller::RemoteAddress;
use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use std::time::Duration;

/// Tries to sign in with this token, from there.
async fn try_from(visitor: &Visitor<'_>, token: &str, address: &str) -> StatusCode {
    let from = RemoteAddress(address.parse().expect("an address"));
    let request = visitor
        .request(Method::POST, "/dashboard/sign-in")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .extension(from);
    let request = request.body(Body::from(format!("token={token}")));
    let answer = visitor.answer(request.expect("it is a request")).await;
    answer.status()
}

#[tokio::test]
async fn whoever_fails_too_often_has_to_wait_and_nobody_else_does() {
    let world = World::new();
    let (stranger, token) = (world.stranger(), world.token());
    for _ in 0..10 {
        let refused = try_from(&stranger, "x", "2001:db8::1").await;
        assert_eq!(refused, StatusCode::UNAUTHORIZED);
    }
    for address in ["2001:db8::1", "2001:db8::ffff:2"] {
        let refused = try_from(&stranger, &token, address).await;
        assert_eq!(refused, StatusCode::TOO_MANY_REQUESTS, "{address}");
    }
    for address in ["2001:db8:0:1::1", "192.0.2.1"] {
        let entered = try_from(&stranger, &token, address).await;
        assert_eq!(entered, StatusCode::SEE_OTHER, "{address}");
    }
    world.clock.advance(Duration::from_secs(61));
    let entered = try_from(&stranger, &token, "2001:db8::1").await;
    assert_eq!(entered, StatusCode::SEE_OTHER);
}
