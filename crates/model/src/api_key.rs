//! An API key: a token of the organisation's that was made by the API, may have scopes, and ends
//! when somebody ends it. The token itself is nowhere: it is shown once, and its hash is kept.

use crate::clock::Timestamp;
use crate::id::ApiKeyId;
use crate::name::Name;
use crate::role::{Role, RoleError};
use std::fmt;
use std::str::FromStr;

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: String,
    /// What is shown of its token.
    pub shown: String,
    /// What it may do; `None`: everything.
    pub scopes: Option<Vec<Scope>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is not good any more.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to a minute or so.
    pub used_at: Option<Timestamp>,
}

/// What a scope lets its holder do with a noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Look.
    Read,
    /// Change.
    Write,
}

/// A scope: `NOUN:read`, `NOUN:write`, or `*` in the place of a noun or of all; or `role:ROLE`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// What may be done with which noun.
    Of {
        /// Which noun of the API; `None`: each.
        noun: Option<Name>,
        /// What may be done with it; `None`: everything.
        right: Option<Right>,
    },
    /// What somebody may do who has this role.
    Role(Role),
}

/// What must be allowed for something to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed<'a> {
    /// The noun that it is about.
    pub noun: &'a str,
    /// What it does with it.
    pub right: Right,
    /// The least role that may do it: what only looks, and shows no secret, all may.
    pub role: Role,
}

impl Scope {
    /// What allows everything.
    pub const ALL: Self = Self::Of {
        noun: None,
        right: None,
    };

    /// Whether it is enough for this.
    pub fn allows(&self, needed: Needed<'_>) -> bool {
        match self {
            Self::Of { noun, right } => {
                noun.as_ref().is_none_or(|own| own.as_str() == needed.noun)
                    && right.is_none_or(|own| own == needed.right)
            }
            Self::Role(role) => *role >= needed.role,
        }
    }

    /// Whether it is enough for all that the other is enough for.
    pub fn covers(&self, other: &Scope) -> bool {
        match (self, other) {
            (
                Self::Of { noun, right },
                Self::Of {
                    noun: their_noun,
                    right: their_right,
                },
            ) => {
                (noun.is_none() || noun == their_noun) && (right.is_none() || right == their_right)
            }
            (Self::Role(own), Self::Role(other)) => own >= other,
            // Every role may look at everything.
            (Self::Role(Role::Admin), _) => true,
            (Self::Role(_), Self::Of { right, .. }) => *right == Some(Right::Read),
            (Self::Of { noun: None, right }, Self::Role(other)) => match right {
                None => true,
                Some(Right::Read) => *other == Role::Viewer,
                Some(Right::Write) => false,
            },
            (Self::Of { .. }, Self::Role(_)) => false,
        }
    }

    /// The noun that it names.
    pub fn noun(&self) -> Option<&Name> {
        match self {
            Self::Of { noun, .. } => noun.as_ref(),
            Self::Role(_) => None,
        }
    }
}

/// What a scope that names a role begins with.
const ROLE: &str = "role:";

/// A text is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a scope is `NOUN:read`, `NOUN:write`, `*:read`, `*:write`, `*`, `role:viewer`, \
     `role:operator` or `role:admin`"
)]
pub struct ScopeError;

impl From<RoleError> for ScopeError {
    fn from(RoleError: RoleError) -> Self {
        Self
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text == "*" {
            return Ok(Self::ALL);
        }
        if let Some(role) = text.strip_prefix(ROLE) {
            return Ok(Self::Role(role.parse()?));
        }
        let (noun, right) = text.split_once(':').ok_or(ScopeError)?;
        let noun = match noun {
            "*" => None,
            noun => Some(noun.parse().map_err(|_| ScopeError)?),
        };
        let right = match right {
            "read" => Right::Read,
            "write" => Right::Write,
            _ => return Err(ScopeError),
        };
        Ok(Self::Of {
            noun,
            right: Some(right),
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (noun, right) = match self {
            Self::Of { noun, right } => (noun.as_ref(), right),
            Self::Role(role) => return write!(f, "{ROLE}{role}"),
        };
        f.write_str(noun.map_or("*", Name::as_str))?;
        match right {
            None if noun.is_none() => Ok(()),
            None => f.write_str(":*"),
            Some(Right::Read) => f.write_str(":read"),
            Some(Right::Write) => f.write_str(":write"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().expect("a scope")
    }

    #[test]
    fn a_scope_is_written_as_it_was_read() {
        for text in [
            "*",
            "*:read",
            "*:write",
            "endpoint:read",
            "event-type:write",
            "role:viewer",
            "role:operator",
            "role:admin",
        ] {
            assert_eq!(scope(text).to_string(), text);
        }
        for text in [
            "",
            "endpoint",
            "endpoint:",
            ":read",
            "a b:read",
            "a:Read",
            "**",
            "*:*",
            "role:",
            "role:read",
            "role:Admin",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(ScopeError), "{text}");
        }
    }

    #[test]
    fn a_scope_allows_its_noun_and_right_alone() {
        for (text, noun, right, allowed) in [
            ("*", "endpoint", Right::Write, true),
            ("*:read", "endpoint", Right::Read, true),
            ("*:read", "endpoint", Right::Write, false),
            ("endpoint:read", "endpoint", Right::Read, true),
            ("endpoint:read", "endpoint", Right::Write, false),
            ("endpoint:write", "endpoint", Right::Read, false),
            ("endpoint:read", "message", Right::Read, false),
        ] {
            let role = Role::Admin;
            let needed = Needed { noun, right, role };
            assert_eq!(scope(text).allows(needed), allowed, "{text} {noun}");
        }
    }

    #[test]
    fn a_role_allows_what_needs_it_or_less() {
        for own in Role::ALL {
            for role in Role::ALL {
                let needed = Needed {
                    noun: "endpoint",
                    right: Right::Write,
                    role,
                };
                assert_eq!(Scope::Role(own).allows(needed), own >= role, "{own} {role}");
            }
        }
    }

    #[test]
    fn a_scope_covers_what_it_is_enough_for() {
        for (wide, narrow, covered) in [
            ("*", "*", true),
            ("*", "endpoint:read", true),
            ("*:read", "endpoint:read", true),
            ("*:read", "*", false),
            ("*:read", "endpoint:write", false),
            ("endpoint:read", "endpoint:read", true),
            ("endpoint:read", "*:read", false),
            ("role:operator", "role:viewer", true),
            ("role:viewer", "role:operator", false),
            ("role:admin", "*", true),
            ("role:operator", "*:read", true),
            ("role:operator", "endpoint:write", false),
            ("*", "role:admin", true),
            ("*:read", "role:viewer", true),
            ("*:read", "role:operator", false),
            ("*:write", "role:viewer", false),
            ("endpoint:read", "role:viewer", false),
        ] {
            assert_eq!(
                scope(wide).covers(&scope(narrow)),
                covered,
                "{wide} {narrow}"
            );
        }
    }
}
