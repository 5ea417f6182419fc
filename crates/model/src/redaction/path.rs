//! Where in a payload a rule applies: a JSON Pointer (RFC 6901), or a JSONPath (RFC 9535) of names,
//! indexes, wildcards and descent. No filters, slices, unions or negative indexes: what is taken
//! from a payload must be seen at a glance.

use std::fmt;
use std::str::FromStr;

/// The longest path, in characters.
pub const PATH_CHARS_MAX: usize = 256;
/// The most steps of a path.
pub const STEPS_MAX: usize = 32;
/// The most digits of an index.
const INDEX_DIGITS_MAX: usize = 18;
/// What all paths match, and nothing else that is as short as they are.
pub const PATH_PATTERN: &str = concat!(
    r"^((/([^~/\u0000-\u001f\u007f-\u009f]|~[01])*){1,32}",
    r"|\$((\.\.?([A-Za-z0-9_-]+|\*)|(\.\.)?\[(\*|0|[1-9][0-9]{0,17}",
    r"|'([^'\\\u0000-\u001f\u007f-\u009f]|\\['\\\x22])*'",
    r"|\x22([^\x22\\\u0000-\u001f\u007f-\u009f]|\\['\\\x22])*\x22)\])){1,32})$",
);

/// A place in payloads, or many of them.
#[derive(Clone)]
pub struct Path {
    text: Box<str>,
    pub(super) steps: Box<[Step]>,
}

/// From a value to values within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Of it, and of all that is within it, at any depth.
    pub(super) descends: bool,
    pub(super) to: To,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum To {
    Name(Box<str>),
    Index(usize),
    /// A pointer's number: what it is depends on where it leads through.
    Either(Box<str>, usize),
    Any,
}

/// Which child of a value.
#[derive(Clone, Copy)]
pub(super) enum Child<'c> {
    Member(&'c str),
    Item(usize),
}

impl Step {
    pub(super) fn leads_to(&self, child: Child<'_>) -> bool {
        match (&self.to, child) {
            (To::Any, _) => true,
            (To::Name(name) | To::Either(name, _), Child::Member(member)) => **name == *member,
            (To::Index(index) | To::Either(_, index), Child::Item(item)) => *index == item,
            (To::Name(_), Child::Item(_)) | (To::Index(_), Child::Member(_)) => false,
        }
    }
}

/// What is wrong with a path, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Neither form.
    #[error("a path is a JSON Pointer such as `/customer/email`, or a JSONPath such as `$..email`")]
    Form,
    /// It names all of it.
    #[error("names the whole payload: name a part of it, such as `/customer` or `$.*`")]
    Whole,
    /// Too much text.
    #[error("must have at most {PATH_CHARS_MAX} characters")]
    Long,
    /// Too many steps.
    #[error("must have at most {STEPS_MAX} steps")]
    Deep,
    /// It could not be shown in a line.
    #[error("must not have control characters")]
    Control,
    /// A tilde that escapes nothing.
    #[error("in a JSON Pointer, `~` is written as `~0` and `/` within a name as `~1`")]
    Tilde,
    /// A JSONPath that is none, or more than is obeyed.
    #[error(
        "can't be followed from `{0}` on: there are names (`.a`, `['a b']`), indexes from 0 \
         (`[2]`), `*` and `..`, and no filters, slices or lists"
    )]
    Step(String),
}

impl Path {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.chars().count() > PATH_CHARS_MAX {
            return Err(PathError::Long);
        }
        if text.chars().any(char::is_control) {
            return Err(PathError::Control);
        }
        let steps = match text.chars().next() {
            Some('/') => pointer(text)?,
            Some('$') => json_path(&text[1..])?,
            Some(_) => return Err(PathError::Form),
            None => Vec::new(),
        };
        match steps.len() {
            0 => Err(PathError::Whole),
            1..=STEPS_MAX => Ok(Self {
                text: text.into(),
                steps: steps.into(),
            }),
            _ => Err(PathError::Deep),
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Path {}

fn pointer(text: &str) -> Result<Vec<Step>, PathError> {
    let step = |token: &str| {
        let mut tildes = token.split('~').skip(1);
        if !tildes.all(|after| after.starts_with(['0', '1'])) {
            return Err(PathError::Tilde);
        }
        let name = token.replace("~1", "/").replace("~0", "~");
        let to = match index(token) {
            Some(index) => To::Either(name.into(), index),
            None => To::Name(name.into()),
        };
        Ok(Step {
            descends: false,
            to,
        })
    };
    text.split('/').skip(1).map(step).collect()
}

fn json_path(text: &str) -> Result<Vec<Step>, PathError> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (step, after) = step(rest).ok_or_else(|| {
            let shown: String = rest.chars().take(40).collect();
            PathError::Step(shown)
        })?;
        steps.push(step);
        rest = after;
    }
    Ok(steps)
}

