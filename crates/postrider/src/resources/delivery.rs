//! Deliveries of all applications: messages on their way to endpoints, or at their end. `resend`
//! is more than one request: `command/remote/resend.rs`.

use super::{BEFORE, CODE_CLASS, Kind, Noun, Operation, Parameter, Shows, Verb};
use crate::command::Column;

const APP: Parameter = Parameter::query(
    "app",
    "app_id",
    Kind::Text,
    "Of this application, by id or uid",
);
const ENDPOINT: Parameter = Parameter::query(
    "endpoint",
    "endpoint_id",
    Kind::Text,
    "To this endpoint, by id; by uid as well with --app",
);
const TYPE: Parameter = Parameter::query(
    "type",
    "event_type",
    Kind::Text,
    "Of messages of this event type",
);
const SINCE: Parameter = Parameter::query(
    "since",
    "after",
    Kind::Time,
    "Of messages that were accepted since then: a time, or how long ago, such as 2d",
);

/// What both are looked for by that are listed and sent again, behind what each has of its own.
macro_rules! filtered {
    ($($own:expr),* $(,)?) => {
        &[$($own,)* APP, ENDPOINT, TYPE, CODE_CLASS, SINCE, BEFORE]
    };
}

/// What a table of deliveries shows.
pub(crate) const COLUMNS: &[Column] = &[
    Column::of("id", "id"),
    Column::of("created", "createdAt"),
    Column::of("app", "appUid|appId"),
    Column::of("endpoint", "endpointUid|endpointId"),
    Column::of("message", "msgId"),
    Column::of("type", "eventType"),
    Column::of("state", "state"),
    Column::number("attempts", "attempts"),
    Column::number("code", "lastAttempt.responseStatusCode"),
    Column::of("next attempt", "nextAttempt"),
    Column::of("ended", "endedAt"),
    Column::of("reason", "endReason"),
];

const LIST: Operation = Operation {
    name: "list",
    about: "List deliveries of all applications, or of one: what is open, and what has ended",
    examples: "Examples:
  postrider delivery list --state exhausted --since 2d
  postrider delivery list --state pending --app acme --endpoint first
  postrider delivery list --code-class 500 --type invoice.paid --all --json",
    verb: Verb::List,
    paths: &["/delivery"],
    parameters: filtered![Parameter::query(
        "state",
        "state",
        Kind::Choice(&[
            ("pending", "pending"),
            ("delivered", "delivered"),
            ("exhausted", "exhausted"),
            ("cancelled", "cancelled"),
        ]),
        "Only those that stand so; exhausted: given up after the last attempt",
    ),],
    fixed: &[],
    shows: Shows::Rows {
        columns: COLUMNS,
        lean: false,
    },
};

const GET: Operation = Operation {
    name: "get",
    about: "Show a delivery",
    examples: "Example:
  postrider delivery get dlv_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    verb: Verb::Get,
    paths: &["/delivery/{id}"],
    parameters: &[Parameter::target(
        "id",
        "The delivery's id, as `list` prints it",
    )],
    fixed: &[],
    shows: Shows::Fields,
};

const RESEND: Operation = Operation {
    name: "resend",
    about: "Make one more attempt of deliveries that have ended: of these, or of all that were meant",
    examples: "Examples:
  postrider delivery resend dlv_2KWPBgLlAfxdpx2AI54pPJ85f4W
  postrider delivery resend --state exhausted --app acme --since 2d --dry-run
  postrider delivery resend --state exhausted --app acme --since 2d
  postrider delivery resend --state cancelled --endpoint ep_2KWPBgLlAfxdpx2AI54pPJ85f4W --yes",
    verb: Verb::Resend,
    paths: &["/delivery/{id}", "/delivery"],
    parameters: filtered![
        Parameter {
            kind: Kind::Words,
            is_required: false,
            ..Parameter::target("id", "Deliveries, as `list` prints their ids")
        },
        Parameter::query(
            "state",
            "state",
            Kind::Choice(&[
                ("exhausted", "exhausted"),
                ("cancelled", "cancelled"),
                ("delivered", "delivered"),
            ]),
            "All that stand so, of those that are meant besides",
        ),
    ],
    fixed: &[],
    shows: Shows::Rows {
        columns: COLUMNS,
        lean: false,
    },
};

pub(super) const DELIVERY: Noun = Noun {
    name: "delivery",
    about: "Deliveries of all applications: messages on their way to endpoints, or at their end",
    operations: &[LIST, GET, RESEND],
};
