//! The one place where Postrider opens a connection to somewhere.
//!
//! It connects to an address, never to a name: names end at the guard. A trait of one function, so
//! that a test can watch which addresses are dialled.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::net::TcpStream;

/// Connects to an address that the guard returned, or to the operator's own proxy.
#[async_trait]
pub(crate) trait Dial: Send + Sync {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream>;
}

/// Plain TCP.
pub(crate) struct TcpDial;

#[async_trait]
impl Dial for TcpDial {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        // A request is one write, and its last segment must not wait for an acknowledgement.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
