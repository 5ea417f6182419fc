//! What the audit log is told: who did what, when, from where, to what. Keeping, chaining and
//! showing entries is others'.
//!
//! An entry never holds a secret or a payload: it names what was changed, not what to.

use crate::clock::Timestamp;
use crate::id::ApplicationKey;
use crate::security::{Subject, SubjectKind};
use std::net::IpAddr;

macro_rules! audit_actions {
    ($($(#[$doc:meta])* $action:ident = $text:literal;)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AuditAction { $($(#[$doc])* $action,)* }

        impl AuditAction {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$action),*];

            /// The name that the API shows.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$action => $text,)* }
            }

            /// The action that the API shows so.
            pub fn named(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$action),)* _ => None }
            }
        }
    };
}

audit_actions! {
    /// An application was made.
    ApplicationCreated = "application.created";
    /// What is configured of an application was changed.
    ApplicationUpdated = "application.updated";
    /// An application was deleted.
    ApplicationDeleted = "application.deleted";
    /// An application's tokens, or those of some of its sessions, were ended.
    ApplicationTokensExpired = "application.tokens_expired";
    /// An application's own people were given a token, and a link with another.
    AppPortalOpened = "app_portal.opened";
    /// The token in such a link was exchanged for one of the application's.
    AppPortalTokenExchanged = "app_portal.token_exchanged";
    /// Somebody signed in to look at pages.
    SessionOpened = "session.opened";
    /// A signed token, or a session, was ended.
    TokenRevoked = "token.revoked";
    /// An API key was made, and its token shown.
    ApiKeyCreated = "api_key.created";
    /// What an API key is called, or may do, was changed.
    ApiKeyUpdated = "api_key.updated";
    /// An API key was ended, or its end was set.
    ApiKeyExpired = "api_key.expired";
    /// An endpoint was made.
    EndpointCreated = "endpoint.created";
    /// What is configured of an endpoint was changed.
    EndpointUpdated = "endpoint.updated";
    /// An endpoint was deleted.
    EndpointDeleted = "endpoint.deleted";
    /// The headers that an endpoint's owner adds were changed.
    EndpointHeadersUpdated = "endpoint.headers_updated";
    /// An endpoint's signing secret was shown.
    EndpointSecretRead = "endpoint.secret_read";
    /// An endpoint's signing secret was replaced, and the new one shown.
    EndpointSecretRotated = "endpoint.secret_rotated";
    /// What an endpoint's requests are authenticated with was set.
    EndpointAuthSet = "endpoint.auth_set";
    /// It was taken away.
    EndpointAuthDeleted = "endpoint.auth_deleted";
    /// How an endpoint's requests come by an access token was set.
    EndpointOauthSet = "endpoint.oauth_set";
    /// It was taken away.
    EndpointOauthDeleted = "endpoint.oauth_deleted";
    /// The client certificate of an endpoint's connections was set.
    EndpointMtlsSet = "endpoint.mtls_set";
    /// It was taken away.
    EndpointMtlsDeleted = "endpoint.mtls_deleted";
    /// Whom an endpoint's connections trust was set.
    EndpointCaSet = "endpoint.ca_set";
    /// It is the system's roots again.
    EndpointCaDeleted = "endpoint.ca_deleted";
    /// An endpoint's pins were set.
    EndpointPinsSet = "endpoint.pins_set";
    /// They were taken away.
    EndpointPinsDeleted = "endpoint.pins_deleted";
    /// An endpoint's pin was taken from its receiver's first connection.
    EndpointPinTaken = "endpoint.pin_taken";
    /// Whom an endpoint's payloads are encrypted to was set.
    EndpointEncryptionSet = "endpoint.encryption_set";
    /// They are sent as they are.
    EndpointEncryptionDeleted = "endpoint.encryption_deleted";
    /// What is taken from an endpoint's payloads was set.
    EndpointRedactionSet = "endpoint.redaction_set";
    /// Nothing is taken for it any more, nor allowed to it.
    EndpointRedactionDeleted = "endpoint.redaction_deleted";
    /// Whether an endpoint's deliveries carry their payload was set.
    EndpointPayloadSet = "endpoint.payload_set";
    /// They do, as all do of which nothing is said.
    EndpointPayloadDeleted = "endpoint.payload_deleted";
    /// How an endpoint's requests are signed was set.
    EndpointSignatureSet = "endpoint.signature_set";
    /// They are signed in the usual way.
    EndpointSignatureDeleted = "endpoint.signature_deleted";
    /// An endpoint's receiver was asked whether it wants what it is to get.
    EndpointChallengeSent = "endpoint.challenge_sent";
    /// A message was sent to an endpoint again.
    DeliveryResent = "delivery.resent";
    /// What failed for good to an endpoint is sent again.
    DeliveriesRecovered = "deliveries.recovered";
    /// What was on its way to an endpoint was ended.
    DeliveriesCancelled = "deliveries.cancelled";
    /// What an endpoint was meant to get is sent again.
    MessagesReplayed = "messages.replayed";
    /// What an endpoint never got is sent.
    MessagesMissingReplayed = "messages.missing_replayed";
    /// A message is sent to all applications.
    MessageBroadcast = "message.broadcast";
    /// A message's payload was removed.
    MessageExpunged = "message.expunged";
    /// The payloads of many messages of an application, or of all, were removed.
    MessagesExpunged = "messages.expunged";
    /// What was ever sent of somebody is removed, over all applications.
    MessagesErased = "messages.erased";
    /// What was answered to an attempt was removed.
    AttemptExpunged = "attempt.expunged";
    /// A receiver fetched the payload of a thin event.
    PayloadFetched = "payload.fetched";
    /// An event type was made.
    EventTypeCreated = "event_type.created";
    /// What an event type is was changed.
    EventTypeUpdated = "event_type.updated";
    /// An event type was archived.
    EventTypeArchived = "event_type.archived";
    /// An event type was removed for good.
    EventTypeExpunged = "event_type.expunged";
    /// An event type was given a retry schedule of its own.
    EventTypeRetryScheduleSet = "event_type.retry_schedule_set";
    /// It has the installation's again.
    EventTypeRetryScheduleDeleted = "event_type.retry_schedule_deleted";
    /// What is taken from payloads of an event type was set.
    EventTypeRedactionSet = "event_type.redaction_set";
    /// Nothing is taken for it any more.
    EventTypeRedactionDeleted = "event_type.redaction_deleted";
    /// A document of all event types was asked for.
    EventTypesExported = "event_types.exported";
    /// The installation's settings were changed.
    EnvironmentSettingsUpdated = "environment.settings_updated";
    /// What is demanded of endpoints was set.
    EnvironmentPolicySet = "environment.policy_set";
    /// Who is told of security events was set.
    EnvironmentAlertsSet = "environment.alerts_set";
    /// An alert that says that it is none was sent to each channel.
    EnvironmentAlertsTested = "environment.alerts_tested";
    /// Event types and settings were imported.
    EnvironmentImported = "environment.imported";
    /// All settings and event types were told at once.
    EnvironmentExported = "environment.exported";
    /// A source was made, and its inbound URL shown.
    SourceCreated = "source.created";
    /// What is configured of a source was changed.
    SourceUpdated = "source.updated";
    /// A source was deleted.
    SourceDeleted = "source.deleted";
    /// A source was given another inbound URL, which was shown.
    SourceTokenRotated = "source.token_rotated";
    /// The inbound URL of a source, or of many, was shown, which has a token in it.
    SourceTokenRead = "source.token_read";
    /// Figures of all applications, or of many, were asked for.
    StatisticsAggregated = "statistics.aggregated";
    /// A command asked the servers for another master key.
    MasterKeyRotationAsked = "master_key.rotation_asked";
    /// It took that back: the servers did not have the key yet.
    MasterKeyRotationWithdrawn = "master_key.rotation_withdrawn";
    /// A master key gave way to another.
    MasterKeyRotated = "master_key.rotated";
}

