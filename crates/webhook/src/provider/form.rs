//! The fields of a form, and of a URL's query, which is written in the same way.

use crate::scheme::Encoding;

/// The fields with their values, in the order in which they stand there.
pub(super) fn fields(form: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let pairs = form.split(|byte| *byte == b'&');
    let pairs = pairs.filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let end = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = pair.split_at(end.unwrap_or(pair.len()));
        (decoded(name), decoded(value.get(1..).unwrap_or_default()))
    })
}

/// The first field of this name, where it is a text.
pub(super) fn field(form: &[u8], name: &str) -> Option<String> {
    let mut fields = fields(form);
    let (_, value) = fields.find(|(other, _)| other == name.as_bytes())?;
    String::from_utf8(value).ok()
}

/// The query of a URL, as it is written there.
pub(super) fn query(url: &str) -> &str {
    let url = url.split('#').next().unwrap_or_default();
    url.split_once('?').map_or("", |(_, query)| query)
}

/// A name or a value of a form, its escapes undone; what is no escape stays.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|digits| Encoding::Hex.read(digits));
        match (escaped, *first) {
            (Some(byte), _) => {
                bytes.extend(byte);
                rest = &behind[2..];
                continue;
            }
            (None, b'+') => bytes.push(b' '),
            (None, other) => bytes.push(other),
        }
        rest = behind;
    }
    bytes
}
