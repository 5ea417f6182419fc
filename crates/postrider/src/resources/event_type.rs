//! Event types: the kinds of things that happen.

use super::{Kind, Noun, ORDER, Operation, Parameter, Shows, Verb};
use crate::command::Column;

const NAME: Parameter = Parameter::target("name", "Its name, such as invoice.paid");
const DESCRIPTION: Parameter = Parameter::body(
    "description",
    "description",
    Kind::Text,
    "What it means, for the developers of endpoints",
);
const GROUP: Parameter = Parameter::body(
    "group",
    "groupName",
    Kind::Text,
    "The group of event types that it is shown in",
);
const SCHEMAS: Parameter = Parameter::body(
    "schemas",
    "schemas",
    Kind::Json,
    "JSON Schemas of its payload, by version: JSON, @FILE or -",
);
const ARCHIVED: Parameter =
    Parameter::body("archived", "archived", Kind::Bool, "It is no longer used");
const DEPRECATED: Parameter = Parameter::body(
    "deprecated",
    "deprecated",
    Kind::Bool,
    "It is better not used any more",
);
const FEATURE_FLAGS: Parameter = Parameter::body(
    "feature-flag",
    "featureFlags",
    Kind::Words,
    "Only for whose token has one of these flags",
);

const RETRY_SCHEDULE: &str = "/event-type/{name}/retry-schedule";
const WAITS: Parameter = Parameter::body(
    "waits",
    "retrySchedule",
    Kind::Waits,
    "How long to wait after each failed attempt, such as 5s,10m,1h; `--waits=`: one attempt is all",
);

const REDACTION: &str = "/event-type/{name}/redaction";
pub(super) const RULES: Parameter = Parameter::body(
    "rules",
    "rules",
    Kind::Json,
    "What is dropped, masked or hashed, and where: JSON, @FILE or -",
);

pub(super) const EVENT_TYPE: Noun = Noun {
    name: "event-type",
    about: "Event types: the kinds of things that happen",
    operations: &[
        Operation {
            name: "list",
            about: "List event types",
            examples: "Examples:
  postrider event-type list
  postrider event-type list --archived --all
  postrider event-type list --with-content --json",
            verb: Verb::List,
            paths: &["/event-type"],
            parameters: &[
                ORDER,
                Parameter::query(
                    "archived",
                    "include_archived",
                    Kind::Bool,
                    "The archived ones, too",
                ),
                Parameter::query(
                    "with-content",
                    "with_content",
                    Kind::Bool,
                    "With their schemas, for --json",
                ),
            ],
            fixed: &[],
            shows: Shows::Rows {
                columns: &[
                    Column::of("name", "name"),
                    Column::of("description", "description"),
                    Column::of("group", "groupName"),
                    Column::of("archived", "archived"),
                    Column::of("deprecated", "deprecated"),
                    Column::of("created", "createdAt"),
                ],
                lean: true,
            },
        },
        Operation {
            name: "get",
            about: "Show an event type",
            examples: "Example:
  postrider event-type get invoice.paid",
            verb: Verb::Get,
            paths: &["/event-type/{name}"],
            parameters: &[NAME],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "create",
            about: "Make an event type",
            examples: "Examples:
  postrider event-type create --name invoice.paid --description 'An invoice was paid'
  postrider event-type create --name invoice.paid --description Paid --schemas @schemas.json",
            verb: Verb::Post,
            paths: &["/event-type"],
            parameters: &[
                Parameter::body("name", "name", Kind::Text, "Its name, such as invoice.paid")
                    .required(),
                DESCRIPTION.required(),
                GROUP,
                SCHEMAS,
                ARCHIVED,
                DEPRECATED,
                FEATURE_FLAGS,
            ],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "update",
            about: "Change an event type: what is not mentioned stays",
            examples: "Examples:
  postrider event-type update invoice.paid --deprecated
  postrider event-type update invoice.paid --archived=false --unset groupName",
            verb: Verb::Patch,
            paths: &["/event-type/{name}"],
            parameters: &[
                NAME,
                DESCRIPTION,
                GROUP,
                SCHEMAS,
                ARCHIVED,
                DEPRECATED,
                FEATURE_FLAGS,
            ],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "delete",
            about: "Archive an event type, or remove it",
            examples: "Examples:
  postrider event-type delete invoice.paid
  postrider event-type delete invoice.paid --expunge",
            verb: Verb::Delete,
            paths: &["/event-type/{name}"],
            parameters: &[
                NAME,
                Parameter::query(
                    "expunge",
                    "expunge",
                    Kind::Bool,
                    "Remove it, rather than archive it",
                ),
            ],
            fixed: &[],
            shows: Shows::Done("deleted"),
        },
        Operation {
            name: "retry-schedule",
            about: "Show when its messages are tried again, if not as the server has it",
            examples: "Example:
  postrider event-type retry-schedule invoice.paid",
            verb: Verb::Get,
            paths: &[RETRY_SCHEDULE],
            parameters: &[NAME],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "set-retry-schedule",
            about: "Give it a retry schedule of its own, for all that fails from now on",
            examples: "Examples:
  postrider event-type set-retry-schedule invoice.paid --waits 5s,10m,1h
  postrider event-type set-retry-schedule invoice.paid --waits=",
            verb: Verb::Put,
            paths: &[RETRY_SCHEDULE],
            parameters: &[NAME, WAITS.required()],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "delete-retry-schedule",
            about: "Take its retry schedule away: the server's own holds again",
            examples: "Example:
  postrider event-type delete-retry-schedule invoice.paid",
            verb: Verb::Put,
            paths: &[RETRY_SCHEDULE],
            parameters: &[NAME],
            fixed: &[],
            shows: Shows::Done("deleted the retry schedule of"),
        },
        Operation {
            name: "redaction",
            about: "Show what is taken from its messages' payloads for all endpoints",
            examples: "Example:
  postrider event-type redaction invoice.paid",
            verb: Verb::Get,
            paths: &[REDACTION],
            parameters: &[NAME],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "set-redaction",
            about: "Say what is taken from its messages' payloads for all endpoints",
            examples: "Examples:
  postrider event-type set-redaction invoice.paid --rules @rules.json
  postrider event-type set-redaction invoice.paid \\
    --rules '[{\"path\": \"/customer/email\", \"action\": \"mask\", \"keepLast\": 4}]'",
            verb: Verb::Put,
            paths: &[REDACTION],
            parameters: &[NAME, RULES.required()],
            fixed: &[],
            shows: Shows::Done("set the redaction rules of"),
        },
        Operation {
            name: "delete-redaction",
            about: "Take its redaction rules away",
            examples: "Example:
  postrider event-type delete-redaction invoice.paid",
            verb: Verb::Delete,
            paths: &[REDACTION],
            parameters: &[NAME],
            fixed: &[],
            shows: Shows::Done("deleted the redaction rules of"),
        },
    ],
};
