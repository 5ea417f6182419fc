//! Applications, event types and endpoints as they are held against each other: one form for what
//! should be there and for what is. The names of fields are the API's; a field that is not there
//! says nothing.
//!
//! Pure: what a server answered is read here, and no server is asked.

use model::Secret;
use model::operational::APPLICATION_UID;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// What a public key begins with.
const PUBLIC_PREFIX: &str = "whpk_";
/// What a secret may begin with, and may not.
const SECRET_PREFIX: &str = "whsec_";
/// What stands for the user name and password of a URL, here and in the API.
const MASK: &str = "***";
/// What the uid begins with of something that has none and is known by its id. An id itself can't
/// be a uid.
const UID_PREFIX: &str = "was-";

/// Fields of an object.
pub(super) type Fields = BTreeMap<&'static str, Value>;

/// What should be there, or is.
#[derive(Default)]
pub(super) struct State {
    /// By name.
    pub(super) event_types: BTreeMap<String, Fields>,
    pub(super) applications: Vec<Application>,
}

pub(super) struct Application {
    /// Where it has one.
    pub(super) id: Option<String>,
    pub(super) fields: Fields,
    pub(super) endpoints: Vec<Endpoint>,
}

impl Application {
    /// Whether operational webhooks belong to it: a server makes its own.
    pub(super) fn is_the_operators(&self) -> bool {
        self.fields
            .get("uid")
            .is_some_and(|uid| *uid == APPLICATION_UID)
    }
}

pub(super) struct Endpoint {
    /// Where it has one.
    pub(super) id: Option<String>,
    pub(super) fields: Fields,
    /// None: nothing is said of them.
    pub(super) headers: Option<Headers>,
    pub(super) key: Key,
}

/// An endpoint's headers.
#[derive(Default)]
pub(super) struct Headers {
    /// Those whose values are known.
    pub(super) shown: BTreeMap<String, Secret>,
    /// The names of the others, in small letters.
    pub(super) hidden: BTreeSet<String>,
}

/// What an endpoint's requests are signed with.
pub(super) enum Key {
    /// The secret itself.
    Secret(Secret),
    /// Only the public key is known.
    Public(String),
    /// Nothing is known.
    Unknown,
}

/// An event type, with its name.
pub(super) fn event_type(object: &Value) -> Option<(String, Fields)> {
    let name = text(object, "name")?;
    let of_list = words(&object["featureFlags"]);
    let flags = if of_list.is_null() {
        words(&json!([object["featureFlag"]]))
    } else {
        of_list
    };
    let fields = Fields::from([
        ("description", or(object, "description", json!(""))),
        ("archived", or(object, "archived", json!(false))),
        ("deprecated", or(object, "deprecated", json!(false))),
        ("schemas", object["schemas"].clone()),
        ("featureFlags", flags),
        ("groupName", object["groupName"].clone()),
    ]);
    Some((name, fields))
}

/// An application, its endpoints not read yet.
pub(super) fn application(object: &Value) -> Option<Application> {
    let fields = Fields::from([
        ("name", object["name"].clone()),
        ("uid", object["uid"].clone()),
        ("rateLimit", rate(object)),
        ("metadata", or(object, "metadata", json!({}))),
    ]);
    Some(Application {
        id: Some(text(object, "id")?),
        fields,
        endpoints: Vec::new(),
    })
}

/// An endpoint, its headers and its secret not read yet.
pub(super) fn endpoint(object: &Value) -> Option<Endpoint> {
    let types = match &object["eventTypes"] {
        Value::Null => &object["filterTypes"],
        types => types,
    };
    let fields = Fields::from([
        ("url", json!(text(object, "url")?)),
        ("uid", object["uid"].clone()),
        ("description", or(object, "description", json!(""))),
        ("disabled", or(object, "disabled", json!(false))),
        ("eventTypes", words(types)),
        ("channels", words(&object["channels"])),
        ("rateLimit", rate(object)),
        ("metadata", or(object, "metadata", json!({}))),
        ("version", or(object, "version", json!(1))),
    ]);
    Some(Endpoint {
        id: Some(text(object, "id")?),
        fields,
        headers: None,
        key: Key::Unknown,
    })
}

/// An endpoint's headers.
pub(super) fn headers(object: &Value) -> Option<Headers> {
    let mut headers = Headers::default();
    for (name, value) in object["headers"].as_object()? {
        let value = Secret::from(value.as_str()?.to_owned());
        headers.shown.insert(name.clone(), value);
    }
    let hidden = object["sensitive"].as_array();
    let hidden = hidden.into_iter().flatten().filter_map(Value::as_str);
    headers.hidden = hidden.map(str::to_ascii_lowercase).collect();
    Some(headers)
}

/// What an endpoint's requests are verified with, which mostly is what they are signed with.
pub(super) fn key(object: &Value) -> Option<Key> {
    let text = text(object, "key")?;
    Some(match text.starts_with(PUBLIC_PREFIX) {
        true => Key::Public(text),
        false => Key::Secret(Secret::from(text)),
    })
}

impl Application {
    /// By what it is known wherever it is moved.
    pub(super) fn uid(&self) -> String {
        uid(&self.fields, self.id.as_deref())
    }

    /// All uids under which it may have come here earlier, the right one first.
    pub(super) fn uids(&self) -> Vec<String> {
        uids(&self.fields, self.id.as_deref())
    }
}

