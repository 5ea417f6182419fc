//! What is worth reporting: the kinds of security events, and the sink that takes them. Folding and
//! keeping them is `watch`'s.

use crate::clock::Timestamp;
use crate::id::{ApiKeyKind, ApplicationId, ApplicationKey, ApplicationKind, EndpointId, Kind};
use crate::trace::{Step, TraceParent};
use crate::witness::Witnessed;
use std::net::IpAddr;
use std::sync::Arc;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody should look.
    Warning,
    /// Somebody should look now.
    Critical,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The name that the API shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

macro_rules! security_kinds {
    ($($(#[$doc:meta])* $kind:ident = $text:literal, $severity:ident;)*) => {
        /// The kinds of security events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SecurityKind { $($(#[$doc])* $kind,)* }

        impl SecurityKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The name that the API shows.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// How bad one of this kind is, taken alone.
            pub fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)* }
            }

            /// The kind that the API shows so.
            pub fn named(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

security_kinds! {
    /// What came to a source was not signed, or not with its secret.
    IngestSignatureInvalid = "ingest.signature_invalid", Warning;
    /// What came to a source was genuine, and signed too long ago or too far in the future.
    IngestTimestampStale = "ingest.timestamp_stale", Warning;
    /// What came to a source came before.
    IngestReplayed = "ingest.replayed", Warning;
    /// What came to a source did not show what it demands beside a signature.
    IngestCredentialsInvalid = "ingest.credentials_invalid", Warning;
    /// What came to a source can't be read as what it should be.
    IngestMalformed = "ingest.malformed", Info;
    /// What came to a source was longer than is taken.
    IngestTooLarge = "ingest.too_large", Warning;
    /// What came to a source was not encrypted to one of its keys.
    IngestDecryptionFailed = "ingest.decryption_failed", Warning;
    /// More came to a source, or more failed from one address, than is allowed.
    IngestRateLimited = "ingest.rate_limited", Warning;
    /// A destination resolved to, or named, an address that the operator has not allowed.
    DestinationBlocked = "delivery.destination_blocked", Warning;
    /// A destination's certificate did not verify.
    CertificateInvalid = "delivery.certificate_invalid", Warning;
    /// A destination's certificates verified, and none of them is one that is pinned.
    PinMismatch = "delivery.pin_mismatch", Critical;
    /// A certificate, a destination's or our own, will soon not be good any more.
    CertificateExpiring = "delivery.certificate_expiring", Warning;
    /// A payload was not sent because it could not be encrypted for its receiver.
    EncryptionUnavailable = "delivery.encryption_unavailable", Warning;
    /// An endpoint gets nothing because it lacks what the operator demands of all.
    PolicyUnmet = "delivery.policy_unmet", Warning;
    /// A payload held what looks as if it should not be there.
    SensitiveData = "payload.sensitive_data", Warning;
    /// A request to the API carried no token, or none that is valid.
    AuthenticationFailed = "api.authentication_failed", Warning;
    /// A request to the API carried a token or an API key that was revoked, or had ended early.
    RevokedKeyUsed = "api.revoked_key_used", Warning;
    /// The clock was set back, or runs apart from the store's or the receivers'.
    ClockSkew = "clock.skew", Warning;
    /// A signing secret was shown.
    SecretRead = "secret.read", Info;
    /// A signing secret was replaced.
    SecretRotated = "secret.rotated", Info;
    /// An endpoint was made.
    EndpointCreated = "endpoint.created", Info;
    /// An endpoint's URL was changed.
    EndpointUrlChanged = "endpoint.url_changed", Info;
    /// An endpoint was disabled because it kept failing, or said that it is gone.
    EndpointDisabled = "endpoint.disabled", Warning;
    /// What happens is far from what is usual, by one of the rules of detection, which the
    /// description begins with.
    TrafficAnomaly = "traffic.anomaly", Warning;
}

impl SecurityKind {
    /// Whether it says that something that came to a source was not taken as it came.
    pub fn is_of_ingest(self) -> bool {
        self.as_str().starts_with("ingest.")
    }
}

macro_rules! subject_kinds {
    ($($(#[$doc:meta])* $kind:ident = $text:literal;)*) => {
        /// What security events happen to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SubjectKind { $($(#[$doc])* $kind,)* }

        impl SubjectKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The name that the API shows.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// The kind that the API shows so.
            pub fn named(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

subject_kinds! {
    /// The organisation that runs this installation.
    Organisation = "organisation";
    /// An application.
    Application = "application";
    /// An endpoint.
    Endpoint = "endpoint";
    /// An event type, by its name.
    EventType = "eventType";
    /// A message.
    Message = "message";
    /// An API key.
    ApiKey = "apiKey";
    /// A source; of requests to none, `*`.
    Source = "source";
    /// A node of this installation, by its name.
    Node = "node";
    /// An address that a node listens on.
    Listener = "listener";
    /// More than are told apart: counted together, under the id `*`.
    Others = "others";
}

/// What a security event happened to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What it is.
    pub kind: SubjectKind,
    /// Its public id, or its name where it has none.
    pub id: String,
}

impl Subject {
    /// From its parts.
    pub fn new(kind: SubjectKind, id: impl ToString) -> Self {
        let id = id.to_string();
        Self { kind, id }
    }

    /// An endpoint.
    pub fn endpoint(id: EndpointId) -> Self {
        Self::new(SubjectKind::Endpoint, id)
    }

    /// Whom a token or an API key speaks for: an application, an API key, or the organisation.
    pub fn of_token(subject: &str) -> Self {
        let kind = match subject {
            id if id.starts_with(ApplicationKind::PREFIX) => SubjectKind::Application,
            id if id.starts_with(ApiKeyKind::PREFIX) => SubjectKind::ApiKey,
            _ => SubjectKind::Organisation,
        };
        Self::new(kind, subject)
    }

    /// More than are told apart.
    pub fn others() -> Self {
        Self::new(SubjectKind::Others, "*")
    }

    /// The application, where it is one.
    fn application(&self) -> Option<ApplicationKey> {
        let id = Some(&self.id).filter(|_| self.kind == SubjectKind::Application);
        id?.parse().ok().map(ApplicationId::key)
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    /// What.
    pub kind: SecurityKind,
    /// To what or whom.
    pub subject: Subject,
    /// The application that it concerns, where it concerns one.
    pub application: Option<ApplicationKey>,
    /// The other side's address, where there is one.
    pub remote_address: Option<IpAddr>,
    /// When.
    pub at: Timestamp,
    /// A sentence for people. Never a secret, never a payload.
    pub description: String,
    /// What it happened with, sealed, where somebody wants to look at that.
    pub sample: Option<Arc<[u8]>>,
}

impl SecurityEvent {
    /// One without an address. It concerns an application where that is the subject.
    pub fn new(
        kind: SecurityKind,
        subject: Subject,
        at: Timestamp,
        description: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            application: subject.application(),
            subject,
            remote_address: None,
            at,
            description: description.into(),
            sample: None,
        }
    }

    /// The same, about this application.
    #[must_use]
    pub fn concerning(mut self, application: ApplicationKey) -> Self {
        self.application = Some(application);
        self
    }

    /// The same, with where it came from.
    #[must_use]
    pub fn from_address(mut self, address: Option<IpAddr>) -> Self {
        self.remote_address = address;
        self
    }

    /// The same, with what it happened with. That is sealed already.
    #[must_use]
    pub fn with_sample(mut self, sample: Option<Arc<[u8]>>) -> Self {
        self.sample = sample;
        self
    }
}

/// Takes security events. Never waits: an implementation folds and bounds them.
pub trait EventSink: Send + Sync {
    /// Takes one.
    fn report(&self, event: SecurityEvent);

    /// Is told of what is ordinary, at this time. Most don't look at it.
    fn witness(&self, what: Witnessed<'_>, at: Timestamp) {
        let _ = (what, at);
    }

    /// Where in which trace a message is accepted that its sender has in this one. Whoever records
    /// traces begins some, and goes on with others as a step of its own.
    fn enter(&self, from: Option<TraceParent>) -> Option<TraceParent> {
        from
    }

    /// Is told of a step of a trace that is recorded. Most don't look at it.
    fn step(&self, step: Step) {
        let _ = step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_as_what_it_names() {
        for kind in SecurityKind::ALL {
            assert_eq!(SecurityKind::named(kind.as_str()), Some(*kind));
        }
        for kind in SubjectKind::ALL {
            assert_eq!(SubjectKind::named(kind.as_str()), Some(*kind));
        }
        assert_eq!(SecurityKind::named("delivery.pinMismatch"), None);
    }

    #[test]
    fn a_token_s_subject_is_what_its_prefix_says_and_concerns_its_application() {
        let application = ApplicationId::new(ApplicationKey::from_integer(7), [1; 12]);
        for (text, kind, concerns) in [
            (
                application.to_string(),
                SubjectKind::Application,
                Some(application.key()),
            ),
            ("app_?".to_owned(), SubjectKind::Application, None),
            ("key_x".to_owned(), SubjectKind::ApiKey, None),
            ("org_x".to_owned(), SubjectKind::Organisation, None),
        ] {
            let subject = Subject::of_token(&text);
            assert_eq!((subject.kind, &subject.id), (kind, &text));
            let kind = SecurityKind::RevokedKeyUsed;
            let event = SecurityEvent::new(kind, subject, Timestamp::from_seconds(1), "");
            assert_eq!(event.application, concerns, "{text}");
        }
    }
}
