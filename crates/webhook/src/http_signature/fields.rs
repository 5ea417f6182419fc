//! Structured fields (RFC 9651), as much of them as signatures need: dictionaries whose members
//! are inner lists of strings, or byte sequences, with parameters that are integers, strings,
//! tokens, byte sequences or booleans.
//!
//! It reads strictly. What the standard lets a reader repair or ignore, such as a key that is
//! there twice, is refused: two readers could understand it differently.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest field that is read, in bytes.
const FIELD_BYTES_MAX: usize = 8 << 10;

/// A value without parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Bare {
    Integer(i64),
    Text(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
}

/// Parameters in the order in which they were written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Parameters(Vec<(String, Bare)>);

/// A string with parameters: the identifier of a component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Item {
    pub(super) text: String,
    pub(super) parameters: Parameters,
}

/// A list of strings: what a signature covers, and its own parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct InnerList {
    pub(super) items: Vec<Item>,
    pub(super) parameters: Parameters,
}

impl Parameters {
    pub(super) fn get(&self, name: &str) -> Option<&Bare> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value)
    }

    pub(super) fn with(mut self, name: &str, value: Bare) -> Self {
        self.0.push((name.to_owned(), value));
        self
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Bare)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether both say the same, in whatever order.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .iter()
                .all(|(name, value)| other.get(name) == Some(value))
    }

    fn write(&self, out: &mut String) {
        for (name, value) in &self.0 {
            out.push(';');
            out.push_str(name);
            match value {
                Bare::Boolean(true) => continue,
                _ => out.push('='),
            }
            match value {
                Bare::Integer(number) => out.push_str(&number.to_string()),
                Bare::Text(text) => write_text(text, out),
                Bare::Token(token) => out.push_str(token),
                Bare::Bytes(bytes) => {
                    out.push(':');
                    STANDARD.encode_string(bytes, out);
                    out.push(':');
                }
                Bare::Boolean(_) => out.push_str("?0"),
            }
        }
    }
}

impl Item {
    pub(super) fn plain(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            parameters: Parameters::default(),
        }
    }

    /// As the standard writes it.
    pub(super) fn write(&self, out: &mut String) {
        write_text(&self.text, out);
        self.parameters.write(out);
    }
}

impl InnerList {
    /// As the standard writes it, whatever spaces it was read with.
    pub(super) fn write(&self, out: &mut String) {
        out.push('(');
        for (place, item) in self.items.iter().enumerate() {
            if place > 0 {
                out.push(' ');
            }
            item.write(out);
        }
        out.push(')');
        self.parameters.write(out);
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

/// Whether a text can be a string of a structured field: printable ASCII.
pub(super) fn is_text(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A dictionary whose members are inner lists of strings.
pub(super) fn parse_lists(field: &[u8]) -> Option<Vec<(String, InnerList)>> {
    dictionary(field, |reader| {
        reader.expect(b'=')?;
        reader.inner_list()
    })
}

/// A dictionary whose members are byte sequences; `None` for a member that is anything else that
/// can be read. Parameters are read, and mean nothing.
pub(super) fn parse_bytes(field: &[u8]) -> Option<Vec<(String, Option<Vec<u8>>)>> {
    dictionary(field, |reader| {
        let value = match reader.skip(b'=') {
            true => reader.bare()?,
            false => Bare::Boolean(true),
        };
        reader.parameters()?;
        Some(match value {
            Bare::Bytes(bytes) => Some(bytes),
            _ => None,
        })
    })
}

fn dictionary<T>(
    field: &[u8],
    member: impl Fn(&mut Reader<'_>) -> Option<T>,
) -> Option<Vec<(String, T)>> {
    if field.len() > FIELD_BYTES_MAX {
        return None;
    }
    let mut reader = Reader(field);
    let mut members: Vec<(String, T)> = Vec::new();
    reader.skip_while(|byte| byte == b' ');
    loop {
        let key = reader.key()?;
        if members.iter().any(|(other, _)| *other == key) {
            return None;
        }
        members.push((key, member(&mut reader)?));
        reader.skip_while(|byte| matches!(byte, b' ' | b'\t'));
        if reader.0.is_empty() {
            return Some(members);
        }
        reader.expect(b',')?;
        reader.skip_while(|byte| matches!(byte, b' ' | b'\t'));
    }
}

/// What is left of the field.
struct Reader<'f>(&'f [u8]);

impl<'f> Reader<'f> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'f [u8] {
        let end = self.0.iter().position(|&byte| !wanted(byte));
        let (skipped, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        skipped
    }

    fn ascii_while(&mut self, wanted: impl Fn(u8) -> bool) -> Option<String> {
        String::from_utf8(self.skip_while(wanted).to_vec()).ok()
    }

    fn key(&mut self) -> Option<String> {
        let first = *self.0.first()?;
        if !first.is_ascii_lowercase() && first != b'*' {
            return None;
        }
        self.ascii_while(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte)
        })
    }

