//! Endpoints as JSON Lines: what a line may say, and what is wrong with one. No error repeats what
//! could be a secret. Pure.

use super::super::escaped;
use super::state::{Application, Endpoint, Fields, Headers, Key, State, words};
use aws_lc_rs::digest::{SHA256, digest};
use model::Secret;
use model::name::Name;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::num::NonZeroU16;
use url::Url;
use webhook::SigningKey;

/// The scheme that Postrider signs with.
const SCHEME: &str = "standard-webhooks";
/// What a line may have.
const FIELDS: [&str; 13] = [
    "app",
    "appName",
    "channels",
    "description",
    "disabled",
    "headers",
    "metadata",
    "rateLimit",
    "scheme",
    "secret",
    "types",
    "uid",
    "url",
];
/// How many wrong lines are told.
const WRONG_MAX: usize = 20;
/// What the uid begins with of an endpoint that was given none, before its URL's digest.
const UID_PREFIX: &str = "url-";

/// What all lines want, or what is wrong with them.
pub(super) fn read(text: &str) -> Result<State, Vec<String>> {
    let mut state = State::default();
    // Where each endpoint stands, by application and uid.
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut applications: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let lines = text.lines().enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let number = index + 1;
        let line = match Line::read(line) {
            Ok(line) => line,
            Err(reason) => {
                wrong.push(format!("line {number}: {reason}"));
                continue;
            }
        };
        let key = (line.application.clone(), line.endpoint.uid());
        if let Some(first) = places.insert(key, number) {
            wrong.push(format!(
                "line {number}: line {first} is of the same application and {}",
                match line.has_uid {
                    true => "has the same `uid`: each endpoint needs its own",
                    false => "has the same `url`: give each a `uid`",
                }
            ));
            continue;
        }
        for name in line.endpoint.types() {
            // It is to be there, and no more is said of it.
            state.event_types.insert(name.to_owned(), Fields::new());
        }
        let place = *applications
            .entry(line.application)
            .or_insert_with_key(|uid| {
                state.applications.push(application(uid));
                state.applications.len() - 1
            });
        let application = &mut state.applications[place];
        if let Some(name) = line.application_name {
            let before = application.fields.insert("name", json!(name));
            if before.is_some_and(|before| before != json!(name)) {
                wrong.push(format!(
                    "line {number}: `appName` is another one than before"
                ));
            }
        }
        application.endpoints.push(line.endpoint);
    }
    let more = wrong.len().saturating_sub(WRONG_MAX);
    wrong.truncate(WRONG_MAX);
    if more > 0 {
        wrong.push(format!("and {more} lines more"));
    }
    match wrong.is_empty() {
        true => Ok(state),
        false => Err(wrong),
    }
}

/// One endpoint.
struct Line {
    application: String,
    application_name: Option<String>,
    has_uid: bool,
    endpoint: Endpoint,
}

impl Line {
    fn read(line: &str) -> Result<Self, String> {
        let object: Value = serde_json::from_str(line)
            .map_err(|error| format!("it is not JSON from column {} on", error.column()))?;
        let Value::Object(object) = object else {
            return Err("it is not a JSON object".to_owned());
        };
        if let Some(unknown) = object.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            let (unknown, known) = (escaped(unknown), FIELDS.join(", "));
            return Err(format!("there is no `{unknown}`: a line may have {known}"));
        }
        let given = Given(object);
        given.scheme()?;
        let url = given.url()?;
        let uid = given.name("uid")?;
        let mut fields = Fields::from([
            ("url", json!(url)),
            ("uid", json!(uid.clone().unwrap_or_else(|| uid_of(&url)))),
        ]);
        let optional = [
            ("description", given.text("description")?.map(Value::from)),
            ("disabled", given.flag("disabled")?.map(Value::from)),
            ("eventTypes", given.names("types")?),
            ("channels", given.names("channels")?),
            ("rateLimit", given.rate()?.map(Value::from)),
            (
                "metadata",
                given.texts("metadata")?.map(|texts| json!(texts)),
            ),
        ];
        let told = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        fields.extend(told);
        let application = given.name("app")?.ok_or_else(|| missing("app"))?;
        Ok(Self {
            application,
            application_name: given.text("appName")?,
            has_uid: uid.is_some(),
            endpoint: Endpoint {
                id: None,
                fields,
                headers: given.headers()?,
                key: given.key()?,
            },
        })
    }
}

