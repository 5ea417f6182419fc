//! What holds whatever a page shows: how often somebody may fail to come in, that what is live ends
//! with its session, and what is said of every answer.

use crate::visitor::{Events, Visitor};
use crate::world::World;
use app::caller::RemoteAddress;
use app::portal::PortalInput;
use app::{App, Settings};
use axum::body::Body;
use axum::response::Response;
use dashboard::Brand;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, StatusCode};
use model::role::Role;
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

/// Asks for a page to be kept up to date.
async fn follow(visitor: &Visitor<'_>, path: &str) -> Response {
    let request = visitor.request(Method::GET, path);
    let request = request.header(ACCEPT, "text/event-stream");
    let request = request.body(Body::empty()).expect("it is a request");
    visitor.answer(request).await
}

#[tokio::test(start_paused = true)]
async fn what_is_live_ends_with_its_session_and_is_kept_by_nobody() {
    let world = World::new();
    world.application("acme").await;
    let admin = world.signed_in(Role::Admin).await;
    let tenant = world.in_portal("acme", None).await;
    for (visitor, page, out) in [
        (&admin, "/dashboard/applications", "/dashboard/sign-out"),
        (&tenant, "/portal", "/portal/sign-out"),
    ] {
        let answer = follow(visitor, page).await;
        assert_eq!(answer.headers()["cache-control"], "no-store", "{page}");
        assert_eq!(answer.headers()["x-accel-buffering"], "no", "{page}");
        let mut events = Events::of(answer);
        events.next().await;
        visitor.post(out, &[]).await;
        let after = events.until_end().await;
        assert!(after.is_none(), "{page}: {after:?}");
        let again = follow(visitor, page).await;
        assert_eq!(again.status(), StatusCode::UNAUTHORIZED, "{page}");
    }
}

/// Asks for this page to be kept up to date until it no longer is: what was answered with it.
async fn look_often(visitor: &Visitor<'_>, path: &str) -> Vec<Response> {
    let mut all = Vec::new();
    while let answer = follow(visitor, path).await
        && answer.status() == StatusCode::OK
    {
        all.push(answer);
        assert!(all.len() < 1_000, "there is no bound");
    }
    all
}

#[tokio::test(start_paused = true)]
async fn the_people_of_one_application_take_no_place_of_others() {
    let world = World::new();
    world.application("acme").await;
    world.application("brick").await;
    let of_acme = world.in_portal("acme", None).await;
    let looks = look_often(&of_acme, "/portal").await;
    let again = world.in_portal("acme", None).await;
    let answer = follow(&again, "/portal").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let of_brick = world.in_portal("brick", None).await;
    let answer = follow(&of_brick, "/portal").await;
    assert_eq!(answer.status(), StatusCode::OK);
    drop(looks);
    let answer = follow(&again, "/portal").await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn those_who_look_in_the_portal_take_no_place_of_the_operators() {
    let world = World::new();
    let mut all = Vec::new();
    for number in 0.. {
        let uid = format!("tenant-{number}");
        world.application(&uid).await;
        let tenant = world.in_portal(&uid, None).await;
        let looks = look_often(&tenant, "/portal").await;
        if looks.is_empty() {
            break;
        }
        all.extend(looks);
        assert!(number < 1_000, "there is no bound");
    }
    let viewer = world.signed_in(Role::Viewer).await;
    let answer = follow(&viewer, "/dashboard/applications").await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_button_of_a_link_leads_to_that_link_whatever_stands_in_it() {
    let world = World::new();
    let stranger = world.stranger();
    for path in [
        "..%2F..%2Fin%2Fx",
        "x%3Fy",
        "%22%3E%3Cb%3E",
        "%2F%2Fx.example",
    ] {
        let page = stranger.get(format!("/portal/open/{path}")).await;
        page.is(200).shows("<form method=\"post\">").hides("<b>");
    }
}

#[tokio::test]
async fn the_portal_bears_its_own_name_where_nobody_has_a_session_too() {
    let world = World::with(|config| {
        config.brand = Brand {
            name: "Acme <hooks>".to_owned(),
            ..Brand::default()
        };
    });
    world.application("acme").await;
    let link = world.link("acme", PortalInput::default()).await;
    let (stranger, tenant) = (world.stranger(), world.in_portal("acme", None).await);
    for page in [
        stranger.get(format!("/portal/open/{link}")).await,
        stranger.get("/portal").await,
        stranger.get("/portal/nowhere").await,
        tenant.get("/portal").await,
        tenant.post("/portal/sign-out", &[]).await,
    ] {
        page.shows(" · Acme &lt;hooks&gt;</title>");
    }
    let page = stranger.get("/dashboard/sign-in").await;
    page.shows(" · Postrider</title>");
}
