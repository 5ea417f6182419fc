//! TLS in front of a server that speaks none, with certificates of the test's own.
//!
//! [`Authority`] issues them. [`Front`] ends TLS and forwards what comes in clear, as a reverse
//! proxy does, and keeps what it was told: what a client sends to a peer that it has not verified
//! is there to be seen. It reads no HTTP, so whatever is spoken behind it goes through. [`Back`]
//! is the same the other way round.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer};
use rcgen::{DnType, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::wait::within;

/// A certificate authority that nobody trusts unless told to.
pub struct Authority(pub(crate) CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one. Its name is part of what it is found by: two with one name are told apart by
    /// their signatures only.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Its own certificate, as `--ca-file` takes it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for this name or address, and its key, both as PEM files have them; it ends
    /// with this year.
    pub fn issue_until(&self, name: &str, year: i32) -> (String, String) {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.not_after = date_time_ymd(year, 12, 31);
        let (certificate, key) = self.sign(params);
        (certificate.pem(), key.serialize_pem())
    }

    pub(crate) fn sign(&self, params: CertificateParams) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate, key)
    }

    /// What a client trusts that trusts nobody else, and speaks this.
    pub fn connector(&self, protocol: &str) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("it is an authority");
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        TlsConnector::from(Arc::new(config))
    }

    /// What a server shakes hands with: a certificate for this name or address, and its key.
    pub(crate) fn acceptor(&self, name: &str) -> TlsAcceptor {
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let (certificate, key) = self.sign(params);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], key)
            .expect("the key is the certificate's");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server's TLS side on 127.0.0.1.
pub struct Front {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    /// What clients have sent, in clear.
    heard: Mutex<Vec<u8>>,
    /// How many handshakes failed.
    refused: watch::Sender<usize>,
    acceptor: watch::Sender<TlsAcceptor>,
}

impl Front {
    /// In front of `server`, with a certificate of this authority for `name`.
    pub async fn start(server: SocketAddr, authority: &Authority, name: &str) -> Self {
        Self::accepting(server, authority.acceptor(name)).await
    }

    /// In front of `server`, and what shakes hands is given.
    pub async fn accepting(server: SocketAddr, acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(State {
            heard: Mutex::default(),
            refused: watch::Sender::default(),
            acceptor: watch::Sender::new(acceptor),
        });
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while open.try_join_next().is_some() {}
                open.spawn(Arc::clone(&shared).serve(client, server));
            }
        });
        Self {
            address,
            state,
            accepting,
        }
    }

    /// `https://`, this host, and its port; the host is one that leads to this machine.
    pub fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.address.port())
    }

    /// From now on, something else shakes hands; connections that are open end.
    pub fn exchange(&self, acceptor: TlsAcceptor) {
        self.state.acceptor.send_replace(acceptor);
    }

    /// All that clients have sent over connections that they took for good.
    pub fn heard(&self) -> String {
        let heard = self.state.heard.lock().expect("nobody panics with it");
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Waits until so many clients have refused to go on, since it was started.
    pub async fn refused(&self, count: usize) {
        let mut refused = self.state.refused.subscribe();
        within(
            format!("handshake {count} to be refused"),
            refused.wait_for(|refused| *refused >= count),
        )
        .await
        .expect("it is kept");
    }
}

/// The way back: for clients that speak no TLS, a server that does.
pub struct Back {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Back {
    /// To `server`, which must show what this authority issued for `name`.
    pub async fn start(server: SocketAddr, authority: &Authority, name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let connector = authority.connector("http/1.1");
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let accepting = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                while open.try_join_next().is_some() {}
                let (connector, name) = (connector.clone(), name.clone());
                open.spawn(async move {
                    // A server that is away, or another: the client sees its connection end.
                    let server = TcpStream::connect(server).await?;
                    let mut server = connector.connect(name, server).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self { address, accepting }
    }

    /// `http://`, and its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Back {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl State {
    async fn serve(self: Arc<Self>, client: TcpStream, server: SocketAddr) {
        let mut exchanged = self.acceptor.subscribe();
        let acceptor = exchanged.borrow_and_update().clone();
        let Ok(client) = acceptor.accept(client).await else {
            self.refused.send_modify(|refused| *refused += 1);
            return;
        };
        // A server that is away: the client sees its connection end.
        let Ok(server) = TcpStream::connect(server).await else {
            return;
        };
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_server, mut to_server) = server.into_split();
        let requests = async {
            let mut bytes = vec![0; 64 << 10];
            while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
                self.hear(&bytes[..count]);
                if to_server.write_all(&bytes[..count]).await.is_err() {
                    break;
                }
            }
            // The client has ended: so has its connection to the server.
            let _ = to_server.shutdown().await;
        };
        let answers = async {
            let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
            let _ = to_client.shutdown().await;
        };
        tokio::select! {
            ((), ()) = async { tokio::join!(requests, answers) } => {}
            _ = exchanged.changed() => {}
        }
    }

    fn hear(&self, bytes: &[u8]) {
        let mut heard = self.heard.lock().expect("nobody panics with it");
        heard.extend_from_slice(bytes);
    }
}
