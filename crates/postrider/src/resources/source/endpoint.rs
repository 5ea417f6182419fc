//! A source's endpoints: what is done with them by the source. All else is done as with those of
//! any application, by the noun `endpoint`.

use super::SOURCE;
use crate::command::Column;
use crate::resources::{Kind, ORDER, Operation, Parameter, Shows, Verb};

const ID: Parameter = Parameter::target("id", "The endpoint, by id or uid");
const URL: Parameter = Parameter::body("url", "url", Kind::Text, "Where to deliver").required();
const UID: Parameter = Parameter::body("uid", "uid", Kind::Text, "Your own id of it");
const DESCRIPTION: Parameter =
    Parameter::body("description", "description", Kind::Text, "What it is for");
const DISABLED: Parameter =
    Parameter::body("disabled", "disabled", Kind::Bool, "Deliver nothing to it");
const RATE: Parameter = Parameter::body(
    "rate-limit",
    "throttleRate",
    Kind::Number,
    "Attempts a second to it, at the most",
);
const METADATA: Parameter = Parameter::body(
    "metadata",
    "metadata",
    Kind::Pairs,
    "What you want to remember of it (repeatable)",
);

pub(super) const LIST: Operation = Operation {
    name: "endpoints",
    about: "List the endpoints that get what arrives at a source",
    examples: "Example:
  postrider source endpoints --source payments",
    verb: Verb::List,
    paths: &["/ingest/source/{source}/endpoint"],
    parameters: &[SOURCE, ORDER],
    fixed: &[],
    shows: Shows::Rows {
        columns: &[
            Column::of("id", "id"),
            Column::of("uid", "uid"),
            Column::of("url", "url"),
            Column::of("disabled", "disabled"),
            Column::number("rate limit", "throttleRate"),
        ],
        lean: false,
    },
};

pub(super) const GET: Operation = Operation {
    name: "endpoint",
    about: "Show one of a source's endpoints",
    examples: "Example:
  postrider source endpoint --source payments first",
    verb: Verb::Get,
    paths: &["/ingest/source/{source}/endpoint/{id}"],
    parameters: &[ID, SOURCE],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const CREATE: Operation = Operation {
    name: "create-endpoint",
    about: "Register an endpoint that gets what arrives at a source",
    examples: "Example:
  postrider source create-endpoint --source payments --url https://inner.example.com/in",
    verb: Verb::Post,
    paths: &["/ingest/source/{source}/endpoint"],
    parameters: &[
        SOURCE,
        URL,
        UID,
        DESCRIPTION,
        DISABLED,
        RATE,
        METADATA,
        Parameter::body(
            "secret-file",
            "secret",
            Kind::SecretFile,
            "File with what to sign with (whsec_… or whsk_…), or -; otherwise one is made",
        ),
    ],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const PUT: Operation = Operation {
    name: "put-endpoint",
    about: "Write one anew, but for its secret and headers",
    examples: "Example:
  postrider source put-endpoint --source payments first --url https://inner.example.com/in",
    verb: Verb::Put,
    paths: &["/ingest/source/{source}/endpoint/{id}"],
    parameters: &[ID, SOURCE, URL, UID, DESCRIPTION, DISABLED, RATE, METADATA],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const DELETE: Operation = Operation {
    name: "delete-endpoint",
    about: "Remove one of a source's endpoints",
    examples: "Example:
  postrider source delete-endpoint --source payments first",
    verb: Verb::Delete,
    paths: &["/ingest/source/{source}/endpoint/{id}"],
    parameters: &[ID, SOURCE],
    fixed: &[],
    shows: Shows::Done("deleted"),
};

pub(super) const HEADERS: Operation = Operation {
    name: "endpoint-headers",
    about: "Show the headers that its requests carry, without the values of secret ones",
    examples: "Example:
  postrider source endpoint-headers --source payments first",
    verb: Verb::Get,
    paths: &["/ingest/source/{source}/endpoint/{id}/headers"],
    parameters: &[ID, SOURCE],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const SET_HEADERS: Operation = Operation {
    name: "set-endpoint-headers",
    about: "Replace the headers that its requests carry",
    examples: "Example:
  postrider source set-endpoint-headers --source payments first headers.json",
    verb: Verb::Put,
    paths: &["/ingest/source/{source}/endpoint/{id}/headers"],
    parameters: &[
        ID,
        SOURCE,
        Parameter::whole("file", "File with {\"headers\": {…}} as JSON, or -"),
    ],
    fixed: &[],
    shows: Shows::Done("set the headers of"),
};

pub(super) const SECRET: Operation = Operation {
    name: "endpoint-secret",
    about: "Print what its deliveries are signed with",
    examples: "Example:
  postrider source endpoint-secret --source payments first > secret.txt",
    verb: Verb::Get,
    paths: &["/ingest/source/{source}/endpoint/{id}/secret"],
    parameters: &[ID, SOURCE],
    fixed: &[],
    shows: Shows::Text {
        field: "key",
        lean: false,
    },
};

pub(super) const ROTATE_SECRET: Operation = Operation {
    name: "rotate-endpoint-secret",
    about: "Give it a new secret; the old one signs on for a while",
    examples: "Example:
  postrider source rotate-endpoint-secret --source payments first --grace-seconds 3600",
    verb: Verb::Post,
    paths: &["/ingest/source/{source}/endpoint/{id}/secret/rotate"],
    parameters: &[
        ID,
        SOURCE,
        Parameter::body(
            "secret-file",
            "key",
            Kind::SecretFile,
            "File with the new secret, or -; otherwise one is made",
        ),
        Parameter::body(
            "grace-seconds",
            "gracePeriodSeconds",
            Kind::Number,
            "How long the old one signs as well; 0: not at all",
        ),
    ],
    fixed: &[],
    shows: Shows::Done("rotated the secret of"),
};
