//! Pins: what a verified path is compared with, what a mismatch does, and what it never does.

use model::Pin;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use transport::{
    Answer, Authorities, Outgoing, PinMode, Pins, SendError, Stage, TlsProfile, TlsSettings,
};

use crate::peer::*;
use crate::receiver::*;
use crate::tls::url;

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../conformance/spki.json"
));

pub(crate) fn pinned(accepted: &[Pin], mode: PinMode) -> TlsProfile {
    TlsProfile::new(TlsSettings {
        pins: Some(Pins {
            accepted: accepted.to_vec(),
            mode,
        }),
        ..TlsSettings::default()
    })
}

pub(crate) fn with_profile(receiver: &Receiver, profile: &TlsProfile) -> Outgoing {
    let mut outgoing = outgoing(&url(receiver), "{}");
    outgoing.profile = Some(profile.clone());
    outgoing
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|one| one.as_str().expect("a text"))
        .collect()
}

/// One case of the table, over a real connection: what came of it, and what the peer was sent.
async fn run(
    case: &Value,
    certificates: &Value,
    mode: PinMode,
) -> (Result<Answer, SendError>, Vec<u8>) {
    let pem = |name: &str| certificates[name]["pem"].as_str().expect("PEM").to_owned();
    let der = |name: &&str| CertificateDer::from_pem_slice(pem(name).as_bytes()).expect("PEM");
    let presented = texts(&case["presented_chain"]);
    let key = certificates[presented[0]]["private_key_pkcs8_pem"]
        .as_str()
        .expect("a key");
    let accepted: Vec<Pin> = texts(&case["pins"])
        .iter()
        .map(|pin| pin.parse().expect("a pin"))
        .collect();
    let peer = Peer::showing(&Shown {
        chain: presented.iter().map(der).collect(),
        key: PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key"),
        pin: Pin::new([0; 32]),
    });
    let roots: String = texts(&case["trusted_roots"]).into_iter().map(pem).collect();
    let pins = Pins { accepted, mode };
    let profile = TlsProfile::new(TlsSettings {
        authorities: Some(Authorities::from_pem(roots.as_bytes()).expect("a root")),
        pins: (!pins.accepted.is_empty()).then_some(pins),
        ..TlsSettings::default()
    });
    let mut receiver = Receiver::start().await;
    let sending = send(&transport(), with_profile(&receiver, &profile));
    let connection = receiver.connection().await;
    let mut sent = Vec::new();
    if let Ok(mut connection) = peer.try_accept(connection).await {
        sent = connection.answer_if_asked().await;
    }
    (sending.await.expect("no panic"), sent)
}

#[tokio::test]
async fn table_of_pins_holds_over_real_connections() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    let cases = vectors["cases"].as_array().expect("cases");
    assert!(cases.len() >= 13);
    for case in cases {
        let why = case["why"].as_str().expect("a reason");
        let (enforced, sent) = run(case, &vectors["certs"], PinMode::Enforce).await;
        let (watched, _) = run(case, &vectors["certs"], PinMode::Watch).await;
        if case["accept"] == true {
            assert_eq!(enforced.expect(why).status, 200, "{why}");
            let answer = watched.expect(why);
            assert_eq!(answer.handshake.expect(why).mismatch, None, "{why}");
            continue;
        }
        assert_eq!(sent, b"", "{why}");
        let refused = enforced.expect_err(why);
        assert_eq!(refused.stage(), Stage::Tls, "{why}");
        // Where nothing but the pins is wrong, watching lets it pass, and says so.
        match (refused.pin_mismatch(), watched) {
            (Some(mismatch), Ok(answer)) => {
                assert_eq!(
                    answer.handshake.expect(why).mismatch.as_ref(),
                    Some(mismatch),
                    "{why}"
                );
            }
            (None, Err(error)) => assert_eq!(error.for_tenant(), refused.for_tenant(), "{why}"),
            (mismatch, watched) => panic!("{why}: {mismatch:?} but {watched:?}"),
        }
    }
}

