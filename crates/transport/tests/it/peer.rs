//! A TLS receiver that shows what a test has it show, and keeps its sessions from one connection to
//! the next.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use model::Pin;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PublicKeyData,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use transport::{Authorities, ClientIdentity, HttpsTransport, Options};

use crate::receiver::*;

/// An authority, or an intermediate one.
pub(crate) struct Issuer(CertifiedIssuer<'static, KeyPair>);

/// Certificates with the key of the first.
pub(crate) struct Shown {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) pin: Pin,
}

impl Issuer {
    pub(crate) fn root(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(authority(name), key).expect("a certificate"))
    }

    pub(crate) fn intermediate(&self, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::signed_by(authority(name), key, &self.0).expect("a certificate"))
    }

    /// The same authority, vouched for by another.
    pub(crate) fn cross_signed(&self, name: &str, by: &Issuer) -> CertificateDer<'static> {
        let signed = authority(name).signed_by(self.0.key(), &by.0);
        signed.expect("a certificate").into()
    }

    pub(crate) fn pin(&self) -> Pin {
        pin(self.0.key())
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub(crate) fn authorities(&self) -> Authorities {
        Authorities::from_pem(&self.pem()).expect("a certificate")
    }

    /// A certificate of this issuer for the tests' host, and what it was made with.
    pub(crate) fn issue(&self, above: &[&Issuer]) -> Shown {
        let params = CertificateParams::new([HOST.to_owned()]).expect("a name");
        self.issue_with(params, above)
    }

    pub(crate) fn issue_with(&self, params: CertificateParams, above: &[&Issuer]) -> Shown {
        let key = KeyPair::generate().expect("a key");
        let leaf = params.signed_by(&key, &self.0).expect("a certificate");
        let chain = std::iter::once(leaf.into()).chain(above.iter().map(|one| one.der()));
        Shown {
            chain: chain.collect(),
            pin: pin(&key),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        }
    }

    /// A client's certificate of this issuer.
    pub(crate) fn client(&self, name: &str) -> ClientIdentity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let own = params.signed_by(&key, &self.0).expect("a certificate");
        let pem = key.serialize_pem();
        ClientIdentity::from_pem(own.pem().as_bytes(), pem.as_bytes()).expect("they match")
    }

    /// A transport that trusts it as the system's roots are trusted.
    pub(crate) fn trusting(&self) -> Arc<HttpsTransport> {
        with_options(Options {
            extra_roots: Some(self.pem()),
            ..Options::default()
        })
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn pin(key: &KeyPair) -> Pin {
    let digest = digest(&SHA256, &key.subject_public_key_info());
    Pin::new(digest.as_ref().try_into().expect("32 bytes"))
}

/// What accepts.
#[derive(Clone)]
pub(crate) struct Peer(Arc<ServerConfig>);

/// Which clients it takes.
pub(crate) enum Clients<'a> {
    Any,
    Of(&'a Issuer),
}

impl Peer {
    pub(crate) fn showing(shown: &Shown) -> Self {
        Self::new(shown, Clients::Any, ALL_VERSIONS)
    }

    pub(crate) fn new(
        shown: &Shown,
        clients: Clients<'_>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_protocol_versions(versions).expect("versions");
        let builder = match clients {
            Clients::Any => builder.with_no_client_auth(),
            Clients::Of(issuer) => {
                let mut roots = RootCertStore::empty();
                roots.add(issuer.der()).expect("a root");
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a root"))
            }
        };
        let config = builder.with_single_cert(shown.chain.clone(), shown.key.clone_key());
        Self(Arc::new(config.expect("a usable certificate")))
    }

    pub(crate) async fn try_accept(
        &self,
        connection: Connection<TcpStream>,
    ) -> std::io::Result<Connection<TlsStream<TcpStream>>> {
        let accepted = TlsAcceptor::from(self.0.clone()).accept(connection.0).await;
        accepted.map(Connection)
    }

    pub(crate) async fn accept(&self, receiver: &mut Receiver) -> Connection<TlsStream<TcpStream>> {
        let connection = receiver.connection().await;
        self.try_accept(connection).await.expect("a handshake")
    }

    /// What is sent to it before the other side goes away: of HTTP, nothing is expected.
    pub(crate) async fn sent(&self, receiver: &mut Receiver) -> Vec<u8> {
        let connection = receiver.connection().await;
        let mut sent = Vec::new();
        if let Ok(mut connection) = self.try_accept(connection).await {
            // The alert makes this an error; what counts is what came before.
            let _ = connection.0.read_to_end(&mut sent).await;
        }
        sent
    }
}

/// Whether the connection took up an earlier session.
pub(crate) fn is_resumed(connection: &Connection<TlsStream<TcpStream>>) -> bool {
    let (_, session) = connection.0.get_ref();
    session.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
}
