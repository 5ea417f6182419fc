//! Applications: the consumers of events.

use super::{Kind, Noun, ORDER, Operation, Parameter, Shows, Verb};
use crate::command::Column;

const ID: Parameter = Parameter::target("id", "The application, by id or uid");
const NAME: Parameter = Parameter::body("name", "name", Kind::Text, "What people call it");
const UID: Parameter = Parameter::body("uid", "uid", Kind::Text, "Your own id of it");
const RATE_LIMIT: Parameter = Parameter::body(
    "rate-limit",
    "rateLimit",
    Kind::Number,
    "Attempts a second to all of its endpoints together, at the most",
);
const METADATA: Parameter = Parameter::body(
    "metadata",
    "metadata",
    Kind::Pairs,
    "What you want to remember of it (repeatable); on update, all of it anew",
);

pub(super) const APP: Noun = Noun {
    name: "app",
    about: "Applications: the consumers of events",
    operations: &[
        Operation {
            name: "list",
            about: "List applications",
            examples: "Examples:
  postrider app list
  postrider app list --with-endpoints-only --order descending
  postrider app list --all --json | jq -r '.data[].uid'",
            verb: Verb::List,
            paths: &["/app"],
            parameters: &[
                ORDER,
                Parameter::query(
                    "with-endpoints-only",
                    "exclude_apps_with_no_endpoints",
                    Kind::Bool,
                    "Only those that have an endpoint",
                ),
                Parameter::query(
                    "without-disabled-only",
                    "exclude_apps_with_disabled_endpoints",
                    Kind::Bool,
                    "Only those of which no endpoint is disabled",
                ),
            ],
            fixed: &[],
            shows: Shows::Rows {
                columns: &[
                    Column::of("id", "id"),
                    Column::of("uid", "uid"),
                    Column::of("name", "name"),
                    Column::number("rate limit", "rateLimit"),
                    Column::of("created", "createdAt"),
                ],
                lean: false,
            },
        },
        Operation {
            name: "get",
            about: "Show an application",
            examples: "Example:
  postrider app get acme",
            verb: Verb::Get,
            paths: &["/app/{id}"],
            parameters: &[ID],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "create",
            about: "Make an application",
            examples: "Examples:
  postrider app create --name Acme --uid acme
  postrider app create --name Acme --metadata plan=gold --metadata region=eu
  postrider app create --body @app.json",
            verb: Verb::Post,
            paths: &["/app"],
            parameters: &[
                NAME.required(),
                UID,
                RATE_LIMIT,
                METADATA,
                Parameter::query(
                    "get-if-exists",
                    "get_if_exists",
                    Kind::Bool,
                    "If there is one of this uid already, show that one",
                ),
            ],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "update",
            about: "Change an application: what is not mentioned stays",
            examples: "Examples:
  postrider app update acme --name 'Acme Ltd'
  postrider app update acme --unset rateLimit",
            verb: Verb::Patch,
            paths: &["/app/{id}"],
            parameters: &[ID, NAME, UID, RATE_LIMIT, METADATA],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "delete",
            about: "Remove an application, its endpoints and messages",
            examples: "Example:
  postrider app delete acme",
            verb: Verb::Delete,
            paths: &["/app/{id}"],
            parameters: &[ID],
            fixed: &[],
            shows: Shows::Done("deleted"),
        },
    ],
};