    fn inner_list(&mut self) -> Option<InnerList> {
        self.expect(b'(')?;
        let mut items = Vec::new();
        loop {
            let spaces = self.skip_while(|byte| byte == b' ').len();
            if self.skip(b')') {
                break;
            }
            if !items.is_empty() && spaces == 0 {
                return None;
            }
            items.push(Item {
                text: self.text()?,
                parameters: self.parameters()?,
            });
        }
        Some(InnerList {
            items,
            parameters: self.parameters()?,
        })
    }

    fn parameters(&mut self) -> Option<Parameters> {
        let mut parameters = Parameters::default();
        while self.skip(b';') {
            self.skip_while(|byte| byte == b' ');
            let name = self.key()?;
            let value = match self.skip(b'=') {
                true => self.bare()?,
                false => Bare::Boolean(true),
            };
            if parameters.get(&name).is_some() {
                return None;
            }
            parameters.0.push((name, value));
        }
        Some(parameters)
    }

    fn bare(&mut self) -> Option<Bare> {
        match *self.0.first()? {
            b'"' => self.text().map(Bare::Text),
            b':' => self.bytes().map(Bare::Bytes),
            b'?' => self.boolean().map(Bare::Boolean),
            b'-' | b'0'..=b'9' => self.integer().map(Bare::Integer),
            first if first.is_ascii_alphabetic() || first == b'*' => self.token().map(Bare::Token),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        self.expect(b'"')?;
        let mut text = String::new();
        loop {
            match self.next()? {
                b'"' => return Some(text),
                b'\\' => match self.next()? {
                    escaped @ (b'"' | b'\\') => text.push(char::from(escaped)),
                    _ => return None,
                },
                byte @ b' '..=b'~' => text.push(char::from(byte)),
                _ => return None,
            }
        }
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        self.expect(b':')?;
        let encoded = self.skip_while(|byte| byte != b':');
        self.expect(b':')?;
        STANDARD.decode(encoded).ok()
    }

    fn boolean(&mut self) -> Option<bool> {
        self.expect(b'?')?;
        match self.next()? {
            b'0' => Some(false),
            b'1' => Some(true),
            _ => None,
        }
    }

    /// An integer as the standard writes it: at most 15 digits, none in vain.
    fn integer(&mut self) -> Option<i64> {
        let text = self.ascii_while(|byte| byte == b'-' || byte.is_ascii_digit())?;
        if text.len() > 16 || self.0.first() == Some(&b'.') {
            return None;
        }
        let number: i64 = text.parse().ok()?;
        (number.to_string() == text && number.abs() < 1_000_000_000_000_000).then_some(number)
    }

    fn token(&mut self) -> Option<String> {
        self.ascii_while(|byte| {
            byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte)
        })
    }
}

#[cfg(test)]
mod tests;