#[test]
fn table_of_pins_that_are_none_holds() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    for row in vectors["pin_format"].as_array().expect("rows") {
        let pin = row["pin"].as_str().expect("a text").parse::<Pin>();
        assert_eq!(pin.is_ok(), row["valid"] == true, "{row}");
    }
}

#[tokio::test]
async fn any_certificate_of_the_verified_path_may_be_pinned_and_the_path_is_told() {
    let root = Issuer::root("A test's root");
    let between = root.intermediate("A test's intermediate");
    let shown = between.issue(&[&between]);
    let transport = root.trusting();
    for pin in [shown.pin, between.pin(), root.pin()] {
        let mut receiver = Receiver::start().await;
        let profile = pinned(&[pin], PinMode::Enforce);
        let sending = send(&transport, with_profile(&receiver, &profile));
        let mut connection = Peer::showing(&shown).accept(&mut receiver).await;
        connection.serve().await;
        let handshake = answered(sending).await.handshake.expect("a new connection");
        let pins: Vec<_> = handshake.certificates.iter().map(|one| one.pin).collect();
        assert_eq!(pins, [shown.pin, between.pin(), root.pin()]);
        let [_, second, third] = &handshake.certificates[..] else {
            panic!("{handshake:?}");
        };
        assert_eq!(second.subject, "CN=A test's intermediate");
        assert_eq!(second.issuer, "CN=A test's root");
        assert_eq!(third.subject, "CN=A test's root");
        assert!(
            handshake
                .certificates
                .iter()
                .all(|one| one.not_after.is_some())
        );
        assert_eq!(handshake.mismatch, None);

        let again = send(&transport, with_profile(&receiver, &profile));
        connection.serve().await;
        let again = answered(again).await;
        assert!(again.observed.phases.reused);
        assert_eq!(again.handshake, None, "a kept connection shows nothing");
    }
}

#[tokio::test]
async fn changed_key_is_sent_nothing_and_other_endpoints_go_on() {
    let root = Issuer::root("A test's root");
    let (old, new) = (root.issue(&[]), root.issue(&[]));
    let (transport, mut receiver) = (root.trusting(), Receiver::start().await);
    let profile = pinned(&[old.pin], PinMode::Enforce);
    let first = send(&transport, with_profile(&receiver, &profile));
    let mut connection = Peer::showing(&old).accept(&mut receiver).await;
    connection.serve().await;
    assert_eq!(answered(first).await.status, 200);
    drop(connection);

    let second = send(&transport, with_profile(&receiver, &profile));
    let sent = Peer::showing(&new).sent(&mut receiver).await;
    assert_eq!(sent, b"");
    let error = failed(second).await;
    assert!(error.is_certificate_refused());
    let mismatch = error.pin_mismatch().expect("that is why");
    assert_eq!(mismatch.expected, [old.pin]);
    assert_eq!(mismatch.received, [new.pin, root.pin()]);
    let text = error.for_tenant();
    for pin in [old.pin, new.pin, root.pin()] {
        assert!(text.contains(&pin.to_string()), "{text}");
    }

    let other = send(&transport, outgoing(&url(&receiver), "{}"));
    let mut connection = Peer::showing(&new).accept(&mut receiver).await;
    connection.serve().await;
    assert_eq!(answered(other).await.status, 200);
}

#[tokio::test]
async fn pin_of_a_certificate_that_is_sent_along_proves_nothing() {
    let root = Issuer::root("A test's root");
    let (genuine, elsewhere) = (root.issue(&[]), Issuer::root("Elsewhere"));
    let mut forged = root.issue(&[]);
    forged.chain.push(genuine.chain[0].clone());
    forged.chain.push(elsewhere.der());
    for pin in [genuine.pin, elsewhere.pin()] {
        let mut receiver = Receiver::start().await;
        let profile = pinned(&[pin], PinMode::Enforce);
        let sending = send(&root.trusting(), with_profile(&receiver, &profile));
        let sent = Peer::showing(&forged).sent(&mut receiver).await;
        assert_eq!(sent, b"");
        let error = failed(sending).await;
        let mismatch = error.pin_mismatch().expect("that is why");
        assert_eq!(mismatch.received, [forged.pin, root.pin()]);
    }
}

