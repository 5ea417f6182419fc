//! Messages: shapes, routes, handlers.

mod batch;
mod incoming;
mod outgoing;
mod timing;

pub(crate) use outgoing::MessageOut;

use crate::authentication::Authenticated;
use crate::body::{BodyLimit, Call};
use crate::problem::Problem;
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, SizedJson};
use crate::segments::Segments;
use crate::{ApiConfig, Shared};
use app::AppError;
use app::filter::Filter;
use app::messages::{MessagesInput, RecipientPath};
use axum::extract::{Extension, FromRequestParts, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use http::request::Parts;
use incoming::MessageIn;
use model::id::MessageKind;
use timing::ServerTiming;

pub(crate) fn routes(config: &ApiConfig) -> Router<Shared> {
    let batch = post(batch::create).layer(Extension(BodyLimit(config.batch_bytes_max)));
    let batch = batch.get(get_one_called_batch);
    Router::new()
        .route("/api/v1/app/{app_id}/msg", get(list).post(create))
        .route("/api/v1/app/{app_id}/msg/batch", batch)
        .route("/api/v1/app/{app_id}/msg/{msg_id}", get(get_one))
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
        channel: query.name("channel")?,
        tag: query.name("tag")?,
    })
}

impl FromQuery for MessagesInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            list: query.recent()?.checked::<MessageKind>()?,
            filter: filter(query)?,
            with_content: WithContent::from_query(query)?.0,
        })
    }
}

/// The path's name for where messages are to go: looked at before it is asked who sends them.
struct Addressee(RecipientPath);

impl FromRequestParts<Shared> for Addressee {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let Segments(path) = Segments::<String>::from_request_parts(parts, api).await?;
        Ok(Self(RecipientPath::parse(&path)?))
    }
}

async fn create(
    State(api): State<Shared>,
    Addressee(path): Addressee,
    Query(WithContent(with_content)): Query<WithContent>,
    call: Call,
) -> Answer<(StatusCode, ServerTiming, SizedJson<MessageOut>)> {
    let recipient = api.app.recipient(&call.caller, path).await?;
    let body: MessageIn = call.json()?;
    let sent = api
        .app
        .create_message(&call.caller, recipient, body.into())
        .await?;
    Ok((
        StatusCode::ACCEPTED,
        ServerTiming::of(&sent),
        // The answer repeats the payload.
        SizedJson(
            call.body.len() + ANSWER_BYTES,
            MessageOut::made(sent.made, with_content),
        ),
    ))
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

/// A message whose event id happens to be the name of another route.
async fn get_one_called_batch(
    state: State<Shared>,
    Segments(application): Segments<String>,
    query: Query<WithContent>,
    caller: Authenticated,
) -> Answer<Json<MessageOut>> {
    get_one(
        state,
        Segments((application, "batch".to_owned())),
        query,
        caller,
    )
    .await
}
