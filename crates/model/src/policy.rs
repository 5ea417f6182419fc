//! What the operator demands of endpoints: of all of them, and of those that get messages of some
//! event types. An endpoint that lacks something of it gets nothing that it is demanded for.
//!
//! Who may say so is `app`'s to judge; obeying it is `engine`'s.

use crate::endpoint::StoredFormError;
use crate::name::Name;
use std::collections::BTreeMap;
use std::fmt;

/// The most event types that a policy may name.
pub const EVENT_TYPES_MAX: usize = 1_000;

/// Something that an endpoint must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Demand {
    /// Payloads are encrypted.
    Encryption,
    /// Requests are authenticated: by a credential of `auth`, an access token of `oauth`, or the
    /// client certificate of `mtls`.
    Auth,
    /// The receiver's certificate must be a pinned one. Pins that are only reported don't count.
    Pins,
    /// The receiver has said that it wants to be called.
    Verification,
    /// The endpoint takes something from payloads by rules of its own.
    Redaction,
}

impl Demand {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Encryption,
        Self::Auth,
        Self::Pins,
        Self::Verification,
        Self::Redaction,
    ];

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encryption => "encryption",
            Self::Auth => "auth",
            Self::Pins => "pins",
            Self::Verification => "verification",
            Self::Redaction => "redaction",
        }
    }

    /// What the API's word means.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|demand| demand.as_str() == text)
    }
}

/// A set of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Demands(u8);

impl Demands {
    /// Whether nothing is demanded.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this is.
    pub fn contains(self, demand: Demand) -> bool {
        self.0 & (1 << demand as u8) != 0
    }

    /// All of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both have.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What the other does not have.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// One by one.
    pub fn iter(self) -> impl Iterator<Item = Demand> {
        Demand::ALL
            .into_iter()
            .filter(move |demand| self.contains(*demand))
    }
}

impl FromIterator<Demand> for Demands {
    fn from_iter<I: IntoIterator<Item = Demand>>(demands: I) -> Self {
        let bit = |demand: Demand| 1 << demand as u8;
        Self(
            demands
                .into_iter()
                .map(bit)
                .fold(0, |all, one: u8| all | one),
        )
    }
}

/// The API's words, with commas between them.
impl fmt::Display for Demands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.iter().map(Demand::as_str).collect();
        f.write_str(&words.join(", "))
    }
}

/// What is demanded of endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Of all endpoints, for whatever they get.
    pub require: Demands,
    /// For messages of an event type, besides.
    pub event_types: BTreeMap<Name, Demands>,
}

impl Policy {
    /// What an endpoint must have to get a message of this type.
    pub fn demanded(&self, event_type: &Name) -> Demands {
        let own = self.event_types.get(event_type).copied();
        self.require.union(own.unwrap_or_default())
    }

    /// All that is demanded for anything.
    pub fn anywhere(&self) -> Demands {
        let own = self.event_types.values();
        own.fold(self.require, |all, one| all.union(*one))
    }

    /// What of it an endpoint lacks that has `has`, and gets those event types that `wants` says.
    /// `None` if nothing.
    pub fn unmet(&self, has: Demands, wants: impl Fn(&Name) -> bool) -> Option<Unmet> {
        let everywhere = self.require.minus(has);
        let own = self.event_types.iter().filter(|(name, _)| wants(name));
        let lacking = own.filter_map(|(name, own)| {
            let lacking = own.minus(has).minus(everywhere);
            (!lacking.is_empty()).then(|| (name.clone(), lacking))
        });
        let unmet = Unmet {
            everywhere,
            event_types: lacking.collect(),
        };
        (!unmet.everywhere.is_empty() || !unmet.event_types.is_empty()).then_some(unmet)
    }

    /// The bytes that are kept: a line for all endpoints, then one for each event type.
    pub fn to_stored(&self) -> Vec<u8> {
        let line = |name: &str, demands: Demands| {
            let words = demands.iter().map(|demand| format!(" {}", demand.as_str()));
            format!("{name}{}\n", words.collect::<String>())
        };
        let own = self.event_types.iter();
        let own = own.map(|(name, demands)| line(name.as_str(), *demands));
        let all = line(ALL_ENDPOINTS, self.require);
        std::iter::once(all).chain(own).collect::<String>().into()
    }