/// What a line says. A `null` says nothing.
struct Given(Map<String, Value>);

impl Given {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<String>, String> {
        let text = self.get(name).map(|value| match value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(format!("`{name}` must be a text")),
        });
        text.transpose()
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, String> {
        let flag = self.get(name).map(|value| {
            let flag = value.as_bool();
            flag.ok_or_else(|| format!("`{name}` must be true or false"))
        });
        flag.transpose()
    }

    fn name(&self, field: &str) -> Result<Option<String>, String> {
        let text = self.text(field)?;
        if let Some(text) = &text {
            is_name(field, text)?;
        }
        Ok(text)
    }

    fn names(&self, field: &str) -> Result<Option<Value>, String> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let wrong = || format!("`{field}` must be a list of names, and not an empty one");
        let list = value.as_array().filter(|list| !list.is_empty());
        for name in list.ok_or_else(wrong)? {
            is_name(field, name.as_str().ok_or_else(wrong)?)?;
        }
        Ok(Some(words(value)))
    }

    fn rate(&self) -> Result<Option<u16>, String> {
        let rate = self.get("rateLimit").map(|value| {
            let rate = value.as_u64().and_then(|rate| u16::try_from(rate).ok());
            rate.and_then(NonZeroU16::new)
                .map(NonZeroU16::get)
                .ok_or_else(|| "`rateLimit` must be a whole number from 1 to 65535".to_owned())
        });
        rate.transpose()
    }

    fn texts(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, String> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || format!("`{name}` must be an object whose values are texts");
        let mut texts = BTreeMap::new();
        for (key, value) in value.as_object().ok_or_else(wrong)? {
            let value = value.as_str().ok_or_else(wrong)?;
            texts.insert(key.clone(), value.to_owned());
        }
        Ok(Some(texts))
    }

    fn headers(&self) -> Result<Option<Headers>, String> {
        let headers = self.texts("headers")?.map(|texts| Headers {
            shown: texts
                .into_iter()
                .map(|(name, value)| (name, Secret::from(value)))
                .collect(),
            hidden: BTreeSet::new(),
        });
        Ok(headers)
    }

    fn scheme(&self) -> Result<(), String> {
        match self.text("scheme")?.as_deref() {
            None | Some(SCHEME) => Ok(()),
            Some(other) => Err(format!(
                "the scheme `{}` can't be moved yet: only `{SCHEME}` can; leave it out of the \
                 line, and set it afterwards by `postrider endpoint set-signature`",
                escaped(other)
            )),
        }
    }

    fn url(&self) -> Result<String, String> {
        let text = self.text("url")?.ok_or_else(|| missing("url"))?;
        let url = Url::parse(&text).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        url.map(String::from)
            .ok_or_else(|| "`url` must be an http or https URL".to_owned())
    }

    fn key(&self) -> Result<Key, String> {
        let Some(text) = self.text("secret")? else {
            return Ok(Key::Unknown);
        };
        SigningKey::parse(&text).map_err(|error| format!("`secret`: {error}"))?;
        Ok(Key::Secret(Secret::from(text)))
    }
}

fn application(uid: &str) -> Application {
    Application {
        id: None,
        fields: Fields::from([("uid", json!(uid))]),
        endpoints: Vec::new(),
    }
}

fn is_name(field: &str, text: &str) -> Result<(), String> {
    let name: Result<Name, _> = text.parse();
    name.map(drop).map_err(|_| {
        let text = escaped(text);
        format!("`{field}`: `{text}` is no name: 1 to 256 letters, digits, `-`, `_` and `.`")
    })
}

fn missing(name: &str) -> String {
    format!("`{name}` is missing")
}

/// A uid for an endpoint that has none: the same for the same URL.
fn uid_of(url: &str) -> String {
    let mut uid = UID_PREFIX.to_owned();
    for byte in &digest(&SHA256, url.as_bytes()).as_ref()[..10] {
        let _ = write!(uid, "{byte:02x}");
    }
    uid
}

#[cfg(test)]
mod tests;
