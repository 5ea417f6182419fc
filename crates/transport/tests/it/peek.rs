//! Looking at a receiver's certificates without sending it anything.

use std::sync::Arc;
use std::time::Duration;

use model::address::AddressPolicy;
use transport::{
    FixedResolver, Guard, HttpsTransport, Options, Peeked, SendError, Stage, Target, TlsProfile,
    TlsSettings, Transport as _,
};

use crate::peer::*;
use crate::receiver::*;
use crate::tls::url;

type Peeking = tokio::task::JoinHandle<Result<Peeked, SendError>>;

fn peek(transport: &Arc<HttpsTransport>, url: &str, profile: Option<TlsProfile>) -> Peeking {
    let url = AddressPolicy::development().check_url(url).expect("a URL");
    let (transport, target) = (transport.clone(), Target::new(url).expect("a target"));
    tokio::spawn(async move { transport.peek(&target, profile.as_ref(), PATIENCE).await })
}

#[tokio::test]
async fn verified_path_is_shown_and_nothing_is_sent() {
    let root = Issuer::root("A test's root");
    let between = root.intermediate("A test's intermediate");
    let shown = between.issue(&[&between]);
    let mut receiver = Receiver::start().await;
    let profile = TlsProfile::new(TlsSettings {
        authorities: Some(root.authorities()),
        ..TlsSettings::default()
    });
    let peeking = peek(&transport(), &url(&receiver), Some(profile));
    assert_eq!(Peer::showing(&shown).sent(&mut receiver).await, b"");
    let peeked = peeking.await.expect("no panic").expect("certificates");
    assert!(peeked.refused.is_none(), "{peeked:?}");
    let pins: Vec<_> = peeked.certificates.iter().map(|one| one.pin).collect();
    assert_eq!(pins, [shown.pin, between.pin(), root.pin()]);
}

#[tokio::test]
async fn chain_that_is_refused_is_shown_as_such() {
    let (root, mut receiver) = (Issuer::root("A stranger"), Receiver::start().await);
    let shown = root.issue(&[&root]);
    let peeking = peek(&transport(), &url(&receiver), None);
    assert_eq!(Peer::showing(&shown).sent(&mut receiver).await, b"");
    let peeked = peeking.await.expect("no panic").expect("certificates");
    let refused = peeked.refused.expect("nobody trusts it");
    assert_eq!(
        refused.for_tenant(),
        "the certificate's issuer is not trusted"
    );
    let pins: Vec<_> = peeked.certificates.iter().map(|one| one.pin).collect();
    assert_eq!(pins, [shown.pin, root.pin()]);
}

#[tokio::test]
async fn where_nothing_is_presented_there_is_nothing_to_show() {
    let mut receiver = Receiver::start().await;
    let peeking = peek(&transport(), &url(&receiver), None);
    receiver.connection().await.write("220 smtp\r\n").await;
    let error = peeking
        .await
        .expect("no panic")
        .expect_err("no certificates");
    assert_eq!(error.stage(), Stage::Tls);
    let plain = peek(&transport(), &receiver.url("/"), None);
    let error = plain.await.expect("no panic").expect_err("no TLS");
    assert_eq!(error.stage(), Stage::Tls);
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn guard_stands_before_a_look_too() {
    let inside = FixedResolver(vec!["10.0.0.1".parse().expect("an address")]);
    let guard = Arc::new(Guard::new(AddressPolicy::default(), Arc::new(inside)));
    let transport = HttpsTransport::new(guard, Options::default()).expect("a transport");
    let url = AddressPolicy::default().check_url("https://hooks.customer-site.net/");
    let target = Target::new(url.expect("a URL")).expect("a target");
    let refused = transport.peek(&target, None, Duration::from_secs(5)).await;
    assert_eq!(refused.expect_err("an inner address").stage(), Stage::Guard);
}
