//! Event types as an OpenAPI document has them: its webhooks. Pure: a document goes in, and what it
//! says comes out. Nothing is fetched, whatever a document refers to, and no document makes this
//! panic or use more memory than a multiple of its size.
//!
//! Map: `yaml` (text to a document) · here (its webhooks) · `references` (within the document) ·
//! `gather` (a schema that stands alone) · `keywords` (where schemas hold schemas) · `write` (the
//! way back).

mod gather;
mod keywords;
mod references;
mod write;
mod yaml;

pub(super) use write::{DocumentTooLarge, document};

use crate::schema::clipped;
use crate::{AppError, Violation};
use gather::{Dialect, GatherError, gather};
use model::name::Name;
use references::{ReferenceError, follow};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The most webhooks of one document.
pub const WEBHOOKS_MAX: usize = 1_000;
/// The most that all schemas of one document are together, since what several webhooks refer to is
/// written to each of them.
const SCHEMAS_BYTES_MAX: usize = 32 << 20;
/// Where webhooks stand: since 3.1, and in older documents.
const SECTIONS: [&str; 2] = ["webhooks", "x-webhooks"];
/// Which of a webhook's operations describes it, where it has several.
const METHODS: [&str; 8] = [
    "post", "put", "patch", "get", "delete", "head", "options", "trace",
];
/// Under which names a document may say which group an event type belongs to.
const GROUP_NAMES: [&str; 2] = ["x-group-name", "x-svix-group-name"];
/// Under which names a document may say without which flags an event type is not shown.
const FEATURE_FLAGS: [&str; 4] = [
    "x-feature-flags",
    "x-feature-flag",
    "x-svix-feature-flags",
    "x-svix-feature-flag",
];

/// An event type as a document describes it: parsed, and not yet judged but for its name. What a
/// document does not say is `None`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Described {
    /// Where it stands: the section and the webhook's own name, not too long to be shown.
    pub(super) place: [String; 2],
    pub(super) name: Name,
    pub(super) description: Option<String>,
    pub(super) deprecated: bool,
    /// Stands alone: refers to nothing but itself.
    pub(super) schema: Option<Value>,
    pub(super) group_name: Option<String>,
    pub(super) feature_flags: Option<Vec<String>>,
}

/// A text as the document that it is meant to be.
///
/// # Errors
/// It is neither JSON nor YAML, or more than fits.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(document) => Ok(document),
        Err(_) => yaml::read(text).map_err(|error| error.to_string()),
    }
}

/// The event types of a document that came in the body's `field`, by name.
///
/// # Errors
/// [`AppError::Invalid`]: all that is wrong with it.
pub(super) fn read(document: &Value, field: &str) -> Result<Vec<Described>, AppError> {
    let refuse = |message: String| AppError::Invalid(vec![Violation::body(&[field], message)]);
    let dialect = dialect(document).map_err(|message| refuse(message.to_owned()))?;
    let webhooks = webhooks(document).map_err(refuse)?;
    let reading = Reading { document, dialect };
    let (mut found, mut broken) = (BTreeMap::<Name, Described>::new(), Vec::new());
    let mut bytes = 0;
    for ([section, key], webhook) in webhooks {
        let shown = clipped(key);
        let mut note = |message| broken.push(Violation::body(&[field, section, &shown], message));
        match reading.webhook([section, key], webhook) {
            Err(error) => note(error.to_string()),
            Ok((described, size)) => {
                bytes += size;
                if bytes > SCHEMAS_BYTES_MAX {
                    return Err(refuse(format!(
                        "its schemas are more than {SCHEMAS_BYTES_MAX} bytes, with what they \
                         refer to: import it in parts"
                    )));
                }
                if let Some(other) = found.get(&described.name) {
                    let (name, other) = (&described.name, &other.place[1]);
                    note(format!("`{name}` is the name of `{other}` already"));
                }
                found.insert(described.name.clone(), described);
            }
        }
    }
    match broken.is_empty() {
        true => Ok(found.into_values().collect()),
        false => Err(AppError::Invalid(broken)),
    }
}

/// Why a webhook is no event type.
#[derive(Debug, thiserror::Error)]
enum WebhookError {
    #[error(
        "neither this nor its `operationId` can be an event type's name: use 1 to 256 of a-z, \
         A-Z, 0-9, `-`, `_` and `.`"
    )]
    Nameless,
    #[error("{0}")]
    Wrong(&'static str),
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    Gather(#[from] GatherError),
}

fn dialect(document: &Value) -> Result<Dialect, &'static str> {
    let Value::Object(document) = document else {
        return Err("is no OpenAPI document: it must be an object");
    };
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.0") => Ok(Dialect::Older),
        Some(version) if version.starts_with("3.") => Ok(Dialect::JsonSchema),
        _ => Err("is no OpenAPI document: `openapi` must say which 3.x it is, such as \"3.1.0\""),
    }
}

type Webhooks<'d> = BTreeMap<&'d str, ([&'d str; 2], &'d Value)>;

/// All webhooks. One that stands in both sections is taken from the first.
fn webhooks(
    document: &Value,
) -> Result<impl Iterator<Item = ([&str; 2], &Value)> + use<'_>, String> {
    let mut all: Webhooks<'_> = BTreeMap::new();
    let mut is_anywhere = false;
    for section in SECTIONS {
        let webhooks = match document.get(section) {
            None => continue,
            Some(Value::Object(webhooks)) => webhooks,
            Some(_) => return Err(format!("its `{section}` must be an object")),
        };
        is_anywhere = true;
        for (key, webhook) in webhooks
            .iter()
            .filter(|(key, _)| !is_extension(section, key))
        {
            all.entry(key).or_insert(([section, key], webhook));
        }
    }
    if !is_anywhere {
        return Err(
            "has no webhooks: describe them under `webhooks`, or before OpenAPI 3.1 under \
             `x-webhooks`"
                .to_owned(),
        );
    }
    if all.len() > WEBHOOKS_MAX {
        let count = all.len();
        return Err(format!(
            "has {count} webhooks; import at most {WEBHOOKS_MAX} at a time"
        ));
    }
    Ok(all.into_values())
}

