//! The receiving gateway of a real server: what a sender signs is delivered, once; it can have a
//! listener of its own, which knows clients by their certificates; and a proxy that is trusted says
//! where requests come from.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use e2e::{Api, Authority, Options, Receiver, Reply, Server, Signed, Source, within};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use webhook::provider::{Outgoing, Provider};

const SECRET: &str = "whsec_only_the_provider_and_we_know";
const BODY: &str = r#"{"id":"evt_1","type":"invoice.paid","data":{"object":{"total":12}}}"#;

/// A request as Stripe signs it, now.
fn stripe(body: &'static str) -> Signed {
    let outgoing = Outgoing {
        method: "POST",
        url: "",
        id: "",
        timestamp: jiff::Timestamp::now().as_second(),
        body: body.as_bytes(),
    };
    let stripe = Provider::named("stripe").expect("it is known");
    Signed {
        headers: stripe.sign(&[SECRET], &outgoing).expect("it signs"),
        body: Bytes::from_static(body.as_bytes()),
    }
}

async fn source(api: &Api) -> Source {
    Source::new(api, "stripe", json!({"secret": SECRET})).await
}

#[track_caller]
fn id(answer: Reply) -> Value {
    answer.expect(200).json()["id"].clone()
}

#[tokio::test]
async fn what_a_sender_signs_is_delivered_once_and_a_forgery_not_at_all() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    let source = source(&api).await;
    source.endpoint(&receiver.url("/orders")).await;

    let genuine = stripe(BODY);
    let message = id(source.send(&genuine).await);
    let received = receiver.next().await;
    assert_eq!(received.id(), message);
    assert_eq!(
        (received.body, received.path.as_str()),
        (genuine.body.clone(), "/orders")
    );
    let kept = source.message(message.as_str().expect("an id")).await;
    assert_eq!(kept["eventType"], "invoice.paid");

    // It comes again, after a crash too.
    let again = source.send(&genuine).await.expect(200).json();
    assert_eq!(again, json!({"id": message, "duplicate": true}));
    server.kill().await;
    server.restart().await;
    let api = server.api().await;
    let source = source.at(&api);
    let again = source.send(&genuine).await.expect(200).json();
    assert_eq!(again, json!({"id": message, "duplicate": true}));

    let forged = genuine.with_body(BODY.replace("12", "13"));
    let refused = source.send(&forged).await.expect(401).json();
    assert_eq!(refused["code"], "signature_invalid");
    let event = source.event("ingest.signature_invalid").await;
    assert_eq!(event["remoteAddress"], "127.0.0.1");

    // Only what is new arrives next.
    let other = r#"{"id":"evt_2","type":"invoice.paid"}"#;
    let message = id(source.send(&stripe(other)).await);
    assert_eq!(receiver.next().await.id(), message);
    let (rotated, signed) = (source.rotate().await, stripe(BODY));
    source.send(&signed).await.expect(401);
    rotated.send(&signed).await.expect(200);
    assert!(server.terminate().await.success());
}

/// What a server tells of the gateway's own listener.
async fn receiving_on(server: &Server) -> SocketAddr {
    let line = server.printed("receiving on ").await;
    let (_, url) = line.split_once("receiving on ").expect("it is there");
    let (_, address) = url.trim().split_once("://").expect("it is a URL");
    let end = address.find(|it: char| !it.is_ascii_digit() && !".:".contains(it));
    let address = &address[..end.unwrap_or(address.len())];
    address.parse().expect("it is an address")
}

/// One request on a connection of its own.
async fn on(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    path: &str,
    signed: &Signed,
) -> (StatusCode, Value) {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    let mut request = Request::post(path).header("host", "localhost");
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(signed.body.clone())).expect("one");
    let answer = within("an answer", sender.send_request(request)).await;
    let (head, body) = answer.expect("it answers").into_parts();
    let body = body.collect().await.expect("all of it").to_bytes();
    (
        head.status,
        serde_json::from_slice(&body).unwrap_or_default(),
    )
}

