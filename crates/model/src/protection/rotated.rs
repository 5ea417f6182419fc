//! A credential beside the one that it replaced: whoever is shown them may not know the new one
//! yet.

use crate::clock::Timestamp;
use crate::endpoint::StoredFormError;
use crate::fields::{Fields, Part};

/// A credential that can be replaced with an overlap.
#[derive(Clone)]
pub struct Rotated<T> {
    /// Tried first.
    pub current: T,
    /// What it replaced, and until when that is tried where the current one is refused.
    pub previous: Option<(Timestamp, T)>,
}

impl<T> Rotated<T> {
    /// `current` in place of what was there, which is tried until then, if at all and if that is
    /// still to come.
    pub fn after(
        before: Option<Self>,
        current: T,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let until = until.filter(|until| *until > now);
        Self {
            current,
            previous: until.and_then(|until| Some((until, before?.current))),
        }
    }

    /// The credentials, the current one first, each with the time until which it is tried.
    pub fn tries(&self) -> impl Iterator<Item = (Timestamp, &T)> {
        let previous = self.previous.as_ref();
        let previous = previous.map(|(until, previous)| (*until, previous));
        std::iter::once((Timestamp::MAX, &self.current)).chain(previous)
    }
}

impl<T: Part> Part for Rotated<T> {
    fn write(&self, fields: &mut Fields) {
        fields.put_part("current", Some(&self.current));
        if let Some((until, previous)) = &self.previous {
            fields.put_time("until", *until);
            fields.put_part("previous", Some(previous));
        }
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        let current = fields.part("current")?;
        let until = fields.time("until")?;
        let previous = until.map(|until| Ok((until, fields.part("previous")?)));
        Ok(Self {
            current,
            previous: previous.transpose()?,
        })
    }
}
