//! The identity provider's side of the entrance, as far as no provider is asked. Whom one lets in
//! is tried end to end.

use crate::visitor::Visitor;
use crate::world::World;
use app::caller::RemoteAddress;
use axum::body::Body;
use dashboard::{Exchange, ExchangeError, Identity, RoleRule};
use http::header::COOKIE;
use http::{Method, Request, Response};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// A provider that is away.
struct Away;

impl Exchange for Away {
    fn exchange(
        &self,
        _: Request<Vec<u8>>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, ExchangeError>> + Send + '_>> {
        Box::pin(async { Err(ExchangeError::Unanswered("it is away".to_owned())) })
    }
}

fn world() -> World {
    World::with(|config| {
        config.identity = Some(Identity {
            issuer: "https://id.example.com".to_owned(),
            client_id: "us".to_owned(),
            client_secret: None,
            scopes: Vec::new(),
            redirect_url: format!("https://hooks.example{}", dashboard::CALLBACK),
            places: vec!["id.example.com:443".to_owned()],
            rule: RoleRule::default(),
            exchange: Arc::new(Away),
        });
    })
}

/// Comes back with this query, as if from the provider's page.
async fn come_back(visitor: &Visitor<'_>, query: &str, kept: &str) -> u16 {
    let path = format!("{}?{query}", dashboard::CALLBACK);
    let from = RemoteAddress(IpAddr::from([192, 0, 2, 1]));
    let request = visitor.request(Method::GET, &path).extension(from);
    let request = request.header(COOKIE, format!("__Host-postrider-oidc={kept}"));
    let request = request.body(Body::empty()).expect("it is a request");
    visitor.answer(request).await.status().as_u16()
}

/// Any site can lead a browser there: nothing is guessed by it, and whose browser it is has not
/// failed at anything.
#[tokio::test]
async fn what_belongs_to_no_sign_in_keeps_nobody_out_afterwards() {
    let world = world();
    let stranger = world.stranger();
    let (_, kept) = world.app.begin_trip("/dashboard");
    let kept = String::from_utf8_lossy(kept.expose()).into_owned();
    for _ in 0..20 {
        assert_eq!(come_back(&stranger, "code=x&state=x", "").await, 400);
        assert_eq!(come_back(&stranger, "code=x&state=x", &kept).await, 400);
    }
    let from = Some(IpAddr::from([192, 0, 2, 1]));
    world.app.may_sign_in(from).expect("nobody has failed");
}

#[tokio::test]
async fn whoever_has_failed_too_often_is_not_let_in_by_the_provider_either() {
    let world = world();
    let from = Some(IpAddr::from([192, 0, 2, 1]));
    for _ in 0..10 {
        world.app.may_sign_in(from).expect("not yet too often");
        world.app.sign_in_failed(from);
    }
    assert!(world.app.may_sign_in(from).is_err());
    assert_eq!(
        come_back(&world.stranger(), "code=x&state=x", "").await,
        429
    );
}
