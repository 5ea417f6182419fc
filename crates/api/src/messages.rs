//! Messages: shapes, routes, handlers.

mod batch;
mod broadcast;
mod content;
mod erasure;
mod incoming;
mod outgoing;
mod search;
mod timing;

pub(crate) use incoming::MessageIn;
pub(crate) use outgoing::MessageOut;

use crate::authentication::Authenticated;
use crate::body::{BodyLimit, Call};
use crate::describe::{Describer, Input};
use crate::operation::{Routes, application, organisation};
use crate::problem::Problem;
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Accepted, Answer, ListOut, SizedJson};
use crate::segments::Segments;
use crate::{ApiConfig, Shared};
use app::AppError;
use app::filter::Filter;
use app::messages::{MessagesInput, RecipientPath};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use model::id::MessageKind;
use timing::ServerTiming;

pub(crate) fn routes(config: &ApiConfig) -> Routes {
    Routes::at("/api/v1/app/{app_id}/msg")
        .get(
            application("v1.message.list", "Messages, the newest first"),
            list,
        )
        .post(organisation("v1.message.create", "Sends a message"), create)
        .and_at("/api/v1/app/{app_id}/msg/batch")
        .post_with_limit(
            organisation(
                "v1.message.create-batch",
                "Sends many messages, each with its own result",
            ),
            BodyLimit(config.batch_bytes_max),
            batch::create,
        )
        .and_at("/api/v1/app/{app_id}/msg/{msg_id}")
        .get(application("v1.message.get", "A message"), get_one)
        .merge(broadcast::routes())
        .merge(erasure::routes())
        .merge(content::routes())
        .merge(search::routes())
        .merge(hidden_by("/api/v1/app/{app_id}/msg/batch"))
        .merge(hidden_by("/api/v1/app/{app_id}/msg/bulk-expunge"))
        .merge(hidden_by("/api/v1/app/{app_id}/msg/expunge-all-contents"))
        .merge(hidden_by("/api/v1/app/{app_id}/msg/search"))
}

/// A message whose event id happens to be the last word of another route's path.
fn hidden_by(path: &'static str) -> Routes {
    let called = path.rsplit('/').next().unwrap_or(path);
    Routes::at(path).get(
        application("v1.message.get", "A message").hidden(),
        move |state: State<Shared>,
              Segments(application): Segments<String>,
              query: Query<WithContent>,
              caller: Authenticated| {
            let path = Segments((application, called.to_owned()));
            get_one(state, path, query, caller)
        },
    )
}

/// About what an answer has beside what was posted.
const ANSWER_BYTES: usize = 256;

/// Whether answers hold payloads, or what receivers answered: yes, unless one says no.
pub(crate) struct WithContent(pub(crate) bool);

impl FromQuery for WithContent {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self(query.flag("with_content")?.unwrap_or(true)))
    }
}

/// Which messages a list is asked for.
pub(crate) fn filter(query: &Pairs) -> Result<Filter, AppError> {
    Ok(Filter {
        event_types: query.names("event_types")?,
        channels: query.name("channel")?.map(|one| vec![one]),
        tag: query.name("tag")?,
    })
}

impl FromQuery for MessagesInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            list: query.recent::<MessageKind>()?,
            filter: filter(query)?,
            with_content: WithContent::from_query(query)?.0,
        })
    }
}

/// The path's name for where messages are to go: looked at before it is asked who sends them.
pub(crate) struct Addressee(pub(crate) RecipientPath);

impl FromRequestParts<Shared> for Addressee {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let Segments(path) = Segments::<String>::from_request_parts(parts, api).await?;
        Ok(Self(RecipientPath::parse(&path)?))
    }
}

impl Input for Addressee {
    fn describe(_: &mut Describer) {}
}

async fn create(
    State(api): State<Shared>,
    Addressee(path): Addressee,
    Query(WithContent(with_content)): Query<WithContent>,
    call: Call<MessageIn>,
) -> Answer<Accepted<(ServerTiming, SizedJson<MessageOut>)>> {
    let recipient = api.app.recipient(&call.caller, path).await?;
    let body = call.json()?;
    let sent = api
        .app
        .create_message(&call.caller, recipient, body.into())
        .await?;
    let timing = ServerTiming::of(&sent);
    // The answer repeats the payload.
    let bytes = call.body.len() + ANSWER_BYTES;
    let message = MessageOut::made(sent.made, with_content);
    Ok(Accepted((timing, SizedJson(bytes, message))))
}

async fn list(
    State(api): State<Shared>,
    Segments(application): Segments<String>,
    Query(input): Query<MessagesInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<MessageOut>>> {
    let page = api.app.messages(&caller, &application, &input).await?;
    Ok(Json(page.map(MessageOut::from).into()))
}

async fn get_one(
    State(api): State<Shared>,
    Segments((application, message)): Segments<(String, String)>,
    Query(WithContent(with_content)): Query<WithContent>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<MessageOut>> {
    let found = api
        .app
        .message(&caller, (&application, &message), with_content)
        .await?;
    Ok(Json(found.into()))
}