    /// Reads what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    /// It is something else, or demands what this version does not know: to ignore that could send
    /// without it.
    pub fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        const WRONG: StoredFormError = StoredFormError::new("policy");
        let text = std::str::from_utf8(stored).map_err(|_| WRONG)?;
        let mut policy = Self::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            let name = words.next().ok_or(WRONG)?;
            let demands: Option<Demands> = words.map(Demand::named).collect();
            let demands = demands.ok_or(WRONG)?;
            match name {
                ALL_ENDPOINTS => policy.require = demands,
                name => {
                    let name = name.parse().map_err(|_| WRONG)?;
                    policy.event_types.insert(name, demands);
                }
            }
        }
        Ok(policy)
    }
}

/// No event type has this name.
const ALL_ENDPOINTS: &str = "*";

/// What an endpoint lacks of what is demanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// For whatever it gets.
    pub everywhere: Demands,
    /// For messages of these event types, besides.
    pub event_types: BTreeMap<Name, Demands>,
}

/// What an endpoint's owner reads.
impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operator demands what the endpoint does not have: ")?;
        let everywhere = (!self.everywhere.is_empty()).then(|| self.everywhere.to_string());
        let own = self.event_types.iter();
        let own = own.map(|(name, demands)| format!("{demands} for messages of type {name}"));
        let all: Vec<_> = everywhere.into_iter().chain(own).collect();
        write!(
            f,
            "{}: until it has that, it gets nothing that this is demanded for",
            all.join("; ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Demand::{Auth, Encryption, Pins, Redaction, Verification};
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().expect("a name")
    }

    fn demands(all: &[Demand]) -> Demands {
        all.iter().copied().collect()
    }

    fn policy() -> Policy {
        let own = [
            (name("order.paid"), demands(&[Encryption, Redaction])),
            (name("order.sent"), demands(&[])),
        ];
        Policy {
            require: demands(&[Pins, Encryption]),
            event_types: own.into(),
        }
    }

    #[test]
    fn sets_are_as_what_they_were_made_of() {
        assert!(demands(&[]).is_empty());
        let some = demands(&[Redaction, Encryption, Redaction]);
        assert_eq!(some.iter().collect::<Vec<_>>(), [Encryption, Redaction]);
        assert!(some.contains(Redaction) && !some.contains(Auth));
        assert_eq!(some.minus(demands(&[Redaction])), demands(&[Encryption]));
        assert_eq!(
            some.both(demands(&[Redaction, Pins])),
            demands(&[Redaction])
        );
        assert_eq!(demands(&Demand::ALL).iter().count(), Demand::ALL.len());
        for demand in Demand::ALL {
            assert_eq!(Demand::named(demand.as_str()), Some(demand));
        }
        assert_eq!(Demand::named("Pins"), None);
    }

    #[test]
    fn an_event_type_s_demands_come_on_top_of_all_endpoints_() {
        let policy = policy();
        let paid = demands(&[Pins, Encryption, Redaction]);
        assert_eq!(policy.demanded(&name("order.paid")), paid);
        for other in ["order.sent", "order"] {
            assert_eq!(policy.demanded(&name(other)), policy.require);
        }
        assert_eq!(policy.anywhere(), paid);
        assert!(Policy::default().anywhere().is_empty());
    }

    #[test]
    fn what_is_lacking_is_named_once_and_only_for_what_is_wanted() {
        let policy = policy();
        let unmet = |has: &[Demand], wanted: &str| {
            let unmet = policy.unmet(demands(has), |name| name.as_str() == wanted);
            unmet.map(|unmet| unmet.to_string())
        };
        assert_eq!(unmet(&[Pins, Encryption], "order.sent"), None);
        assert_eq!(unmet(&[Pins, Encryption, Redaction], "order.paid"), None);
        let says = "the operator demands what the endpoint does not have: ";
        let then = ": until it has that, it gets nothing that this is demanded for";
        for (has, wanted, lacks) in [
            (&[][..], "x", "encryption, pins"),
            (&[Verification, Pins], "x", "encryption"),
            (
                &[Pins, Encryption],
                "order.paid",
                "redaction for messages of type order.paid",
            ),
            (
                &[Pins],
                "order.paid",
                "encryption; redaction for messages of type order.paid",
            ),
        ] {
            assert_eq!(unmet(has, wanted), Some(format!("{says}{lacks}{then}")));
        }
    }

    #[test]
    fn what_was_kept_is_read_back_and_anything_else_is_refused() {
        for policy in [policy(), Policy::default()] {
            let read = Policy::from_stored(&policy.to_stored());
            assert_eq!(read.expect("it was written so"), policy);
        }
        for wrong in ["* other", "a b pins", "* pins  auth", "\n", "? pins"] {
            assert!(Policy::from_stored(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(Policy::from_stored(b"* \xff").is_err());
    }
}
