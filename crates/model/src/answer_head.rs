//! The headers of a response that was no success, as far as they are kept for people who ask why.
//! They are a receiver's words: nothing is decided by them.
//!
//! No more is kept than that takes: a cookie, or what a receiver proves itself or asks for proof
//! by, is between it and its clients, so of such a header only the name is.

use crate::endpoint::StoredFormError;
use crate::texts;
use std::borrow::Cow;

/// What the stored form begins with: another form begins with something else.
const VERSION: &str = "1";

const WRONG: StoredFormError = StoredFormError::new("headers of a response");

/// How many headers are kept.
pub const HEADERS_MAX: usize = 64;
/// How many bytes their names and values have, as text.
pub const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Headers that are kept without their values.
const WITHHELD: [&str; 6] = [
    "authentication-info",
    "proxy-authenticate",
    "proxy-authentication-info",
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
];

/// The headers of a response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerHead {
    /// Names in lower case and values, in their order. A value is text, whatever it was.
    pub headers: Vec<(String, String)>,
    /// How many more there were, for which there was no room.
    pub left_out: usize,
}

impl AnswerHead {
    /// What is kept of these headers.
    pub fn of<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let (mut head, mut room) = (Self::default(), HEAD_BYTES_MAX);
        for (name, value) in headers {
            let value = match is_withheld(name) {
                true => Cow::Borrowed(""),
                false => String::from_utf8_lossy(value),
            };
            let bytes = name.len() + value.len();
            if head.headers.len() == HEADERS_MAX || bytes > room {
                head.left_out += 1;
                continue;
            }
            room -= bytes;
            head.headers.push((name.to_owned(), value.into_owned()));
        }
        head
    }

    /// The bytes that are stored.
    pub fn to_stored(&self) -> Vec<u8> {
        let mut all = vec![VERSION.to_owned(), self.left_out.to_string()];
        for (name, value) in &self.headers {
            all.extend([name.clone(), value.clone()]);
        }
        texts::to_stored(&all)
    }

    /// Reads what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        let all = texts::from_stored(stored).ok_or(WRONG)?;
        let [VERSION, left_out, headers @ ..] = &all[..] else {
            return Err(WRONG);
        };
        let pair = |pair: &[&str]| match pair {
            [name, value] => Ok(((*name).to_owned(), (*value).to_owned())),
            _ => Err(WRONG),
        };
        Ok(Self {
            headers: headers.chunks(2).map(pair).collect::<Result<_, _>>()?,
            left_out: left_out.parse().map_err(|_| WRONG)?,
        })
    }
}

/// Whether the value of a header of this name, in lower case, is never kept.
pub fn is_withheld(name: &str) -> bool {
    WITHHELD.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn of(headers: &[(String, Vec<u8>)]) -> AnswerHead {
        AnswerHead::of(headers.iter().map(|(name, value)| (&name[..], &value[..])))
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again(
            headers in vec(("[a-z\u{0}é]{0,6}", vec(any::<u8>(), 0..20)), 0..6),
            left_out: usize,
        ) {
            let mut head = of(&headers);
            head.left_out = left_out;
            for text in head.headers.iter_mut().flat_map(|(name, value)| [name, value]) {
                *text = text.replace('\0', " ");
            }
            prop_assert_eq!(AnswerHead::from_stored(&head.to_stored()), Ok(head));
        }

        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>) {
            let _ = AnswerHead::from_stored(&bytes);
        }
    }

    #[test]
    fn what_has_no_room_is_counted_and_what_comes_after_it_is_kept() {
        let named = |name: &str, bytes: usize| (name.to_owned(), vec![b'v'; bytes]);
        let long = [
            named("a", 10),
            named("b", HEAD_BYTES_MAX),
            named("c", HEAD_BYTES_MAX - 12),
            named("d", 0),
        ];
        let head = of(&long);
        let names: Vec<_> = head.headers.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!((&names[..], head.left_out), (&["a", "c"][..], 2));

        let head = of(&vec![named("x", 1); HEADERS_MAX + 3]);
        assert_eq!((head.headers.len(), head.left_out), (HEADERS_MAX, 3));
    }

    #[test]
    fn what_is_between_a_receiver_and_its_clients_is_kept_by_name_alone() {
        let head = AnswerHead::of([
            ("set-cookie", &b"session=1"[..]),
            ("www-authenticate", b"Digest nonce=2"),
            ("location", b"/caf\xe9"),
        ]);
        let kept = [
            ("set-cookie", ""),
            ("www-authenticate", ""),
            ("location", "/caf\u{fffd}"),
        ];
        let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(head.headers, kept);
    }
}
