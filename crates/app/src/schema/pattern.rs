//! Patterns of schemas, as ECMA-262 writes them, matched in time that grows with the text alone:
//! look-around and back-references, which can't be, are refused.
//!
//! What a byte of text costs depends on the pattern: at its worst, all of a pattern's program is
//! under way at each byte. A count of one class of characters, the usual reason for a large one, is
//! counted, and has none.

use super::PATTERN_BYTES_MAX;
use jsonschema_regex::{RepeatedClass, Search, search_form, to_rust_regex};
use regex::{Regex, RegexBuilder};

/// What a compiled pattern's program may be, in bytes: the least of these that is enough.
const PROGRAMS: [usize; 5] = [1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10];
/// What matching one may hold beside that.
const CACHE_BYTES_MAX: usize = 128 << 10;
/// What a matcher that counts holds.
const COUNTING_BYTES: usize = 16 << 10;
/// What a byte of text costs at the least, in steps.
const STEPS_PER_BYTE_MIN: u64 = 4;
/// How much program costs a step more for each byte: about as much as is gone through in the
/// time of a slow step, 200 ns.
const PROGRAM_BYTES_PER_STEP: usize = 1 << 10;

/// A pattern that may match anywhere in a text.
#[derive(Debug)]
pub(super) struct Pattern {
    matcher: Matcher,
    /// As it is written in the schema.
    pub(super) text: Box<str>,
    /// How large its program is at the most, in bytes.
    pub(super) program: usize,
}

#[derive(Debug)]
enum Matcher {
    /// `^X{m,n}$`, where `X` is a class of characters.
    Counts(RepeatedClass),
    Runs(Regex),
}

impl Pattern {
    /// The pattern; else what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!(
                "has a pattern of more than {PATTERN_BYTES_MAX} bytes"
            ));
        }
        let translated = to_rust_regex(text).map_err(|()| UNREADABLE.to_owned())?;
        let (matcher, program) = match search_form(text, &translated) {
            Some(Search::RepeatedClass(class)) => (Matcher::Counts(class), 0),
            Some(Search::Collapsed(shorter)) => compiled(&shorter)?,
            None => compiled(&translated)?,
        };
        Ok(Self {
            matcher,
            text: text.into(),
            program,
        })
    }

    /// Whether it matches somewhere in the text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        match &self.matcher {
            Matcher::Counts(class) => class.is_match(text),
            Matcher::Runs(regex) => regex.is_match(text),
        }
    }

    /// How many steps it costs to look for it in a text.
    pub(super) fn cost(&self, text: &str) -> u64 {
        let of_program = (self.program / PROGRAM_BYTES_PER_STEP) as u64;
        4 + of_program.max(STEPS_PER_BYTE_MIN) * text.len() as u64
    }

    /// About how much memory it holds.
    pub(super) fn bytes(&self) -> usize {
        match self.matcher {
            Matcher::Counts(_) => COUNTING_BYTES,
            // Matching needs about as much again as the program itself.
            Matcher::Runs(_) => 2 * self.program + CACHE_BYTES_MAX,
        }
    }
}

const UNREADABLE: &str = "is not a regular expression that is matched in linear time: look-around \
    and back-references are not supported";

fn compiled(translated: &str) -> Result<(Matcher, usize), String> {
    for program in PROGRAMS {
        let built = RegexBuilder::new(translated)
            .size_limit(program)
            .dfa_size_limit(CACHE_BYTES_MAX)
            .nest_limit(50)
            .build();
        match built {
            Ok(regex) => return Ok((Matcher::Runs(regex), program)),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(_) => return Err(UNREADABLE.to_owned()),
        }
    }
    Err("is a regular expression that grows too large: make its repetitions smaller".to_owned())
}
