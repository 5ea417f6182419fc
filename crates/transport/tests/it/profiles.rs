//! Profiles: whom one endpoint trusts, what it shows of us, and that it shares nothing.

use rcgen::{CertificateParams, date_time_ymd};
use rustls::version::{TLS12, TLS13};
use rustls::{ALL_VERSIONS, HandshakeKind};
use transport::{PinMode, Stage, TlsProfile, TlsSettings};

use crate::peer::*;
use crate::pins::{pinned, with_profile};
use crate::receiver::*;
use crate::tls::url;

const NO_VERSION: &str = "the receiver offers no version of TLS that is allowed";

fn trusting(issuer: &Issuer) -> TlsSettings {
    TlsSettings {
        authorities: Some(issuer.authorities()),
        ..TlsSettings::default()
    }
}

#[tokio::test]
async fn own_authorities_stand_in_place_of_the_systems() {
    let (system, own) = (Issuer::root("The system's"), Issuer::root("Its own"));
    let transport = system.trusting();
    let profile = TlsProfile::new(trusting(&own));
    let untrusted = "the certificate's issuer is not trusted";
    for (issuer, by_profile, expected) in [
        (&own, true, None),
        (&system, true, Some(untrusted)),
        (&own, false, Some(untrusted)),
        (&system, false, None),
    ] {
        let (mut receiver, peer) = (Receiver::start().await, Peer::showing(&issuer.issue(&[])));
        let mut request = outgoing(&url(&receiver), "{}");
        request.profile = by_profile.then(|| profile.clone());
        let sending = send(&transport, request);
        match expected {
            None => {
                peer.accept(&mut receiver).await.serve().await;
                assert_eq!(answered(sending).await.status, 200);
            }
            Some(text) => {
                assert_eq!(peer.sent(&mut receiver).await, b"");
                assert_eq!(failed(sending).await.for_tenant(), text);
            }
        }
    }
}

#[tokio::test]
async fn profile_turns_no_verification_off() {
    let root = Issuer::root("Its own");
    let good = || CertificateParams::new([HOST.to_owned()]).expect("a name");
    let other = CertificateParams::new(["other.customer-site.net".to_owned()]).expect("a name");
    let mut expired = good();
    expired.not_before = date_time_ymd(2001, 1, 1);
    expired.not_after = date_time_ymd(2002, 1, 1);
    for (params, text) in [
        (other, "the certificate is not valid for this host"),
        (expired, "the certificate has expired"),
    ] {
        let shown = root.issue_with(params, &[]);
        for mode in [PinMode::Enforce, PinMode::Watch] {
            let mut receiver = Receiver::start().await;
            let mut settings = pinned(&[shown.pin], mode).settings().clone();
            settings.authorities = Some(root.authorities());
            let profile = TlsProfile::new(settings);
            let sending = send(&transport(), with_profile(&receiver, &profile));
            assert_eq!(Peer::showing(&shown).sent(&mut receiver).await, b"");
            let error = failed(sending).await;
            assert_eq!(error.for_tenant(), text);
            assert_eq!(error.pin_mismatch(), None);
        }
    }
}

#[tokio::test]
async fn two_profiles_share_neither_connection_nor_session() {
    let root = Issuer::root("A test's root");
    let peer = Peer::showing(&root.issue(&[]));
    let (transport, mut receiver) = (root.trusting(), Receiver::start().await);
    let one = TlsProfile::new(trusting(&root));
    let two = TlsProfile::new(trusting(&root));
    let mut kept = Vec::new();
    for profile in [Some(&one), Some(&two), None] {
        let mut request = outgoing(&url(&receiver), "{}");
        request.profile = profile.cloned();
        let sending = send(&transport, request);
        let mut connection = peer.accept(&mut receiver).await;
        let (_, session) = connection.0.get_ref();
        assert_eq!(session.handshake_kind(), Some(HandshakeKind::Full));
        connection.serve().await;
        let answer = answered(sending).await;
        assert!(!answer.observed.phases.reused);
        let handshake = answer.handshake.expect("a new connection");
        assert_eq!(handshake.certificates.len(), 1, "the receiver's own");
        kept.push(connection);
    }
    // The same profile does go on with its connection, and with its session when that is gone.
    let again = send(&transport, with_profile(&receiver, &one));
    kept[0].serve().await;
    assert!(answered(again).await.observed.phases.reused);
    drop(kept);
    let again = send(&transport, with_profile(&receiver, &one));
    let mut connection = peer.accept(&mut receiver).await;
    assert!(is_resumed(&connection));
    connection.serve().await;
    assert_eq!(answered(again).await.handshake, None);
}

