//! TLS: who is trusted, for which name, and HTTP/2 where it is offered.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use transport::{HttpsTransport, Options, Stage};

use crate::receiver::*;

/// A certificate authority of the test's own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("A test's authority")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// Shakes hands as a server with a certificate for `name`, and tells which name was asked for.
    pub(crate) async fn accept(
        &self,
        connection: Connection<TcpStream>,
        name: &str,
        protocols: &[&str],
    ) -> (Connection<TlsStream<TcpStream>>, Option<String>) {
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let stream = self
            .try_accept(connection, params, protocols)
            .await
            .expect("a handshake");
        let asked = stream.get_ref().1.server_name().map(str::to_owned);
        (Connection(stream), asked)
    }

    pub(crate) async fn try_accept(
        &self,
        connection: Connection<TcpStream>,
        params: CertificateParams,
        protocols: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let key = KeyPair::generate().expect("a key");
        let leaf = params.signed_by(&key, &self.0).expect("a certificate");
        let chain: Vec<CertificateDer<'static>> = vec![leaf.into()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a usable certificate");
        config.alpn_protocols = protocols
            .iter()
            .map(|one| one.as_bytes().to_vec())
            .collect();
        TlsAcceptor::from(Arc::new(config))
            .accept(connection.0)
            .await
    }

    pub(crate) fn trusting(&self) -> Arc<HttpsTransport> {
        with_options(Options {
            extra_roots: Some(self.pem()),
            ..Options::default()
        })
    }
}

pub(crate) fn url(receiver: &Receiver) -> String {
    format!("https://{HOST}:{}/in", receiver.address.port())
}

#[tokio::test]
async fn trusted_certificate_for_the_name_is_good() {
    let (authority, mut receiver) = (Authority::new(), Receiver::start().await);
    let transport = authority.trusting();
    let sending = send(&transport, outgoing(&url(&receiver), "{}"));
    let connection = receiver.connection().await;
    let (mut connection, asked) = authority.accept(connection, HOST, &["http/1.1"]).await;
    assert_eq!(asked.as_deref(), Some(HOST));
    connection.serve().await;
    assert_eq!(answered(sending).await.status, 200);
    let again = send(&transport, outgoing(&url(&receiver), "{}"));
    connection.serve().await;
    assert!(answered(again).await.observed.phases.reused);
}

#[tokio::test]
async fn certificate_for_an_address_is_verified_as_such() {
    let (authority, mut receiver) = (Authority::new(), Receiver::start().await);
    let url = format!("https://{}/", receiver.address);
    let sending = send(&authority.trusting(), outgoing(&url, "{}"));
    let connection = receiver.connection().await;
    let (mut connection, asked) = authority.accept(connection, "127.0.0.1", &[]).await;
    assert_eq!(asked, None);
    connection.serve().await;
    assert_eq!(answered(sending).await.status, 200);
}

#[tokio::test]
async fn bad_certificates_are_refused_and_nothing_is_sent() {
    let good = || CertificateParams::new([HOST.to_owned()]).expect("a name");
    let other = CertificateParams::new(["other.customer-site.net".to_owned()]).expect("a name");
    let mut expired = good();
    expired.not_before = date_time_ymd(2001, 1, 1);
    expired.not_after = date_time_ymd(2002, 1, 1);
    let (trusted, stranger) = (Authority::new(), Authority::named("A stranger"));
    let table = [
        (&stranger, good(), "the certificate's issuer is not trusted"),
        (
            &trusted,
            other,
            "the certificate is not valid for this host",
        ),
        (&trusted, expired, "the certificate has expired"),
    ];
    for (issuer, params, text) in table {
        let mut receiver = Receiver::start().await;
        let sending = send(&trusted.trusting(), outgoing(&url(&receiver), "{}"));
        let connection = receiver.connection().await;
        let accepted = issuer
            .try_accept(connection, params, &["h2", "http/1.1"])
            .await;
        if let Ok(stream) = accepted {
            let sent = read_all(stream).await;
            assert_eq!(sent, b"", "{text}");
        }
        let error = failed(sending).await;
        assert_eq!(error.stage(), Stage::Tls);
        assert!(error.is_certificate_refused());
        assert_eq!(error.for_tenant(), text);
    }
}

async fn read_all(mut stream: TlsStream<TcpStream>) -> Vec<u8> {
    let mut sent = Vec::new();
    // The alert makes this an error; what counts is what came before.
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut sent).await;
    sent
}

#[tokio::test]
async fn what_does_not_speak_tls_fails_the_handshake() {
    let mut receiver = Receiver::start().await;
    let sending = send(&transport(), outgoing(&url(&receiver), "{}"));
    let mut connection = receiver.connection().await;
    connection
        .write("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        .await;
    let error = failed(sending).await;
    assert_eq!(error.stage(), Stage::Tls);
    assert!(!error.is_certificate_refused());
    assert_eq!(error.for_tenant(), "the TLS handshake failed");
}

/// Serves HTTP/2 on a connection: answers with what it saw, waits for `go` before each answer.
async fn serve_http2(stream: TlsStream<TcpStream>, go: Arc<tokio::sync::Semaphore>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let go = go.clone();
        async move {
            assert_eq!(request.version(), Version::HTTP_2);
            let uri = request.uri().to_string();
            let authorization = request.headers().get("authorization").cloned();
            let body = request
                .into_body()
                .collect()
                .await
                .expect("a body")
                .to_bytes();
            go.acquire().await.expect("it is never closed").forget();
            let text = format!("{uri} {authorization:?} {}", body.len());
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
        }
    });
    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

