//! A request of what was typed.

use super::super::{Input, escaped};
use super::{Object, headers};
use crate::cli::{Given, RemoteArgs};
use crate::client::Request;
use crate::failure::Failure;
use crate::resources::{Kind, Parameter, Place, Shows, Verb};
use anyhow::anyhow;
use http::Method;
use model::Timestamp;
use model::duration;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use std::path::Path;
use std::str;

/// The most rows that the API gives at a time.
const PAGE_ROWS: &str = "250";

/// What was typed, and when.
pub(super) struct Build<'a> {
    pub(super) args: &'a RemoteArgs,
    pub(super) now: Timestamp,
}

impl Build<'_> {
    /// The request. Files and standard input are read here. Where it would change nothing since
    /// other things are changed (`changes_more`), it asks how all is after that.
    pub(super) fn request(&self, changes_more: bool) -> Result<Request, Failure> {
        let operation = self.args.operation;
        let body = match operation.verb {
            Verb::Post | Verb::Begin | Verb::Put | Verb::Patch => Some(self.body()?),
            Verb::List | Verb::Follow | Verb::Get | Verb::Delete | Verb::Resend => None,
        };
        let body = body.filter(|body| operation.verb != Verb::Patch || !body.is_empty());
        if operation.verb == Verb::Patch && body.is_none() && !changes_more {
            return Err(Failure::Misuse(anyhow!(
                "there is nothing to change: --help shows what there can be"
            )));
        }
        let method = match operation.verb {
            Verb::List | Verb::Follow | Verb::Get | Verb::Resend => Method::GET,
            Verb::Patch if body.is_none() => Method::GET,
            Verb::Post | Verb::Begin => Method::POST,
            Verb::Put => Method::PUT,
            Verb::Patch => Method::PATCH,
            Verb::Delete => Method::DELETE,
        };
        let template = self.template()?;
        let mut request = Request::new(method, self.path(template));
        request.query = self.query(template)?;
        if let Some(body) = body {
            request = request.body(serde_json::to_vec(&body).map_err(Failure::could_not)?);
        }
        if let Some(key) = &self.args.idempotency_key {
            // An empty one would be none, and the request would be repeated without any.
            if key.trim().is_empty() || !key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Err(Failure::Misuse(anyhow!(
                    "--idempotency-key must be visible ASCII characters, at least one"
                )));
            }
            request = request.key(key);
        }
        Ok(request)
    }

    /// What is to be changed of an endpoint's headers, where that is a request of its own.
    pub(super) fn headers(&self) -> Result<Option<Request>, Failure> {
        if self.args.operation.verb != Verb::Patch {
            return Ok(None);
        }
        let changes = headers::given(&self.args.given)?;
        if changes.is_empty() {
            return Ok(None);
        }
        let mut path = self.path(self.template()?);
        path.push("headers".to_owned());
        let body = serde_json::to_vec(&BTreeMap::from([("headers", changes)]));
        let request = Request::new(Method::PATCH, path);
        Ok(Some(request.body(body.map_err(Failure::could_not)?)))
    }

    /// The first path whose parameters were all typed.
    fn template(&self) -> Result<&'static str, Failure> {
        let is_given = |word: &str| name(word).is_none_or(|name| self.args.given(name).is_some());
        let mut paths = self.args.operation.paths.iter();
        let found = paths.find(|path| path.split('/').all(is_given));
        found.copied().ok_or_else(|| {
            let paths = self.args.operation.paths.iter();
            let needed = paths.flat_map(|path| path.split('/')).filter_map(name);
            let missing = needed.filter(|name| self.args.given(name).is_none());
            let missing: Vec<_> = missing.map(|name| format!("--{name}")).collect();
            Failure::Misuse(anyhow!("give {}", missing.join(" or ")))
        })
    }

    fn path(&self, template: &'static str) -> Vec<String> {
        let words = template.split('/').skip(1);
        let word = |word| match name(word).and_then(|name| self.args.given(name)) {
            Some(Given::Text(text)) => text.clone(),
            _ => word.to_owned(),
        };
        words.map(word).collect()
    }

    fn query(&self, template: &str) -> Result<Vec<(String, String)>, Failure> {
        let operation = self.args.operation;
        let mut query: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: &str| query.push((name.to_owned(), value.to_owned()));
        for (parameter, given) in &self.args.given {
            let in_path = template.contains(&format!("{{{}}}", parameter.name));
            let to = match parameter.place {
                Place::Query(to) => to,
                Place::Path(Some(to)) if !in_path => to,
                Place::Target | Place::Path(_) => continue,
                Place::Body(_) | Place::Whole | Place::Header => continue,
            };
            add(to, &self.text(parameter, given)?);
        }
        let (lean, content) = (self.is_lean(), self.args.given("with-content"));
        if lean && content.is_none() {
            add("with_content", "false");
        }
        operation
            .fixed
            .iter()
            .for_each(|(name, value)| add(name, value));
        if let Some(limit) = self.args.limit {
            add("limit", &limit.to_string());
        } else if self.args.all {
            add("limit", PAGE_ROWS);
        }
        if let Some(iterator) = &self.args.iterator {
            add("iterator", iterator);
        }
        Ok(query)
    }

    /// Whether nothing of what is shown needs the content.
    fn is_lean(&self) -> bool {
        let lean = match self.args.operation.shows {
            Shows::Rows { lean, .. } | Shows::Text { lean, .. } => lean,
            Shows::Fields | Shows::Json | Shows::Done(_) => false,
        };
        lean && !self.args.json
    }

    /// A parameter of the query.
    fn text(&self, parameter: &Parameter, given: &Given) -> Result<String, Failure> {
        Ok(match (given, parameter.kind) {
            (Given::Text(text), Kind::Time) => self.time(text)?,
            (Given::Text(text), Kind::Choice(words)) => {
                let mut words = words.iter();
                let value = words
                    .find(|(word, _)| word == text)
                    .map(|(_, value)| *value);
                value.unwrap_or(text).to_owned()
            }
            (Given::Text(text), _) => text.clone(),
            (Given::Number(number), _) => number.to_string(),
            (Given::Bool(flag), _) => flag.to_string(),
            (Given::Words(words), _) => words.join(","),
        })
    }

    /// What the body is to be, with what was typed in it and without what is to be taken away.
    fn body(&self) -> Result<Object, Failure> {
        let mut body = match &self.args.body {
            None => Object::new(),
            Some(text) => object(&Input::value(text), "--body")?,
        };
        for (parameter, given) in &self.args.given {
            match (parameter.place, given) {
                (Place::Body(field), _) => {
                    insert(&mut body, field, self.field(parameter, given)?)?;
                }
                (Place::Whole, Given::Text(path)) => {
                    body = object(&Input::file(Path::new(path)), &escaped(path))?;
                }
                _ => {}
            }
        }
        for field in &self.args.unset {
            body.insert(field.clone(), raw(&())?);
        }
        if self.args.operation.verb == Verb::Post {
            let headers = headers::given(&self.args.given)?;
            if !headers.is_empty() {
                body.insert("headers".to_owned(), raw(&headers)?);
            }
        }
        Ok(body)
    }

    /// A field of the body.
    fn field(&self, parameter: &Parameter, given: &Given) -> Result<Box<RawValue>, Failure> {
        match (given, parameter.kind) {
            (Given::Text(text), Kind::Json) => json(&Input::value(text), parameter.name),
            (Given::Text(path), Kind::SecretFile) => {
                let secret = Input::file(Path::new(path)).secret()?;
                let name = parameter.name;
                let text = str::from_utf8(secret.expose())
                    .map_err(|_| Failure::Misuse(anyhow!("--{name}: the secret is not text")))?;
                raw(text)
            }
            (Given::Text(text), Kind::ValueAt) => {
                let (path, value) = text.split_once('=').unwrap_or((text, ""));
                raw(&BTreeMap::from([("path", path), ("value", value)]))
            }
            (Given::Text(text), Kind::Time) => raw(&self.time(text)?),
            (Given::Text(text), _) => raw(text),
            (Given::Number(number), _) => raw(number),
            (Given::Bool(flag), _) => raw(flag),
            (Given::Words(words), Kind::Pairs) => {
                let pairs = words.iter().filter_map(|pair| pair.split_once('='));
                raw(&pairs.collect::<BTreeMap<_, _>>())
            }
            (Given::Words(words), Kind::Waits) => {
                // Of none there is one empty word.
                let waits = words.iter().filter(|word| !word.is_empty());
                let waits = waits.map(|word| duration::parse(word).map(|wait| wait.as_secs()));
                let waits: Result<Vec<u64>, _> = waits.collect();
                let name = parameter.name;
                raw(&waits.map_err(|error| {
                    Failure::Misuse(anyhow!("--{name}: {}", escaped(&error.to_string())))
                })?)
            }
            (Given::Words(words), _) => raw(words),
        }
    }

    /// RFC 3339, or how long ago.
    fn time(&self, text: &str) -> Result<String, Failure> {
        if text.parse::<jiff::Timestamp>().is_ok() {
            return Ok(text.to_owned());
        }
        let ago = duration::parse(text).map(|ago| self.now.minus(ago).micros());
        let time = ago.ok().map(jiff::Timestamp::from_microsecond);
        time.and_then(Result::ok)
            .map(|time| time.to_string())
            .ok_or_else(|| {
                let text = escaped(text);
                Failure::Misuse(anyhow!(
                    "`{text}` is no time: write 2026-01-02T03:04:05Z, or how long ago, such as 2h"
                ))
            })
    }
}

