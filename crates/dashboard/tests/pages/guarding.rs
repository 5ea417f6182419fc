//! What holds whatever a page shows: how often somebody may fail to come in, that what is live ends
//! with its session, and what is said of every answer.

use crate::visitor::Visitor;
use crate::world::World;
use app::caller::RemoteAddress;
use app::{App, Settings};
use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use std::num::NonZeroU32;
use std::sync::Arc;
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

#[tokio::test]
async fn a_good_token_that_comes_too_often_is_no_failure() {
    let world = World::new();
    let settings = Settings {
        requests_per_second_max: NonZeroU32::new(1),
        ..Settings::default()
    };
    let app = App {
        settings: Arc::new(settings),
        ..world.app.clone()
    };
    let (token, from) = (world.token(), Some([192, 0, 2, 1].into()));
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(app.sign_in(&token, from).await.is_err());
    }
    assert!(refused > 10, "{refused}");
    app.may_sign_in(from).expect("nobody has guessed");
}
