//! The way from one node to the database: carries bytes from a port of 127.0.0.1 to the server's
//! Unix socket, and can be broken at the moment that matters most: at a commit that renews the
//! node's lease, as every commit of messages and outcomes does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use e2e::within;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::protocol::{Messages, Renewal};

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It arrives.
    Open,
    /// It arrives, and from the next commit on no answer does.
    AnswersLost,
    /// A commit stays on the way, and what comes behind it.
    CommitsHeld,
    /// Connections end, and there are no new ones.
    Cut,
}

/// A running proxy.
pub struct Proxy {
    address: SocketAddr,
    state: State,
    accepting: JoinHandle<()>,
}

#[derive(Clone)]
struct State {
    way: watch::Sender<Way>,
    /// How many commits met a way that was not open.
    caught: watch::Sender<u64>,
    socket: Arc<PathBuf>,
}

impl Proxy {
    /// Leads to this socket.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let state = State {
            way: watch::Sender::new(Way::Open),
            caught: watch::Sender::new(0),
            socket: Arc::new(socket),
        };
        let accepting = tokio::spawn(state.clone().accept(listener));
        Self {
            address,
            state,
            accepting,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the way for all connections.
    pub fn set(&self, way: Way) {
        self.state.way.send_replace(way);
    }

    /// Changes the way, and waits until it has caught a commit.
    ///
    /// # Panics
    /// When none comes.
    pub async fn catch(&self, way: Way) {
        let mut caught = self.state.caught.subscribe();
        let before = *caught.borrow_and_update();
        self.set(way);
        within("a commit", caught.wait_for(|caught| *caught > before))
            .await
            .expect("the proxy holds the sender");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.set(Way::Cut);
    }
}

impl State {
    async fn accept(self, listener: TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            if *self.way.borrow() != Way::Cut {
                tokio::spawn(self.clone().carry(client));
            }
        }
    }

    async fn carry(self, client: TcpStream) {
        // A database that is away has no socket: the client's connection ends as well.
        let Ok(server) = UnixStream::connect(&*self.socket).await else {
            return;
        };
        let (_, ways) = (client.set_nodelay(true), self.way.subscribe());
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let muted = watch::Sender::new(false);
        let mut cut = ways.clone();
        tokio::select! {
            () = self.requests((from_client, to_server), &muted, ways) => {}
            () = answers((from_server, to_client), &muted) => {}
            _ = cut.wait_for(|way| *way == Way::Cut) => {}
        }
    }

    async fn requests(
        &self,
        (mut from, mut to): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
        muted: &watch::Sender<bool>,
        mut ways: watch::Receiver<Way>,
    ) {
        let (mut bytes, mut messages) = (vec![0; 64 << 10], Messages::default());
        let mut renewal = Renewal::default();
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            messages.push(&bytes[..count]);
            let mut passing = Vec::new();
            while let Some(message) = messages.next() {
                let way = *ways.borrow_and_update();
                if renewal.is_committed_by(&message) && way != Way::Open {
                    // What stands before it arrives.
                    if to.write_all(&passing).await.is_err() {
                        return;
                    }
                    passing.clear();
                    muted.send_replace(way == Way::AnswersLost);
                    self.caught.send_modify(|caught| *caught += 1);
                    if way == Way::CommitsHeld {
                        let released = ways.wait_for(|way| *way != Way::CommitsHeld).await;
                        if *released.expect("this holds the sender") == Way::Cut {
                            return;
                        }
                    }
                }
                passing.extend(message);
            }
            if to.write_all(&passing).await.is_err() {
                return;
            }
        }
    }
}

async fn answers(
    (mut from, mut to): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    muted: &watch::Sender<bool>,
) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if !*muted.borrow() && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