/// Which kind of caller it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// One with a signed token.
    Token,
    /// One with an API key.
    ApiKey,
    /// Somebody at a page, by the name that the identity provider has for them.
    Person,
    /// A command on a machine that has the store.
    Command,
    /// The receiver of a delivery, with what that delivery told it.
    Receiver,
    /// Postrider itself, by a rule that the operator has set.
    System,
}

impl ActorKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Token,
        Self::ApiKey,
        Self::Person,
        Self::Command,
        Self::Receiver,
        Self::System,
    ];

    /// The name that the API shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::ApiKey => "apiKey",
            Self::Person => "person",
            Self::Command => "command",
            Self::Receiver => "receiver",
            Self::System => "system",
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Which kind of caller.
    pub kind: ActorKind,
    /// Whom its token speaks for: an organisation, an application; a person's name; a rule's name
    /// of the system; a user's name of a command.
    pub subject: String,
    /// What its token, or its session, is revoked by, or the API key's id. Never the token.
    pub credential: Option<String>,
    /// From where; `None` for commands, and for the system.
    pub remote_address: Option<IpAddr>,
}

impl Actor {
    /// Postrider itself, by a rule of this name.
    pub fn system(rule: &str) -> Self {
        Self {
            kind: ActorKind::System,
            subject: rule.to_owned(),
            credential: None,
            remote_address: None,
        }
    }

