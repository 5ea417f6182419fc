//! A schema of a document as one that stands alone: what it refers to is gathered under its own
//! `definitions`, once each, however often and in whatever circles it is referred to.
//!
//! How deep a schema nests is bounded by whoever parsed the document; gathering does not nest
//! deeper. Its size is bounded here.

use super::keywords::{Holds, holds, is_annotation};
use super::references::{ReferenceError, last_word, target};
use crate::schema::clipped;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes of one schema with all that it refers to, about.
const SCHEMA_BYTES_MAX: usize = 1 << 20;
/// About what a value needs beside its text.
const VALUE_BYTES: usize = 8;
/// The most references that lead from the schema itself to what it is.
const HOPS_MAX: usize = 32;

/// What schemas of a document mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// JSON Schema, as since OpenAPI 3.1.
    JsonSchema,
    /// OpenAPI 3.0's own, with `nullable` and exclusive bounds that are `true` or `false`.
    Older,
}

/// Why a schema can't stand alone.
#[derive(Debug, thiserror::Error)]
pub(super) enum GatherError {
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error("its schema is more than {SCHEMA_BYTES_MAX} bytes, with what it refers to")]
    TooLarge,
}

/// The schema by itself, and about how many bytes it is.
pub(super) fn gather(
    document: &Value,
    schema: &Value,
    dialect: Dialect,
) -> Result<(Value, usize), GatherError> {
    let mut gathering = Gathering {
        document,
        dialect,
        names: BTreeMap::new(),
        words: BTreeMap::new(),
        taken: BTreeSet::new(),
        open: Vec::new(),
        bytes: 0,
    };
    let mut whole = gathering.root(schema)?;
    let mut definitions = Map::new();
    while let Some((name, schema)) = gathering.open.pop() {
        let schema = gathering.schema(schema)?;
        definitions.insert(name, schema);
    }
    if let Value::Object(whole) = &mut whole
        && !definitions.is_empty()
    {
        whole.insert("definitions".to_owned(), Value::Object(definitions));
    }
    Ok((whole, gathering.bytes))
}

/// About how many bytes of text a value is.
pub(super) fn weight(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(weight).sum(),
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| key.len() + weight(value))
                .sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

struct Gathering<'d> {
    document: &'d Value,
    dialect: Dialect,
    /// What is referred to, and what it is called among the definitions.
    names: BTreeMap<String, String>,
    /// How often a definition was to be called so.
    words: BTreeMap<String, usize>,
    /// What definitions are called.
    taken: BTreeSet<String>,
    /// Definitions that are still to be written.
    open: Vec<(String, &'d Value)>,
    bytes: usize,
}

impl<'d> Gathering<'d> {
    /// The schema itself, rather than a reference to it: what stands first is what people read.
    fn root(&mut self, schema: &'d Value) -> Result<Value, GatherError> {
        let (mut schema, mut beside) = (schema, Map::new());
        for _ in 0..HOPS_MAX {
            let Some((reference, others)) = self.only_refers(schema) else {
                break;
            };
            if self.dialect == Dialect::JsonSchema {
                for (keyword, value) in others {
                    self.spend(keyword.len() + weight(value))?;
                    beside.entry(keyword).or_insert_with(|| value.clone());
                }
            }
            schema = target(self.document, reference)?;
        }
        if let Some((reference, _)) = self.only_refers(schema) {
            return Err(ReferenceError::Endless(clipped(reference)).into());
        }
        let mut whole = self.schema(schema)?;
        if let Value::Object(whole) = &mut whole {
            whole.extend(beside);
        }
        Ok(whole)
    }

