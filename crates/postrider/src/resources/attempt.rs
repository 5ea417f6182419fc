//! Attempts: the requests that deliveries were made with.

use super::{
    AFTER, APP, BEFORE, CHANNEL, CODE_CLASS, EVENT_TYPES, EXPANDED, Kind, Noun, Operation,
    Parameter, Place, STATUS, Shows, TAG, Verb,
};
use crate::command::Column;

const ID: Parameter = Parameter::target("id", "The attempt's id");
const MESSAGE: Parameter = Parameter::path("message", "Its message, by id or event id").required();

pub(super) const ATTEMPT: Noun = Noun {
    name: "attempt",
    about: "Attempts: the requests that deliveries were made with",
    operations: &[
        Operation {
            name: "list",
            about: "List the attempts of a message, or those to an endpoint",
            examples: "Examples:
  postrider attempt list --app acme --message msg_2KWPBgLlAfxdpx2AI54pPJ85f4W
  postrider attempt list --app acme --endpoint first --status fail --after 2h
  postrider attempt list --app acme --endpoint first --code-class 500 --all --json",
            verb: Verb::List,
            paths: &[
                "/app/{app}/attempt/msg/{message}",
                "/app/{app}/attempt/endpoint/{endpoint}",
            ],
            parameters: &[
                APP,
                Parameter::path("message", "Of this message, by id or event id"),
                Parameter {
                    place: Place::Path(Some("endpoint_id")),
                    ..Parameter::path("endpoint", "To this endpoint, by id or uid")
                },
                Parameter::query("status", "status", STATUS, "Only those that ended so"),
                CODE_CLASS,
                BEFORE,
                AFTER,
                EVENT_TYPES,
                CHANNEL,
                TAG,
                Parameter::query(
                    "with-content",
                    "with_content",
                    Kind::Bool,
                    "With what was answered, for --json (unless `=false`)",
                ),
                Parameter::query(
                    "with-message",
                    "with_msg",
                    Kind::Bool,
                    "With the message of each, for --json",
                ),
            ],
            fixed: &[EXPANDED],
            shows: Shows::Rows {
                columns: &[
                    Column::of("id", "id"),
                    Column::of("time", "timestamp"),
                    Column::of("message", "msgId"),
                    Column::of("endpoint", "endpointId"),
                    Column::of("status", "statusText"),
                    Column::number("code", "responseStatusCode"),
                    Column::number("ms", "responseDurationMs"),
                ],
                lean: true,
            },
        },
        Operation {
            name: "get",
            about: "Show an attempt with what was answered",
            examples: "Example:
  postrider attempt get --app acme --message msg_2KWPBgLlAfxdpx2AI54pPJ85f4W \\
    atmpt_2KWPBgLlAfxdpx2AI54pPJ85f4X",
            verb: Verb::Get,
            paths: &["/app/{app}/msg/{message}/attempt/{id}"],
            parameters: &[ID, APP, MESSAGE],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "headers",
            about: "Show the headers of an attempt: those sent, and those of a failed response",
            examples: "Example:
  postrider attempt headers --app acme --message msg_2KWPBgLlAfxdpx2AI54pPJ85f4W \\
    atmpt_2KWPBgLlAfxdpx2AI54pPJ85f4X",
            verb: Verb::Get,
            paths: &["/app/{app}/msg/{message}/attempt/{id}/headers"],
            parameters: &[ID, APP, MESSAGE],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "delete",
            about: "Remove what an attempt was answered; the attempt itself stays",
            examples: "Example:
  postrider attempt delete --app acme --message msg_2KWPBgLlAfxdpx2AI54pPJ85f4W \\
    atmpt_2KWPBgLlAfxdpx2AI54pPJ85f4X",
            verb: Verb::Delete,
            paths: &["/app/{app}/msg/{message}/attempt/{id}/content"],
            parameters: &[ID, APP, MESSAGE],
            fixed: &[],
            shows: Shows::Done("deleted the answer to"),
        },
    ],
};
