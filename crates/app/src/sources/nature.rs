//! What kinds of sources there are, by the names of their types. How each type's requests are
//! signed is the room `webhook`'s.

use super::checks::{CRON, GENERIC};
use crate::{AppError, Violation};
use webhook::provider::SourceType;

/// Whose keys are pairs, so that what verifies is no secret.
const KEY_PAIRS: [&str; 4] = ["discord", "orum-io", "sendgrid", "telnyx"];
/// Who shows nothing but a client's id.
const CLIENTS: [&str; 1] = ["adobe-sign"];
/// Who asks by GET, with a token, whether requests are wanted.
const ASKED: [&str; 1] = ["meta"];
/// Whose clients call the tolerance `timestampGraceSeconds`.
const GRACE: [&str; 1] = ["tailscale"];

/// What a source is by its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// It makes messages by itself.
    Cron,
    /// Its configuration describes how requests are signed, if they are.
    Described,
    /// It is a known sender's, of this name.
    Known(&'static str),
}

impl Nature {
    /// Of a type.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a type that there is not; [`AppError::NotBuilt`].
    pub(super) fn of(name: &str) -> Result<Self, AppError> {
        match name {
            CRON => return Ok(Self::Cron),
            GENERIC => return Ok(Self::Described),
            _ => {}
        }
        match SourceType::named(name) {
            SourceType::Known(_) => {
                let known = SourceType::names().find(|known| *known == name);
                known.map(Self::Known).ok_or_else(unknown)
            }
            SourceType::NotBuilt => Err(AppError::NotBuilt(
                "This type of source is not built: how its sender signs is not known for certain. \
                 If you know it, describe it with the type `generic-webhook`.",
            )),
            SourceType::Unknown => Err(unknown()),
        }
    }

    /// Whether requests are verified with a public key.
    pub(super) fn has_key_pair(self) -> bool {
        self.is_among(&KEY_PAIRS)
    }

    /// Whether requests name a client, and show no more than that.
    pub(super) fn has_client(self) -> bool {
        self.is_among(&CLIENTS)
    }

    /// Whether the provider asks with a token of its user's choice.
    pub(super) fn is_asked(self) -> bool {
        self.is_among(&ASKED)
    }

    /// Whether the tolerance has another name, too.
    pub(super) fn has_grace(self) -> bool {
        self.is_among(&GRACE)
    }

    fn is_among(self, names: &[&str]) -> bool {
        matches!(self, Self::Known(name) if names.contains(&name))
    }
}

/// The names of all types that are built.
pub fn types() -> Vec<&'static str> {
    let built = |name: &&str| matches!(SourceType::named(name), SourceType::Known(_));
    let mut names: Vec<_> = SourceType::names().filter(built).collect();
    names.extend([CRON, GENERIC]);
    names.sort_unstable();
    names
}

fn unknown() -> AppError {
    let text = format!(
        "there is no such type of source; there are {}",
        types().join(", ")
    );
    Violation::body(&["type"], text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use webhook::provider::ReplayGuard;

    const DOCUMENT: &str = include_str!("../../../../docs/sources.md");

    /// The last column of the table's row in which a type is named.
    fn documented(name: &str) -> Option<&'static str> {
        let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
        let mut rows = rows.filter(|row| {
            let types = row.split('|').nth(1).unwrap_or_default();
            types.contains(&format!("`{name}`"))
        });
        Some(rows.next_back()?.rsplit('|').nth(1)?.trim())
    }

    #[test]
    fn the_document_says_of_every_type_how_replays_are_kept_out() {
        for name in types() {
            let SourceType::Known(provider) = SourceType::named(name) else {
                assert_eq!(documented(name), Some(""), "{name}");
                continue;
            };
            let expected = match provider.guard() {
                ReplayGuard::ByAge => "age",
                ReplayGuard::ByMemory => "memory",
                ReplayGuard::Nothing => "none",
            };
            assert_eq!(documented(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn every_type_that_is_not_built_is_named_in_the_document() {
        for name in SourceType::names().filter(|name| !types().contains(name)) {
            assert!(DOCUMENT.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn what_is_said_of_a_type_is_said_of_one_that_there_is() {
        let all = [&KEY_PAIRS[..], &CLIENTS, &ASKED, &GRACE].concat();
        let names: Vec<_> = SourceType::names().collect();
        assert!(all.iter().all(|name| names.contains(name)), "{all:?}");
    }
}