#[tokio::test]
async fn http2_is_used_where_it_is_offered_and_carries_many_requests_at_once() {
    let (authority, mut receiver) = (Authority::new(), Receiver::start().await);
    let transport = authority.trusting();
    let go = Arc::new(tokio::sync::Semaphore::new(1));
    let first = send(&transport, outgoing(&url(&receiver), "{}"));
    let connection = receiver.connection().await;
    let (connection, _) = authority
        .accept(connection, HOST, &["h2", "http/1.1"])
        .await;
    tokio::spawn(serve_http2(connection.0, go.clone()));
    let answer = answered(first).await;
    assert!(answer.observed.phases.http2 && !answer.observed.phases.reused);
    let port = receiver.address.port();
    assert_eq!(answer.body, format!("https://{HOST}:{port}/in None 2"));

    let with_password = format!("https://user:pass@{HOST}:{port}/in?a=b");
    let together: Vec<_> = (0..20)
        .map(|size| {
            send(
                &transport,
                outgoing(&with_password, vec![b'x'; size * 10_000]),
            )
        })
        .collect();
    go.add_permits(together.len());
    for (size, sending) in together.into_iter().enumerate() {
        let answer = answered(sending).await;
        assert!(answer.observed.phases.http2 && answer.observed.phases.reused);
        let body = String::from_utf8(answer.body.to_vec()).expect("text");
        assert!(
            body.starts_with(&format!("https://{HOST}:{port}/in?a=b ")),
            "{body}"
        );
        assert!(
            body.contains("Sensitive") || body.contains("Basic"),
            "{body}"
        );
        assert!(body.ends_with(&format!(" {}", size * 10_000)), "{body}");
    }
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn lost_http2_connection_is_replaced_by_one_for_all() {
    let (authority, mut receiver) = (Authority::new(), Receiver::start().await);
    let transport = authority.trusting();
    let go = Arc::new(tokio::sync::Semaphore::new(1));
    let first = send(&transport, outgoing(&url(&receiver), "{}"));
    let connection = receiver.connection().await;
    let (connection, _) = authority.accept(connection, HOST, &["h2"]).await;
    let serving = tokio::spawn(serve_http2(connection.0, go.clone()));
    answered(first).await;
    serving.abort();
    serving.await.expect_err("it was ended");

    let crowd: Vec<_> = (0..8)
        .map(|_| send(&transport, outgoing(&url(&receiver), "{}")))
        .collect();
    go.add_permits(crowd.len());
    let connection = receiver.connection().await;
    let (connection, _) = authority.accept(connection, HOST, &["h2"]).await;
    tokio::spawn(serve_http2(connection.0, go));
    for sending in crowd {
        assert!(answered(sending).await.observed.phases.http2);
    }
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn crowd_at_an_unknown_origin_ends_up_on_connections_that_work() {
    let (authority, mut receiver) = (Arc::new(Authority::new()), Receiver::start().await);
    let transport = authority.trusting();
    let url = url(&receiver);
    let (served, mut connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let connection = receiver.connection().await;
            let (authority, served) = (authority.clone(), served.clone());
            tokio::spawn(async move {
                let (connection, _) = authority.accept(connection, HOST, &["h2"]).await;
                let _ = served.send(());
                let go = Arc::new(tokio::sync::Semaphore::new(1_000));
                serve_http2(connection.0, go).await;
            });
        }
    });
    let crowd: Vec<_> = (0..8)
        .map(|_| send(&transport, outgoing(&url, "{}")))
        .collect();
    for sending in crowd {
        assert!(answered(sending).await.observed.phases.http2);
    }
    while connections.try_recv().is_ok() {}
    for _ in 0..8 {
        assert!(
            answered(send(&transport, outgoing(&url, "{}")))
                .await
                .observed
                .phases
                .reused
        );
    }
    assert!(
        connections.try_recv().is_err(),
        "one connection carries all that follows"
    );
}

#[tokio::test]
async fn long_http2_answer_is_cut_without_harm_to_the_connection() {
    let (authority, mut receiver) = (Authority::new(), Receiver::start().await);
    let transport = authority.trusting();
    let mut request = outgoing(&url(&receiver), "{}");
    request.limits.response_bytes_max = 5;
    let first = send(&transport, request.clone());
    let connection = receiver.connection().await;
    let (connection, _) = authority.accept(connection, HOST, &["h2"]).await;
    tokio::spawn(serve_http2(
        connection.0,
        Arc::new(tokio::sync::Semaphore::new(10)),
    ));
    let answer = answered(first).await;
    assert_eq!((&answer.body[..], answer.truncated), (&b"https"[..], true));
    assert!(
        answered(send(&transport, request))
            .await
            .observed
            .phases
            .reused
    );
}
