//! A mail server that takes what it is brought, over STARTTLS only, from who has the password; and
//! keeps all that was said to it in clear, and each letter.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls::Authority;
use crate::wait::within;

/// A running one on 127.0.0.1.
pub struct MailServer {
    address: SocketAddr,
    letters: tokio::sync::Mutex<mpsc::UnboundedReceiver<Letter>>,
    in_clear: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

/// A letter, as it was brought.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// Whom it was brought for.
    pub recipients: Vec<String>,
    /// Its headers and its text.
    pub lines: Vec<String>,
}

impl MailServer {
    /// With a certificate of this authority for `127.0.0.1`, for a user with a password.
    pub async fn start(authority: &Authority, user: &str, password: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let login = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
        let (acceptor, in_clear) = (authority.acceptor("127.0.0.1"), Arc::default());
        let (tell, letters) = mpsc::unbounded_channel();
        let said: Arc<Mutex<Vec<String>>> = Arc::clone(&in_clear);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, login) = (acceptor.clone(), login.clone());
                let (tell, said) = (tell.clone(), Arc::clone(&said));
                tokio::spawn(async move {
                    if let Some(stream) = in_the_clear(stream, &said, acceptor).await {
                        let _ = secured(stream, &login, &tell).await;
                    }
                });
            }
        });
        Self {
            address,
            letters: tokio::sync::Mutex::new(letters),
            in_clear,
            accepting,
        }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next letter; waits for it.
    pub async fn next(&self) -> Letter {
        let letter = async { self.letters.lock().await.recv().await };
        let letter = within("a letter at the mail server", letter).await;
        letter.expect("it runs as long as it is held")
    }

    /// All that was said to it in clear.
    pub fn heard_in_clear(&self) -> String {
        self.in_clear
            .lock()
            .expect("nobody panics with it")
            .join("\n")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Until TLS: then what is spoken over it.
async fn in_the_clear(
    stream: TcpStream,
    said: &Mutex<Vec<String>>,
    acceptor: TlsAcceptor,
) -> Option<impl AsyncRead + AsyncWrite + Unpin> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 clear\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        said.lock()
            .expect("nobody panics with it")
            .push(line.clone());
        let answer: &[u8] = match line.trim_end() {
            "STARTTLS" => b"220 go on\r\n",
            line if line.starts_with("EHLO ") => b"250-clear\r\n250 STARTTLS\r\n",
            _ => b"530 first STARTTLS\r\n",
        };
        stream.write_all(answer).await.ok()?;
        if line.trim_end() == "STARTTLS" {
            return acceptor.accept(stream.into_inner()).await.ok();
        }
    }
}

async fn secured(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    login: &str,
    tell: &mpsc::UnboundedSender<Letter>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut letter, mut is_in, mut is_text) = (Letter::default(), false, false);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        if is_text && line != "." {
            letter.lines.push(line.to_owned());
            continue;
        }
        let answer = match line {
            "." => {
                is_text = false;
                let _ = tell.send(std::mem::take(&mut letter));
                "250 taken"
            }
            "QUIT" => "221 bye",
            "DATA" if is_in => {
                is_text = true;
                "354 go on"
            }
            line if line.starts_with("EHLO ") => "250-secured\r\n250 AUTH PLAIN",
            line if line.strip_prefix("AUTH PLAIN ") == Some(login) => {
                is_in = true;
                "235 in"
            }
            line if line.starts_with("MAIL FROM:<") && is_in => "250 ok",
            line if line.starts_with("RCPT TO:<") && is_in => {
                let name = line["RCPT TO:<".len()..].trim_end_matches('>');
                letter.recipients.push(name.to_owned());
                "250 ok"
            }
            _ => "535 no",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
