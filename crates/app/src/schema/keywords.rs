//! The words of draft 7: what each may be, as its meta-schema has it, and what it becomes.

use super::SchemaError;
use super::compile::{
    Bound, Compiler, Counted, Dependency, Keyword, Least, Members, NodeId, Types, Waiting,
};
use super::number::{compare, count};
use super::order::size;
use serde_json::{Map, Number, Value};
use std::cmp::Ordering;

/// Kinds of values, as `type` names them.
pub(super) const TYPES: [(&str, u8); 7] = [
    ("null", 1),
    ("boolean", 2),
    ("integer", 4),
    ("number", 8),
    ("string", 16),
    ("array", 32),
    ("object", 64),
];

const BOUNDS: [(&str, Bound); 4] = [
    ("minimum", Bound::AtLeast),
    ("maximum", Bound::AtMost),
    ("exclusiveMinimum", Bound::Above),
    ("exclusiveMaximum", Bound::Below),
];

const COUNTS: [(&str, Counted, Least); 6] = [
    ("minLength", Counted::Characters, Least::Least),
    ("maxLength", Counted::Characters, Least::Most),
    ("minItems", Counted::Items, Least::Least),
    ("maxItems", Counted::Items, Least::Most),
    ("minProperties", Counted::Properties, Least::Least),
    ("maxProperties", Counted::Properties, Least::Most),
];

/// Words that say something to people, and are texts.
const TEXTS: [&str; 7] = [
    "$id",
    "$schema",
    "$comment",
    "title",
    "description",
    "format",
    "contentMediaType",
];

/// One word of a schema, where it stands.
struct Word<'w, 'v> {
    waiting: &'w Waiting<'v>,
    name: &'static str,
    value: &'v Value,
}

type Read<T> = Result<T, SchemaError>;