#[tokio::test]
async fn a_listener_of_its_own_keeps_the_gateway_and_the_api_apart() {
    let options = Options::dev().option("--ingest-listen", "127.0.0.1:0");
    let mut server = Server::start(options).await;
    let api = server.api().await;
    let source = source(&api).await;
    let (address, signed) = (receiving_on(&server).await, stripe(BODY));
    let connect = || async { TcpStream::connect(address).await.expect("it listens") };

    source.send(&signed).await.expect(404);
    let (status, answer) = on(connect().await, &source.inbound, &signed).await;
    assert_eq!(status, 200, "{answer}");
    let (status, _) = on(connect().await, "/api/v1/app", &signed).await;
    assert_eq!(status, 404);
    api.get("/health").await.expect(200);

    // Both let what is open end.
    assert!(server.terminate().await.success());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_trusted_proxy_says_where_a_request_comes_from() {
    let options = Options::dev().option("--trusted-proxy", "127.0.0.0/8");
    let mut server = Server::start(options).await;
    let api = server.api().await;
    let config = json!({"secret": SECRET, "allowAddresses": ["203.0.113.0/24"]});
    let source = Source::new(&api, "stripe", config).await;
    let signed = stripe(BODY);
    let by = |value: &str| signed.clone().with_header("x-forwarded-for", value);

    source.send(&by("203.0.113.9")).await.expect(200);
    source
        .send(&by("198.51.100.1, 203.0.113.9, 127.0.0.2"))
        .await
        .expect(200);
    for elsewhere in [
        signed.clone(),
        by("203.0.113.9, 198.51.100.1"),
        by("unknown"),
    ] {
        let refused = source.send(&elsewhere).await.expect(401).json();
        assert_eq!(refused["code"], "credentials_invalid");
    }
    let both = by("203.0.113.9").with_header("forwarded", "for=203.0.113.8");
    source.send(&both).await.expect(400);
    assert!(server.terminate().await.success());
}

/// Files of a server's certificate.
struct Home {
    authority: Authority,
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        let authority = Authority::new("the server's");
        let directory = tempfile::tempdir().expect("a directory");
        let (certificate, key) = authority.issue_until("localhost", 2099);
        std::fs::write(directory.path().join("cert.pem"), certificate).expect("written");
        std::fs::write(directory.path().join("key.pem"), key).expect("written");
        Self {
            authority,
            directory,
        }
    }

    fn options(&self) -> Options {
        let path = |name| {
            let path: PathBuf = self.directory.path().join(name);
            path.to_string_lossy().into_owned()
        };
        Options::dev()
            .option("--tls-cert", path("cert.pem"))
            .option("--tls-key", path("key.pem"))
            .option("--ingest-listen", "127.0.0.1:0")
    }

    /// A client that trusts the server, and shows what this authority issues for a name.
    fn client(&self, shown: Option<(&Authority, &str)>) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        let pem = self.authority.pem();
        let root = CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
        roots.add(root).expect("an authority");
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_root_certificates(roots);
        let config = match shown {
            None => config.with_no_client_auth(),
            Some((authority, name)) => {
                let (certificate, key) = authority.issue_until(name, 2099);
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
                let chain = vec![certificate.expect("PEM")];
                config.with_client_auth_cert(chain, key).expect("its key")
            }
        };
        TlsConnector::from(Arc::new(config))
    }
}

#[tokio::test]
async fn the_gateway_s_listener_knows_clients_by_their_certificates() {
    let home = Home::new();
    let mut server = Server::start(home.options()).await;
    let (bank, other) = (Authority::new("bank"), Authority::new("other"));
    let config = json!({
        "auth": {"type": "mtls", "ca": bank.pem(), "subjects": ["hooks.bank.example"]},
    });
    let source = made_within_tls(&home, &mut server, config).await;
    let address = receiving_on(&server).await;
    let unsigned = Signed {
        headers: Vec::new(),
        body: Bytes::from_static(BODY.as_bytes()),
    };
    for (shown, expected) in [
        (Some((&bank, "hooks.bank.example")), 200),
        (Some((&bank, "shop.bank.example")), 401),
        (Some((&other, "hooks.bank.example")), 401),
        (None, 401),
    ] {
        let stream = TcpStream::connect(address).await.expect("it listens");
        let name = ServerName::try_from("localhost").expect("a name");
        let shaken = home.client(shown).connect(name, stream);
        let stream = within("a handshake", shaken).await.expect("it is trusted");
        let (status, answer) = on(stream, &source, &unsigned).await;
        assert_eq!(status, expected, "{answer}");
    }
    assert!(server.terminate().await.success());
}

/// The path of a source that is made over TLS.
async fn made_within_tls(home: &Home, server: &mut Server, config: Value) -> String {
    let token = server.token().await;
    let stream = TcpStream::connect(server.address())
        .await
        .expect("it listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = home.client(None).connect(name, stream).await.expect("TLS");
    let body = json!({"name": "bank", "type": "generic-webhook", "config": config});
    let request = Signed {
        headers: vec![
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("content-type".to_owned(), "application/json".to_owned()),
        ],
        body: body.to_string().into(),
    };
    let (status, made) = on(stream, "/ingest/api/v1/source", &request).await;
    assert_eq!(status, 201, "{made}");
    let url = made["ingestUrl"].as_str().expect("a URL");
    // Nobody has said under which URL it is reached.
    let base = format!("https://{}/in/", receiving_on(server).await);
    let token = url.strip_prefix(&base).expect("one at its own listener");
    format!("/in/{token}")
}
