//! Receivers that never answer: connections are taken, requests are read, and nothing comes back.
//!
//! Each listens on an address of its own, as hosts of different owners do, so that a limit for one
//! host is not what protects others from them. They are all this machine: `127.1.x.y`.

use crate::serving::ACCEPT_PAUSE;
use crate::{BenchError, stdin};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// So many fit into one of the last bytes of an address, without 0 and 255.
const PER_BYTE: u32 = 254;

/// Hangs as a part of a bench, at so many addresses, until that is gone.
///
/// # Errors
/// An address can't be listened on.
pub async fn part(count: u32) -> Result<(), BenchError> {
    let mut port = 0;
    let mut receivers = JoinSet::new();
    for number in 0..count {
        let listener = TcpListener::bind(SocketAddr::from((host(number), port))).await;
        let listener = listener.map_err(BenchError::io("can't listen on the address"))?;
        let address = listener.local_addr();
        port = address
            .map_err(BenchError::io("the address can't be told"))?
            .port();
        receivers.spawn(hang(listener));
    }
    eprintln!("listening on http://{}:{port}", host(0));
    stdin::closed().await;
    Ok(())
}

/// The URL of one of them.
pub(crate) fn url(number: u32, port: u16) -> String {
    format!("http://{}:{port}/", host(number))
}

fn host(number: u32) -> Ipv4Addr {
    let byte = |number: u32| (number % PER_BYTE + 1) as u8;
    Ipv4Addr::new(127, 1, byte(number / PER_BYTE), byte(number))
}

async fn hang(listener: TcpListener) {
    loop {
        // What can't be accepted hangs as well.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(swallow(stream));
        } else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }
}

/// Reads on and says nothing, until the other side gives up.
async fn swallow(mut stream: TcpStream) {
    let (mut requests, _answers) = stream.split();
    // However it ends, it has ended.
    let _ = copy(&mut requests, &mut sink()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_has_a_host_of_its_own() {
        let hosts: BTreeSet<_> = (0..10_000).map(host).collect();
        assert_eq!(hosts.len(), 10_000);
        assert!(hosts.iter().all(Ipv4Addr::is_loopback));
        assert_eq!(url(254, 80), "http://127.1.2.1:80/");
    }
}
