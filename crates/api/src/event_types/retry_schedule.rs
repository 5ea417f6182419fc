//! An event type's own retry schedule: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::operation::{Routes, organisation};
use crate::render::Answer;
use crate::segments::Segments;
use axum::Json;
use axum::extract::State;
use model::retry::{RETRIES_MAX, RetrySchedule, WAIT_MAX};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/event-type/{event_type_name}/retry-schedule")
        .get(
            organisation(
                "v1.event-type.get-retry-schedule",
                "An event type's own retry schedule",
            ),
            get_one,
        )
        .put(
            organisation(
                "v1.event-type.set-retry-schedule",
                "Gives an event type a retry schedule of its own, or takes it away",
            ),
            set,
        )
}

/// When failed deliveries of an event type's messages are tried again.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = may_be_missing)]
struct RetryScheduleInOut {
    /// The waits between attempts, each as its parts or as a number of seconds; none: one attempt
    /// is all. `null`: the server's own schedule. It holds for all attempts that fail from now on,
    /// also of messages that were sent before.
    #[schemars(with = "Option<Waits>")]
    retry_schedule: Option<Vec<Wait>>,
}

/// It is the same shape both ways, although an answer always has the field.
fn may_be_missing(shape: &mut Schema) {
    shape.remove("required");
}

/// The waits, as the document shows them.
pub(crate) struct Waits;

impl JsonSchema for Waits {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Waits".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let seconds = json!({ "type": "integer", "minimum": 0, "maximum": WAIT_MAX.as_secs() });
        let wait = [generator.subschema_for::<WaitFields>().to_value(), seconds];
        json_schema!({ "type": "array", "items": { "anyOf": wait }, "maxItems": RETRIES_MAX })
    }
}

/// A time span.
#[derive(Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "Duration")]
struct WaitFields {
    /// At most 7 days.
    #[schemars(range(max = 604_800))]
    secs: u64,
    #[schemars(range(max = 4_294_967_295_u32))]
    nanos: u32,
}

/// A wait: a number of seconds, or its parts.
#[derive(Clone, Copy)]
pub(crate) struct Wait(pub(crate) Duration);

impl Serialize for Wait {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = WaitFields {
            secs: self.0.as_secs(),
            nanos: self.0.subsec_nanos(),
        };
        fields.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WaitVisitor)
    }
}

struct WaitVisitor;

impl<'de> Visitor<'de> for WaitVisitor {
    type Value = Wait;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of seconds, or {\"secs\": …, \"nanos\": …}")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Wait, E> {
        Ok(Wait(Duration::from_secs(seconds)))
    }

    /// A whole number may be written as a fraction.
    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Wait, E> {
        match seconds.fract() == 0.0 && seconds >= 0.0 {
            true => self.visit_u64(seconds as u64),
            false => Err(E::invalid_value(Unexpected::Float(seconds), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Wait, A::Error> {
        let fields = WaitFields::deserialize(MapAccessDeserializer::new(map))?;
        let seconds = Duration::from_secs(fields.secs);
        let nanos = Duration::from_nanos(fields.nanos.into());
        // Longer than can be said is longer than may be.
        Ok(Wait(seconds.checked_add(nanos).unwrap_or(Duration::MAX)))
    }
}

impl From<Option<RetrySchedule>> for RetryScheduleInOut {
    fn from(schedule: Option<RetrySchedule>) -> Self {
        let waits = |schedule: RetrySchedule| schedule.waits().iter().copied().map(Wait).collect();
        Self {
            retry_schedule: schedule.map(waits),
        }
    }
}

async fn get_one(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<RetryScheduleInOut>> {
    let own = api.app.retry_schedule(&caller, &name).await?;
    Ok(Json(own.into()))
}

async fn set(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    call: Call<RetryScheduleInOut>,
) -> Answer<Json<RetryScheduleInOut>> {
    api.app.event_type_to_change(&call.caller, &name).await?;
    let waits = call.json()?.retry_schedule;
    let waits = waits.map(|waits| waits.into_iter().map(|Wait(wait)| wait).collect());
    let set = api
        .app
        .set_retry_schedule(&call.caller, &name, waits)
        .await?;
    Ok(Json(set.into()))
}
