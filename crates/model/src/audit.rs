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
}

/// Which kind of caller it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// One with a signed token.
    Token,
    /// One with an API key.
    ApiKey,
    /// A command on a machine that has the store.
    Command,
    /// The receiver of a delivery, with what that delivery told it.
    Receiver,
    /// Postrider itself, by a rule that the operator has set.
    System,
}

impl ActorKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Token,
        Self::ApiKey,
        Self::Command,
        Self::Receiver,
        Self::System,
    ];

    /// The name that the API shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::ApiKey => "apiKey",
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
    /// Whom its token speaks for: an organisation, an application; a rule's name of the system.
    pub subject: String,
    /// What its token is revoked by, or the API key's id. Never the token.
    pub credential: Option<String>,
    /// From where; `None` for commands, and for the system.
    pub remote_address: Option<IpAddr>,
}

/// What was changed or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditSubject {
    /// This.
    Known(Subject),
    /// What the change makes, and which gets its id with it: of this kind.
    Made(SubjectKind),
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_read_back_as_what_it_names() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::named(action.as_str()), Some(*action));
        }
        assert_eq!(AuditAction::named("application"), None);
    }
}
