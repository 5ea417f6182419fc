//! Attempts: shapes, routes, handlers; a resend is here too, since it asks for one more.

mod headers;

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::{Call, NoBody};
use crate::messages::{MessageIn, MessageOut, WithContent, filter};
use crate::operation::{Routes, application, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Accepted, Answer, Created, ListOut, NoContent, Time};
use crate::segments::Segments;
use crate::status::{StatusFilter, StatusOut};
use app::access::limits::Capability;
use app::attempts::{AttemptCount, AttemptView, AttemptsInput};
use app::messages::MessageRequest;
use app::{AppError, Caller, ListInput};
use axum::Json;
use axum::extract::State;
use model::delivery::Trigger;
use model::id::AttemptKind;
use model::name::Name;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}")
        .get(
            application(
                "v1.message-attempt.list-by-endpoint",
                "Attempts to an endpoint, the newest first",
            ),
            by_endpoint,
        )
        .and_at("/api/v1/app/{app_id}/attempt/msg/{msg_id}")
        .get(
            application(
                "v1.message-attempt.list-by-msg",
                "Attempts of a message, the newest first",
            ),
            by_message,
        )
        .and_at("/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}")
        .get(application("v1.message-attempt.get", "An attempt"), get_one)
        .merge(headers::routes())
        .and_at("/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}/count")
        .get(
            application(
                "v1.message-attempt.count-by-endpoint",
                "Counts the attempts to an endpoint",
            ),
            count,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/msg/test-attempt")
        .post(
            organisation(
                "v1.message.test-attempt",
                "Sends a message to one endpoint alone, and waits for the first attempt",
            ),
            test_attempt,
        )
        .and_at("/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/content")
        .delete(
            organisation(
                "v1.message-attempt.expunge-content",
                "Removes what was answered to an attempt for good",
            ),
            expunge,
        )
        .and_at("/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend")
        .post(
            application(
                "v1.message-attempt.resend",
                "Sends a message to an endpoint again, once",
            )
            .needs(Capability::CreateAttempts),
            resend,
        )
        .merge(of_old())
}

/// What clients of old know these lists by.
fn of_old() -> Routes {
    Routes::at("/api/v1/app/{app_id}/msg/{msg_id}/attempt")
        .get(
            application(
                "v1.message-attempt.list",
                "Attempts of a message, the newest first",
            )
            .deprecated(),
            by_message,
        )
        .and_at("/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/attempt")
        .get(
            application(
                "v1.message-attempt.list-by-endpoint-and-msg",
                "Attempts of a message to an endpoint, the newest first",
            )
            .deprecated(),
            by_both,
        )
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "MessageAttemptOut")]
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
    trigger_type: TriggerOut,
    timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<MessageOut>,
}

/// 0: by schedule, 1: by hand.
struct TriggerOut(Trigger);

impl Serialize for TriggerOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self.0 {
            Trigger::Scheduled => 0,
            Trigger::Manual | Trigger::Replay => 1,
        })
    }
}

impl JsonSchema for TriggerOut {
    fn schema_name() -> Cow<'static, str> {
        "MessageAttemptTriggerType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": [0, 1] })
    }
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
            trigger_type: TriggerOut(attempt.trigger),
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
            list: query.recent::<AttemptKind>()?,
            filter: filter(query)?,
            status,
            expanded,
            status_code_class: query.choice("status_code_class", &CLASSES)?,
            with_content: WithContent::from_query(query)?.0,
            with_message: query.flag("with_msg")?.unwrap_or_default(),
        })
    }
}

/// The hundred that status codes are in.
pub(crate) const CLASSES: [(&str, u16); 6] = [
    ("0", 0),
    ("100", 100),
    ("200", 200),
    ("300", 300),
    ("400", 400),
    ("500", 500),
];

/// The same in a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClassIn(pub(crate) u16);

impl<'de> Deserialize<'de> for ClassIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        let found = CLASSES
            .iter()
            .find(|(_, class)| u64::from(*class) == number);
        let unknown = || {
            let known = "0, 100, 200, 300, 400 or 500";
            D::Error::custom(format!("unknown class {number}, expected {known}"))
        };
        found.map(|(_, class)| Self(*class)).ok_or_else(unknown)
    }
}

impl JsonSchema for ClassIn {
    fn schema_name() -> Cow<'static, str> {
        "StatusCodeClass".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": CLASSES.map(|(_, class)| class) })
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

/// How many attempts there are.
#[derive(Serialize, JsonSchema)]
struct CountOut {
    count: u64,
    /// There are at least so many: not all were looked at.
    approximated: bool,
}

impl From<AttemptCount> for CountOut {
    fn from(counted: AttemptCount) -> Self {
        Self {
            count: counted.count,
            approximated: counted.approximated,
        }
    }
}

/// Which attempts are counted: whatever a list is asked for but its pages.
struct Counted(AttemptsInput);

impl FromQuery for Counted {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let StatusFilter { status, expanded } = StatusFilter::expanded(query)?;
        Ok(Self(AttemptsInput {
            list: ListInput {
                before: query.time("before")?,
                after: query.time("after")?,
                ..ListInput::default()
            },
            filter: filter(query)?,
            status,
            expanded,
            status_code_class: query.choice("status_code_class", &CLASSES)?,
            with_content: false,
            with_message: false,
        }))
    }
}

async fn count(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    Query(Counted(input)): Query<Counted>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<CountOut>> {
    let counted = api
        .app
        .count_attempts(&caller, (&application, &endpoint), &input)
        .await?;
    Ok(Json(counted.into()))
}

async fn test_attempt(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    call: Call<MessageIn>,
) -> Answer<Created<Json<AttemptOut>>> {
    let tenant = api
        .app
        .application_for_organisation(&call.caller, &application)
        .await?;
    api.app.endpoint(&tenant, &endpoint)?;
    let MessageRequest { message, .. } = call.json()?.into();
    let made = api
        .app
        .test_attempt(&call.caller, (&tenant, &endpoint), message)
        .await?;
    Ok(Created(Json(made.into())))
}

async fn expunge(
    State(api): State<Shared>,
    Segments((application, message, attempt)): Segments<(String, String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    api.app
        .expunge_attempt(&caller, (&application, &message), &attempt)
        .await?;
    Ok(NoContent)
}

async fn resend(
    State(api): State<Shared>,
    Segments((application, message, endpoint)): Segments<(String, String, String)>,
    call: Call<NoBody>,
) -> Answer<Accepted<Json<Nothing>>> {
    api.app
        .resend(&call.caller, &application, (&message, &endpoint))
        .await?;
    Ok(Accepted(Json(Nothing {})))
}

/// `{}`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EmptyResponse")]
struct Nothing {}