#[tokio::test]
async fn client_certificate_is_shown_to_a_receiver_that_asks() {
    let (root, clients) = (Issuer::root("A test's root"), Issuer::root("Clients"));
    let strangers = Issuer::root("Strangers");
    let (missing, wrong) = (
        "the receiver requires a client certificate",
        "the receiver wants another client certificate",
    );
    for (versions, identity, expected) in [
        (&[&TLS13][..], Some(clients.client("postrider")), None),
        (&[&TLS12], Some(clients.client("postrider")), None),
        (&[&TLS13], None, Some(missing)),
        (&[&TLS13], Some(strangers.client("postrider")), Some(wrong)),
        (&[&TLS12], Some(strangers.client("postrider")), Some(wrong)),
    ] {
        let peer = Peer::new(&root.issue(&[]), Clients::Of(&clients), versions);
        let mut receiver = Receiver::start().await;
        let profile = TlsProfile::new(TlsSettings {
            identity,
            ..TlsSettings::default()
        });
        let sending = send(&root.trusting(), with_profile(&receiver, &profile));
        let connection = receiver.connection().await;
        let accepted = peer.try_accept(connection).await;
        match expected {
            None => {
                let mut connection = accepted.expect("a handshake");
                let (_, session) = connection.0.get_ref();
                assert_eq!(session.peer_certificates().expect("shown").len(), 1);
                connection.serve().await;
                assert_eq!(answered(sending).await.status, 200);
            }
            Some(text) => {
                assert!(accepted.is_err());
                assert_eq!(failed(sending).await.for_tenant(), text);
            }
        }
    }
}

#[tokio::test]
async fn versions_of_tls_that_are_too_old_are_not_spoken() {
    let root = Issuer::root("A test's root");
    let peer = Peer::new(&root.issue(&[]), Clients::Any, &[&TLS12]);
    for (tls13_only, expected) in [(false, None), (true, Some(NO_VERSION))] {
        let mut receiver = Receiver::start().await;
        let profile = TlsProfile::new(TlsSettings {
            tls13_only,
            ..TlsSettings::default()
        });
        let sending = send(&root.trusting(), with_profile(&receiver, &profile));
        match expected {
            None => {
                peer.accept(&mut receiver).await.serve().await;
                assert_eq!(answered(sending).await.status, 200);
            }
            Some(text) => {
                assert_eq!(peer.sent(&mut receiver).await, b"");
                let error = failed(sending).await;
                assert_eq!((error.stage(), &*error.for_tenant()), (Stage::Tls, text));
            }
        }
    }
}

#[tokio::test]
async fn receiver_that_knows_no_more_than_tls_1_1_is_sent_nothing() {
    let refusing = vec![0x15, 3, 2, 0, 2, 2, 70];
    let mut answering = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    answering.extend([7; 32]);
    answering.extend([0, 0xc0, 0x13, 0]);
    for hello in [refusing, answering] {
        let mut receiver = Receiver::start().await;
        let sending = send(&transport(), outgoing(&url(&receiver), "{}"));
        let mut connection = receiver.connection().await;
        connection.write(hello).await;
        let error = failed(sending).await;
        assert_eq!(
            (error.stage(), &*error.for_tenant()),
            (Stage::Tls, NO_VERSION)
        );
    }
}

#[tokio::test]
async fn url_without_tls_is_sent_nothing_where_certificates_matter() {
    let mut receiver = Receiver::start().await;
    let mut request = outgoing(&receiver.url("/in"), "{}");
    request.profile = Some(pinned(&[], PinMode::Watch));
    let error = failed(send(&transport(), request)).await;
    assert_eq!(error.stage(), Stage::Tls);
    assert!(error.for_tenant().contains("not https"), "{error}");
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn date_of_the_receiver_is_told_where_it_gives_one() {
    let root = Issuer::root("A test's root");
    let peer = Peer::new(&root.issue(&[]), Clients::Any, ALL_VERSIONS);
    let (transport, mut receiver) = (root.trusting(), Receiver::start().await);
    let mut connection = None;
    for (date, expected) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
        ("yesterday", None),
    ] {
        let sending = send(&transport, outgoing(&url(&receiver), "{}"));
        let connection = match &mut connection {
            Some(connection) => connection,
            none => none.insert(peer.accept(&mut receiver).await),
        };
        connection.request().await;
        let head = format!("HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-length: 0\r\n\r\n");
        connection.write(head).await;
        let told = answered(sending).await.date.map(model::Timestamp::seconds);
        assert_eq!(told, expected, "{date}");
    }
}
