//! The rules that several nouns share, and how broken ones are gathered: all that were found are
//! told together.

use crate::error::{AppError, Violation};
use crate::patch::Patch;
use model::application::{METADATA_BYTES_MAX, Metadata};
use model::id::Kind;
use model::name::{Name, NameError};
use std::collections::BTreeSet;
use std::num::NonZeroU16;

/// The longest text for people, in bytes: a hundred lines, while the texts of a whole application's
/// endpoints still fit into memory.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Judges the fields of one object of a request's body.
pub(crate) struct Judge<'a> {
    /// The names on the way to the object.
    within: &'a [&'a str],
    broken: Vec<Violation>,
}

impl<'a> Judge<'a> {
    /// For the object at `within`; empty for the body itself.
    pub(crate) fn new(within: &'a [&'a str]) -> Self {
        Self {
            within,
            broken: Vec::new(),
        }
    }

    /// Every broken rule that was found, if any.
    pub(crate) fn finish(self) -> Result<(), AppError> {
        if self.broken.is_empty() {
            Ok(())
        } else {
            Err(AppError::Invalid(self.broken))
        }
    }

    /// A broken rule about a field.
    pub(crate) fn note(&mut self, field: &str, message: impl Into<String>) {
        let violation = self.violation(&[field], message);
        self.broken.push(violation);
    }

    /// A field that is not what it should be.
    pub(crate) fn note_unreadable(&mut self, field: &str, message: impl Into<String>) {
        let violation = self.violation(&[field], message).unreadable();
        self.broken.push(violation);
    }

    /// A word.
    pub(crate) fn name(&mut self, field: &str, text: &str) -> Option<Name> {
        let parsed: Result<Name, NameError> = text.parse();
        parsed
            .map_err(|error| {
                let violation = self.violation(&[field, "__all__"], error.to_string());
                self.broken.push(violation);
            })
            .ok()
    }

    /// A user's own name for a thing of the kind `K`: never one that could be an id.
    pub(crate) fn uid<K: Kind>(&mut self, field: &str, text: Option<&str>) -> Option<Name> {
        let uid = self.name(field, text?)?;
        if uid.as_str().starts_with(K::PREFIX) {
            let text = format!("must not begin with `{}`, as ids do", K::PREFIX);
            let violation = self.violation(&[field, "__all__"], text);
            self.broken.push(violation);
            return None;
        }
        Some(uid)
    }

    /// A set of words: at least one, and at most so many.
    pub(crate) fn names(
        &mut self,
        field: &str,
        texts: &[String],
        most: usize,
    ) -> Option<BTreeSet<Name>> {
        if texts.is_empty() {
            self.note(field, "must hold at least one; null means all");
            return None;
        }
        if texts.len() > most {
            self.note(field, format!("must hold at most {most}"));
            return None;
        }
        let names = texts.iter().enumerate();
        let names: Vec<Option<Name>> = names
            .map(|(index, text)| self.name(&format!("{field}[{index}]"), text))
            .collect();
        names.into_iter().collect()
    }

    /// A text for people.
    pub(crate) fn text(&mut self, field: &str, text: &str) {
        if text.bytes().any(|byte| byte <= 0x08) {
            self.note(field, "Control characters 0x00-0x08 not allowed.");
        }
        if text.len() > TEXT_BYTES_MAX {
            let length = text.len();
            self.note(
                field,
                format!("must be at most {TEXT_BYTES_MAX} bytes, not {length}"),
            );
        }
    }

    /// A text for people that may not be empty.
    pub(crate) fn some_text(&mut self, field: &str, text: &str) {
        if text.is_empty() {
            self.note(field, "String must be at least one character");
        }
        self.text(field, text);
    }

    /// A rate, per second. It has two names, of which `throttleRate` wins.
    pub(crate) fn rate(&mut self, rate: Rate) -> Patch<Option<NonZeroU16>> {
        let zero = Patch::Set(Some(0));
        if rate.throttle_rate != Patch::Keep && rate.rate_limit == zero {
            self.note("rateLimit", RATE_RULE);
        }
        let (field, rate) = match (rate.throttle_rate, rate.rate_limit) {
            (Patch::Keep, rate) => ("rateLimit", rate),
            (rate, _) => ("throttleRate", rate),
        };
        let judged = rate.try_map(|rate| match rate.map(NonZeroU16::new) {
            Some(None) => Err(()),
            other => Ok(other.flatten()),
        });
        judged.unwrap_or_else(|()| {
            self.note(field, RATE_RULE);
            Patch::Keep
        })
    }

    /// Notes beside a thing.
    pub(crate) fn metadata(&mut self, field: &str, metadata: &Metadata) {
        let size = compact_size(metadata);
        if size > METADATA_BYTES_MAX {
            let text = format!("must be at most {METADATA_BYTES_MAX} bytes of JSON, not {size}");
            self.note_unreadable(field, text);
        }
        let mut texts = metadata.iter().flat_map(|(key, value)| [key, value]);
        if texts.any(|text| text.contains('\0')) {
            self.note_unreadable(field, "must not hold the character U+0000");
        }
    }

    fn violation(&self, field: &[&str], message: impl Into<String>) -> Violation {
        Violation::body(&[self.within, field].concat(), message)
    }
}

