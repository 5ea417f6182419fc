//! What is worth reporting: the kinds of security events, and the sink that takes them. Detection
//! rules, folding and alerts are `watch`'s.

use crate::clock::Timestamp;

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

macro_rules! security_kinds {
    ($($(#[$doc:meta])* $kind:ident = $text:literal, $severity:ident;)*) => {
        /// The kinds of security events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum SecurityKind { $($(#[$doc])* $kind,)* }

        impl SecurityKind {
            /// The name that the API shows.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// How bad one of this kind is, taken alone.
            pub fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)* }
            }
        }
    };
}

security_kinds! {
    /// A destination resolved to, or named, an address that the operator has not allowed.
    DestinationBlocked = "delivery.destination_blocked", Warning;
    /// A destination's certificate did not verify.
    CertificateInvalid = "delivery.certificate_invalid", Warning;
    /// A request to the API carried no token, or none that is valid.
    AuthenticationFailed = "api.authentication_failed", Warning;
    /// A request to the API carried a token or an API key that was revoked, or had ended early.
    RevokedKeyUsed = "api.revoked_key_used", Warning;
    /// The clock was set back, or runs apart from the store's.
    ClockSkew = "clock.skew", Warning;
    /// A signing secret was shown.
    SecretRead = "secret.read", Info;
    /// A signing secret was replaced.
    SecretRotated = "secret.rotated", Info;
    /// An endpoint's URL was changed.
    EndpointUrlChanged = "endpoint.url_changed", Info;
    /// An endpoint was disabled because it kept failing, or said that it is gone.
    EndpointDisabled = "endpoint.disabled", Warning;
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    /// What.
    pub kind: SecurityKind,
    /// To whom: the public id of an application, an endpoint or a token's subject.
    pub subject: Option<String>,
    /// The other side's address, where there is one.
    pub remote_address: Option<std::net::IpAddr>,
    /// When.
    pub at: Timestamp,
    /// A sentence for people. Never a secret, never a payload.
    pub description: String,
}

/// Takes security events. Never waits: an implementation folds and bounds them.
pub trait EventSink: Send + Sync {
    /// Takes one.
    fn report(&self, event: SecurityEvent);
}
