//! Background work: what takes longer than a request, in a list and by its id. What begins it is
//! beside what it is done to, and answers with the shapes of here.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::operation::{Routes, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time};
use crate::segments::Segments;
use app::AppError;
use app::tasks::{KIND_NAMES, STATE_NAMES, Task, TaskKind, TaskState, TasksInput};
use axum::Json;
use axum::extract::State;
use model::id::TaskKind as TaskIdKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::borrow::Cow;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/background-task")
        .get(
            organisation(
                "v1.background-task.list",
                "Background work, the newest first",
            ),
            list,
        )
        .and_at("/api/v1/background-task/{task_id}")
        .get(
            organisation("v1.background-task.get", "How background work stands"),
            get,
        )
}

/// How background work stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskStatus(pub(crate) TaskState);

/// What background work does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskType(pub(crate) TaskKind);

macro_rules! word_of {
    ($shape:ident, $name:literal, $about:literal, $words:ident) => {
        impl Serialize for $shape {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let found = $words.iter().find(|(_, other)| *other == self.0);
                serializer.serialize_str(found.expect("every one has its word").0)
            }
        }

        impl JsonSchema for $shape {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let words = $words.map(|(word, _)| word);
                json_schema!({ "type": "string", "enum": words, "description": $about })
            }
        }
    };
}

word_of!(
    TaskStatus,
    "BackgroundTaskStatus",
    "How background work stands.",
    STATE_NAMES
);
word_of!(
    TaskType,
    "BackgroundTaskType",
    "What background work does.",
    KIND_NAMES
);

/// What is told of background work that was begun: shapes of their own names, which are all the
/// same.
macro_rules! begun {
    ($($(#[$doc:meta])* $shape:ident;)*) => {$(
        $(#[$doc])*
        #[derive(serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $shape {
            id: String,
            status: $crate::background::TaskStatus,
            task: $crate::background::TaskType,
            updated_at: $crate::render::Time,
        }

        impl From<app::tasks::Task> for $shape {
            fn from(task: app::tasks::Task) -> Self {
                Self {
                    id: task.id.to_string(),
                    status: $crate::background::TaskStatus(task.state),
                    task: $crate::background::TaskType(task.kind),
                    updated_at: $crate::render::Time(task.updated_at),
                }
            }
        }
    )*};
}
pub(crate) use begun;

/// Background work as it stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BackgroundTaskOut {
    id: String,
    status: TaskStatus,
    task: TaskType,
    /// What has come of it so far, such as `messagesSent`. Where it failed, `error` says why.
    data: Map<String, Value>,
    updated_at: Time,
}

impl From<Task> for BackgroundTaskOut {
    fn from(task: Task) -> Self {
        Self {
            id: task.id.to_string(),
            status: TaskStatus(task.state),
            task: TaskType(task.kind),
            data: task.data,
            updated_at: Time(task.updated_at),
        }
    }
}

struct Asked(TasksInput);

impl FromQuery for Asked {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self(TasksInput {
            state: query.choice("status", &STATE_NAMES)?,
            kind: query.choice("task", &KIND_NAMES)?,
            list: query.list::<TaskIdKind>()?,
        }))
    }
}

async fn list(
    State(api): State<Shared>,
    Query(Asked(input)): Query<Asked>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<BackgroundTaskOut>>> {
    let page = api.app.tasks(&caller, &input).await?;
    Ok(Json(page.map(BackgroundTaskOut::from).into()))
}

async fn get(
    State(api): State<Shared>,
    Segments(task): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<BackgroundTaskOut>> {
    let task = api.app.task(&caller, &task).await?;
    Ok(Json(task.into()))
}
