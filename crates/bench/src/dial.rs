//! Where requests go, and connections to there. Each one is kept open and carries one request at a
//! time.

use crate::BenchError;
use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpSocket, TcpStream};

/// A connection to send requests on.
pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// A server, by host and port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    host: String,
    port: u16,
}

impl Place {
    /// From the base of a server's URLs.
    pub(crate) fn parse(url: &str) -> Result<Self, BenchError> {
        let wrong = |reason| BenchError::Url {
            url: url.to_owned(),
            reason,
        };
        let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("give http://HOST:PORT; the bench speaks no TLS"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("give http://HOST:PORT without a path"));
        }
        let host = uri.host().ok_or_else(|| wrong("it names no host"))?;
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(80),
        })
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Connects.
    pub(crate) async fn connect(&self) -> Result<Connection, BenchError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        self.open(stream).await
    }

    /// Connects from an address of this machine's, to one of its own.
    pub(crate) async fn connect_from(&self, from: Ipv4Addr) -> Result<Connection, BenchError> {
        let connecting = async {
            let to = self.host.parse().map_err(io::Error::other)?;
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from((from, 0)))?;
            socket.connect(SocketAddr::new(to, self.port)).await
        };
        self.open(connecting.await).await
    }

    async fn open(&self, stream: io::Result<TcpStream>) -> Result<Connection, BenchError> {
        let failed = |cause: io::Error| BenchError::Connect {
            address: self.to_string(),
            cause,
        };
        let stream = stream.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Whoever sends on it sees the error.
        tokio::spawn(async move { drop(connection.await) });
        Ok(requests)
    }
}

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: address.ip().to_string(),
            port: address.port(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_a_plain_url_without_a_path() {
        for (url, place) in [
            ("http://127.0.0.1:8071", "127.0.0.1:8071"),
            ("http://hooks.example/", "hooks.example:80"),
            ("http://[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(Place::parse(url).unwrap().to_string(), place);
        }
        for url in [
            "https://a",
            "127.0.0.1:1",
            "http://a/b",
            "http://a/?b",
            "",
            "a b",
        ] {
            assert!(
                matches!(Place::parse(url), Err(BenchError::Url { .. })),
                "{url}"
            );
        }
    }
}
