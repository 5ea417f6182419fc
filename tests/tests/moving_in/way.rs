//! The way to a server, which can be blocked: requests still get there, and no answer comes back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::within;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What is counted: whatever makes an application or something in one.
const COUNTED: &[u8] = b"POST /api/v1/app";

/// A way to a server.
pub(crate) struct Way {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    server: SocketAddr,
    /// How many more get through with their answers.
    left: AtomicUsize,
    blocked: watch::Sender<bool>,
    /// Whether an answer has been lost.
    lost: watch::Sender<bool>,
}

impl Way {
    /// A way to this server that blocks when so many things are to be made: the last of them is
    /// made, and nobody hears of it.
    pub(crate) async fn blocked_after(server: SocketAddr, count: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(State {
            server,
            left: AtomicUsize::new(count),
            blocked: watch::Sender::new(false),
            lost: watch::Sender::new(false),
        });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A server that is away: the client sees its connection end.
                if let Ok(server) = TcpStream::connect(shared.server).await {
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::spawn(shared.clone().requests(from_client, to_server));
                    tokio::spawn(shared.clone().answers(from_server, to_client));
                }
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until something was made of which the answer was lost.
    pub(crate) async fn loses_an_answer(&self) {
        let mut lost = self.state.lost.subscribe();
        within("an answer to be lost", lost.wait_for(|lost| *lost))
            .await
            .expect("the sender is kept");
    }

    /// Lets everything through from now on.
    pub(crate) fn open(&self) {
        self.state.left.store(usize::MAX, Ordering::SeqCst);
        self.state.blocked.send_replace(false);
    }
}

impl State {
    async fn requests(self: Arc<Self>, mut client: OwnedReadHalf, mut server: OwnedWriteHalf) {
        let mut bytes = vec![0; 64 << 10];
        while let Ok(count @ 1..) = client.read(&mut bytes).await {
            if bytes[..count].starts_with(COUNTED) {
                let less = |left: usize| left.checked_sub(1);
                let _ = self
                    .left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
                if self.left.load(Ordering::SeqCst) == 0 {
                    self.blocked.send_replace(true);
                }
            }
            if server.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
    }

    async fn answers(self: Arc<Self>, mut server: OwnedReadHalf, mut client: OwnedWriteHalf) {
        let mut bytes = vec![0; 64 << 10];
        let mut lost = false;
        while let Ok(count @ 1..) = server.read(&mut bytes).await {
            // What was lost once does not go on in the middle.
            if *self.blocked.borrow() {
                lost = true;
                self.lost.send_replace(true);
            }
            if !lost && client.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
    }
}
