//! Listening: an application's new messages as answers to requests that wait for them, for whoever
//! has no address that could be called. Postrider's own.

use crate::Shared;
use crate::authentication::Token;
use crate::body::Call;
use crate::bounds::{self, Words};
use crate::operation::{Routes, application};
use crate::render::Answer;
use crate::segments::Segments;
use app::following::Followed;
use app::listening::{BodyText, Letter, ListenInput, WAIT_MAX, WORDS_MAX};
use axum::Json;
use axum::extract::State;
use model::Secret;
use model::id::MessageKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/listen").post(
        application(
            "v1.message.listen",
            "Waits for new messages, and gives them as an endpoint would get them",
        )
        .only_looks(),
        listen,
    )
}

/// What is listened for. Nothing of it is kept: it comes with each request.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListenIn {
    /// What the messages are to be signed with, as if it were an endpoint's own.
    #[schemars(with = "bounds::Secret")]
    secret: String,
    /// Where the last answer ended. Without it, the answer comes at once and says where to begin to
    /// get what is sent from then on.
    #[schemars(with = "Option<bounds::ForwardIterator<MessageKind>>")]
    iterator: Option<String>,
    #[schemars(with = "Option<Words<WORDS_MAX>>")]
    event_types: Option<Vec<String>>,
    /// Messages with at least one of these.
    #[schemars(with = "Option<Words<WORDS_MAX>>")]
    channels: Option<Vec<String>>,
    /// How long to wait where there is nothing yet; not at all unless it says so.
    #[schemars(range(min = 0, max = WAIT_MAX.as_secs()))]
    wait_seconds: Option<u64>,
}

impl From<ListenIn> for ListenInput {
    fn from(body: ListenIn) -> Self {
        Self {
            secret: Secret::from(body.secret),
            iterator: body.iterator,
            wait: body.wait_seconds,
            event_types: body.event_types,
            channels: body.channels,
        }
    }
}

/// New messages, the oldest first. There may be none although some are there: then many others
/// were passed over, and the next request goes on behind them.
#[derive(Serialize, JsonSchema)]
struct ListenOut {
    data: Vec<LetterOut>,
    /// Goes on behind these, and behind what was passed over.
    iterator: String,
}

/// A message as an endpoint would get it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ListenedMessageOut")]
struct LetterOut {
    id: String,
    event_type: String,
    /// The signature's headers, and what the body is.
    headers: BTreeMap<&'static str, String>,
    /// The body, byte for byte.
    body: String,
    encoding: Encoding,
}

/// What the body is written in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Encoding {
    /// It stands there as it is.
    Text,
    /// It is no text, or one of control characters.
    Base64,
}

impl From<Letter> for LetterOut {
    fn from(letter: Letter) -> Self {
        let (body, encoding) = match letter.body_text() {
            BodyText::Plain(text) => (text.to_owned(), Encoding::Text),
            BodyText::Base64(text) => (text, Encoding::Base64),
        };
        Self {
            id: letter.message.id.to_string(),
            event_type: letter.message.event_type.to_string(),
            headers: letter.headers.into_iter().collect(),
            body,
            encoding,
        }
    }
}

impl From<Followed<Letter>> for ListenOut {
    fn from(followed: Followed<Letter>) -> Self {
        Self {
            data: followed.data.into_iter().map(LetterOut::from).collect(),
            iterator: followed.iterator,
        }
    }
}

async fn listen(
    State(api): State<Shared>,
    Segments(application): Segments<String>,
    Token(token): Token,
    call: Call<ListenIn>,
) -> Answer<Json<ListenOut>> {
    // Found before the body is judged: a stranger learns nothing from that.
    api.app.application(&call.caller, &application).await?;
    let input = call.json()?.into();
    let heard = api
        .app
        .listen((&call.caller, &token), &application, input)
        .await?;
    Ok(Json(heard.into()))
}