/// What a rate must be.
const RATE_RULE: &str = "must be from 1 to 65535; null means no limit";

/// A rate under its two names.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rate {
    /// The older name.
    pub(crate) rate_limit: Patch<Option<u16>>,
    /// The name that wins.
    pub(crate) throttle_rate: Patch<Option<u16>>,
}

impl Rate {
    /// Of an input that says all, where nothing said means no limit.
    pub(crate) fn whole(throttle_rate: Option<u16>, rate_limit: Option<u16>) -> Self {
        Self {
            rate_limit: Patch::Set(rate_limit),
            throttle_rate: match throttle_rate {
                None => Patch::Keep,
                some => Patch::Set(some),
            },
        }
    }
}

fn compact_size(metadata: &Metadata) -> usize {
    let text = serde_json::to_vec(metadata).expect("a map of strings is JSON");
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::ApplicationKind;

    /// What one rule says, as `location: message`.
    fn told(judge: impl FnOnce(&mut Judge<'_>)) -> Vec<String> {
        let mut all = Judge::new(&["application"]);
        judge(&mut all);
        match all.finish() {
            Ok(()) => Vec::new(),
            Err(AppError::Invalid(broken)) => {
                let told = |v: &Violation| format!("{}: {}", v.location.join("."), v.message);
                broken.iter().map(told).collect()
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn uids_never_look_like_ids() {
        for (uid, fine) in [
            ("customer-7", true),
            ("ep_7", true),
            ("app_7", false),
            ("a b", false),
            ("", false),
        ] {
            let told = told(|judge| {
                judge.uid::<ApplicationKind>("uid", Some(uid));
            });
            assert_eq!(told.is_empty(), fine, "{uid}: {told:?}");
            assert!(fine || told[0].starts_with("body.application.uid.__all__: "));
        }
    }

    #[test]
    fn rates_have_two_names_of_which_one_wins() {
        let patch = |throttle_rate, rate_limit| Rate {
            throttle_rate,
            rate_limit,
        };
        let (keep, none) = (Patch::Keep, Patch::Set(None));
        let set = |rate| Patch::Set(Some(rate));
        let cases = [
            (patch(keep, keep), Ok(None)),
            (patch(none, set(5)), Ok(Some(0))),
            (patch(keep, set(5)), Ok(Some(5))),
            (patch(set(7), set(5)), Ok(Some(7))),
            (patch(set(0), set(5)), Err("throttleRate")),
            (patch(keep, set(0)), Err("rateLimit")),
            (patch(set(7), set(0)), Err("rateLimit")),
            (Rate::whole(None, Some(5)), Ok(Some(5))),
            (Rate::whole(None, None), Ok(Some(0))),
            (Rate::whole(Some(7), Some(5)), Ok(Some(7))),
        ];
        for (rate, expected) in cases {
            let mut judged = Patch::Keep;
            let told = told(|judge| judged = judge.rate(rate));
            let said = judged.as_set().map(|rate| rate.map_or(0, NonZeroU16::get));
            match expected {
                Ok(expected) => assert_eq!((said, told.len()), (expected, 0), "{rate:?}"),
                Err(field) => assert!(told[0].contains(field), "{rate:?}: {told:?}"),
            }
        }
    }

    #[test]
    fn metadata_is_bounded_and_holds_no_nul() {
        // {"k":"…"} has 8 bytes around the value.
        for (value, fine) in [
            ("x".repeat(METADATA_BYTES_MAX - 8), true),
            ("x".repeat(METADATA_BYTES_MAX - 7), false),
            ("a\0b".to_owned(), false),
        ] {
            let metadata = Metadata::from([("k".to_owned(), value)]);
            assert_eq!(
                told(|judge| judge.metadata("metadata", &metadata)).is_empty(),
                fine
            );
        }
    }

    #[test]
    fn texts_are_bounded() {
        for (length, fine) in [(TEXT_BYTES_MAX, true), (TEXT_BYTES_MAX + 1, false)] {
            let told = told(|judge| judge.text("description", &"x".repeat(length)));
            assert_eq!(told.is_empty(), fine, "{length}: {told:?}");
        }
    }

    #[test]
    fn all_broken_rules_are_told_together() {
        let told = told(|judge| {
            judge.some_text("name", "");
            judge.text("description", "a\u{8}");
            judge.names("channels", &[], 10);
            judge.names("channels", &["a b".to_owned()], 10);
            judge.names("channels", &["a".to_owned(), "b".to_owned()], 1);
            judge.names("tags", &["a b".to_owned(), "c d".to_owned()], 10);
        });
        assert_eq!(told.len(), 7, "{told:?}");
        assert!(told[3].starts_with("body.application.channels[0].__all__: "));
    }
}
