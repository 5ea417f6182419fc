//! JSON as a row of tokens with their places in the text, so that a payload can be looked at, and
//! changed in places, while all the rest stays byte for byte as it was written: the order of
//! members, the spelling of numbers, white space.
//!
//! No tree is built and nothing recurses. What isn't exactly one value of RFC 8259 is refused, and
//! so is what nests deeper than anybody means it: whoever walks keeps something for each level.

use std::borrow::Cow;
use std::ops::Range;

/// How deep a text may nest.
pub const DEPTH_MAX: usize = 1_000;

/// What isn't JSON, or nests too deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not JSON, or nests deeper than {DEPTH_MAX} levels, from byte {0} on")]
pub struct NotJson(pub usize);

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A `{`.
    Object,
    /// A `[`.
    Array,
    /// The end of the object or array that was begun last.
    End,
    /// A member's name, with its quotes.
    Name,
    /// A string, with its quotes.
    String,
    /// A number.
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// A token, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: Range<usize>,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// A first item or the end of an array.
    ItemOrEnd,
    /// A first name or the end of an object.
    NameOrEnd,
    /// A comma or an end.
    More,
    /// Nothing.
    Over,
}

/// The tokens of a text; after the first error there are no more.
pub(crate) struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
    next: Next,
    /// What was begun and not ended yet; `true`: an object.
    open: Vec<bool>,
}

impl<'t> Tokens<'t> {
    pub(crate) fn of(text: &'t [u8]) -> Self {
        Self {
            text,
            at: 0,
            next: Next::Value,
            open: Vec::new(),
        }
    }

    fn step(&mut self) -> Result<Option<Token>, NotJson> {
        self.skip_space();
        if self.next == Next::More {
            match (self.peek(), self.open.last()) {
                (Some(b','), Some(true)) => {
                    self.at += 1;
                    self.skip_space();
                    return self.name().map(Some);
                }
                (Some(b','), Some(false)) => {
                    self.at += 1;
                    self.next = Next::Value;
                    self.skip_space();
                }
                _ => return self.end().map(Some),
            }
        }
        match (self.next, self.peek()) {
            (Next::Over, None) => Ok(None),
            (Next::ItemOrEnd, Some(b']')) | (Next::NameOrEnd, Some(b'}')) => self.end().map(Some),
            (Next::NameOrEnd, _) => self.name().map(Some),
            (Next::Value | Next::ItemOrEnd, Some(byte)) => self.value(byte).map(Some),
            _ => Err(NotJson(self.at)),
        }
    }

    fn value(&mut self, first: u8) -> Result<Token, NotJson> {
        let start = self.at;
        let kind = match first {
            b'{' | b'[' => {
                let is_object = first == b'{';
                if self.open.len() == DEPTH_MAX {
                    return Err(NotJson(start));
                }
                self.at += 1;
                self.open.push(is_object);
                let (next, kind) = match is_object {
                    true => (Next::NameOrEnd, Kind::Object),
                    false => (Next::ItemOrEnd, Kind::Array),
                };
                self.next = next;
                return Ok(self.token(kind, start));
            }
            b'"' => self.string().map(|()| Kind::String)?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        };
        self.after_value();
        Ok(self.token(kind, start))
    }

