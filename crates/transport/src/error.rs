//! What went wrong, and how far the request got.
//!
//! `Display` and `source` are for the operator's log: the outer text names the stage, the chain
//! says why. A tenant reads [`SendError::for_tenant`], which names neither addresses nor the
//! operator's proxy.

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::time::Duration;

use model::address::Refusal;
use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use crate::connect::TlsNeeded;
use crate::{Denial, Handshake, Observed, PinMismatch, ResolveError};

/// The other side's TLS is too old.
const NO_VERSION: &str = "the receiver offers no version of TLS that is allowed";

/// How far a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Refused by the address policy; nothing was sent anywhere.
    Guard,
    /// The name did not resolve.
    Resolve,
    /// No connection came about.
    Connect,
    /// The TLS handshake failed, or the certificate was refused.
    Tls,
    /// The connection broke while the request was being written.
    Write,
    /// The connection broke, or the answer made no sense, while it was being read.
    Read,
    /// A time limit of ours ran out.
    Timeout,
}

/// Which limit ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLimit {
    /// [`Limits::connect_timeout`](crate::Limits::connect_timeout).
    Connect,
    /// [`Limits::total_timeout`](crate::Limits::total_timeout).
    Total,
}

/// A request that got no whole answer.
#[derive(Debug, thiserror::Error)]
#[error("{}", outer_text(*.stage))]
pub struct SendError {
    stage: Stage,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
    handshake: Option<Box<Handshake>>,
    observed: Box<Observed>,
}

#[derive(Debug, thiserror::Error)]
#[error("{what} within {limit:?}")]
struct TimedOut {
    what: &'static str,
    limit: Duration,
}

impl SendError {
    /// An error of this stage, with its cause.
    pub fn new(stage: Stage, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            stage,
            cause: cause.into(),
            handshake: None,
            observed: Box::default(),
        }
    }

    /// A limit that ran out.
    pub fn timed_out(which: TimeLimit, limit: Duration) -> Self {
        let what = match which {
            TimeLimit::Connect => "no connection",
            TimeLimit::Total => "no whole answer",
        };
        Self::new(Stage::Timeout, TimedOut { what, limit })
    }

    /// The same error, of a request whose handshake showed this, and of which this was observed.
    pub fn after(self, handshake: Option<Box<Handshake>>, observed: Box<Observed>) -> Self {
        Self {
            handshake,
            observed,
            ..self
        }
    }

    /// What the TLS handshake showed, where one was made for this request before it failed.
    pub fn handshake(&self) -> Option<&Handshake> {
        self.handshake.as_deref()
    }

    /// How the request went until it failed.
    pub fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Which pins were expected and which received, where that is why nothing was sent.
    pub fn pin_mismatch(&self) -> Option<&PinMismatch> {
        match self.certificate_error()? {
            CertificateError::Other(error) => error.0.downcast_ref(),
            _ => None,
        }
    }

    /// How far the request got.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Why the address policy refused, where it did.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.cause.downcast_ref()
    }

    /// Whether the other side's certificate was refused: a matter of security rather than of the
    /// network. A missing pin is one of its cases.
    pub fn is_certificate_refused(&self) -> bool {
        self.certificate_error().is_some()
    }

    /// What a tenant may read, as the attempt's recorded response.
    pub fn for_tenant(&self) -> Cow<'static, str> {
        if let Some(mismatch) = self.pin_mismatch() {
            return Cow::Owned(mismatch.to_string());
        }
        let text = match self.stage {
            Stage::Guard => {
                let told = self.refusal().map(Refusal::for_tenant);
                return told.unwrap_or(Cow::Borrowed(Refusal::UNIFORM));
            }
            Stage::Resolve => "the host name could not be resolved",
            Stage::Connect if self.is_connection_refused() => "the connection was refused",
            Stage::Connect => "no connection could be made",
            Stage::Tls => self.tls_text(),
            Stage::Write | Stage::Read if let Some(text) = self.alert_text() => text,
            Stage::Write => "the connection closed before the request was sent whole",
            Stage::Read if self.is_malformed_response() => "the response is not valid HTTP",
            Stage::Read => "the connection closed before the response was complete",
            Stage::Timeout => "request timed out",
        };
        Cow::Borrowed(text)
    }

    fn tls_text(&self) -> &'static str {
        use CertificateError as Cert;
        match self.certificate_error() {
            None => self.handshake_text(),
            Some(Cert::Expired | Cert::ExpiredContext { .. }) => "the certificate has expired",
            Some(Cert::NotValidYet | Cert::NotValidYetContext { .. }) => {
                "the certificate is not valid yet"
            }
            Some(Cert::UnknownIssuer) => "the certificate's issuer is not trusted",
            Some(Cert::NotValidForName | Cert::NotValidForNameContext { .. }) => {
                "the certificate is not valid for this host"
            }
            Some(_) => "the certificate was refused",
        }
    }

    fn handshake_text(&self) -> &'static str {
        if self.cause.is::<TlsNeeded>() {
            return "the URL is not https, and the endpoint has certificate settings";
        }
        let incompatible = match self.tls_error() {
            Some(rustls::Error::PeerIncompatible(incompatible)) => Some(incompatible),
            _ => None,
        };
        match incompatible {
            Some(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => NO_VERSION,
            _ => self.alert_text().unwrap_or("the TLS handshake failed"),
        }
    }

    /// What the other side complained about. With TLS 1.3 that may come after the handshake.
    fn alert_text(&self) -> Option<&'static str> {
        use AlertDescription as Alert;
        match self.tls_error()? {
            rustls::Error::AlertReceived(alert) => match alert {
                Alert::CertificateRequired => Some("the receiver requires a client certificate"),
                Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied => Some("the receiver wants another client certificate"),
                Alert::ProtocolVersion => Some(NO_VERSION),
                _ => None,
            },
            _ => None,
        }
    }

    fn certificate_error(&self) -> Option<&CertificateError> {
        match self.tls_error()? {
            rustls::Error::InvalidCertificate(error) => Some(error),
            _ => None,
        }
    }

    fn tls_error(&self) -> Option<&rustls::Error> {
        let mut next: Option<&(dyn Error + 'static)> = Some(&*self.cause);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            // What is inside an `io::Error` is not its source.
            let inside = error.downcast_ref().and_then(io::Error::get_ref);
            next = match inside {
                Some(inside) => Some(inside),
                None => error.source(),
            };
        }
        None
    }

    fn is_connection_refused(&self) -> bool {
        let cause = self.cause.downcast_ref::<io::Error>();
        cause.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    }

    fn is_malformed_response(&self) -> bool {
        self.cause
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_parse)
    }
}

impl From<Refusal> for SendError {
    fn from(refusal: Refusal) -> Self {
        Self::new(Stage::Guard, refusal)
    }
}

impl From<ResolveError> for SendError {
    fn from(error: ResolveError) -> Self {
        Self::new(Stage::Resolve, error)
    }
}

impl From<Denial> for SendError {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Refused(refusal) => refusal.into(),
            Denial::Unresolved(error) => error.into(),
        }
    }
}

fn outer_text(stage: Stage) -> &'static str {
    match stage {
        Stage::Guard => "the address policy refuses this request",
        Stage::Resolve => "the host could not be resolved",
        Stage::Connect => "no connection could be made",
        Stage::Tls => "the TLS handshake failed",
        Stage::Write => "the request could not be written",
        Stage::Read => "the response could not be read",
        Stage::Timeout => "a time limit ran out",
    }
}
