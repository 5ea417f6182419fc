//! Patterns of schemas, as ECMA-262 writes them, matched in time that grows with the text alone:
//! look-around and back-references, which can't be, are refused.

use super::PATTERN_BYTES_MAX;
use regex::{Regex, RegexBuilder};

/// What a compiled pattern may hold in memory, in bytes: the least of these that is enough.
const SIZES: [usize; 4] = [16 << 10, 64 << 10, 256 << 10, 1 << 20];
/// What matching one may hold beside that.
const CACHE_BYTES_MAX: usize = 128 << 10;

/// A pattern that may match anywhere in a text.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// As it is written in the schema.
    pub(super) text: Box<str>,
    /// About how much memory it holds.
    pub(super) bytes: usize,
}

impl Pattern {
    /// The pattern; else what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!(
                "has a pattern of more than {PATTERN_BYTES_MAX} bytes"
            ));
        }
        let unreadable = "is not a regular expression that is matched in linear time: look-around \
             and back-references are not supported";
        let translated =
            jsonschema_regex::to_rust_regex(text).map_err(|()| unreadable.to_owned())?;
        for size in SIZES {
            let built = RegexBuilder::new(&translated)
                .size_limit(size)
                .dfa_size_limit(CACHE_BYTES_MAX)
                .nest_limit(50)
                .build();
            match built {
                Ok(regex) => {
                    return Ok(Self {
                        regex,
                        text: text.into(),
                        bytes: size + CACHE_BYTES_MAX,
                    });
                }
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(_) => return Err(unreadable.to_owned()),
            }
        }
        Err("is a regular expression that grows too large: make its repetitions smaller".to_owned())
    }

    /// Whether it matches somewhere in the text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// How many steps it costs to look for it in a text.
    pub(super) fn cost(text: &str) -> u64 {
        // Where its memory is not enough, matching is tens of times slower than it is otherwise.
        4 + 4 * text.len() as u64
    }
}
