//! How what holds secrets is written ([`crate::protection::Protection`], a source's configuration):
//! named fields one after the other, each with its length, so
//! that values may hold any bytes. The fields of a part have its name and a dot before theirs.
//!
//! No general format, because those copy values into buffers that nobody wipes.

use crate::clock::Timestamp;
use crate::endpoint::StoredFormError;
use crate::secret::Secret;
use std::collections::BTreeSet;
use std::str::FromStr;

pub(crate) const WRONG: StoredFormError = StoredFormError::new("protection or source");

/// The form below. Another one would have another number.
const VERSION: u8 = 1;

/// A part that is written as fields.
pub(crate) trait Part: Sized {
    fn write(&self, fields: &mut Fields);
    fn read(fields: &mut Fields) -> Result<Self, StoredFormError>;
}

/// Fields in the order they were put in. A name may be there more than once: a list.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, Secret)>);

// Writing.
impl Fields {
    pub(crate) fn put(&mut self, name: &str, value: &Secret) {
        self.0.push((name.to_owned(), value.clone()));
    }

    pub(crate) fn put_text(&mut self, name: &str, value: &str) {
        self.put(name, &Secret::from(value.to_owned()));
    }

    pub(crate) fn put_optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put_text(name, value);
        }
    }

    pub(crate) fn put_time(&mut self, name: &str, time: Timestamp) {
        self.put_text(name, &time.micros().to_string());
    }

    /// A part, if it is set: a field of its name alone says that it is.
    pub(crate) fn put_part<P: Part>(&mut self, name: &str, part: Option<&P>) {
        let Some(part) = part else {
            return;
        };
        let mut inner = Self::default();
        part.write(&mut inner);
        self.put_text(name, "");
        let inner = inner.0.into_iter();
        self.0
            .extend(inner.map(|(field, value)| (format!("{name}.{field}"), value)));
    }

    pub(crate) fn to_stored(&self) -> Secret {
        let length = |(name, value): &(String, Secret)| 5 + name.len() + value.expose().len();
        // In one piece: bytes that grow leave their old copies behind, unwiped.
        let mut stored = Vec::with_capacity(1 + self.0.iter().map(length).sum::<usize>());
        stored.push(VERSION);
        for (name, value) in &self.0 {
            let value = value.expose();
            let name_length = u8::try_from(name.len()).expect("names of fields are short");
            let length = u32::try_from(value.len()).expect("requests are bounded far below 4 GiB");
            stored.push(name_length);
            stored.extend_from_slice(name.as_bytes());
            stored.extend_from_slice(&length.to_le_bytes());
            stored.extend_from_slice(value);
        }
        Secret::new(stored)
    }
}

// Reading: what is taken is there no longer, and in the end nothing may be left.
impl Fields {
    pub(crate) fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        let (version, mut rest) = stored.split_first().ok_or(WRONG)?;
        if *version != VERSION {
            return Err(WRONG);
        }
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let [name_length] = *cut(&mut rest, 1)? else {
                return Err(WRONG);
            };
            let name = cut(&mut rest, usize::from(name_length))?;
            let name = std::str::from_utf8(name).map_err(|_| WRONG)?;
            let length = cut(&mut rest, 4)?.first_chunk().ok_or(WRONG)?;
            let length = u32::from_le_bytes(*length) as usize;
            let value = Secret::new(cut(&mut rest, length)?.to_vec());
            fields.push((name.to_owned(), value));
        }
        Ok(Self(fields))
    }

    /// The first field of this name, if there is one.
    pub(crate) fn take(&mut self, name: &str) -> Option<Secret> {
        let at = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn secret(&mut self, name: &str) -> Result<Secret, StoredFormError> {
        self.take(name).ok_or(WRONG)
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, StoredFormError> {
        text(&self.secret(name)?)
    }

    pub(crate) fn optional_text(&mut self, name: &str) -> Result<Option<String>, StoredFormError> {
        self.take(name).as_ref().map(text).transpose()
    }

    /// The texts of all fields of this name, in their order.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, StoredFormError> {
        std::iter::from_fn(|| self.optional_text(name).transpose()).collect()
    }

    pub(crate) fn number<N: FromStr>(&mut self, name: &str) -> Result<N, StoredFormError> {
        self.text(name)?.parse().map_err(|_| WRONG)
    }

    pub(crate) fn optional_number<N: FromStr>(
        &mut self,
        name: &str,
    ) -> Result<Option<N>, StoredFormError> {
        let text = self.optional_text(name)?;
        text.map(|text| text.parse().map_err(|_| WRONG)).transpose()
    }

    pub(crate) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, StoredFormError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let micros = text(&value)?.parse().map_err(|_| WRONG)?;
        Ok(Some(Timestamp::from_micros(micros)))
    }

    /// One of these, by its name.
    pub(crate) fn word<T: Copy>(
        &mut self,
        name: &str,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Result<T, StoredFormError> {
        let word = self.text(name)?;
        let mut all = all.iter().copied();
        all.find(|one| as_str(*one) == word).ok_or(WRONG)
    }

    /// All fields of this name, each one of these.
    pub(crate) fn take_words<T: Copy + Ord>(
        &mut self,
        name: &str,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Result<BTreeSet<T>, StoredFormError> {
        let mut words = BTreeSet::new();
        while self.0.iter().any(|(other, _)| other == name) {
            words.insert(self.word(name, all, as_str)?);
        }
        Ok(words)
    }

    pub(crate) fn take_part<P: Part>(&mut self, name: &str) -> Result<Option<P>, StoredFormError> {
        if self.take(name).is_none() {
            return Ok(None);
        }
        let is_of_it = |(field, _): &mut (String, Secret)| {
            field.strip_prefix(name).is_some_and(|f| f.starts_with('.'))
        };
        let mut inner: Vec<_> = self.0.extract_if(.., is_of_it).collect();
        for (field, _) in &mut inner {
            field.drain(..=name.len());
        }
        let mut inner = Self(inner);
        let part = P::read(&mut inner)?;
        inner.finish()?;
        Ok(Some(part))
    }

    pub(crate) fn part<P: Part>(&mut self, name: &str) -> Result<P, StoredFormError> {
        self.take_part(name)?.ok_or(WRONG)
    }

    /// Nothing is left.
    pub(crate) fn finish(self) -> Result<(), StoredFormError> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(WRONG),
        }
    }
}

pub(crate) fn text(value: &Secret) -> Result<String, StoredFormError> {
    let text = std::str::from_utf8(value.expose());
    text.map(str::to_owned).map_err(|_| WRONG)
}

fn cut<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], StoredFormError> {
    let (cut, left) = rest.split_at_checked(length).ok_or(WRONG)?;
    *rest = left;
    Ok(cut)
}
