//! Sources: the places that incoming webhooks arrive at.

mod endpoint;

use super::{Kind, Noun, ORDER, Operation, Parameter, Shows, Verb};
use crate::command::Column;
use endpoint::OF_SOURCE;

const ID: Parameter = Parameter::target("id", "The source, by id or uid");
const SOURCE: Parameter = Parameter::path("source", "The source, by id or uid").required();
const NAME: Parameter = Parameter::body("name", "name", Kind::Text, "What people call it");
const UID: Parameter = Parameter::body("uid", "uid", Kind::Text, "Your own id of it");
const TYPE: Parameter = Parameter::body(
    "type",
    "type",
    Kind::Text,
    "Whose requests arrive there, such as stripe, github or generic-webhook",
);
const METADATA: Parameter = Parameter::body(
    "metadata",
    "metadata",
    Kind::Pairs,
    "What you want to remember of it (repeatable); where it is changed, all of it anew",
);
/// Before those of its members that have flags of their own.
const CONFIG: Parameter = Parameter::body(
    "source-config",
    "config",
    Kind::Json,
    "How it verifies what arrives, and all else: JSON, @FILE or -; see docs/sources.md",
);
const SECRET_FILE: Parameter = Parameter::body(
    "secret-file",
    "config.secret",
    Kind::SecretFile,
    "File with what its requests are signed with, or -",
);
const TO_APP: Parameter = Parameter::body(
    "app",
    "config.appId",
    Kind::Text,
    "The application that gets what arrives, by id or uid; otherwise one of its own",
);
const ALLOW: Parameter = Parameter::body(
    "allow-address",
    "config.allowAddresses",
    Kind::Words,
    "Only what comes from this network, or address (repeatable)",
);
const UNVERIFIED: Parameter = Parameter::body(
    "unverified",
    "config.unverified",
    Kind::Bool,
    "Take whatever arrives: whoever knows the URL can send anything",
);

pub(super) const SOURCE_NOUN: Noun = Noun {
    name: "source",
    about: "Sources: the places that incoming webhooks arrive at",
    operations: &[
        LIST,
        Operation {
            name: "get",
            about: "Show a source, with its URL and without its secrets",
            examples: "Example:
  postrider source get payments",
            verb: Verb::Get,
            paths: &["/ingest/source/{id}"],
            parameters: &[ID],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "create",
            about: "Make a source: what it shows as ingestUrl is what its provider is to call",
            examples: "Examples:
  postrider source create --name Payments --uid payments --type stripe --secret-file secret.txt
  postrider source create --name Code --type github --source-config @config.json --app acme
  postrider source create --name Tests --type generic-webhook --unverified",
            verb: Verb::Post,
            paths: &["/ingest/source"],
            parameters: &[
                NAME.required(),
                TYPE.required(),
                UID,
                METADATA,
                CONFIG,
                SECRET_FILE,
                TO_APP,
                ALLOW,
                UNVERIFIED,
            ],
            fixed: &[],
            shows: Shows::Fields,
        },
        PUT,
        Operation {
            name: "patch",
            about: "Change what a source is called, and its notes: what is not mentioned stays",
            examples: "Examples:
  postrider source patch payments --name 'Payments, live'
  postrider source patch payments --unset uid",
            verb: Verb::Patch,
            paths: &["/ingest/source/{id}"],
            parameters: &[ID, NAME, UID, METADATA],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "delete",
            about: "Remove a source, and the application of its own with what is open",
            examples: "Example:
  postrider source delete payments",
            verb: Verb::Delete,
            paths: &["/ingest/source/{id}"],
            parameters: &[ID],
            fixed: &[],
            shows: Shows::Done("deleted"),
        },
        Operation {
            name: "rotate-token",
            about: "Give a source another URL, and print it; the one that it had ends at once",
            examples: "Example:
  postrider source rotate-token payments",
            verb: Verb::Post,
            paths: &["/ingest/source/{id}/token/rotate"],
            parameters: &[ID],
            fixed: &[],
            shows: Shows::Text {
                field: "ingestUrl",
                lean: false,
            },
        },
        LOG,
        PORTAL,
        OF_SOURCE.list,
        OF_SOURCE.get,
        OF_SOURCE.create,
        OF_SOURCE.put,
        OF_SOURCE.delete,
        OF_SOURCE.headers,
        OF_SOURCE.set_headers,
        OF_SOURCE.secret,
        OF_SOURCE.rotate_secret,
    ],
};

const LIST: Operation = Operation {
    name: "list",
    about: "List sources",
    examples: "Examples:
  postrider source list
  postrider source list --all --json | jq -r '.data[].ingestUrl'",
    verb: Verb::List,
    paths: &["/ingest/source"],
    parameters: &[ORDER],
    fixed: &[],
    shows: Shows::Rows {
        columns: &[
            Column::of("id", "id"),
            Column::of("uid", "uid"),
            Column::of("name", "name"),
            Column::of("type", "type"),
            Column::of("replays", "replayProtection"),
            Column::of("unverified", "unverified"),
            Column::of("url", "ingestUrl"),
        ],
        lean: false,
    },
};

const PUT: Operation = Operation {
    name: "put",
    about: "Write a source anew, but for its URL: what is not mentioned is taken away",
    examples: "Example:
  postrider source put payments --name Payments --uid payments --type stripe \\
    --source-config @config.json",
    verb: Verb::Put,
    paths: &["/ingest/source/{id}"],
    parameters: &[
        ID,
        NAME.required(),
        TYPE.required(),
        UID,
        METADATA,
        CONFIG,
        SECRET_FILE,
        TO_APP,
        ALLOW,
        UNVERIFIED,
    ],
    fixed: &[],
    shows: Shows::Fields,
};

const LOG: Operation = Operation {
    name: "log",
    about: "List what a source refused, the newest first",
    examples: "Examples:
  postrider source log payments
  postrider source log payments --all --json",
    verb: Verb::List,
    paths: &["/ingest/source/{id}/log"],
    parameters: &[ID, ORDER],
    fixed: &[],
    shows: Shows::Rows {
        columns: &[
            Column::of("last", "updated_at"),
            Column::number("status", "status_code"),
            Column::of("why", "error_text"),
        ],
        lean: false,
    },
};

const PORTAL: Operation = Operation {
    name: "portal",
    about: "Make a token, and a link, for the people of a source's application",
    examples: "Example:
  postrider source portal payments --read-only",
    verb: Verb::Post,
    paths: &["/ingest/source/{id}/dashboard"],
    parameters: &[
        ID,
        Parameter::body(
            "expiry",
            "expiry",
            Kind::Number,
            "How long it is good, in seconds",
        ),
        Parameter::body("read-only", "readOnly", Kind::Bool, "It may only look"),
    ],
    fixed: &[],
    shows: Shows::Fields,
};
