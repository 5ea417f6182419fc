//! Asking about messages with a body: which there are, and whether anybody would get one.

use super::MessageOut;
use crate::Shared;
use crate::body::Call;
use crate::bounds::{FilterWords, IteratorOf, Word, Words};
use crate::operation::{Routes, application};
use crate::render::{Answer, ListOut, Time};
use crate::segments::Segments;
use app::filter::{Filter, WORDS_MAX};
use app::messages::{MessagesInput, PrecheckInput};
use app::page::LIMIT_MAX;
use app::{AppError, ListInput, Violation};
use axum::Json;
use axum::extract::State;
use model::id::MessageKind;
use model::message::MESSAGE_CHANNELS_MAX;
use model::name::{Name, NameError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/msg/search")
        .post(
            application("v1.message.search", "Messages, the newest first").only_looks(),
            search,
        )
        .and_at("/api/v1/app/{app_id}/msg/precheck/active")
        .post(
            application(
                "v1.message.precheck",
                "Tells whether any endpoint would get such a message",
            )
            .only_looks(),
            precheck,
        )
}

/// Which messages are wanted.
#[derive(Deserialize, JsonSchema)]
struct MessageSearchIn {
    /// One of these types.
    #[schemars(with = "Option<FilterWords>")]
    event_types: Option<Vec<String>>,
    /// Among its channels.
    #[schemars(with = "Option<Word>")]
    channel: Option<String>,
    /// Among its tags.
    #[schemars(with = "Option<Word>")]
    tag: Option<String>,
    /// Only what is older.
    before: Option<Time>,
    /// Only what is newer.
    after: Option<Time>,
    /// Where to go on: the `iterator` or `prevIterator` of an answer.
    #[schemars(with = "Option<IteratorOf<MessageKind>>")]
    iterator: Option<String>,
    /// How many at the most.
    #[schemars(range(max = LIMIT_MAX))]
    limit: Option<u64>,
    /// With their payloads.
    #[serde(default)]
    with_content: bool,
}

impl MessageSearchIn {
    fn input(self) -> Result<MessagesInput, AppError> {
        let name = |field, text: String| {
            let wrong = |error: NameError| Violation::body(&[field], error.to_string()).into();
            text.parse::<Name>().map_err(wrong)
        };
        let list = ListInput {
            limit: self.limit,
            iterator: self.iterator,
            order: None,
            before: self.before.map(|Time(before)| before),
            after: self.after.map(|Time(after)| after),
        };
        let types = self.event_types.map(|types| {
            if types.len() > WORDS_MAX {
                let text = format!("must hold at most {WORDS_MAX}, not {}", types.len());
                return Err(Violation::body(&["event_types"], text).into());
            }
            let names = types.into_iter().map(|text| name("event_types", text));
            names.collect::<Result<Vec<_>, AppError>>()
        });
        Ok(MessagesInput {
            list: list.checked::<MessageKind>().map_err(in_the_body)?,
            filter: Filter {
                event_types: types.transpose()?,
                channels: self
                    .channel
                    .map(|text| Ok::<_, AppError>(vec![name("channel", text)?]))
                    .transpose()?,
                tag: self.tag.map(|text| name("tag", text)).transpose()?,
            },
            with_content: self.with_content,
        })
    }
}

/// What would be wrong in a query is wrong in the body.
fn in_the_body(error: AppError) -> AppError {
    let AppError::Invalid(mut broken) = error else {
        return error;
    };
    for violation in &mut broken {
        if let Some(part) = violation.location.first_mut() {
            "body".clone_into(part);
        }
    }
    AppError::Invalid(broken)
}

/// A message that might be sent.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MessagePrecheckIn {
    #[schemars(with = "Word")]
    event_type: String,
    #[schemars(with = "Option<Words<MESSAGE_CHANNELS_MAX>>")]
    channels: Option<Vec<String>>,
}

/// Whether anybody would get it.
#[derive(Serialize, JsonSchema)]
struct MessagePrecheckOut {
    active: bool,
}

async fn search(
    State(api): State<Shared>,
    Segments(application): Segments<String>,
    call: Call<MessageSearchIn>,
) -> Answer<Json<ListOut<MessageOut>>> {
    api.app.application(&call.caller, &application).await?;
    let input = call.json()?.input()?;
    let page = api.app.messages(&call.caller, &application, &input).await?;
    Ok(Json(page.map(MessageOut::from).into()))
}

async fn precheck(
    State(api): State<Shared>,
    Segments(application): Segments<String>,
    call: Call<MessagePrecheckIn>,
) -> Answer<Json<MessagePrecheckOut>> {
    let tenant = api.app.application(&call.caller, &application).await?;
    let body = call.json()?;
    let input = PrecheckInput {
        event_type: body.event_type,
        channels: body.channels,
    };
    let active = api.app.precheck(&tenant, &input)?;
    Ok(Json(MessagePrecheckOut { active }))
}
