//! How messages stand with endpoints: an endpoint's messages, a message's endpoints.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::messages::{MessageOut, WithContent, filter};
use crate::operation::{Routes, application};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time};
use crate::segments::Segments;
use crate::status::{StatusFilter, StatusOut};
use app::AppError;
use app::standings::{
    EndpointMessageView, EndpointMessagesInput, MessageEndpointView, MessageEndpointsInput,
};
use axum::Json;
use axum::extract::State;
use model::id::{EndpointKind, MessageKind};
use model::name::Name;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use std::num::NonZeroU16;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/msg")
        .get(
            application(
                "v1.message-attempt.list-attempted-messages",
                "An endpoint's messages, the newest first, and how they stand",
            ),
            endpoint_messages,
        )
        .and_at("/api/v1/app/{app_id}/msg/{msg_id}/endpoint")
        .get(
            application(
                "v1.message-attempt.list-attempted-destinations",
                "A message's endpoints, and how it stands with them",
            ),
            message_endpoints,
        )
}

/// A message, and how it stands with an endpoint.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EndpointMessageOut {
    #[serde(flatten)]
    message: MessageOut,
    #[serde(flatten)]
    status: StatusOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt: Option<Time>,
}

impl From<EndpointMessageView> for EndpointMessageOut {
    fn from(view: EndpointMessageView) -> Self {
        Self {
            message: MessageOut::new(&view.message, view.content),
            status: view.status.into(),
            next_attempt: view.next_attempt.map(Time),
        }
    }
}

/// An endpoint, and how a message stands with it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MessageEndpointOut {
    id: String,
    uid: Option<String>,
    url: String,
    description: String,
    disabled: bool,
    version: u16,
    rate_limit: Option<u16>,
    throttle_rate: Option<u16>,
    event_types: Option<Vec<String>>,
    filter_types: Option<Vec<String>>,
    channels: Option<Vec<String>>,
    created_at: Time,
    updated_at: Time,
    #[serde(flatten)]
    status: StatusOut,
    next_attempt: Option<Time>,
}

impl From<MessageEndpointView> for MessageEndpointOut {
    fn from(view: MessageEndpointView) -> Self {
        let endpoint = view.endpoint;
        let names = |names: BTreeSet<Name>| names.iter().map(ToString::to_string).collect();
        let event_types: Option<Vec<String>> = endpoint.event_types.map(names);
        let rate = endpoint.rate_limit.map(NonZeroU16::get);
        Self {
            id: endpoint.id.to_string(),
            uid: endpoint.uid.map(|uid| uid.to_string()),
            url: endpoint.url,
            description: endpoint.description,
            disabled: endpoint.disabled,
            version: endpoint.version,
            rate_limit: rate,
            throttle_rate: rate,
            filter_types: event_types.clone(),
            event_types,
            channels: endpoint.channels.map(names),
            created_at: Time(endpoint.created_at),
            updated_at: Time(endpoint.updated_at),
            status: view.status.into(),
            next_attempt: view.next_attempt.map(Time),
        }
    }
}

impl FromQuery for EndpointMessagesInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let StatusFilter { status, expanded } = StatusFilter::from_query(query)?;
        Ok(Self {
            list: query.recent::<MessageKind>()?,
            filter: filter(query)?,
            status,
            expanded,
            with_content: WithContent::from_query(query)?.0,
        })
    }
}

/// A message's endpoints come in one order only, and with the words that clients of old know.
impl FromQuery for MessageEndpointsInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            list: query.page::<EndpointKind>()?,
            expanded: false,
        })
    }
}

async fn endpoint_messages(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    Query(input): Query<EndpointMessagesInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<EndpointMessageOut>>> {
    let page = api
        .app
        .endpoint_messages(&caller, (&application, &endpoint), &input)
        .await?;
    Ok(Json(page.map(EndpointMessageOut::from).into()))
}

async fn message_endpoints(
    State(api): State<Shared>,
    Segments((application, message)): Segments<(String, String)>,
    Query(input): Query<MessageEndpointsInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<MessageEndpointOut>>> {
    let page = api
        .app
        .message_endpoints(&caller, (&application, &message), &input)
        .await?;
    Ok(Json(page.map(MessageEndpointOut::from).into()))
}