impl<'v> Compiler<'_, 'v> {
    /// What a schema asks. What is quickly told comes first.
    pub(super) fn keywords(
        &mut self,
        waiting: &Waiting<'v>,
        members: &'v Map<String, Value>,
    ) -> Read<Vec<Keyword>> {
        let words = Words { waiting, members };
        let mut found = Vec::new();
        check_notes(words)?;
        self.values(words, &mut found)?;
        self.texts(words, &mut found)?;
        self.items(words, &mut found)?;
        self.members(words, &mut found)?;
        self.combined(words, &mut found)?;
        if let Some(word) = words.find("definitions") {
            for schema in word.object()?.values() {
                self.inner(&word, schema)?;
            }
        }
        Ok(found)
    }

    fn texts(&mut self, words: Words<'_, 'v>, found: &mut Vec<Keyword>) -> Read<()> {
        if let Some(word) = words.find("pattern") {
            let text = word.text()?;
            found.push(Keyword::Pattern(self.pattern(&word.at(), text)?));
        }
        Ok(())
    }

    fn items(&mut self, words: Words<'_, 'v>, found: &mut Vec<Keyword>) -> Read<()> {
        let more = words.find("additionalItems");
        let more = more.map(|word| self.inner(&word, word.value));
        let more = more.transpose()?;
        if let Some(word) = words.find("items") {
            found.push(match word.value {
                Value::Array(_) => Keyword::Items(self.list(&word)?, more),
                schema => {
                    let all = self.inner(&word, schema)?;
                    Keyword::Items(Vec::new(), Some(all))
                }
            });
        }
        if let Some(word) = words.find("contains") {
            found.push(Keyword::Contains(self.inner(&word, word.value)?));
        }
        Ok(())
    }

    fn members(&mut self, words: Words<'_, 'v>, found: &mut Vec<Keyword>) -> Read<()> {
        let mut members = Members::default();
        let mut some = false;
        if let Some(word) = words.find("properties") {
            some = true;
            for (name, schema) in word.object()? {
                let id = self.inner(&word, schema)?;
                members.named.insert(name.clone(), id);
            }
        }
        if let Some(word) = words.find("patternProperties") {
            some = true;
            for (pattern, schema) in word.object()? {
                let compiled = self.pattern(&word.at(), pattern)?;
                let id = self.inner(&word, schema)?;
                members.matching.push((compiled, id));
            }
        }
        if let Some(word) = words.find("additionalProperties") {
            some = true;
            members.others = Some(self.inner(&word, word.value)?);
        }
        if some {
            found.push(Keyword::Members(members));
        }
        if let Some(word) = words.find("propertyNames") {
            found.push(Keyword::Names(self.inner(&word, word.value)?));
        }
        if let Some(word) = words.find("dependencies") {
            let list = word.object()?.iter().map(|(name, value)| {
                let dependency = match value {
                    Value::Array(_) => Dependency::Properties(word.names(value)?),
                    schema => Dependency::Schema(self.inner(&word, schema)?),
                };
                Ok((name.clone(), dependency))
            });
            found.push(Keyword::Dependencies(list.collect::<Read<_>>()?));
        }
        Ok(())
    }

    fn combined(&mut self, words: Words<'_, 'v>, found: &mut Vec<Keyword>) -> Read<()> {
        type Many = fn(Vec<NodeId>) -> Keyword;
        let many: [(_, Many); 3] = [
            ("allOf", Keyword::AllOf),
            ("anyOf", Keyword::AnyOf),
            ("oneOf", Keyword::OneOf),
        ];
        for (name, keyword) in many {
            if let Some(word) = words.find(name) {
                found.push(keyword(self.list(&word)?));
            }
        }
        if let Some(word) = words.find("not") {
            found.push(Keyword::Not(self.inner(&word, word.value)?));
        }
        let mut branch = |name| {
            let word = words.find(name);
            word.map(|word| self.inner(&word, word.value)).transpose()
        };
        let (when, then, otherwise) = (branch("if")?, branch("then")?, branch("else")?);
        if let Some(when) = when {
            found.push(Keyword::If(when, then, otherwise));
        }
        Ok(())
    }

    /// A list of schemas, at least one.
    fn list(&mut self, word: &Word<'_, 'v>) -> Read<Vec<NodeId>> {
        let Value::Array(schemas) = word.value else {
            return Err(word.wrong("must be a list of schemas"));
        };
        if schemas.is_empty() {
            return Err(word.wrong("must hold at least one schema"));
        }
        let ids = schemas.iter().map(|schema| self.inner(word, schema));
        ids.collect()
    }

    /// A schema within a word.
    fn inner(&mut self, word: &Word<'_, 'v>, schema: &'v Value) -> Read<NodeId> {
        self.node(self.places.within(word.waiting.place, schema))
    }

    /// What judges the value itself, whatever its kind, and numbers and counts.
    fn values(&mut self, words: Words<'_, 'v>, found: &mut Vec<Keyword>) -> Read<()> {
        numbers(words, found)?;
        if let Some(word) = words.find("required") {
            found.push(Keyword::Required(word.names(word.value)?));
        }
        if let Some(word) = words.find("const") {
            let value = self.value(word.value);
            found.push(Keyword::Choice(vec![value], size(word.value)));
        }
        if let Some(word) = words.find("enum") {
            let Value::Array(choices) = word.value else {
                return Err(word.wrong("must be a list of values"));
            };
            let choices = choices.iter().map(|choice| self.value(choice)).collect();
            found.push(Keyword::Choice(choices, size(word.value)));
        }
        if let Some(word) = words.find("uniqueItems") {
            match word.value {
                Value::Bool(true) => found.push(Keyword::Unique),
                Value::Bool(false) => {}
                _ => return Err(word.wrong("must be `true` or `false`")),
            }
        }
        Ok(())
    }
}

