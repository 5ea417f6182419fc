//! Attempts: shapes, routes, handlers; a resend is here too, since it asks for one more.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::messages::{MessageOut, WithContent, filter};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time};
use crate::segments::Segments;
use crate::status::{StatusFilter, StatusOut};
use app::attempts::{AttemptView, AttemptsInput};
use app::{AppError, Caller};
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use model::delivery::Trigger;
use model::id::AttemptKind;
use model::name::Name;
use serde::Serialize;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}",
            get(by_endpoint),
        )
        .route("/api/v1/app/{app_id}/attempt/msg/{msg_id}", get(by_message))
        .route(
            "/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}",
            get(get_one),
        )
        .route(
            "/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend",
            post(resend),
        )
        // What clients of old know these lists by.
        .route("/api/v1/app/{app_id}/msg/{msg_id}/attempt", get(by_message))
        .route(
            "/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/attempt",
            get(by_both),
        )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttemptOut {
    id: String,
    endpoint_id: String,
    msg_id: String,
    url: String,
    response: String,
    response_status_code: u16,
    response_duration_ms: u64,
    #[serde(flatten)]
    status: StatusOut,
    trigger_type: u8,
    timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<MessageOut>,
}

impl From<AttemptView> for AttemptOut {
    fn from(view: AttemptView) -> Self {
        let attempt = view.attempt;
        Self {
            id: attempt.id.to_string(),
            endpoint_id: attempt.endpoint.to_string(),
            msg_id: attempt.message.to_string(),
            url: attempt.url,
            response: view.response.unwrap_or_else(|| "{}".to_owned()),
            response_status_code: attempt.status_code,
            response_duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
            status: view.status.into(),
            trigger_type: match attempt.trigger {
                Trigger::Scheduled => 0,
                Trigger::Manual | Trigger::Replay => 1,
            },
            timestamp: Time(attempt.id.key().time()),
            msg: view
                .message
                .map(|(message, content)| MessageOut::new(&message, content)),
        }
    }
}

impl FromQuery for AttemptsInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let StatusFilter { status, expanded } = StatusFilter::from_query(query)?;
        Ok(Self {
            list: query.recent()?.checked::<AttemptKind>()?,
            filter: filter(query)?,
            status,
            expanded,
            status_code_class: query.read("status_code_class", class)?,
            with_content: WithContent::from_query(query)?.0,
            with_message: query.flag("with_msg")?.unwrap_or_default(),
        })
    }
}

/// The hundred that status codes are in.
fn class(text: &str) -> Result<u16, String> {
    match text {
        "0" => Ok(0),
        "100" => Ok(100),
        "200" => Ok(200),
        "300" => Ok(300),
        "400" => Ok(400),
        "500" => Ok(500),
        other => Err(format!(
            "expected one of 0, 100, 200, 300, 400, 500, not `{other}`"
        )),
    }
}

/// Which of a message's attempts are asked for: also to which endpoint, by id or uid.
struct OfMessage {
    input: AttemptsInput,
    endpoint: Option<Name>,
}

impl FromQuery for OfMessage {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            input: AttemptsInput::from_query(query)?,
            endpoint: query.name("endpoint_id")?,
        })
    }
}

async fn by_endpoint(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    Query(input): Query<AttemptsInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<AttemptOut>>> {
    let page = api
        .app
        .attempts_by_endpoint(&caller, (&application, &endpoint), &input)
        .await?;
    Ok(Json(page.map(AttemptOut::from).into()))
}

async fn by_message(
    State(api): State<Shared>,
    Segments((application, message)): Segments<(String, String)>,
    Query(OfMessage { input, endpoint }): Query<OfMessage>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<AttemptOut>>> {
    let endpoint = endpoint.as_ref().map(Name::as_str);
    of_message(&api, &caller, (&application, &message, endpoint), &input).await
}

async fn by_both(
    State(api): State<Shared>,
    Segments((application, message, endpoint)): Segments<(String, String, String)>,
    Query(input): Query<AttemptsInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<AttemptOut>>> {
    of_message(
        &api,
        &caller,
        (&application, &message, Some(&endpoint)),
        &input,
    )
    .await
}

async fn of_message(
    api: &Shared,
    caller: &Caller,
    (application, message, endpoint): (&str, &str, Option<&str>),
    input: &AttemptsInput,
) -> Answer<Json<ListOut<AttemptOut>>> {
    let path = (application, message);
    let page = api
        .app
        .attempts_by_message(caller, path, endpoint, input)
        .await?;
    Ok(Json(page.map(AttemptOut::from).into()))
}

async fn get_one(
    State(api): State<Shared>,
    Segments((application, message, attempt)): Segments<(String, String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<AttemptOut>> {
    let found = api
        .app
        .attempt(&caller, (&application, &message), &attempt)
        .await?;
    Ok(Json(found.into()))
}

async fn resend(
    State(api): State<Shared>,
    Segments((application, message, endpoint)): Segments<(String, String, String)>,
    call: Call,
) -> Answer<(StatusCode, Json<Nothing>)> {
    api.app
        .resend(&call.caller, &application, (&message, &endpoint))
        .await?;
    Ok((StatusCode::ACCEPTED, Json(Nothing {})))
}

/// `{}`.
#[derive(Serialize)]
struct Nothing {}