impl Endpoint {
    /// By what it is known wherever it is moved.
    pub(super) fn uid(&self) -> String {
        uid(&self.fields, self.id.as_deref())
    }

    /// Which of these it is, if it is one of them.
    pub(super) fn among(&self, others: &[Self]) -> Option<usize> {
        let uids = uids(&self.fields, self.id.as_deref());
        let mut found = uids.iter().map(|uid| {
            let is_it = |other: &Self| other.fields.get("uid") == Some(&json!(uid));
            others.iter().position(is_it)
        });
        found.find_map(|place| place)
    }

    /// Its URL as it may be shown.
    pub(super) fn shown_url(&self) -> String {
        let url = self.fields.get("url").and_then(Value::as_str);
        url.map(masked).unwrap_or_default()
    }

    /// Whether its URL has a user name and a password that are not shown.
    pub(super) fn hides_credentials(&self) -> bool {
        let url = self.fields.get("url").and_then(Value::as_str);
        let url = url.and_then(|url| Url::parse(url).ok());
        url.is_some_and(|url| url.username() == MASK && url.password() == Some(MASK))
    }

    /// The event types that it wants to hear of.
    pub(super) fn types(&self) -> BTreeSet<&str> {
        let types = self.fields.get("eventTypes").and_then(Value::as_array);
        types
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }
}

impl Key {
    /// Whether requests signed with one are verified with the other; what is not known is not
    /// different.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => true,
            (Self::Secret(one), Self::Secret(other)) => bare(one) == bare(other),
            (Self::Public(one), Self::Public(other)) => one == other,
            // The public half of one that is known.
            (Self::Secret(secret), Self::Public(public))
            | (Self::Public(public), Self::Secret(secret)) => is_of(secret, public),
        }
    }
}

/// The names of the fields of which something else is said.
pub(super) fn changed(wanted: &Fields, found: &Fields) -> Vec<&'static str> {
    let differs = |(name, value): &(&&'static str, &Value)| {
        let found = found.get(**name).unwrap_or(&Value::Null);
        match (**name, value, found) {
            ("url", Value::String(one), Value::String(other)) => masked(one) != masked(other),
            (_, value, found) => *value != found,
        }
    };
    let changed = wanted.iter().filter(differs);
    changed.map(|(name, _)| *name).collect()
}

/// These fields, as a body has them: of a new object without those that say nothing.
pub(super) fn body(fields: &Fields, names: Option<&[&'static str]>) -> Map<String, Value> {
    let is_told = |name: &str, value: &Value| match names {
        None => !value.is_null(),
        Some(names) => names.contains(&name),
    };
    let told = fields.iter().filter(|(name, value)| is_told(name, value));
    told.map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

/// A URL without its user name and password, normalised; nothing of what is no URL.
fn masked(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return String::new();
    };
    if !url.username().is_empty() || url.password().is_some() {
        // Refused only by URLs without a host, which have neither.
        let _ = url.set_username(MASK);
        let _ = url.set_password(Some(MASK));
    }
    url.into()
}

fn uid(fields: &Fields, id: Option<&str>) -> String {
    uids(fields, id).into_iter().next().unwrap_or_default()
}

fn uids(fields: &Fields, id: Option<&str>) -> Vec<String> {
    let own = fields.get("uid").and_then(Value::as_str).map(str::to_owned);
    let of_id = id.map(|id| format!("{UID_PREFIX}{id}"));
    own.into_iter().chain(of_id).collect()
}

/// The secret's bytes, in the one spelling.
fn bare(secret: &Secret) -> &[u8] {
    let bytes = secret.expose();
    let bytes = bytes
        .strip_prefix(SECRET_PREFIX.as_bytes())
        .unwrap_or(bytes);
    let end = bytes.iter().rposition(|byte| *byte != b'=');
    &bytes[..end.map_or(0, |end| end + 1)]
}

/// Whether this is the public key of the secret.
fn is_of(secret: &Secret, public: &str) -> bool {
    let text = std::str::from_utf8(secret.expose()).ok();
    let key = text.and_then(|text| webhook::SigningKey::parse(text).ok());
    key.is_some_and(|key| key.receiver_text().expose() == public)
}

fn text(object: &Value, name: &str) -> Option<String> {
    object[name].as_str().map(str::to_owned)
}

fn or(object: &Value, name: &str, value: Value) -> Value {
    match &object[name] {
        Value::Null => value,
        there => there.clone(),
    }
}

/// A rate, by its newer or its older name.
fn rate(object: &Value) -> Value {
    match &object["rateLimit"] {
        Value::Null => object["throttleRate"].clone(),
        rate => rate.clone(),
    }
}

/// A set of words, in order; of none, null.
pub(super) fn words(list: &Value) -> Value {
    let words = list.as_array().into_iter().flatten();
    let words: BTreeSet<&str> = words.filter_map(Value::as_str).collect();
    if words.is_empty() {
        Value::Null
    } else {
        json!(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_of_operational_webhooks_is_each_servers_own() {
        let named = |uid: Value| {
            let object = json!({ "id": "app_1", "name": "x", "uid": uid });
            application(&object).expect("it is one").is_the_operators()
        };
        assert!(named(json!("operational-webhooks")));
        assert!(!named(json!("acme")) && !named(Value::Null));
    }
}
