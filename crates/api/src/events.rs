//! Following what is sent: messages in the order in which they were accepted, of one application or
//! of all. Polled: what iterators and waiting mean is in [`app::following`].

use crate::Shared;
use crate::authentication::Authenticated;
use crate::messages::MessageOut;
use crate::operation::{Routes, application, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::Answer;
use crate::segments::Segments;
use app::AppError;
use app::filter::Filter;
use app::following::{FollowInput, Followed};
use app::messages::MessageView;
use axum::Json;
use axum::extract::State;
use model::id::MessageKind;
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/events")
        .get(
            application(
                "v1.message.events",
                "Messages in the order in which they were accepted, to be polled",
            ),
            of_one,
        )
        .and_at("/api/v1/events")
        .get(
            organisation(
                "v1.events.stream",
                "The same of all applications, to be polled",
            ),
            of_all,
        )
}

/// The next messages, the oldest first.
#[derive(Serialize, JsonSchema)]
struct MessageEventsOut {
    data: Vec<MessageOut>,
    /// Goes on behind these. It is also there where there are none yet: ask again with it, and what
    /// was accepted meanwhile comes, once.
    iterator: String,
    /// Whether there are no more at the moment.
    done: bool,
}

impl From<Followed<MessageView>> for MessageEventsOut {
    fn from(followed: Followed<MessageView>) -> Self {
        Self {
            data: followed.data.into_iter().map(MessageOut::from).collect(),
            iterator: followed.iterator,
            done: !followed.more,
        }
    }
}

impl FromQuery for FollowInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let (limit, iterator) = query.forward::<MessageKind>()?;
        let input = Self {
            limit,
            iterator,
            filter: Filter {
                event_types: query.names("event_types")?,
                channels: query.names("channels")?,
                tag: None,
            },
            after: query.time("after")?,
        };
        input.checked()
    }
}

async fn of_one(
    State(api): State<Shared>,
    Segments(application): Segments<String>,
    Query(input): Query<FollowInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<MessageEventsOut>> {
    let followed = api.app.follow(&caller, &application, &input).await?;
    Ok(Json(followed.into()))
}

async fn of_all(
    State(api): State<Shared>,
    Query(input): Query<FollowInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<MessageEventsOut>> {
    let followed = api.app.follow_all(&caller, &input).await?;
    Ok(Json(followed.into()))
}
