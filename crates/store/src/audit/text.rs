//! An entry's text: JSON with its members in a fixed order and no spaces, so that the same entry is
//! the same bytes; and reading it back.

use super::{AuditEntry, KeptEntry, Link, Listed};
use model::Timestamp;
use model::audit::{Actor, ActorKind, AuditAction};
use model::id::{ApplicationId, AuditId, Key};
use model::security::{Subject, SubjectKind};
use serde_json::Value;
use std::str::FromStr;

impl AuditEntry {
    /// The text that is kept.
    pub fn text(&self) -> String {
        let actor = &self.actor;
        let address = actor.remote_address.map(|address| address.to_string());
        let application = self.application.map(|id| id.to_string());
        format!(
            concat!(
                r#"{{"id":{},"timeMicros":{},"actor":{{"kind":{},"subject":{},"credential":{},"#,
                r#""remoteAddress":{}}},"action":{},"subject":{{"kind":{},"id":{}}},"#,
                r#""application":{},"detail":{}}}"#
            ),
            Value::from(self.id.to_string()),
            self.at.micros(),
            Value::from(actor.kind.as_str()),
            Value::from(actor.subject.as_str()),
            Value::from(actor.credential.as_deref()),
            Value::from(address),
            Value::from(self.action.as_str()),
            Value::from(self.subject.kind.as_str()),
            Value::from(self.subject.id.as_str()),
            Value::from(application),
            Value::from(self.detail.as_str()),
        )
    }

    /// What a text says; `None`: this program does not know what it is, since a newer one wrote it,
    /// or it is no entry.
    pub fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let (actor, subject) = (&value["actor"], &value["subject"]);
        let named = |kind: &ActorKind| Some(kind.as_str()) == actor["kind"].as_str();
        Some(Self {
            id: value["id"].as_str()?.parse().ok()?,
            at: Timestamp::from_micros(value["timeMicros"].as_i64()?),
            actor: Actor {
                kind: ActorKind::ALL.into_iter().find(named)?,
                subject: actor["subject"].as_str()?.to_owned(),
                credential: parsed(&actor["credential"])?,
                remote_address: parsed(&actor["remoteAddress"])?,
            },
            action: AuditAction::named(value["action"].as_str()?)?,
            subject: Subject::new(
                SubjectKind::named(subject["kind"].as_str()?)?,
                subject["id"].as_str()?,
            ),
            application: parsed(&value["application"])?,
            detail: value["detail"].as_str()?.to_owned(),
        })
    }
}

impl KeptEntry {
    /// An entry of which there is only the text: beside it stands what it says itself.
    pub fn alone(text: String, link: Option<Link>) -> Self {
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let application = parsed::<ApplicationId>(&value["application"]).flatten();
        let id = parsed(&value["id"]).flatten();
        Self {
            id: id.unwrap_or(AuditId::new(Key::MIN, [0; 12])),
            listed: Listed {
                application: application.map_or(Key::MIN, ApplicationId::key),
                action: said(&value["action"]),
                actor: said(&value["actor"]["subject"]),
                subject: said(&value["subject"]["id"]),
            },
            text,
            link,
        }
    }

    /// What a command left, as the log takes it in: under this id, and otherwise byte for byte,
    /// also of an entry of which this program does not know what it is.
    pub fn taken_in(left: &str, id: AuditId) -> Self {
        let before = Self::alone(left.to_owned(), None);
        // It comes first in the text.
        let text = left.replacen(&before.id.to_string(), &id.to_string(), 1);
        Self { id, text, ..before }
    }

    /// The column that says something else than the text, if there is one. Also of an entry of
    /// which this program does not know what it is.
    pub fn contradiction(&self) -> Option<&'static str> {
        let Ok(value) = serde_json::from_str::<Value>(&self.text) else {
            return Some("entry");
        };
        let application = parsed::<ApplicationId>(&value["application"]);
        let application = application.map(|id| id.map_or(Key::MIN, ApplicationId::key));
        let says = |value: &Value, column: &str| value.as_str() == Some(column);
        [
            ("id", says(&value["id"], &self.id.to_string())),
            ("application", application == Some(self.listed.application)),
            ("action", says(&value["action"], &self.listed.action)),
            (
                "actor",
                says(&value["actor"]["subject"], &self.listed.actor),
            ),
            (
                "subject",
                says(&value["subject"]["id"], &self.listed.subject),
            ),
        ]
        .into_iter()
        .find_map(|(column, agrees)| (!agrees).then_some(column))
    }
}

/// What may be nothing; `None`: it is there, and can't be read.
fn parsed<T: FromStr>(value: &Value) -> Option<Option<T>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => text.parse().ok().map(Some),
        _ => None,
    }
}