/// The next step, and what is behind it.
fn step(text: &str) -> Option<(Step, &str)> {
    let (descends, text) = match text.strip_prefix("..") {
        Some(after) => (true, after),
        None => (false, text),
    };
    let (to, rest) = if let Some(inner) = text.strip_prefix('[') {
        let (to, rest) = in_brackets(inner)?;
        (to, rest.strip_prefix(']')?)
    } else {
        let text = match descends {
            true => text,
            false => text.strip_prefix('.')?,
        };
        match text.strip_prefix('*') {
            Some(rest) => (To::Any, rest),
            None => plain_name(text)?,
        }
    };
    Some((Step { descends, to }, rest))
}

fn plain_name(text: &str) -> Option<(To, &str)> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (!name.is_empty()).then(|| (To::Name(name.into()), rest))
}

fn in_brackets(text: &str) -> Option<(To, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((To::Any, rest));
    }
    if text.starts_with(['\'', '"']) {
        return quoted_name(text);
    }
    let (number, _) = text.split_once(']')?;
    Some((To::Index(index(number)?), &text[number.len()..]))
}

fn quoted_name(text: &str) -> Option<(To, &str)> {
    let mut characters = text.char_indices();
    let (_, quote) = characters.next()?;
    let mut name = String::new();
    loop {
        match characters.next()? {
            (at, end) if end == quote => {
                return Some((To::Name(name.into()), &text[at + quote.len_utf8()..]));
            }
            (_, '\\') => match characters.next()? {
                (_, escaped @ ('\\' | '\'' | '"')) => name.push(escaped),
                _ => return None,
            },
            (_, other) => name.push(other),
        }
    }
}

fn index(text: &str) -> Option<usize> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = (1..=INDEX_DIGITS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<String, PathError> {
        let path: Path = text.parse()?;
        let shown = |step: &Step| {
            let descends = if step.descends { ".." } else { "" };
            match &step.to {
                To::Name(name) => format!("{descends}<{name}>"),
                To::Index(index) => format!("{descends}#{index}"),
                To::Either(name, index) => format!("{descends}<{name}>#{index}"),
                To::Any => format!("{descends}*"),
            }
        };
        Ok(path.steps.iter().map(shown).collect())
    }

    #[test]
    fn both_forms_are_read() {
        for (text, expected) in [
            ("/a", "<a>"),
            ("/", "<>"),
            ("/a~1b/c~0d/~01", "<a/b><c~d><~1>"),
            ("/items/0/01/-", "<items><0>#0<01><->"),
            ("$.a.b-c", "<a><b-c>"),
            ("$['a b'][\"c'd\"]['e\\'f']", "<a b><c'd><e'f>"),
            ("$[0][*].*", "#0**"),
            ("$..email", "..<email>"),
            ("$.a..*", "<a>..*"),
            ("$..[0]", "..#0"),
            ("$..['é']", "..<é>"),
        ] {
            assert_eq!(told(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_refused_with_a_reason() {
        for (text, expected) in [
            ("", PathError::Whole),
            ("$", PathError::Whole),
            ("customer", PathError::Form),
            ("/a~2", PathError::Tilde),
            ("/a~", PathError::Tilde),
            ("/a\n", PathError::Control),
            ("$.a[?(@.b)]", PathError::Step("[?(@.b)]".to_owned())),
            ("$.a[0:2]", PathError::Step("[0:2]".to_owned())),
            ("$.a[0,1]", PathError::Step("[0,1]".to_owned())),
            ("$.a[-1]", PathError::Step("[-1]".to_owned())),
            ("$.a[01]", PathError::Step("[01]".to_owned())),
            ("$['a'", PathError::Step("['a'".to_owned())),
            ("$['a\\n']", PathError::Step("['a\\n']".to_owned())),
            ("$.", PathError::Step(".".to_owned())),
            ("$...a", PathError::Step("...a".to_owned())),
            ("$a", PathError::Step("a".to_owned())),
            ("$.naïve", PathError::Step("ïve".to_owned())),
            ("$.a b", PathError::Step(" b".to_owned())),
        ] {
            assert_eq!(told(text), Err(expected), "{text}");
        }
        let long = format!("/{}", "é".repeat(PATH_CHARS_MAX));
        assert_eq!(told(&long), Err(PathError::Long));
        assert_eq!(told(&"/a".repeat(STEPS_MAX + 1)), Err(PathError::Deep));
        assert!(told(&"/a".repeat(STEPS_MAX)).is_ok());
    }
}