    /// What a schema refers to, if it says nothing of its own, and what it tells besides.
    fn only_refers<'s>(
        &self,
        schema: &'s Value,
    ) -> Option<(
        &'s str,
        impl Iterator<Item = (&'s String, &'s Value)> + use<'s>,
    )> {
        let map = schema.as_object()?;
        let reference = map.get("$ref")?.as_str()?;
        let others = map.iter().filter(|(keyword, _)| *keyword != "$ref");
        let says_more = self.dialect == Dialect::JsonSchema
            && others.clone().any(|(keyword, _)| !is_annotation(keyword));
        (!says_more).then_some((reference, others))
    }

    /// A copy of a schema, whose references lead to the definitions.
    fn schema(&mut self, schema: &'d Value) -> Result<Value, GatherError> {
        let Value::Object(map) = schema else {
            return self.data(schema);
        };
        self.spend(VALUE_BYTES)?;
        let reference = map.get("$ref").and_then(Value::as_str);
        if let (Some(reference), Dialect::Older) = (reference, self.dialect) {
            return Ok(Value::Object(self.reference(reference)?));
        }
        let mut copy = Map::new();
        for (keyword, value) in map {
            // References are the document's: names that schemas have elsewhere mean nothing here,
            // and what they define comes where it is referred to.
            let is_left_out = match keyword.as_str() {
                "$ref" | "$id" => value.is_string(),
                "$defs" | "definitions" => value.is_object(),
                _ => false,
            };
            if !is_left_out {
                self.spend(keyword.len())?;
                let value = self.keyword(keyword, value)?;
                copy.insert(keyword.clone(), value);
            }
        }
        if let Some(reference) = reference {
            copy = beside(self.reference(reference)?, copy);
        }
        Ok(match self.dialect {
            Dialect::Older => modern(copy),
            Dialect::JsonSchema => Value::Object(copy),
        })
    }

    fn keyword(&mut self, keyword: &str, value: &'d Value) -> Result<Value, GatherError> {
        match (holds(keyword, value), value) {
            (Holds::Schema, schema) => self.schema(schema),
            (Holds::List, Value::Array(schemas)) => {
                self.spend(VALUE_BYTES)?;
                let schemas = schemas.iter().map(|schema| self.schema(schema));
                Ok(Value::Array(schemas.collect::<Result<_, _>>()?))
            }
            (Holds::Named, Value::Object(schemas)) => {
                self.spend(VALUE_BYTES)?;
                let mut copy = Map::new();
                for (name, schema) in schemas {
                    self.spend(name.len())?;
                    copy.insert(name.clone(), self.schema(schema)?);
                }
                Ok(Value::Object(copy))
            }
            (_, data) => self.data(data),
        }
    }

    fn data(&mut self, data: &Value) -> Result<Value, GatherError> {
        self.spend(weight(data))?;
        Ok(data.clone())
    }

    /// A reference to a definition, which is written later unless it was.
    fn reference(&mut self, reference: &str) -> Result<Map<String, Value>, GatherError> {
        let target = target(self.document, reference)?;
        let name = match self.names.get(reference) {
            Some(name) => name.clone(),
            None => {
                let name = self.new_name(reference);
                self.names.insert(reference.to_owned(), name.clone());
                self.open.push((name.clone(), target));
                name
            }
        };
        let to = format!("#/definitions/{name}");
        self.spend(to.len())?;
        Ok(Map::from_iter([("$ref".to_owned(), Value::String(to))]))
    }

    /// The last word of a reference, without what would need escapes, and that no other has.
    fn new_name(&mut self, reference: &str) -> String {
        let plain = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => c,
            _ => '_',
        };
        let word: String = last_word(reference).chars().map(plain).collect();
        let times = self.words.entry(word.clone()).or_default();
        loop {
            *times += 1;
            let name = match *times {
                1 => word.clone(),
                times => format!("{word}_{times}"),
            };
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), GatherError> {
        self.bytes += bytes;
        match self.bytes <= SCHEMA_BYTES_MAX {
            true => Ok(()),
            false => Err(GatherError::TooLarge),
        }
    }
}

/// A reference with what else a schema says: held against both, also where a reference hides what
/// stands beside it.
fn beside(reference: Map<String, Value>, mut others: Map<String, Value>) -> Map<String, Value> {
    if others.keys().all(|keyword| is_annotation(keyword)) {
        others.extend(reference);
        return others;
    }
    let reference = Value::Object(reference);
    match others.get_mut("allOf") {
        Some(Value::Array(all)) => all.push(reference),
        _ => drop(others.insert("allOf".to_owned(), Value::Array(vec![reference]))),
    }
    others
}

/// What OpenAPI 3.0 says in its own way, as JSON Schema says it.
fn modern(mut schema: Map<String, Value>) -> Value {
    for (exclusive, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        match schema.get(exclusive) {
            Some(Value::Bool(true)) => match schema.remove(bound) {
                Some(limit) => drop(schema.insert(exclusive.to_owned(), limit)),
                None => drop(schema.remove(exclusive)),
            },
            Some(Value::Bool(false)) => drop(schema.remove(exclusive)),
            _ => {}
        }
    }
    match schema.remove("nullable") {
        Some(Value::Bool(true)) => or_null(schema),
        _ => Value::Object(schema),
    }
}

fn or_null(mut schema: Map<String, Value>) -> Value {
    let null = || Value::String("null".to_owned());
    let Some(kind) = schema.get_mut("type").filter(|kind| kind.is_string()) else {
        let null = Value::Object(Map::from_iter([("type".to_owned(), null())]));
        let either = Value::Array(vec![Value::Object(schema), null]);
        return Value::Object(Map::from_iter([("anyOf".to_owned(), either)]));
    };
    *kind = Value::Array(vec![kind.take(), null()]);
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    Value::Object(schema)
}

#[cfg(test)]
mod tests;
