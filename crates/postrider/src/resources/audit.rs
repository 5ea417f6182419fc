//! The audit log: who did what.

use super::{AFTER, BEFORE, Kind, Noun, Operation, Parameter, Shows, Verb};
use crate::command::Column;

pub(super) const AUDIT: Noun = Noun {
    name: "audit",
    about: "The audit log: who did what, when, from where, to what",
    operations: &[LIST, CHECKPOINT],
};

const LIST: Operation = Operation {
    name: "list",
    about: "List entries of the audit log, the newest first",
    examples: "Examples:
  postrider audit list --after 1d
  postrider audit list --action endpoint.secret_read
  postrider audit list --app acme --all --json",
    verb: Verb::List,
    paths: &["/audit"],
    parameters: &[
        Parameter::query(
            "action",
            "action",
            Kind::Text,
            "Only of what was done, such as endpoint.updated",
        ),
        Parameter::query(
            "actor",
            "actor",
            Kind::Text,
            "Only what this organisation, application, endpoint or rule did",
        ),
        Parameter::query(
            "app",
            "app_id",
            Kind::Text,
            "That concern this application, by id or uid; a deleted one by its id",
        ),
        AFTER,
        BEFORE,
    ],
    fixed: &[],
    shows: Shows::Rows {
        columns: &[
            Column::of("id", "id"),
            Column::of("at", "at"),
            Column::of("by", "actor.type"),
            Column::of("actor", "actor.id"),
            Column::of("from", "remoteAddress"),
            Column::of("action", "action"),
            Column::of("subject", "subject.id"),
            Column::number("position", "position"),
            Column::of("detail", "detail"),
        ],
        lean: false,
    },
};

const CHECKPOINT: Operation = Operation {
    name: "checkpoint",
    about: "Show the signed head of the log's chain, to be kept elsewhere",
    examples: "Examples:
  postrider audit checkpoint > checkpoint.json",
    verb: Verb::Get,
    paths: &["/audit/checkpoint"],
    parameters: &[],
    fixed: &[],
    shows: Shows::Json,
};
