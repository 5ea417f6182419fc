//! An API key: a token of the organisation's that was made by the API, may have scopes, and ends
//! when somebody ends it. The token itself is nowhere: it is shown once, and its hash is kept.

use crate::clock::Timestamp;
use crate::id::ApiKeyId;
use crate::name::Name;
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

/// A scope: `NOUN:read`, `NOUN:write`, or `*` in the place of a noun or of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Which noun of the API; `None`: each.
    pub noun: Option<Name>,
    /// What may be done with it; `None`: everything.
    pub right: Option<Right>,
}

impl Scope {
    /// Whether it is enough for this.
    pub fn allows(&self, noun: &str, right: Right) -> bool {
        self.noun.as_ref().is_none_or(|own| own.as_str() == noun)
            && self.right.is_none_or(|own| own == right)
    }

    /// Whether it is enough for all that the other is enough for.
    pub fn covers(&self, other: &Scope) -> bool {
        (self.noun.is_none() || self.noun == other.noun)
            && (self.right.is_none() || self.right == other.right)
    }
}

/// A text is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is `NOUN:read`, `NOUN:write`, `*:read`, `*:write` or `*`")]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text == "*" {
            return Ok(Self {
                noun: None,
                right: None,
            });
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
        Ok(Self {
            noun,
            right: Some(right),
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun.as_ref().map_or("*", Name::as_str))?;
        match self.right {
            None if self.noun.is_none() => Ok(()),
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
            assert_eq!(scope(text).allows(noun, right), allowed, "{text} {noun}");
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
        ] {
            assert_eq!(
                scope(wide).covers(&scope(narrow)),
                covered,
                "{wide} {narrow}"
            );
        }
    }
}