    fn name(&mut self) -> Result<Token, NotJson> {
        let start = self.at;
        self.string()?;
        let name = self.token(Kind::Name, start);
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(NotJson(self.at));
        }
        self.at += 1;
        self.next = Next::Value;
        Ok(name)
    }

    fn end(&mut self) -> Result<Token, NotJson> {
        let start = self.at;
        let expected = match self.open.pop() {
            Some(true) => b'}',
            Some(false) => b']',
            None => return Err(NotJson(start)),
        };
        if self.peek() != Some(expected) {
            return Err(NotJson(start));
        }
        self.at += 1;
        self.after_value();
        Ok(self.token(Kind::End, start))
    }

    fn string(&mut self) -> Result<(), NotJson> {
        if self.peek() != Some(b'"') {
            return Err(NotJson(self.at));
        }
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0x20..) => self.at += 1,
                _ => return Err(NotJson(self.at)),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), NotJson> {
        let length = match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => 6,
            _ => return Err(NotJson(self.at)),
        };
        let digits = self.text.get(self.at + 2..self.at + length);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(NotJson(self.at));
        }
        self.at += length;
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<Kind, NotJson> {
        if !self.text[self.at..].starts_with(word) {
            return Err(NotJson(self.at));
        }
        self.at += word.len();
        Ok(Kind::Word)
    }

    fn number(&mut self) -> Result<Kind, NotJson> {
        self.take(|byte| byte == b'-', 1);
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.take(|byte| byte == b'.', 1) > 0 {
            self.digits()?;
        }
        if self.take(|byte| matches!(byte, b'e' | b'E'), 1) > 0 {
            self.take(|byte| matches!(byte, b'+' | b'-'), 1);
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        match self.take(|byte| byte.is_ascii_digit(), usize::MAX) {
            0 => Err(NotJson(self.at)),
            _ => Ok(()),
        }
    }

    fn take(&mut self, wanted: impl Fn(u8) -> bool, most: usize) -> usize {
        let rest = &self.text[self.at..];
        let taken = rest.iter().take(most).take_while(|byte| wanted(**byte));
        let taken = taken.count();
        self.at += taken;
        taken
    }

    fn after_value(&mut self) {
        self.next = match self.open.is_empty() {
            true => Next::Over,
            false => Next::More,
        };
    }

    fn skip_space(&mut self) {
        self.take(
            |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
            usize::MAX,
        );
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn token(&self, kind: Kind, start: usize) -> Token {
        Token {
            kind,
            at: start..self.at,
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, NotJson>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            (self.next, self.at) = (Next::Over, self.text.len());
            self.open.clear();
        }
        step.transpose()
    }
}

/// What a string or name says, given with its quotes. Half of a surrogate pair becomes U+FFFD.
pub(crate) fn decoded(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1));
    let inner = inner.unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let mut following = after.chars();
        let (character, used) = match following.next() {
            Some('u') => unit(after),
            Some(letter) => (plain_escape(letter), letter.len_utf8()),
            None => (char::REPLACEMENT_CHARACTER, 0),
        };
        text.push(character);
        rest = after.get(used..).unwrap_or_default();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn plain_escape(letter: char) -> char {
    match letter {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        same => same,
    }
}

/// The character of `uXXXX`, or of `uXXXX\uXXXX`, and how many bytes it took.
fn unit(text: &str) -> (char, usize) {
    let number = |at: usize| {
        let digits = text.get(at..at + 4);
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    let first = number(1).unwrap_or(0xfffd);
    if (0xd800..0xdc00).contains(&first)
        && text.get(5..7) == Some("\\u")
        && let Some(second @ 0xdc00..0xe000) = number(7)
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or_default(), 11);
    }
    let character = char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
    (character, 5)
}

/// A text as a JSON string, with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => written.extend(['\\', character]),
            '\0'..='\u{1f}' => written.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => written.push(character),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Result<Vec<Kind>, NotJson> {
        let tokens = Tokens::of(text.as_bytes());
        tokens.map(|token| token.map(|token| token.kind)).collect()
    }

    #[test]
    fn tokens_stand_where_they_are_written() {
        let text = r#" {"a" : [1, "b\"", {}], "c":null} "#;
        let told: Vec<_> = Tokens::of(text.as_bytes())
            .map(|token| text[token.expect("it is JSON").at].to_owned())
            .collect();
        let expected = [
            "{", "\"a\"", "[", "1", r#""b\"""#, "{", "}", "]", "\"c\"", "null", "}",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_not_exactly_one_value_is_refused() {
        for good in [
            "0",
            "-1.5e+3",
            "[]",
            "{}",
            r#""\ud800""#,
            " true ",
            "[[[]]]",
        ] {
            assert!(kinds(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "{",
            "[1,]",
            "{,}",
            "01",
            "1 2",
            "[1}",
            "{\"a\"}",
            "{\"a\":}",
            "tru",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"",
            "-",
            "1.",
            "1e",
            "]",
            "[1 2]",
            "{\"a\":1,}",
            "{1:2}",
        ] {
            assert!(kinds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn so_many_levels_are_walked_and_no_more() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        let walked = kinds(&nested(DEPTH_MAX)).map(|kinds| kinds.len());
        assert_eq!(walked, Ok(2 * DEPTH_MAX));
        assert_eq!(kinds(&nested(DEPTH_MAX + 1)), Err(NotJson(DEPTH_MAX)));
        assert!(kinds(&"[".repeat(1_000_000)).is_err());
    }

    #[test]
    fn strings_are_read_as_they_are_meant() {
        for (quoted, expected) in [
            (r#""""#, ""),
            (r#""plain""#, "plain"),
            (r#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{c}\n\r\tz"),
            (r#""\u0040x""#, "@x"),
            (r#""\ud83d\ude00!""#, "😀!"),
            (r#""\ud83dx""#, "\u{fffd}x"),
            (r#""\ude00""#, "\u{fffd}"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
        ] {
            assert_eq!(decoded(quoted), expected, "{quoted}");
        }
        for text in ["", "a\"b\\c\n\u{0}é😀"] {
            assert_eq!(decoded(&quoted(text)), text);
        }
    }
}
