//! The API's own listener with TLS: what is spoken there, that its certificate is exchanged while
//! it runs, and that neither a broken file nor a client that hangs stops it.

use std::path::PathBuf;

use e2e::command::postrider;
use e2e::{Authority, Options, Server, within};
use http::{Request, Version};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

const NAME: &str = "localhost";
const HEALTH: &[u8] = b"GET /api/v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// Clients that connect, and say nothing.
const SILENT: usize = 100;

/// An authority, and the files that it issues for a server.
struct Home {
    authority: Authority,
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self {
            authority: Authority::new("the house's own"),
            directory: tempfile::tempdir().expect("a directory"),
        };
        home.issue(2099);
        home
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).expect("it can be written");
    }

    /// A new certificate and a new key in the place of those that are there.
    fn issue(&self, until: i32) {
        let (certificate, key) = self.authority.issue_until(NAME, until);
        self.write("cert.pem", &certificate);
        self.write("key.pem", &key);
    }

    fn options(&self) -> Options {
        let path = |name| self.file(name).to_string_lossy().into_owned();
        Options::dev()
            .option("--tls-cert", path("cert.pem"))
            .option("--tls-key", path("key.pem"))
    }

    async fn connect(&self, server: &Server, protocol: &str) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(server.address()).await;
        let name = ServerName::try_from(NAME).expect("a name");
        let connector = self.authority.connector(protocol);
        let shaken = connector.connect(name, stream.expect("it listens"));
        within("a handshake", shaken).await.expect("it is trusted")
    }
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_within_tls_and_neither_in_clear() {
    let home = Home::new();
    let mut server = Server::start(home.options()).await;
    assert!(server.url().starts_with("https://"), "{}", server.url());
    let links = format!("links point to {}", server.url());
    server.printed(&links).await;

    let request = || {
        let request = Request::get("https://localhost/api/v1/health");
        request
            .body(Empty::<bytes::Bytes>::new())
            .expect("it is one")
    };
    let stream = TokioIo::new(home.connect(&server, "h2").await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .expect("HTTP/2 is spoken");
    tokio::spawn(connection);
    let answer = sender.send_request(request()).await.expect("an answer");
    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (Version::HTTP_2, 200)
    );

    let stream = TokioIo::new(home.connect(&server, "http/1.1").await);
    let (mut sender, connection) = http1::handshake(stream).await.expect("HTTP is spoken");
    tokio::spawn(connection);
    let answer = sender.send_request(request()).await.expect("an answer");
    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (Version::HTTP_11, 200)
    );
    answer.into_body().collect().await.expect("all of it");

    let mut clear = TcpStream::connect(server.address())
        .await
        .expect("it listens");
    clear.write_all(HEALTH).await.expect("it is taken");
    let mut heard = Vec::new();
    let read = within("the end of what is in clear", clear.read_to_end(&mut heard)).await;
    let text = String::from_utf8_lossy(&heard);
    assert!(
        !text.contains("HTTP") && heard.len() < 16,
        "{read:?}: {text}"
    );

    // The product's own client, which trusts the authority by a flag.
    home.write("ca.pem", &home.authority.pem());
    home.write("token", &server.token().await);
    let ca = home.file("ca.pem").to_string_lossy().into_owned();
    let token = home.file("token").to_string_lossy().into_owned();
    let url = format!("https://localhost:{}", server.address().port());
    let trusting = ["app", "list", "--server", &url, "--token-file", &token];
    let asked = postrider(&[&trusting[..], &["--ca-file", &ca]].concat()).await;
    asked.expect(0);
    postrider(&trusting).await.expect(3);
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_signal_exchanges_the_certificate_and_a_broken_file_keeps_it() {
    let home = Home::new();
    let mut server = Server::start(home.options()).await;
    let mut old = home.connect(&server, "http/1.1").await;
    let first = certificate(&old);
    ask(&mut old).await;

    home.issue(2098);
    server.signal("HUP").await;
    server.printed("SIGHUP: new connections").await;
    let mut new = home.connect(&server, "http/1.1").await;
    let second = certificate(&new);
    assert_ne!(second, first);
    ask(&mut new).await;
    ask(&mut old).await;

    // A certificate of another key than the one that lies there.
    let (other, _) = home.authority.issue_until(NAME, 2097);
    home.write("cert.pem", &other);
    server.signal("HUP").await;
    let told = server.printed("the certificate can't be exchanged").await;
    assert!(
        told.contains("cert.pem") && told.contains("key.pem"),
        "{told}"
    );
    let mut kept = home.connect(&server, "http/1.1").await;
    assert_eq!(certificate(&kept), second);
    ask(&mut kept).await;
    ask(&mut old).await;
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_certificate_that_has_ended_is_reported_and_serves_on() {
    let home = Home::new();
    home.issue(2002);
    let mut server = Server::start(home.options()).await;
    let told = server.printed("delivery.certificate_expiring").await;
    assert!(told.contains("has ended at 2002-12-31"), "{told}");
    home.issue(2099);
    server.signal("HUP").await;
    server.printed("SIGHUP: new connections").await;
    ask(&mut home.connect(&server, "http/1.1").await).await;
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn clients_that_say_nothing_hold_up_nobody() {
    let home = Home::new();
    let mut server = Server::start(home.options()).await;
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        let connection = TcpStream::connect(server.address()).await;
        silent.push(connection.expect("it listens"));
    }
    ask(&mut home.connect(&server, "http/1.1").await).await;
    for mut connection in silent {
        let ended = within("an end of what hangs", connection.read(&mut [0])).await;
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    }
    ask(&mut home.connect(&server, "http/1.1").await).await;
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_server_whose_files_are_of_no_use_does_not_start() {
    let home = Home::new();
    home.write("key.pem", "sesame");
    let data = home.file("data").to_string_lossy().into_owned();
    let (certificate, key) = (home.file("cert.pem"), home.file("key.pem"));
    let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &data];
    let half = [&serve[..], &["--tls-cert", &certificate]].concat();
    let refused = postrider(&half).await;
    refused.expect(2);
    assert!(refused.stderr.contains("`tls_key`"), "{}", refused.stderr);
    let broken = [&half[..], &["--tls-key", &key]].concat();
    let refused = postrider(&broken).await;
    refused.expect(3);
    let told = &refused.stderr;
    assert!(
        told.contains("key.pem") && !told.contains("sesame"),
        "{told}"
    );
}

fn certificate(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    let (_, session) = stream.get_ref();
    let chain = session.peer_certificates().expect("it was shown one");
    chain[0].to_vec()
}

/// Asks for the health on a connection that stays open.
async fn ask(stream: &mut TlsStream<TcpStream>) {
    stream.write_all(HEALTH).await.expect("it is taken");
    let mut answer = Vec::new();
    let mut bytes = [0; 4_096];
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = within("an answer", stream.read(&mut bytes)).await;
        let count = count.expect("it goes on");
        assert_ne!(count, 0, "it goes on");
        answer.extend_from_slice(&bytes[..count]);
    }
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}
