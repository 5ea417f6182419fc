//! The end of listening. A connection that has come about and was not accepted yet is broken by
//! the system when nobody listens any more, with the request that its client has sent by then: it
//! could not tell that from one that was read. So none may come about that is not accepted.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// How long connections that are just coming about may take for that.
pub(super) const HANDSHAKE: Duration = Duration::from_millis(250);

/// Lets no more connections come about, where the system can: their first packet is not answered,
/// so that the client sends it again within a second or so, and is refused then, by nobody
/// listening. Elsewhere they are accepted up to the last moment.
#[cfg(target_os = "linux")]
pub(super) fn refuse_new(listener: &TcpListener) {
    use socket2::{SockFilter, SockRef};
    /// In the system's packet filter: take everything but what has SYN and not ACK among the flags
    /// of its TCP header.
    const NO_SYN: [SockFilter; 5] = [
        SockFilter::new(0x30, 0, 0, 13), // load the byte that holds the flags
        SockFilter::new(0x54, 0, 0, 0x12), // of these, SYN and ACK
        SockFilter::new(0x15, 0, 1, 0x02), // SYN alone: go on, else skip one
        SockFilter::new(0x06, 0, 0, 0),  // drop it
        SockFilter::new(0x06, 0, 0, u32::MAX), // take all of it
    ];
    if let Err(error) = SockRef::from(listener).attach_filter(&NO_SYN) {
        tracing::debug!(%error, "new connections can't be kept away");
    }
}

/// See the other one.
#[cfg(not(target_os = "linux"))]
pub(super) fn refuse_new(_: &TcpListener) {}

/// The connections that wait to be accepted. Nobody listens afterwards.
pub(super) fn waiting(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let mut waiting = Vec::new();
    let Ok(listener) = listener.into_std() else {
        return waiting;
    };
    loop {
        let accepted = listener.accept().and_then(|(stream, remote)| {
            stream.set_nonblocking(true)?;
            Ok((TcpStream::from_std(stream)?, remote))
        });
        match accepted {
            Ok(accepted) => waiting.push(accepted),
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(_) => return waiting,
        }
    }
}