/// A note beside webhooks, and none itself.
fn is_extension(section: &str, key: &str) -> bool {
    section == "x-webhooks" && key.starts_with("x-")
}

struct Reading<'d> {
    document: &'d Value,
    dialect: Dialect,
}

impl<'d> Reading<'d> {
    /// What a webhook says, and about how many bytes its schema is.
    fn webhook(
        &self,
        [section, key]: [&str; 2],
        webhook: &'d Value,
    ) -> Result<(Described, usize), WebhookError> {
        let Value::Object(item) = follow(self.document, webhook)? else {
            return Err(WebhookError::Wrong("must be an object with an operation"));
        };
        let operation = METHODS.iter().find_map(|method| item.get(*method));
        let operation =
            operation.ok_or(WebhookError::Wrong("has no operation: write one `post`"))?;
        let Value::Object(operation) = follow(self.document, operation)? else {
            return Err(WebhookError::Wrong("its operation must be an object"));
        };
        let both = [operation, item];
        let (schema, bytes) = self.schema(operation)?.unzip();
        let described = Described {
            place: [section.to_owned(), clipped(key)],
            name: name(key, operation).ok_or(WebhookError::Nameless)?,
            description: both
                .iter()
                .find_map(|object| text(object, &["description", "summary"])),
            deprecated: operation.get("deprecated") == Some(&Value::Bool(true)),
            schema,
            group_name: both
                .iter()
                .find_map(|object| text(object, &GROUP_NAMES))
                .or_else(|| first_tag(operation)),
            feature_flags: both.iter().find_map(|object| words(object, &FEATURE_FLAGS)),
        };
        Ok((described, bytes.unwrap_or_default()))
    }

    /// What its body is to look like, with the examples that stand beside the schema.
    fn schema(
        &self,
        operation: &'d Map<String, Value>,
    ) -> Result<Option<(Value, usize)>, WebhookError> {
        let Some(body) = operation.get("requestBody") else {
            return Ok(None);
        };
        let content = follow(self.document, body)?.get("content");
        let Some(media) = content.and_then(Value::as_object).and_then(json_of) else {
            return Ok(None);
        };
        let media = follow(self.document, media)?;
        let examples = self.examples(media)?;
        let none = Value::Object(Map::new());
        let schema = match media.get("schema") {
            None if examples.is_empty() => return Ok(None),
            None => &none,
            Some(schema) => schema,
        };
        let (schema, bytes) = gather(self.document, schema, self.dialect)?;
        let of_them = examples.iter().map(gather::weight).sum::<usize>();
        Ok(Some((with_examples(schema, examples), bytes + of_them)))
    }

    /// The examples of a media type. Those that stand elsewhere on the web are passed over.
    fn examples(&self, media: &'d Value) -> Result<Vec<Value>, WebhookError> {
        let mut examples: Vec<Value> = media.get("example").cloned().into_iter().collect();
        if let Some(Value::Object(named)) = media.get("examples") {
            for example in named.values() {
                examples.extend(follow(self.document, example)?.get("value").cloned());
            }
        }
        Ok(examples)
    }
}

/// The webhook's own name, or that of its operation.
fn name(key: &str, operation: &Map<String, Value>) -> Option<Name> {
    let of_operation = operation.get("operationId").and_then(Value::as_str);
    [Some(key), of_operation]
        .into_iter()
        .flatten()
        .find_map(|text| text.parse().ok())
}

/// The description of a JSON body, if there is one; of several, the plainest.
fn json_of(content: &Map<String, Value>) -> Option<&Value> {
    let is_json = |media: &str| {
        let media = media.split(';').next().unwrap_or_default().trim();
        media.ends_with("/json") || media.ends_with("+json")
    };
    let plain = content.get("application/json");
    plain.or_else(|| {
        content
            .iter()
            .find(|(media, _)| is_json(media))
            .map(|(_, found)| found)
    })
}

/// A schema whose examples are these, and those that it has.
fn with_examples(mut schema: Value, mut examples: Vec<Value>) -> Value {
    if let Value::Object(schema) = &mut schema {
        if let Some(Value::Array(own)) = schema.get_mut("examples") {
            examples.append(own);
        }
        examples.extend(schema.remove("example"));
        if !examples.is_empty() {
            schema.insert("examples".to_owned(), Value::Array(examples));
        }
    }
    schema
}

/// The first tag that can be a group's name.
fn first_tag(operation: &Map<String, Value>) -> Option<String> {
    let mut tags = operation
        .get("tags")?
        .as_array()?
        .iter()
        .filter_map(Value::as_str);
    let tag = tags.find(|tag| tag.parse::<Name>().is_ok())?;
    Some(tag.to_owned())
}

/// The first of these fields that is a text.
fn text(object: &Map<String, Value>, fields: &[&str]) -> Option<String> {
    let texts = fields
        .iter()
        .filter_map(|field| object.get(*field)?.as_str());
    texts.map(str::to_owned).next()
}

/// The first of these fields that is a text, or several.
fn words(object: &Map<String, Value>, fields: &[&str]) -> Option<Vec<String>> {
    match fields.iter().find_map(|field| object.get(*field))? {
        Value::String(word) => Some(vec![word.clone()]),
        Value::Array(words) => {
            let words = words.iter().filter_map(Value::as_str);
            Some(words.map(str::to_owned).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
