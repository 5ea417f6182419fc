//! Examples: real messages for one endpoint alone, whose payload the event type has.

use super::draft::{Bounds, MessageInput};
use super::{Durable, MessageView};
use crate::accept::{Draft, accept};
use crate::content::Content;
use crate::event_types::newest;
use crate::find::Tenant;
use crate::idempotency::{Request, Success, id_of, made_is_gone};
use crate::resend::endpoint_is_disabled;
use crate::{App, AppError, Caller};
use bytes::Bytes;
use model::id::{EndpointKey, MessageId};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use store::MessageRef;

/// An event type that everybody has, to try an endpoint with.
pub const PING: &str = "svix.ping";
const PING_PAYLOAD: &[u8] = b"{\"success\": true}";
/// The version whose examples are sent, where there is such a one.
const FIRST_VERSION: &str = "1";

/// Which example is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleInput {
    /// Of this event type.
    pub event_type: String,
    /// The how manieth of them, from 0 on.
    pub index: usize,
}

impl App {
    /// Sends an example to an endpoint, whatever that wants to hear.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for another application, and for an endpoint or event type that isn't
    /// there, or that the caller does not see; [`AppError::BadRequest`] if the endpoint is
    /// disabled, or there is no such example, or it is not as its own schema says.
    pub async fn send_example(
        &self,
        caller: &Caller,
        (tenant, endpoint): (&Tenant, &str),
        input: ExampleInput,
    ) -> Result<MessageView, AppError> {
        caller.require_application(tenant.application())?;
        let endpoint = &tenant.endpoint(endpoint)?.endpoint;
        let key = match self.request(caller, Success::Accepted).await? {
            Request::New(key) => key,
            Request::Repeated(made) => return self.message_again(tenant, id_of(made)).await,
        };
        let payload = self.example(caller, &input).await?;
        let message = MessageInput {
            event_type: input.event_type,
            payload,
            ..MessageInput::default()
        };
        let draft = message.judge(Bounds::new(&self.settings, caller, self.clock.now()))?;
        if endpoint.disabled {
            return Err(endpoint_is_disabled());
        }
        let mut draft = Draft {
            idempotency: key,
            ..draft
        };
        let held = self.check_payload(&mut draft).await;
        held.map_err(|refused| not_to_be_sent(&draft, refused))?;
        let sent = self.send_to(tenant, endpoint.id.key(), draft).await?;
        Ok(sent.made)
    }

    /// Accepts a message for one endpoint alone.
    pub(crate) async fn send_to(
        &self,
        tenant: &Tenant,
        only: EndpointKey,
        draft: Draft,
    ) -> Result<Durable<MessageView>, AppError> {
        let draft = Draft {
            only: Some(only),
            ..draft
        };
        let mut accepted = accept(self, tenant, vec![draft]).await?;
        let receipt = accepted.made.pop().expect("one draft has one answer")?;
        Ok(Durable {
            made: MessageView {
                message: receipt.message,
                content: Content::Omitted,
            },
            commit: accepted.commit,
        })
    }

    /// What the same request has made before.
    pub(crate) async fn message_again(
        &self,
        tenant: &Tenant,
        id: MessageId,
    ) -> Result<MessageView, AppError> {
        let found = self
            .store
            .message(tenant.key(), &MessageRef::Id(id))
            .await?;
        let row = found.ok_or_else(made_is_gone)?;
        Ok(MessageView {
            message: row.message,
            content: Content::Omitted,
        })
    }

    async fn example(&self, caller: &Caller, input: &ExampleInput) -> Result<Bytes, AppError> {
        if input.event_type == PING {
            return Ok(Bytes::from_static(PING_PAYLOAD));
        }
        let event_type = self.event_type(caller, &input.event_type).await?;
        let schemas = event_type.schemas.as_deref().unwrap_or("{}");
        find(schemas, input.index).ok_or_else(|| no_example(input))
    }
}

/// The request has no payload that could be wrong: the event type has.
fn not_to_be_sent(draft: &Draft, refused: AppError) -> AppError {
    match refused {
        AppError::Invalid(_) => AppError::BadRequest {
            code: "invalid_scheme",
            detail: format!(
                "The example of the event type {} is refused as any such message is: {refused}",
                draft.event_type
            ),
        },
        other => other,
    }
}

fn no_example(input: &ExampleInput) -> AppError {
    AppError::BadRequest {
        code: "invalid_scheme",
        detail: format!(
            "The event type {} has no example {} that is an object: give its JSON Schema \
             `examples`.",
            input.event_type, input.index
        ),
    }
}

/// The part of a schema that is looked at here.
#[derive(Deserialize)]
struct Schema<'t> {
    #[serde(borrow)]
    examples: Vec<&'t RawValue>,
}

/// The example's text, as it stands in the schemas of an event type.
fn find(schemas: &str, index: usize) -> Option<Bytes> {
    let schemas: BTreeMap<String, &RawValue> = serde_json::from_str(schemas).ok()?;
    let schema = match schemas.get(FIRST_VERSION) {
        Some(schema) => schema,
        None => &schemas[newest(schemas.keys())?],
    };
    let schema: Schema<'_> = serde_json::from_str(schema.get()).ok()?;
    let example = schema.examples.get(index)?.get();
    example
        .starts_with('{')
        .then(|| Bytes::copy_from_slice(example.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_found_in_the_first_version_or_else_the_newest() {
        let cases = [
            (
                r#"{"1":{"examples":[{"a":1.0}, {"b":2}]}}"#,
                0,
                Some(r#"{"a":1.0}"#),
            ),
            (
                r#"{"1":{"examples":[{"a":1}, {"b":2}]}}"#,
                1,
                Some(r#"{"b":2}"#),
            ),
            (r#"{"1":{"examples":[{"a":1}]}}"#, 1, None),
            (
                r#"{"1":{"examples":[{"a":1}]},"2":{"examples":[{"b":2}]}}"#,
                0,
                Some(r#"{"a":1}"#),
            ),
            (
                r#"{"9":{"examples":[{"a":1}]},"10":{"examples":[{"b":2}]}}"#,
                0,
                Some(r#"{"b":2}"#),
            ),
            (r#"{"1":{},"2":{"examples":[{"b":2}]}}"#, 0, None),
            (r#"{"old":true,"new":{"examples":[{"b":2}]}}"#, 0, None),
            (r#"{"1":{"examples":["text"]}}"#, 0, None),
            (r#"{"1":{"examples":{"a":{}}}}"#, 0, None),
            (r#"{"1":true}"#, 0, None),
            ("{}", 0, None),
        ];
        for (schemas, index, expected) in cases {
            let found = find(schemas, index);
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{schemas}");
        }
    }
}
