//! A node: one process that works on a store, alone or beside others, and which part of the work
//! is its own. What it does by that is the other rooms' business.

use crate::clock::Timestamp;
use std::fmt;
use std::str::FromStr;

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Answers requests: accepts messages, and what is configured.
    Api,
    /// Makes attempts, and does what goes on in the background.
    Deliver,
}

impl Role {
    const ALL: [Self; 2] = [Self::Api, Self::Deliver];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Deliver => "deliver",
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let found = Self::ALL.into_iter().find(|role| role.word() == text);
        found.ok_or_else(|| RoleError::Unknown(text.to_owned()))
    }
}

/// Why words are no roles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// There is no such role.
    #[error("`{0}` is none of api, deliver")]
    Unknown(String),
    /// A node without any would do nothing.
    #[error("it must name at least one of api, deliver")]
    None,
}

/// The roles of a node: at least one, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles {
    api: bool,
    deliver: bool,
}

impl Default for Roles {
    /// Both: a node that does everything.
    fn default() -> Self {
        Self {
            api: true,
            deliver: true,
        }
    }
}

impl Roles {
    /// The roles that these words name.
    pub fn of_words<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, RoleError> {
        let mut roles = Self {
            api: false,
            deliver: false,
        };
        for word in words {
            match word.parse()? {
                Role::Api => roles.api = true,
                Role::Deliver => roles.deliver = true,
            }
        }
        if roles.iter().next().is_none() {
            return Err(RoleError::None);
        }
        Ok(roles)
    }

    /// Whether this is one of them.
    pub fn has(self, role: Role) -> bool {
        match role {
            Role::Api => self.api,
            Role::Deliver => self.deliver,
        }
    }

    /// All of them, always in the same order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

/// Their words with a space between them.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.iter().map(Role::word).collect();
        f.write_str(&words.join(" "))
    }
}

/// A node as others see it. Its times are by the store's own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its place among the others, taken again by another when it is gone; 0 where it is alone.
    pub slot: u16,
    /// What it is called: the name of its machine.
    pub name: String,
    /// The version that it runs.
    pub version: String,
    /// What it does.
    pub roles: Roles,
    /// When it joined, under the lease that it has now.
    pub since: Timestamp,
    /// When its lease ends unless it is renewed; none where nobody else could take over.
    pub lease_ends: Option<Timestamp>,
    /// Whether its lease still holds.
    pub alive: bool,
    /// Open deliveries that it holds.
    pub deliveries: u64,
    /// The ids of the master keys that it has, where it told of them.
    pub master_keys: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_back_as_they_are_written() {
        let cases = [
            ("api", "api"),
            ("deliver", "deliver"),
            ("api deliver", "api deliver"),
            ("deliver api deliver", "api deliver"),
        ];
        for (text, written) in cases {
            let roles = Roles::of_words(text.split(' ')).unwrap();
            assert_eq!(roles.to_string(), written);
        }
        assert_eq!(Roles::default().to_string(), "api deliver");
    }

    #[test]
    fn a_node_has_a_role_and_none_that_there_is_not() {
        assert_eq!(Roles::of_words([]), Err(RoleError::None));
        for wrong in ["", "API", "all", "api,deliver"] {
            let refused = Roles::of_words([wrong]);
            assert_eq!(refused, Err(RoleError::Unknown(wrong.to_owned())));
        }
    }
}