/// `type`, and what is asked of numbers and counts.
fn numbers(words: Words<'_, '_>, found: &mut Vec<Keyword>) -> Read<()> {
    if let Some(word) = words.find("type") {
        found.push(Keyword::Type(word.types()?));
    }
    for (name, bound) in BOUNDS {
        if let Some(word) = words.find(name) {
            found.push(Keyword::Bound(word.number()?.clone(), bound));
        }
    }
    if let Some(word) = words.find("multipleOf") {
        let number = word.number()?;
        if compare(number, &0.into()) != Ordering::Greater {
            return Err(word.wrong("must be more than 0"));
        }
        found.push(Keyword::MultipleOf(number.clone()));
    }
    for (name, counted, least) in COUNTS {
        if let Some(word) = words.find(name) {
            let most = count(word.number()?);
            let most = most.ok_or_else(|| word.wrong("must be a whole number from 0 on"))?;
            found.push(Keyword::Count(counted, least, most));
        }
    }
    Ok(())
}

/// What says something to people is what it should be, too.
fn check_notes(words: Words<'_, '_>) -> Read<()> {
    for name in TEXTS {
        if let Some(word) = words.find(name) {
            word.text()?;
        }
    }
    match words.find("examples") {
        Some(word) if !word.value.is_array() => Err(word.wrong("must be a list of values")),
        _ => Ok(()),
    }
}

/// The words of a schema.
#[derive(Clone, Copy)]
struct Words<'w, 'v> {
    waiting: &'w Waiting<'v>,
    members: &'v Map<String, Value>,
}

impl<'w, 'v> Words<'w, 'v> {
    fn find(self, name: &'static str) -> Option<Word<'w, 'v>> {
        let value = self.members.get(name)?;
        Some(Word {
            waiting: self.waiting,
            name,
            value,
        })
    }
}

impl<'v> Word<'_, 'v> {
    /// Its place within the schema.
    fn at(&self) -> String {
        format!("/{}", self.name)
    }

    fn wrong(&self, reason: &str) -> SchemaError {
        SchemaError::new(&self.at(), reason)
    }

    fn text(&self) -> Read<&'v str> {
        let text = self.value.as_str();
        text.ok_or_else(|| self.wrong("must be a text"))
    }

    fn number(&self) -> Read<&'v Number> {
        match self.value {
            Value::Number(number) => Ok(number),
            _ => Err(self.wrong("must be a number")),
        }
    }

    fn object(&self) -> Read<&'v Map<String, Value>> {
        let object = self.value.as_object();
        object.ok_or_else(|| self.wrong("must be an object of schemas"))
    }

    /// Names of properties, each of them once.
    fn names(&self, value: &Value) -> Read<Vec<String>> {
        let wrong = || self.wrong("must be a list of names of properties, each of them once");
        let names = value.as_array().ok_or_else(wrong)?.iter();
        let names = names.map(|name| name.as_str().map(str::to_owned));
        let names: Vec<_> = names.collect::<Option<_>>().ok_or_else(wrong)?;
        let mut sorted: Vec<_> = names.iter().collect();
        sorted.sort_unstable();
        match sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(wrong()),
            false => Ok(names),
        }
    }

    fn types(&self) -> Read<Types> {
        let wrong = || {
            let names = TYPES.map(|(name, _)| format!("`{name}`")).join(", ");
            self.wrong(&format!("must be one of {names}, or a list of some"))
        };
        let one = |name: &Value| {
            let found = TYPES.iter().find(|(known, _)| name.as_str() == Some(known));
            found.map(|(_, bit)| *bit)
        };
        let Value::Array(names) = self.value else {
            return one(self.value).map(Types).ok_or_else(wrong);
        };
        let mut types = 0;
        for name in names {
            let bit = one(name).filter(|bit| types & bit == 0).ok_or_else(wrong)?;
            types |= bit;
        }
        match types {
            0 => Err(wrong()),
            types => Ok(Types(types)),
        }
    }
}
