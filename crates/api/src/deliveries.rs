//! Deliveries over all applications, open and ended: shapes, routes, handlers.

use crate::Shared;
use crate::attempts::CLASSES;
use crate::authentication::Authenticated;
use crate::operation::{Routes, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time};
use crate::segments::Segments;
use crate::status::StatusOut;
use app::AppError;
use app::deliveries::{DeliveriesInput, DeliveryState, DeliveryView, LastAttempt};
use axum::Json;
use axum::extract::State;
use model::delivery::EndReason;
use model::id::PublicDeliveryKind;
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/delivery")
        .get(
            organisation(
                "v1.delivery.list",
                "Deliveries of all applications, open and ended, those of the newest messages first",
            ),
            list,
        )
        .and_at("/api/v1/delivery/{delivery_id}")
        .get(organisation("v1.delivery.get", "A delivery"), get_one)
}

const STATES: [(&str, DeliveryState); 4] = [
    ("pending", DeliveryState::Pending),
    ("delivered", DeliveryState::Delivered),
    ("exhausted", DeliveryState::Exhausted),
    ("cancelled", DeliveryState::Cancelled),
];

/// A message on its way to an endpoint, or at its end: one and the same however often it is sent.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DeliveryOut {
    id: String,
    app_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_uid: Option<String>,
    endpoint_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_uid: Option<String>,
    msg_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    event_type: String,
    state: StateOut,
    /// How many attempts were made.
    attempts: u32,
    /// The last attempt; of what was delivered, the last that succeeded; of what was cancelled, the
    /// record of that.
    last_attempt: Option<LastAttemptOut>,
    /// When the next attempt is due, if there will be one.
    next_attempt: Option<Time>,
    /// When the message was accepted.
    created_at: Time,
    /// When it was delivered, given up or cancelled.
    ended_at: Option<Time>,
    /// Why it was cancelled.
    end_reason: Option<EndReasonOut>,
}

/// Whether an attempt will be made (`pending`), one succeeded (`delivered`), the last one failed
/// (`exhausted`), or it ended without one having had the last word (`cancelled`).
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DeliveryState")]
enum StateOut {
    Pending,
    Delivered,
    Exhausted,
    Cancelled,
}

impl From<DeliveryState> for StateOut {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending => Self::Pending,
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Exhausted => Self::Exhausted,
            DeliveryState::Cancelled => Self::Cancelled,
        }
    }
}

/// Why a delivery was cancelled.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DeliveryEndReason")]
enum EndReasonOut {
    EndpointDisabled,
    EndpointDeleted,
    PayloadExpired,
    PayloadExpunged,
    Cancelled,
}

impl From<EndReason> for EndReasonOut {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::EndpointDisabled => Self::EndpointDisabled,
            EndReason::EndpointDeleted => Self::EndpointDeleted,
            EndReason::PayloadGone => Self::PayloadExpired,
            EndReason::Expunged => Self::PayloadExpunged,
            EndReason::Cancelled => Self::Cancelled,
        }
    }
}

/// An attempt, as far as a delivery shows it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DeliveryLastAttempt")]
struct LastAttemptOut {
    id: String,
    timestamp: Time,
    /// 0 where there was no answer.
    response_status_code: u16,
    #[serde(flatten)]
    status: StatusOut,
}

impl From<LastAttempt> for LastAttemptOut {
    fn from(last: LastAttempt) -> Self {
        Self {
            id: last.id.to_string(),
            timestamp: Time(last.id.key().time()),
            response_status_code: last.status_code,
            status: last.status.into(),
        }
    }
}

impl From<DeliveryView> for DeliveryOut {
    fn from(view: DeliveryView) -> Self {
        let ended_at = view.ended_at().map(Time);
        let (application, app_uid) = view.application;
        let (endpoint, endpoint_uid) = view.endpoint;
        Self {
            id: view.id.to_string(),
            app_id: application.to_string(),
            app_uid: app_uid.map(|uid| uid.to_string()),
            endpoint_id: endpoint.to_string(),
            endpoint_uid: endpoint_uid.map(|uid| uid.to_string()),
            msg_id: view.message.id.to_string(),
            event_id: view.message.event_id.map(|id| id.to_string()),
            event_type: view.message.event_type.to_string(),
            state: view.state.into(),
            attempts: view.attempts,
            last_attempt: view.last.map(LastAttemptOut::from),
            next_attempt: view.next_attempt.map(Time),
            created_at: Time(view.message.id.key().time()),
            ended_at,
            end_reason: view.end_reason.map(EndReasonOut::from),
        }
    }
}

impl FromQuery for DeliveriesInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            list: query.recent::<PublicDeliveryKind>()?,
            state: query.choice("state", &STATES)?,
            application: query.name("app_id")?,
            endpoint: query.name("endpoint_id")?,
            event_type: query.name("event_type")?,
            status_code_class: query.choice("status_code_class", &CLASSES)?,
        })
    }
}

async fn list(
    State(api): State<Shared>,
    Query(input): Query<DeliveriesInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<DeliveryOut>>> {
    let page = api.app.deliveries(&caller, &input).await?;
    Ok(Json(page.map(DeliveryOut::from).into()))
}

async fn get_one(
    State(api): State<Shared>,
    Segments(delivery): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<DeliveryOut>> {
    let found = api.app.delivery(&caller, &delivery).await?;
    Ok(Json(found.into()))
}
