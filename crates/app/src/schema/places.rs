//! What `$ref` can name: places within the schema itself, and nothing else.
//!
//! By a JSON Pointer (`#/definitions/a`), by a name that a part has (`"$id": "#a"`), or by the
//! `$id` of the schema or of a part, as it is written there. Names are not resolved against each
//! other: a `$ref` that is a part of an address says the whole `$id`.

use super::words::clipped;
use super::{DEPTH_MAX, SchemaError};
use serde_json::Value;
use std::collections::HashMap;

/// The parts of a schema that have a name of their own, the schema itself first.
pub(super) struct Places<'v> {
    parts: Vec<Part<'v>>,
    /// Which part has this name: the first one.
    names: HashMap<&'v str, usize>,
    /// Which part begins with this value, by its address.
    beginnings: HashMap<usize, usize>,
}

/// Within it, `#` is its root.
struct Part<'v> {
    root: &'v Value,
    anchors: HashMap<&'v str, &'v Value>,
}

/// A schema within the schema, and the number of the part that it is in.
#[derive(Clone, Copy)]
pub(super) struct Place<'v> {
    pub(super) schema: &'v Value,
    part: usize,
}

impl<'v> Places<'v> {
    /// Of a schema, unless it nests too deep.
    pub(super) fn of(root: &'v Value) -> Result<Self, SchemaError> {
        let part = Part {
            root,
            anchors: HashMap::new(),
        };
        let mut places = Self {
            parts: vec![part],
            names: HashMap::new(),
            beginnings: HashMap::from([(address(root), 0)]),
        };
        places.look_at(root, 0, 0)?;
        Ok(places)
    }

    /// The schema itself.
    pub(super) fn root(&self) -> Place<'v> {
        Place {
            schema: self.parts[0].root,
            part: 0,
        }
    }

    /// A schema within another.
    pub(super) fn within(&self, outer: Place<'v>, schema: &'v Value) -> Place<'v> {
        let part = self.beginnings.get(&address(schema));
        let part = part.copied().unwrap_or(outer.part);
        Place { schema, part }
    }

    /// What a `$ref` names; else what is wrong with it.
    pub(super) fn find(&self, from: Place<'v>, reference: &str) -> Result<Place<'v>, String> {
        let (id, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let part = match id {
            "" => Some(from.part),
            id => self.names.get(id).copied(),
        };
        let shown = clipped(reference);
        let part = part.ok_or_else(|| {
            format!(
                "refers to {shown:?}, which is outside of this schema: nothing is fetched, so \
                 put what is meant into `definitions`, and refer to it as `#/definitions/NAME`"
            )
        })?;
        let found = match fragment {
            "" => Some(Place {
                schema: self.parts[part].root,
                part,
            }),
            pointer if pointer.starts_with('/') => self.follow(part, pointer),
            anchor => self.parts[part].anchors.get(anchor).map(|schema| {
                let outer = Place { schema, part };
                self.within(outer, schema)
            }),
        };
        found.ok_or_else(|| format!("refers to {shown:?}, which is not there"))
    }

    /// An error of a schema, whose place begins there, as one of the whole schema. One that is of
    /// the whole already stays.
    pub(super) fn within_whole(&self, error: SchemaError, of: Place<'v>) -> SchemaError {
        if error.place.starts_with('#') {
            return error;
        }
        let mut way = Vec::new();
        // It is looked for only now: to know it of every schema would be much to hold.
        leads_to(self.parts[0].root, of.schema, &mut way);
        let way = way.iter().map(|step| format!("/{}", clipped(step)));
        let place = format!("#{}{}", way.collect::<String>(), error.place);
        SchemaError { place, ..error }
    }

    fn follow(&self, part: usize, pointer: &str) -> Option<Place<'v>> {
        let mut place = Place {
            schema: self.parts[part].root,
            part,
        };
        for step in pointer.split('/').skip(1) {
            let name = decoded(step)?.replace("~1", "/").replace("~0", "~");
            let next = match place.schema {
                Value::Object(members) => members.get(&name),
                Value::Array(items) => items.get(name.parse::<usize>().ok()?),
                _ => None,
            };
            place = self.within(place, next?);
        }
        Some(place)
    }

    /// Finds all names.
    fn look_at(&mut self, value: &'v Value, part: usize, depth: usize) -> Result<(), SchemaError> {
        if depth > DEPTH_MAX {
            let text = format!("nests deeper than {DEPTH_MAX} levels");
            return Err(SchemaError::new("#", text));
        }
        match value {
            Value::Array(items) => {
                for item in items {
                    self.look_at(item, part, depth + 1)?;
                }
            }
            Value::Object(members) => {
                let part = match members.get("$id") {
                    Some(Value::String(id)) if !members.contains_key("$ref") => {
                        self.take_name(value, id, part)
                    }
                    _ => part,
                };
                for member in members.values() {
                    self.look_at(member, part, depth + 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The part that the value is in by its name.
    fn take_name(&mut self, value: &'v Value, id: &'v str, part: usize) -> usize {
        if let Some(anchor) = id.strip_prefix('#') {
            self.parts[part].anchors.insert(anchor, value);
            return part;
        }
        let id = id.strip_suffix('#').unwrap_or(id);
        let part = if address(value) == address(self.parts[0].root) {
            0
        } else {
            self.parts.push(Part {
                root: value,
                anchors: HashMap::new(),
            });
            self.parts.len() - 1
        };
        self.beginnings.insert(address(value), part);
        self.names.entry(id).or_insert(part);
        part
    }
}

/// Whether what is looked for is in the value: then the steps to it, as a JSON Pointer has them.
fn leads_to(value: &Value, wanted: &Value, way: &mut Vec<String>) -> bool {
    if std::ptr::eq(value, wanted) {
        return true;
    }
    let mut step = |step: String, inner: &Value| {
        way.push(step);
        let leads = leads_to(inner, wanted, way);
        if !leads {
            way.pop();
        }
        leads
    };
    match value {
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.any(|(index, item)| step(index.to_string(), item))
        }
        Value::Object(members) => {
            let mut members = members.iter();
            members.any(|(name, member)| step(name.replace('~', "~0").replace('/', "~1"), member))
        }
        _ => false,
    }
}

/// What tells a value from all others of the same schema.
pub(super) fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

/// Without the percent signs of a URL.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else {
            return None;
        };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let byte = 16 * digit(*high)? + digit(*low)?;
        bytes.push(u8::try_from(byte).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
