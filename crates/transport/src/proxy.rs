//! The operator's egress proxy: an HTTP proxy that is asked to `CONNECT`.
//!
//! Names are still resolved and judged here, and the proxy is asked for the judged address, for
//! plain http as well; so it can't be talked into another one. The proxy's own address is the
//! operator's word and exempt from the policy. The proxy is spoken to in the clear: what passes
//! through it is TLS end to end, or was in the clear anyway.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine};
use model::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Host, Url};

use crate::{SendError, Stage};

/// The longest answer to `CONNECT` that is read.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Where the proxy is and how it knows us.
#[derive(Clone)]
pub struct EgressProxy {
    host: ProxyHost,
    port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<Secret>,
}

#[derive(Debug, Clone)]
pub(crate) enum ProxyHost {
    Address(IpAddr),
    Name(String),
}

/// A proxy's URL that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the egress proxy's URL can't be used: {0}; write http://[USER:PASSWORD@]HOST:PORT")]
pub struct EgressProxyError(String);

/// What the proxy said to `CONNECT`.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error("the egress proxy can't be reached or hung up")]
    Lost(#[source] std::io::Error),
    #[error("the egress proxy answered {0} to CONNECT")]
    Refused(u16),
    #[error("the egress proxy's answer to CONNECT is not HTTP")]
    Malformed,
}

impl FromStr for EgressProxy {
    type Err = EgressProxyError;

    fn from_str(text: &str) -> Result<Self, EgressProxyError> {
        let wrong = |problem: &str| EgressProxyError(problem.to_owned());
        let url = Url::parse(text).map_err(|error| EgressProxyError(error.to_string()))?;
        if url.scheme() != "http" {
            return Err(wrong("only http:// proxies are supported"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("a proxy has no path"));
        }
        let host = match url.host() {
            Some(Host::Ipv4(address)) => ProxyHost::Address(address.into()),
            Some(Host::Ipv6(address)) => ProxyHost::Address(address.into()),
            Some(Host::Domain(name)) => {
                ProxyHost::Name(name.strip_suffix('.').unwrap_or(name).to_owned())
            }
            None => return Err(wrong("it has no host")),
        };
        let port = url
            .port_or_known_default()
            .ok_or_else(|| wrong("it has no port"))?;
        let authorization = model::address::credentials(&url)
            .map(|pair| format!("Basic {}", BASE64_STANDARD.encode(pair.expose())).into());
        Ok(Self {
            host,
            port,
            authorization,
        })
    }
}

impl fmt::Display for EgressProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            ProxyHost::Address(address) => {
                write!(f, "http://{}", SocketAddr::new(*address, self.port))
            }
            ProxyHost::Name(name) => write!(f, "http://{name}:{}", self.port),
        }
    }
}

impl fmt::Debug for EgressProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EgressProxy({self})")
    }
}

impl EgressProxy {
    pub(crate) fn host(&self) -> &ProxyHost {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// No connection to the proxy came about.
    pub(crate) fn lost(error: std::io::Error) -> SendError {
        SendError::new(Stage::Connect, ConnectError::Lost(error))
    }

    /// Asks for a tunnel to this address over a fresh connection to the proxy.
    pub(crate) async fn tunnel(
        &self,
        mut stream: TcpStream,
        to: SocketAddr,
    ) -> Result<TcpStream, SendError> {
        let asked = async {
            let lost = ConnectError::Lost;
            stream
                .write_all(self.request(to).expose())
                .await
                .map_err(lost)?;
            let head = read_head(&mut stream).await?;
            match status_of(&head).ok_or(ConnectError::Malformed)? {
                200..=299 => Ok(()),
                status => Err(ConnectError::Refused(status)),
            }
        };
        asked
            .await
            .map_err(|error: ConnectError| SendError::new(Stage::Connect, error))?;
        Ok(stream)
    }

    fn request(&self, to: SocketAddr) -> Secret {
        let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
        if let Some(value) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(value.expose());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        Secret::new(request)
    }
}

/// Reads to the empty line and no further. The other end of the tunnel speaks only after us, so
/// anything behind the line did not come from there.
async fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>, ConnectError> {
    const END: &[u8] = b"\r\n\r\n";
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(END) {
        if head.len() >= HEAD_BYTES_MAX || head.windows(END.len()).any(|window| window == END) {
            return Err(ConnectError::Malformed);
        }
        let read = stream
            .read_buf(&mut head)
            .await
            .map_err(ConnectError::Lost)?;
        if read == 0 {
            return Err(ConnectError::Lost(std::io::ErrorKind::UnexpectedEof.into()));
        }
    }
    Ok(head)
}

fn status_of(head: &[u8]) -> Option<u16> {
    let line = head.split(|&byte| byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (version, rest) = line.split_once(' ')?;
    let status = rest.split(' ').next()?;
    let plausible = version.starts_with("HTTP/1.") && status.len() == 3;
    plausible.then(|| status.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_is_read_and_its_password_is_not_printed() {
        let proxy: EgressProxy = "http://user:secret@proxy.internal:4750"
            .parse()
            .expect("a proxy");
        assert_eq!(proxy.to_string(), "http://proxy.internal:4750");
        assert!(!format!("{proxy:?}").contains("secret"));
        let request = proxy.request("[2606:4700::1]:443".parse().expect("an address"));
        let request = String::from_utf8(request.expose().to_vec()).expect("text");
        assert_eq!(
            request,
            "CONNECT [2606:4700::1]:443 HTTP/1.1\r\nHost: [2606:4700::1]:443\r\n\
             Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
        );
    }

    #[test]
    fn unusable_proxies_are_explained() {
        for url in [
            "proxy:4750",
            "https://proxy:4750",
            "socks5://proxy:1",
            "http://proxy/path",
            "",
        ] {
            let error = url.parse::<EgressProxy>().expect_err(url).to_string();
            assert!(
                error.contains("write http://[USER:PASSWORD@]HOST:PORT"),
                "{error}"
            );
        }
    }

    #[test]
    fn status_comes_from_an_http_status_line_only() {
        assert_eq!(
            status_of(b"HTTP/1.1 200 Connection established\r\n\r\n"),
            Some(200)
        );
        assert_eq!(status_of(b"HTTP/1.0 407 \r\n\r\n"), Some(407));
        for odd in [
            &b"SSH-2.0-x\r\n\r\n"[..],
            b"HTTP/1.1 20\r\n\r\n",
            b"\r\n\r\n",
            b"",
        ] {
            assert_eq!(status_of(odd), None, "{odd:?}");
        }
    }
}
