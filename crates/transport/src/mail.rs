//! The way to the one mail server that the operator names: a letter is handed to it by SMTP, over
//! TLS that is verified as everywhere.
//!
//! Map: `mail/server.rs` (which server, as the operator writes it) · `mail/opening.rs` (the
//! connection, from TCP to where SMTP begins, STARTTLS included).
//!
//! It has an allow-list of its own, of one: what is called is the operator's server, whose address
//! is not judged, and no letter can name another. The socket and the TLS are this room's; `lettre`
//! speaks the protocol over them and writes the letter. It doesn't go through the egress proxy,
//! keep connections, or try again: a few letters an hour are sent.

mod opening;
mod server;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::header::{self, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use model::alerts::MailAddress;
use model::entropy::random;
use model::{Clock, Entropy};

use crate::connect::GuardedConnector;
use crate::dial::TcpDial;
use crate::tls::{SetupError, Tls};
use crate::{Guard, SendError};

pub use server::{MailServer, MailServerError};

/// How long a letter may take to be handed over.
const LIMIT: Duration = Duration::from_secs(30);
/// How long of that may pass until there is a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a server that has taken it is listened to.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// What keeps other programs from answering (RFC 3834).
const NOBODY_ANSWERS: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// What is to be sent. Its subject is one line, whatever is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Whom to; at least one.
    pub to: Vec<MailAddress>,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// Why a letter was not taken. No text repeats what the server said: it may echo what it was told.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No connection came about.
    #[error("the mail server can't be reached")]
    Unreached(#[source] SendError),
    /// It offers no STARTTLS.
    #[error(
        "the mail server offers no STARTTLS, and nothing is sent in clear: use a port with TLS \
         (smtps://), or allow it with `smtp_insecure`"
    )]
    NoStartTls,
    /// What it says is no SMTP.
    #[error("the mail server does not answer as one")]
    Odd(#[source] std::io::Error),
    /// It does not take this.
    #[error("the mail server answered {code} to {to}")]
    Refused {
        /// Its answer.
        code: u16,
        /// What it was told.
        to: &'static str,
    },
    /// The conversation broke off.
    #[error("the conversation with the mail server broke off at {0}")]
    Lost(&'static str),
    /// It took too long.
    #[error("the mail server did not take the letter within {LIMIT:?}")]
    TimedOut,
    /// There is no letter of this.
    #[error("the letter can't be written")]
    Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl MailError {
    /// Whether to try again may help: not where the server has said no for good.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreached(_) | Self::Odd(_) | Self::Lost(_) | Self::TimedOut => true,
            Self::Refused { code, .. } => *code < 500,
            Self::NoStartTls | Self::Unwritable(_) => false,
        }
    }
}

/// Brings letters to the server.
pub struct Mailer {
    server: MailServer,
    connector: GuardedConnector,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Mailer {
    /// To this server. The guard resolves its name; `extra_roots` are trusted besides the system's.
    ///
    /// # Errors
    /// The roots can't be used.
    pub fn new(
        server: MailServer,
        (guard, extra_roots): (Arc<Guard>, Option<&[u8]>),
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
    ) -> Result<Self, SetupError> {
        let connector = GuardedConnector {
            guard,
            dial: Box::new(TcpDial),
            tls: Tls::new(extra_roots)?,
            proxy: None,
        };
        Ok(Self {
            server,
            connector,
            clock,
            entropy,
        })
    }

    /// Hands the letter over. It may arrive although this fails: what broke off may have been the
    /// answer.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let handed_over = tokio::time::timeout(LIMIT, self.hand_over(letter)).await;
        handed_over.unwrap_or(Err(MailError::TimedOut))
    }

    async fn hand_over(&self, letter: &Letter) -> Result<(), MailError> {
        let message = self.write(letter)?;
        let (_, domain) = self.server.from.parts();
        let stream = self.open(domain, CONNECT_LIMIT).await?;
        let hello = ClientId::Domain(domain.to_owned());
        let connected = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await;
        let mut connection = connected.map_err(at("the greeting"))?;
        if let Some((user, password)) = &self.server.login {
            let password = String::from_utf8_lossy(password.expose()).into_owned();
            let credentials = Credentials::new(user.clone(), password);
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let let_in = connection.auth(&mechanisms, &credentials).await;
            let_in.map_err(at("the user name and password"))?;
        }
        let written = message.formatted();
        let sent = connection.send(message.envelope(), &written).await;
        sent.map_err(at("the letter"))?;
        // It was taken, whatever comes of the farewell.
        let _ = tokio::time::timeout(FAREWELL_LIMIT, connection.quit()).await;
        Ok(())
    }

    fn write(&self, letter: &Letter) -> Result<Message, MailError> {
        let from = address(&self.server.from)?;
        let to: Result<Vec<_>, _> = letter.to.iter().map(address).collect();
        let to = to?;
        let envelope = Envelope::new(Some(from.clone()), to.clone()).map_err(unwritable)?;
        let id = format!("<{}@{}>", self.token(), from.domain());
        let now = Duration::from_micros(self.clock.now().micros().try_into().unwrap_or(0));
        let mut message = Message::builder()
            .from(Mailbox::new(None, from))
            .subject(one_line(&letter.subject))
            .date(std::time::UNIX_EPOCH + now)
            .message_id(Some(id))
            .header(header::MIME_VERSION_1_0)
            .header(header::ContentType::TEXT_PLAIN)
            .raw_header(HeaderValue::new(
                NOBODY_ANSWERS,
                "auto-generated".to_owned(),
            ))
            .envelope(envelope);
        for one in to {
            message = message.to(Mailbox::new(None, one));
        }
        message.body(letter.text.clone()).map_err(unwritable)
    }

    /// What names a letter among all others.
    fn token(&self) -> String {
        let bytes: [u8; 16] = random(&*self.entropy);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn address(address: &MailAddress) -> Result<Address, MailError> {
    address.as_str().parse().map_err(unwritable)
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> MailError {
    MailError::Unwritable(error.into())
}

/// What could begin another header is a space.
fn one_line(text: &str) -> String {
    let one = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(one).collect()
}

/// What the library says, without the server's words.
fn at(to: &'static str) -> impl Fn(lettre::transport::smtp::Error) -> MailError {
    move |error| match error.status() {
        Some(code) => MailError::Refused {
            code: code.into(),
            to,
        },
        None => MailError::Lost(to),
    }
}
