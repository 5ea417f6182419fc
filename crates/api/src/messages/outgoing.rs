//! Messages as clients read them.

use crate::render::Time;
use app::content::Content;
use app::messages::MessageView;
use bytes::Bytes;
use model::message::Message;
use schemars::JsonSchema;
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A message.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageOut {
    event_id: Option<String>,
    event_type: String,
    /// As it was posted; `{}` where it is not wanted, `{"expired": true}` where it is gone.
    #[schemars(with = "Value")]
    payload: Payload,
    channels: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    id: String,
    timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    deliver_at: Option<Time>,
}

impl MessageOut {
    /// Of what was found or made.
    pub(crate) fn new(message: &Message, content: Content) -> Self {
        let names = |names: &std::collections::BTreeSet<model::name::Name>| {
            let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
            (!texts.is_empty()).then_some(texts)
        };
        Self {
            event_id: message.event_id.as_ref().map(ToString::to_string),
            event_type: message.event_type.to_string(),
            payload: Payload(content),
            channels: names(&message.channels),
            tags: names(&message.tags),
            id: message.id.to_string(),
            timestamp: Time(message.id.key().time()),
            deliver_at: message.deliver_at.map(Time),
        }
    }

    /// Of what was made; without the payload, if that is not wanted.
    pub(crate) fn made(view: MessageView, with_content: bool) -> Self {
        let content = if with_content {
            view.content
        } else {
            Content::Omitted
        };
        Self::new(&view.message, content)
    }
}

impl From<MessageView> for MessageOut {
    fn from(view: MessageView) -> Self {
        Self::new(&view.message, view.content)
    }
}

/// A payload: as it was posted, or what clients know in its place.
struct Payload(Content);

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Content::Json(text) => as_json(text)
                .map_err(S::Error::custom)?
                .serialize(serializer),
            Content::Omitted => serializer.serialize_map(Some(0))?.end(),
            Content::Gone => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("expired", &true)?;
                map.end()
            }
        }
    }
}

fn as_json(text: &Bytes) -> serde_json::Result<&RawValue> {
    serde_json::from_slice(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_shown_as_they_were_posted() {
        let cases = [
            (Content::Omitted, "{}"),
            (Content::Gone, "{\"expired\":true}"),
            (
                Content::Json(Bytes::from_static(b"{ \"b\":1.0,\"a\":1e2 }")),
                "{ \"b\":1.0,\"a\":1e2 }",
            ),
            (Content::Json(Bytes::from_static(b" [1] ")), "[1]"),
        ];
        for (content, expected) in cases {
            assert_eq!(serde_json::to_string(&Payload(content)).unwrap(), expected);
        }
    }
}