    /// Somebody with this name on a machine that has the store, by a command.
    pub fn command(user: &str) -> Self {
        Self {
            kind: ActorKind::Command,
            ..Self::system(user)
        }
    }
}

/// What was changed or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditSubject {
    /// This.
    Known(Subject),
    /// What the change makes, and which gets its id with it: of this kind.
    Made(SubjectKind),
}

impl From<Subject> for AuditSubject {
    fn from(subject: Subject) -> Self {
        Self::Known(subject)
    }
}

impl From<SubjectKind> for AuditSubject {
    fn from(kind: SubjectKind) -> Self {
        Self::Made(kind)
    }
}

/// The longest detail, in bytes: what is beyond is left out.
pub const DETAIL_BYTES_MAX: usize = 1_024;

/// An entry as whoever does the change brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditDraft {
    /// When, by the clock of the node that was asked.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: AuditAction,
    /// To what.
    pub subject: AuditSubject,
    /// The application that it concerns, where it concerns one that was there before.
    pub application: Option<ApplicationKey>,
    /// What else is worth knowing, as a short text for people: names of what was changed, counts,
    /// what was asked for. Empty where there is nothing.
    pub detail: String,
}

impl AuditDraft {
    /// One that concerns no application, and says no more than what was done to what.
    pub fn new(
        at: Timestamp,
        actor: Actor,
        action: AuditAction,
        subject: impl Into<AuditSubject>,
    ) -> Self {
        Self {
            at,
            actor,
            action,
            subject: subject.into(),
            application: None,
            detail: String::new(),
        }
    }

    /// The same, about this application.
    #[must_use]
    pub fn concerning(mut self, application: ApplicationKey) -> Self {
        self.application = Some(application);
        self
    }

    /// The same, with what else is worth knowing, as far as there is room for it.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        if self.detail.len() > DETAIL_BYTES_MAX {
            let mark = "…";
            let room = self
                .detail
                .floor_char_boundary(DETAIL_BYTES_MAX - mark.len());
            self.detail.truncate(room);
            self.detail.push_str(mark);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_that_is_too_long_is_cut_between_characters() {
        let draft = AuditDraft::new(
            Timestamp::from_seconds(1),
            Actor::system("a rule"),
            AuditAction::ApplicationUpdated,
            SubjectKind::Application,
        );
        let long = "é".repeat(DETAIL_BYTES_MAX);
        for (said, kept) in [("", ""), ("name, uid", "name, uid")] {
            assert_eq!(draft.clone().saying(said).detail, kept);
        }
        let cut = draft.saying(&long).detail;
        assert!(cut.len() <= DETAIL_BYTES_MAX && cut.len() > DETAIL_BYTES_MAX - 4);
        assert!(cut.ends_with("é…"), "{cut}");
    }

    #[test]
    fn every_action_is_read_back_as_what_it_names() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::named(action.as_str()), Some(*action));
        }
        assert_eq!(AuditAction::named("application"), None);
    }
}