#[tokio::test]
async fn where_several_paths_are_good_one_with_the_pin_is_found() {
    let (one, two) = (Issuer::root("One root"), Issuer::root("Another root"));
    let name = "A cross-signed intermediate";
    let between = one.intermediate(name);
    let mut shown = between.issue(&[&between]);
    shown.chain.push(between.cross_signed(name, &two));
    let pem = [one.pem(), two.pem()].concat();
    for pin in [one.pin(), two.pin()] {
        let mut receiver = Receiver::start().await;
        let mut settings = pinned(&[pin], PinMode::Enforce).settings().clone();
        settings.authorities = Some(Authorities::from_pem(&pem).expect("roots"));
        let profile = TlsProfile::new(settings);
        let sending = send(&transport(), with_profile(&receiver, &profile));
        let mut connection = Peer::showing(&shown).accept(&mut receiver).await;
        connection.serve().await;
        let handshake = answered(sending).await.handshake.expect("a new connection");
        assert_eq!(handshake.certificates.last().expect("a root").pin, pin);
    }
}

#[tokio::test]
async fn watched_mismatch_is_told_whatever_becomes_of_the_request() {
    let root = Issuer::root("A test's root");
    let (old, new) = (root.issue(&[]), root.issue(&[]));
    let (transport, mut receiver) = (root.trusting(), Receiver::start().await);
    let peer = Peer::showing(&new);
    let profile = pinned(&[old.pin], PinMode::Watch);

    let first = send(&transport, with_profile(&receiver, &profile));
    let mut connection = peer.accept(&mut receiver).await;
    connection.serve().await;
    let handshake = answered(first).await.handshake.expect("a new connection");
    let mismatch = handshake.mismatch.expect("another key");
    assert_eq!(mismatch.expected, [old.pin]);
    assert_eq!(mismatch.received, [new.pin, root.pin()]);
    drop(connection);

    let closed = send(&transport, with_profile(&receiver, &profile));
    let mut connection = peer.accept(&mut receiver).await;
    assert!(!is_resumed(&connection));
    connection.request().await;
    drop(connection);
    let error = failed(closed).await;
    assert_eq!(error.stage(), Stage::Read);
    let handshake = error.handshake().expect("a new connection");
    assert_eq!(handshake.mismatch.as_ref(), Some(&mismatch));

    let mut hurried = with_profile(&receiver, &profile);
    hurried.limits.total_timeout = LIMIT;
    let silent = send(&transport, hurried);
    let mut connection = peer.accept(&mut receiver).await;
    connection.request().await;
    pass(LIMIT).await;
    let error = failed(silent).await;
    assert_eq!(error.stage(), Stage::Timeout);
    let handshake = error.handshake().expect("a new connection");
    assert_eq!(handshake.mismatch.as_ref(), Some(&mismatch));
}

#[tokio::test]
async fn pinned_connections_take_up_no_session_and_each_shows_its_certificates() {
    let root = Issuer::root("A test's root");
    let shown = root.issue(&[]);
    let (transport, mut receiver) = (root.trusting(), Receiver::start().await);
    let peer = Peer::showing(&shown);
    for mode in [PinMode::Enforce, PinMode::Watch] {
        let profile = pinned(&[shown.pin], mode);
        for _ in 0..2 {
            let sending = send(&transport, with_profile(&receiver, &profile));
            let mut connection = peer.accept(&mut receiver).await;
            assert!(!is_resumed(&connection));
            connection.serve().await;
            let answer = answered(sending).await;
            assert!(answer.handshake.is_some() && !answer.observed.phases.reused);
        }
    }
}