/// Puts a field into a body, or into the object that stands there under the name before a dot.
fn insert(body: &mut Object, field: &str, value: Box<RawValue>) -> Result<(), Failure> {
    let Some((outer, inner)) = field.split_once('.') else {
        body.insert(field.to_owned(), value);
        return Ok(());
    };
    let mut within = match body.get(outer) {
        Some(object) => serde_json::from_str(object.get())
            .map_err(|error| no_json(&format!("`{outer}`"), "a JSON object", &error))?,
        None => Object::new(),
    };
    within.insert(inner.to_owned(), value);
    body.insert(outer.to_owned(), raw(&within)?);
    Ok(())
}

/// The parameter that a word of a path stands for.
fn name(word: &str) -> Option<&str> {
    word.strip_prefix('{')?.strip_suffix('}')
}

fn object(input: &Input, name: &str) -> Result<Object, Failure> {
    let text = input.text()?;
    serde_json::from_str(&text).map_err(|error| no_json(name, "a JSON object", &error))
}

fn json(input: &Input, name: &str) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(input.text()?)
        .map_err(|error| no_json(&format!("--{name}"), "JSON", &error))
}

/// Where it stops to be what it should be. The library's own text could repeat a part of it.
fn no_json(name: &str, what: &str, error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    Failure::Misuse(anyhow!(
        "{name} is not {what}: see line {line}, column {column}"
    ))
}

fn raw<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>, Failure> {
    to_raw_value(value).map_err(Failure::could_not)
}

#[cfg(test)]
mod tests;
