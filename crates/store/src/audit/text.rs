//! An entry's text: JSON with its members in a fixed order and no spaces, so that the same entry is
//! the same bytes; and reading it back.

use super::AuditEntry;
use model::Timestamp;
use model::audit::{Actor, ActorKind, AuditAction};
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

/// What may be nothing; `None`: it is there, and can't be read.
fn parsed<T: FromStr>(value: &Value) -> Option<Option<T>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => text.parse().ok().map(Some),
        _ => None,
    }
}
