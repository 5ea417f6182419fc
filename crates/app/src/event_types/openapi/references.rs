//! References within a document. One that leads out of it is refused: nothing is ever fetched.

use crate::schema::clipped;
use serde_json::Value;

/// The most references that lead to one another.
const HOPS_MAX: usize = 32;

/// A reference that leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReferenceError {
    #[error(
        "it refers to `{0}`, and nothing is fetched: only what is in the document itself, such as \
         `#/components/schemas/…`, can be referred to"
    )]
    Outside(String),
    #[error("it refers to `{0}`, which is not in the document")]
    Missing(String),
    #[error("it refers to `{0}`, which only refers on and on")]
    Endless(String),
}

/// What a value is, or what it refers to.
pub(super) fn follow<'d>(
    document: &'d Value,
    mut value: &'d Value,
) -> Result<&'d Value, ReferenceError> {
    for _ in 0..HOPS_MAX {
        match reference(value) {
            None => return Ok(value),
            Some(reference) => value = target(document, reference)?,
        }
    }
    let last = reference(value).unwrap_or_default();
    Err(ReferenceError::Endless(clipped(last)))
}

/// What a value refers to, if it is a reference.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

/// What a reference leads to.
pub(super) fn target<'d>(
    document: &'d Value,
    reference: &str,
) -> Result<&'d Value, ReferenceError> {
    let Some(pointer) = pointer(reference) else {
        return Err(ReferenceError::Outside(clipped(reference)));
    };
    let found = document.pointer(&pointer);
    found.ok_or_else(|| ReferenceError::Missing(clipped(reference)))
}

/// The last word of the way to what a reference leads to.
pub(super) fn last_word(reference: &str) -> String {
    let pointer = pointer(reference).unwrap_or_default();
    let word = pointer.rsplit('/').next().unwrap_or_default();
    word.replace("~1", "/").replace("~0", "~")
}

/// The JSON Pointer that a reference is, if it stays in the document and says where there.
fn pointer(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    let pointer = decoded(fragment);
    pointer.starts_with('/').then_some(pointer)
}

/// Without the escapes of a URL. What is none stays as it is.
fn decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%').then(|| (digit(bytes.get(at + 1)), digit(bytes.get(at + 2))));
        match escape {
            Some((Some(high), Some(low))) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_followed_within_the_document_and_nowhere_else() {
        let document = json!({
            "a": {"b c": {"$ref": "#/a/d~1e"}, "d/e": {"found": true}},
            "loop": {"$ref": "#/loop"},
        });
        let follow_one = |reference: &str| {
            let value = json!({"$ref": reference});
            let found = target(&document, reference).and_then(|found| follow(&document, found));
            (
                reference_text(&value),
                found
                    .map(Value::to_string)
                    .map_err(|error| error.to_string()),
            )
        };
        let found = Ok(r#"{"found":true}"#.to_owned());
        assert_eq!(follow_one("#/a/b%20c").1, found);
        assert_eq!(follow_one("#/a/d~1e").1, found);
        for (reference, why) in [
            ("#/a/missing", "not in the document"),
            ("#/loop", "on and on"),
            ("#", "nothing is fetched"),
            ("#name", "nothing is fetched"),
            ("", "nothing is fetched"),
            ("other.yaml#/a", "nothing is fetched"),
            ("https://example.com/a.json", "nothing is fetched"),
            ("file:///etc/passwd", "nothing is fetched"),
        ] {
            let (_, refused) = follow_one(reference);
            assert!(
                refused.as_ref().is_err_and(|text| text.contains(why)),
                "{refused:?}"
            );
        }
    }

    fn reference_text(value: &Value) -> String {
        reference(value).unwrap_or_default().to_owned()
    }

    #[test]
    fn what_is_no_escape_stays() {
        for (text, expected) in [("%41%2f%", "A/%"), ("%zz%4", "%zz%4"), ("%ff", "\u{fffd}")] {
            assert_eq!(decoded(text), expected);
        }
    }
}
