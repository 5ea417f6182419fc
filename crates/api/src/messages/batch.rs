//! Many messages in one request, each with its own result.

use super::incoming::MessageIn;
use super::{Addressee, MessageOut, ServerTiming, WithContent};
use crate::Shared;
use crate::body::{Call, parse};
use crate::problem::{Refusal, refusal, status};
use crate::query::Query;
use crate::render::{Accepted, Answer};
use app::messages::MessageView;
use app::{AppError, Violation};
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use schemars::JsonSchema;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::fmt;

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MessageBatchIn")]
pub(super) struct BatchIn {
    #[schemars(with = "Vec<MessageIn>", length(min = 1))]
    messages: Box<RawValue>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageBatchOut")]
pub(super) struct BatchOut {
    results: Vec<ResultOut>,
}

/// What came of one message.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageBatchResultOut")]
struct ResultOut {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Refusal>,
}

impl ResultOut {
    fn new(result: Result<MessageView, AppError>, with_content: bool) -> Self {
        match result {
            Ok(made) => Self {
                status: StatusCode::ACCEPTED.as_u16(),
                message: Some(MessageOut::made(made, with_content)),
                error: None,
            },
            Err(error) => Self {
                status: status(&error).as_u16(),
                message: None,
                error: Some(refusal(&error)),
            },
        }
    }
}

pub(super) async fn create(
    State(api): State<Shared>,
    Addressee(path): Addressee,
    Query(WithContent(with_content)): Query<WithContent>,
    call: Call<BatchIn>,
) -> Answer<Accepted<(ServerTiming, Json<BatchOut>)>> {
    let recipient = api.app.recipient(&call.caller, path).await?;
    let body = call.json()?;
    let items = split(&body.messages, api.app.settings.batch_messages_max)?;
    api.app.check_count(items.count)?;
    let read = |text: &&RawValue| parse::<MessageIn>(text.get().as_bytes()).map(Into::into);
    let requests = items.kept.iter().map(read).collect();
    let sent = api
        .app
        .create_messages(&call.caller, recipient, requests)
        .await?;
    let timing = ServerTiming::of(&sent);
    let results = sent
        .made
        .into_iter()
        .map(|result| ResultOut::new(result, with_content));
    let results = results.collect();
    Ok(Accepted((timing, Json(BatchOut { results }))))
}

/// The items of an array as texts. Those beyond the most that are allowed are only counted: a
/// small body could hold millions.
struct Items<'a> {
    kept: Vec<&'a RawValue>,
    count: usize,
}

fn split(array: &RawValue, max: usize) -> Result<Items<'_>, AppError> {
    let items = serde_json::Deserializer::from_str(array.get()).deserialize_seq(Keep { max });
    items.map_err(|error| {
        Violation::body(&["messages"], error.to_string())
            .unreadable()
            .into()
    })
}

struct Keep {
    max: usize,
}

impl<'de> Visitor<'de> for Keep {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Items<'de>, A::Error> {
        let mut items = Items {
            kept: Vec::new(),
            count: 0,
        };
        while items.count < self.max {
            let Some(item) = array.next_element()? else {
                return Ok(items);
            };
            items.kept.push(item);
            items.count += 1;
        }
        while array.next_element::<IgnoredAny>()?.is_some() {
            items.count += 1;
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(array: &str, max: usize) -> Result<(usize, usize), AppError> {
        let array: Box<RawValue> = serde_json::from_str(array).unwrap();
        split(&array, max).map(|items| (items.kept.len(), items.count))
    }

    #[test]
    fn items_beyond_the_limit_are_counted_and_not_kept() {
        for (array, expected) in [
            ("[]", (0, 0)),
            ("[1]", (1, 1)),
            ("[ {} , [2,[3]] ]", (2, 2)),
            ("[1,2,3,{\"a\":[]}]", (2, 4)),
        ] {
            assert_eq!(counted(array, 2).unwrap(), expected, "{array}");
        }
        for wrong in ["{}", "null", "\"[]\"", "7"] {
            let Err(AppError::Invalid(broken)) = counted(wrong, 2) else {
                panic!("{wrong}")
            };
            assert_eq!(broken[0].location, ["body", "messages"], "{wrong}");
        }
    }
}
