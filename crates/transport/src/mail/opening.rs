//! From TCP to where SMTP begins. STARTTLS is asked for here, byte by byte: nothing that came
//! before TLS is read after it, so nobody on the way can put words into the server's mouth.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::server::Security;
use super::{MailError, Mailer};
use crate::stream::Channel;
use crate::{SendError, Stage};

/// The longest answer that is read before TLS.
const ANSWER_BYTES_MAX: usize = 8 * 1024;
/// What a server says first. With STARTTLS it has been said before TLS, and is not said again.
const GREETING: &[u8] = b"220 secured\r\n";

/// A connection on which a server's greeting comes next.
pub(super) struct Line {
    /// What is read before anything of the channel.
    greeting: &'static [u8],
    channel: Channel,
    peer: SocketAddr,
}

impl Mailer {
    /// A connection to the server, as secure as it is to be.
    pub(super) async fn open(&self, domain: &str, limit: Duration) -> Result<Line, MailError> {
        let server = &self.server;
        let reached = self.connector.reach_named(&server.host, server.port, limit);
        let mut stream = reached.await.map_err(MailError::Unreached)?;
        let peer = stream.peer_addr().map_err(MailError::Odd)?;
        if server.security == Security::StartTls {
            start_tls(&mut stream, domain).await?;
        }
        let (greeting, channel) = match server.security {
            Security::None => (&[][..], Channel::Plain(stream)),
            Security::Tls => (&[][..], self.secured(stream).await?),
            Security::StartTls => (GREETING, self.secured(stream).await?),
        };
        Ok(Line {
            greeting,
            channel,
            peer,
        })
    }

    async fn secured(&self, stream: TcpStream) -> Result<Channel, MailError> {
        let name = ServerName::try_from(self.server.host.clone());
        let name = name.map_err(|error| MailError::Unreached(SendError::new(Stage::Tls, error)))?;
        let secured = self.connector.tls.connect_bare(name, stream).await;
        let stream = secured.map_err(MailError::Unreached)?;
        Ok(Channel::Tls(Box::new(stream)))
    }
}

/// Brings the server to where TLS begins.
async fn start_tls(stream: &mut TcpStream, domain: &str) -> Result<(), MailError> {
    expect(answer(stream).await?, 220, "the connection")?;
    tell(stream, &format!("EHLO {domain}\r\n")).await?;
    let offers = expect(answer(stream).await?, 250, "the greeting")?;
    let mut words = offers.lines().filter_map(|line| line.get(4..));
    if !words.any(|word| word.trim().eq_ignore_ascii_case("STARTTLS")) {
        return Err(MailError::NoStartTls);
    }
    tell(stream, "STARTTLS\r\n").await?;
    expect(answer(stream).await?, 220, "STARTTLS").map(drop)
}

async fn tell(stream: &mut TcpStream, words: &str) -> Result<(), MailError> {
    let told = stream.write_all(words.as_bytes()).await;
    told.map_err(MailError::Odd)
}

/// One answer, to the end of its last line and no further.
async fn answer(stream: &mut TcpStream) -> Result<String, MailError> {
    let (mut text, mut line) = (Vec::new(), 0);
    loop {
        let byte = stream.read_u8().await.map_err(MailError::Odd)?;
        text.push(byte);
        if text.len() > ANSWER_BYTES_MAX {
            return Err(MailError::Odd(io::ErrorKind::InvalidData.into()));
        }
        if byte != b'\n' {
            continue;
        }
        // More lines follow where a dash stands behind the number.
        if text[line..].get(3) != Some(&b'-') {
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
        line = text.len();
    }
}

fn expect(answer: String, code: u16, to: &'static str) -> Result<String, MailError> {
    match answer.get(..3).and_then(|code| code.parse().ok()) {
        Some(given) if given == code => Ok(answer),
        Some(code) => Err(MailError::Refused { code, to }),
        None => Err(MailError::Odd(io::ErrorKind::InvalidData.into())),
    }
}

impl AsyncTokioStream for Line {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({})", self.peer)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.greeting.is_empty() {
            let length = self.greeting.len().min(buffer.remaining());
            let (now, later) = self.greeting.split_at(length);
            buffer.put_slice(now);
            self.greeting = later;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.channel).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.channel).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.channel).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.channel).poll_shutdown(cx)
    }
}
