//! Background tasks: what takes longer than a request. Whatever begins one prints its id.

use super::{Kind, Noun, ORDER, Operation, Parameter, Shows, Verb};
use crate::command::Column;

/// How one stands, in the API's words.
const STATUS: Kind = Kind::Choice(&[
    ("running", "running"),
    ("finished", "finished"),
    ("failed", "failed"),
]);

/// What one does, in the API's words.
const TASK: Kind = Kind::Choice(&[
    ("endpoint.recover", "endpoint.recover"),
    ("endpoint.replay", "endpoint.replay"),
    ("endpoint.bulk-replay", "endpoint.bulk-replay"),
    ("application.purge_content", "application.purge_content"),
    ("application.stats", "application.stats"),
    ("event-type.aggregate", "event-type.aggregate"),
    ("message.broadcast", "message.broadcast"),
    ("sdk.generate", "sdk.generate"),
]);

pub(super) const BACKGROUND_TASK: Noun = Noun {
    name: "background-task",
    about: "Background tasks: what was begun and takes longer than a request",
    operations: &[
        Operation {
            name: "list",
            about: "List background tasks, the newest first",
            examples: "Examples:
  postrider background-task list
  postrider background-task list --status running
  postrider background-task list --task endpoint.recover --all --json | jq -r '.data[].id'",
            verb: Verb::List,
            paths: &["/background-task"],
            parameters: &[
                ORDER,
                Parameter::query("status", "status", STATUS, "Only those that stand so"),
                Parameter::query("task", "task", TASK, "Only those that do this"),
            ],
            fixed: &[],
            shows: Shows::Rows {
                columns: &[
                    Column::of("id", "id"),
                    Column::of("task", "task"),
                    Column::of("status", "status"),
                    Column::number("messages", "data.messagesSent|data.messagesPurged"),
                    Column::of("error", "data.error"),
                    Column::of("updated", "updatedAt"),
                ],
                lean: false,
            },
        },
        Operation {
            name: "get",
            about: "Show a background task with what has come of it",
            examples: "Example:
  postrider background-task get qtask_2KWPBgLlAfxdpx2AI54pPJ85f4W",
            verb: Verb::Get,
            paths: &["/background-task/{id}"],
            parameters: &[Parameter::target(
                "id",
                "Its id, as it was printed when it began",
            )],
            fixed: &[],
            shows: Shows::Fields,
        },
    ],
};
