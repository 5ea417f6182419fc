//! Where a provider says which event type a request is of.

use std::borrow::Cow;

use serde_json::Value;

use super::{Request, form};
use crate::refused::Carried;
use crate::scheme::verify::single;

/// The longest event type that is read, in bytes.
pub const EVENT_TYPE_BYTES_MAX: usize = 256;

/// A place in a request.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Header(&'static str),
    /// The member of a JSON body to which this path leads. It leads through all items of an array,
    /// which must agree.
    Member(&'static [&'static str]),
    /// The name of the one member that is there beside this one.
    NameBeside(&'static str),
    /// A field of a form.
    Field(&'static str),
    /// The member of the JSON that is in a field of a form.
    FieldMember(&'static str, &'static [&'static str]),
}

/// What is found at the first of these places at which there is something.
pub(super) fn first<'r>(places: &[Place], request: &Request<'r>) -> Option<Cow<'r, str>> {
    let mut json = None;
    places.iter().find_map(|place| {
        let found = match place {
            Place::Header(name) => header(request, name).map(Cow::Borrowed),
            Place::Member(path) => member(parsed(&mut json, request.body)?, path).map(Cow::Owned),
            Place::NameBeside(name) => {
                name_beside(parsed(&mut json, request.body)?, name).map(Cow::Owned)
            }
            Place::Field(name) => form::field(request.body, name).map(Cow::Owned),
            Place::FieldMember(name, path) => {
                let text = form::field(request.body, name)?;
                member(&serde_json::from_str(&text).ok()?, path).map(Cow::Owned)
            }
        };
        found.filter(|text| is_usable(text))
    })
}

/// The body's JSON, which is read once at the most.
fn parsed<'j>(json: &'j mut Option<Option<Value>>, body: &[u8]) -> Option<&'j Value> {
    let read = json.get_or_insert_with(|| serde_json::from_slice(body).ok());
    read.as_ref()
}

fn header<'r>(request: &Request<'r>, name: &str) -> Option<&'r str> {
    // Said twice, it says nothing.
    let value = single(request.headers.iter().copied(), name, Carried::Id).ok()??;
    str::from_utf8(value).ok()
}

fn member(value: &Value, path: &[&str]) -> Option<String> {
    match (value, path) {
        (Value::Array(items), _) => {
            let mut found = items.iter().map(|item| member(item, path));
            let first = found.next()??;
            let is_same = |other: Option<String>| other.as_ref() == Some(&first);
            found.all(is_same).then_some(first)
        }
        (Value::String(text), []) => Some(text.clone()),
        (Value::Number(number), []) if number.is_u64() => Some(number.to_string()),
        (_, [name, rest @ ..]) => member(value.get(name)?, rest),
        _ => None,
    }
}

fn name_beside(value: &Value, known: &str) -> Option<String> {
    let names = value.as_object()?.keys();
    let mut others = names.filter(|name| *name != known);
    let name = others.next()?;
    others.next().is_none().then(|| name.clone())
}

fn is_usable(text: &str) -> bool {
    (1..=EVENT_TYPE_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}
