//! Messages: the events that were sent. `send` is what makes one.

use super::{
    AFTER, APP, BEFORE, CHANNEL, EVENT_TYPES, EXPANDED, Kind, Noun, Operation, Parameter, STATUS,
    Shows, TAG, Verb,
};
use crate::command::Column;

const ID: Parameter = Parameter::target("id", "The message, by id or event id");

const PARTS: &[Parameter] = &[
    APP,
    Parameter::body("type", "eventType", Kind::Text, "The event's type").required(),
    Parameter::body(
        "data",
        "payload",
        Kind::Json,
        "The payload, a JSON object: itself, @FILE or -",
    )
    .required(),
    Parameter::body(
        "event-id",
        "eventId",
        Kind::Text,
        "Your own id of the event: a second one is refused",
    ),
    Parameter::body(
        "channel",
        "channels",
        Kind::Words,
        "Only to endpoints that listen to one of these",
    ),
    Parameter::body("tag", "tags", Kind::Words, "Words to find it by"),
];

/// `send`.
pub(crate) const SEND: Operation = Operation {
    name: "send",
    about: "Send a message, and print its id",
    examples: "Examples:
  postrider send --app acme --type invoice.paid --data '{\"id\": \"inv_1\"}'
  postrider send --app acme --type invoice.paid --data @event.json --event-id inv_1
  echo '{\"id\": \"inv_1\"}' | postrider send --app acme --type invoice.paid --data -",
    verb: Verb::Post,
    paths: &["/app/{app}/msg"],
    parameters: PARTS,
    fixed: &[],
    shows: Shows::Text {
        field: "id",
        lean: true,
    },
};

pub(super) const MESSAGE: Noun = Noun {
    name: "message",
    about: "Messages: the events that were sent",
    operations: &[
        Operation {
            name: "list",
            about: "List an application's messages, or how they stand with an endpoint",
            examples: "Examples:
  postrider message list --app acme --type invoice.paid --after 2h
  postrider message list --app acme --endpoint first --status fail
  postrider message list --app acme --all --json | jq -c '.data[].payload'",
            verb: Verb::List,
            paths: &["/app/{app}/endpoint/{endpoint}/msg", "/app/{app}/msg"],
            parameters: &[
                APP,
                Parameter::path("endpoint", "Those to this endpoint, by id or uid"),
                Parameter::query(
                    "status",
                    "status",
                    STATUS,
                    "Only those that stand so with it",
                )
                .needs("endpoint"),
                BEFORE,
                AFTER,
                EVENT_TYPES,
                CHANNEL,
                TAG,
                Parameter::query(
                    "with-content",
                    "with_content",
                    Kind::Bool,
                    "With their payloads, for --json (unless `=false`)",
                ),
            ],
            fixed: &[EXPANDED],
            shows: Shows::Rows {
                columns: &[
                    Column::of("id", "id"),
                    Column::of("time", "timestamp"),
                    Column::of("type", "eventType"),
                    Column::of("event id", "eventId"),
                    Column::of("channels", "channels"),
                    Column::of("tags", "tags"),
                    Column::of("status", "statusText"),
                    Column::of("next attempt", "nextAttempt"),
                ],
                lean: true,
            },
        },
        Operation {
            name: "get",
            about: "Show a message with its payload",
            examples: "Example:
  postrider message get --app acme msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
            verb: Verb::Get,
            paths: &["/app/{app}/msg/{id}"],
            parameters: &[
                ID,
                APP,
                Parameter::query(
                    "with-content",
                    "with_content",
                    Kind::Bool,
                    "With its payload (unless `=false`)",
                ),
            ],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "create",
            about: "Send a message, and show it: `send` prints its id alone",
            examples: "Example:
  postrider message create --app acme --type invoice.paid --data '{\"id\": \"inv_1\"}'",
            verb: Verb::Post,
            paths: &["/app/{app}/msg"],
            parameters: PARTS,
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "delete",
            about: "Remove a message's payload; the message itself stays, with its attempts",
            examples: "Example:
  postrider message delete --app acme msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
            verb: Verb::Delete,
            paths: &["/app/{app}/msg/{id}/content"],
            parameters: &[ID, APP],
            fixed: &[],
            shows: Shows::Done("deleted the payload of"),
        },
        Operation {
            name: "expunge",
            about: "Remove all that was sent of somebody, in all applications, and what was \
                    answered to it: by a value in the payloads, or by a tag",
            examples: "Examples:
  postrider message expunge --where /customer/email=ada@example.com
  postrider message expunge --where 'customers.*.id=42' --json
  postrider message expunge --tag customer-7 --no-wait",
            verb: Verb::Begin,
            paths: &["/message/expunge"],
            parameters: &[
                Parameter::body(
                    "where",
                    "where",
                    Kind::ValueAt,
                    "What payloads have there: a JSON Pointer or names with dots, = and the value",
                ),
                Parameter::body("tag", "tag", Kind::Text, "What they are tagged with")
                    .instead_of("where"),
            ],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "resend",
            about: "Make one more attempt of a message to an endpoint",
            examples: "Example:
  postrider message resend --app acme --endpoint first msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
            verb: Verb::Post,
            paths: &["/app/{app}/msg/{id}/endpoint/{endpoint}/resend"],
            parameters: &[
                ID,
                APP,
                Parameter::path("endpoint", "The endpoint, by id or uid").required(),
            ],
            fixed: &[],
            shows: Shows::Done("sent again:"),
        },
    ],
};
