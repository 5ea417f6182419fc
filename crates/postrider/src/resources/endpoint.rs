//! Endpoints: the URLs that an application hears of events at.

mod connection;
mod encryption;
mod oauth;
mod part;
mod verification;

use super::{APP, Kind, Noun, ORDER, Operation, Parameter, Place, Shows, Verb};
use crate::command::Column;
use part::{Part, part};

const ID: Parameter = Parameter::target("id", "The endpoint, by id or uid");
const URL: Parameter = Parameter::body("url", "url", Kind::Text, "Where to deliver");
const UID: Parameter = Parameter::body("uid", "uid", Kind::Text, "Your own id of it");
const DESCRIPTION: Parameter =
    Parameter::body("description", "description", Kind::Text, "What it is for");
const TYPES: Parameter = Parameter::body(
    "type",
    "eventTypes",
    Kind::Words,
    "Only messages of these event types",
);
const CHANNELS: Parameter = Parameter::body(
    "channel",
    "channels",
    Kind::Words,
    "Only messages of one of these channels",
);
const DISABLED: Parameter =
    Parameter::body("disabled", "disabled", Kind::Bool, "Deliver nothing to it");
const RATE_LIMIT: Parameter = Parameter::body(
    "rate-limit",
    "rateLimit",
    Kind::Number,
    "Attempts a second to it, at the most",
);
const METADATA: Parameter = Parameter::body(
    "metadata",
    "metadata",
    Kind::Pairs,
    "What you want to remember of it (repeatable); on update, all of it anew",
);

const HEADER: Parameter = Parameter::new(
    "header",
    Place::Header,
    Kind::Headers,
    "A header for its requests, 'NAME: VALUE' (repeatable); not for secrets",
);
const HEADER_FILE: Parameter = Parameter::new(
    "header-file",
    Place::Header,
    Kind::HeaderFile,
    "File with a header in each line, or -: for those that hold secrets",
);
const UNSET_HEADER: Parameter = Parameter::new(
    "unset-header",
    Place::Header,
    Kind::Words,
    "Take away the header of this name (repeatable)",
);

pub(super) const ENDPOINT: Noun = Noun {
    name: "endpoint",
    about: "Endpoints: the URLs that an application hears of events at",
    operations: &[
        LIST,
        Operation {
            name: "get",
            about: "Show an endpoint",
            examples: "Example:
  postrider endpoint get --app acme first",
            verb: Verb::Get,
            paths: &["/app/{app}/endpoint/{id}"],
            parameters: &[ID, APP],
            fixed: &[],
            shows: Shows::Fields,
        },
        CREATE,
        Operation {
            name: "update",
            about: "Change an endpoint: what is not mentioned stays",
            examples: "Examples:
  postrider endpoint update --app acme first --disabled=false
  postrider endpoint update --app acme first --type invoice.paid,invoice.failed
  postrider endpoint update --app acme first --unset eventTypes
  postrider endpoint update --app acme first --header 'x-region: eu' --header-file secret.headers",
            verb: Verb::Patch,
            paths: &["/app/{app}/endpoint/{id}"],
            parameters: &[
                ID,
                APP,
                URL,
                UID,
                DESCRIPTION,
                TYPES,
                CHANNELS,
                DISABLED,
                RATE_LIMIT,
                METADATA,
                HEADER,
                HEADER_FILE,
                UNSET_HEADER,
            ],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "delete",
            about: "Remove an endpoint",
            examples: "Example:
  postrider endpoint delete --app acme first",
            verb: Verb::Delete,
            paths: &["/app/{app}/endpoint/{id}"],
            parameters: &[ID, APP],
            fixed: &[],
            shows: Shows::Done("deleted"),
        },
        Operation {
            name: "headers",
            about: "Show the headers that its requests carry, without the values of secret ones",
            examples: "Example:
  postrider endpoint headers --app acme first",
            verb: Verb::Get,
            paths: &["/app/{app}/endpoint/{id}/headers"],
            parameters: &[ID, APP],
            fixed: &[],
            shows: Shows::Fields,
        },
        AUTH.show,
        AUTH.set,
        AUTH.delete,
        SIGNATURE.show,
        SIGNATURE.set,
        SIGNATURE.delete,
        encryption::ENCRYPTION.show,
        encryption::ENCRYPTION.set,
        encryption::ENCRYPTION.delete,
        PAYLOAD.show,
        PAYLOAD.set,
        PAYLOAD.delete,
        oauth::OAUTH.show,
        oauth::OAUTH.set,
        oauth::OAUTH.delete,
        connection::CA.show,
        connection::CA.set,
        connection::CA.delete,
        connection::MTLS.show,
        connection::MTLS.set,
        connection::MTLS.delete,
        connection::PINS.show,
        connection::PINS.set,
        connection::PINS.delete,
        verification::SHOW,
        verification::SEND,
        RECOVER,
        Operation {
            name: "stats",
            about: "Count the attempts to an endpoint",
            examples: "Examples:
  postrider endpoint stats --app acme first
  postrider endpoint stats --app acme first --since 1d",
            verb: Verb::Get,
            paths: &["/app/{app}/endpoint/{id}/stats"],
            parameters: &[
                ID,
                APP,
                Parameter::query(
                    "since",
                    "since",
                    Kind::Time,
                    "From when on, or how long ago",
                ),
                Parameter::query("until", "until", Kind::Time, "Until when, or how long ago"),
            ],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "secret",
            about: "Print what its deliveries are signed with",
            examples: "Example:
  postrider endpoint secret --app acme first > secret.txt",
            verb: Verb::Get,
            paths: &["/app/{app}/endpoint/{id}/secret"],
            parameters: &[ID, APP],
            fixed: &[],
            shows: Shows::Text {
                field: "key",
                lean: false,
            },
        },
        ROTATE,
        REDACTION.show,
        REDACTION.set,
        REDACTION.delete,
        Operation {
            name: "send-example",
            about: "Send it the example that an event type's schema has",
            examples: "Example:
  postrider endpoint send-example --app acme first --type invoice.paid",
            verb: Verb::Post,
            paths: &["/app/{app}/endpoint/{id}/send-example"],
            parameters: &[
                ID,
                APP,
                Parameter::body("type", "eventType", Kind::Text, "The event type").required(),
            ],
            fixed: &[],
            shows: Shows::Fields,
        },
    ],
};

const PAYLOAD: Part = part! {
    name: "payload",
    of: "the payload mode of",
    show: "Show whether its deliveries carry the payload, or where it is to be had",
    set: "Say whether its deliveries carry the payload, or where it is to be had",
    delete: "Take that away: its deliveries carry the payload",
    examples: "Example:
  postrider endpoint set-payload --app acme first --mode thin",
    parameters: [
        Parameter::body(
            "mode",
            "mode",
            Kind::Text,
            "full, or thin: only where the payload is to be had",
        )
        .required(),
    ],
};

const REDACTION: Part = part! {
    name: "redaction",
    of: "the redaction of",
    show: "Show what is taken from the payloads that it gets",
    set: "Say what is taken from the payloads that it gets",
    delete: "Take its redaction away, with what it was allowed",
    examples: "Example:
  postrider endpoint set-redaction --app acme first --rules @rules.json \\
    --allow-sensitive '[\"/customer/ssn\"]'",
    parameters: [
        super::event_type::RULES.required(),
        Parameter::body(
            "allow-sensitive",
            "allowSensitive",
            Kind::Json,
            "What it may have although a schema marks it as sensitive: JSON, @FILE or -",
        ),
    ],
};

const LIST: Operation = Operation {
    name: "list",
    about: "List an application's endpoints, or how a message stands with them",
    examples: "Examples:
  postrider endpoint list --app acme
  postrider endpoint list --app acme --message msg_2KWPBgLlAfxdpx2AI54pPJ85f4W
  postrider endpoint list --app acme --all --json | jq -r '.data[].url'",
    verb: Verb::List,
    paths: &["/app/{app}/msg/{message}/endpoint", "/app/{app}/endpoint"],
    parameters: &[
        APP,
        Parameter::path("message", "Those of this message, by id or event id"),
        ORDER,
    ],
    fixed: &[],
    shows: Shows::Rows {
        columns: &[
            Column::of("id", "id"),
            Column::of("uid", "uid"),
            Column::of("url", "url"),
            Column::of("event types", "eventTypes"),
            Column::of("channels", "channels"),
            Column::of("disabled", "disabled"),
            Column::number("rate limit", "rateLimit"),
            Column::of("status", "statusText"),
            Column::of("next attempt", "nextAttempt"),
        ],
        lean: false,
    },
};

const CREATE: Operation = Operation {
    name: "create",
    about: "Register an endpoint",
    examples: "Examples:
  postrider endpoint create --app acme --url https://hooks.example.com/in --uid first
  postrider endpoint create --app acme --url https://hooks.example.com/in \\
    --type invoice.paid,invoice.failed --secret-file secret.txt --header 'x-region: eu'",
    verb: Verb::Post,
    paths: &["/app/{app}/endpoint"],
    parameters: &[
        APP,
        URL.required(),
        UID,
        DESCRIPTION,
        TYPES,
        CHANNELS,
        DISABLED,
        RATE_LIMIT,
        METADATA,
        HEADER,
        HEADER_FILE,
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

const RECOVER: Operation = Operation {
    name: "recover",
    about: "Send again what failed since then",
    examples: "Examples:
  postrider endpoint recover --app acme first --since 2h
  postrider endpoint recover --app acme first --since 2026-01-02T03:04:05Z --until 1h",
    verb: Verb::Post,
    paths: &["/app/{app}/endpoint/{id}/recover"],
    parameters: &[
        ID,
        APP,
        Parameter::body(
            "since",
            "since",
            Kind::Time,
            "From when on: a time such as 2026-01-02T03:04:05Z, or how long ago, such as 2h",
        )
        .required(),
        Parameter::body("until", "until", Kind::Time, "Until when, or how long ago"),
    ],
    fixed: &[],
    shows: Shows::Fields,
};

const ROTATE: Operation = Operation {
    name: "rotate-secret",
    about: "Give an endpoint a new secret, and print it; the old one signs on for a while",
    examples: "Examples:
  postrider endpoint rotate-secret --app acme first
  postrider endpoint rotate-secret --app acme first --secret-file new.txt --grace-seconds 3600",
    verb: Verb::Post,
    paths: &["/app/{app}/endpoint/{id}/secret/rotate"],
    parameters: &[
        ID,
        APP,
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
    shows: Shows::Text {
        field: "key",
        lean: false,
    },
};

const AUTH: Part = part! {
    name: "auth",
    of: "what authenticates",
    show: "Show what its deliveries are authenticated with, masked",
    set: "Say what its deliveries are authenticated with",
    delete: "Authenticate its deliveries with nothing",
    examples: "Examples:
  postrider endpoint set-auth --app acme first auth.json
  echo '{\"type\":\"httpSignature\",\"algorithm\":\"ed25519\"}' |
    postrider endpoint set-auth --app acme first -",
    parameters: [
        Parameter::whole("file", "File with it as JSON, or -: it holds a secret"),
    ],
};

const SIGNATURE: Part = part! {
    name: "signature",
    of: "the signature of",
    show: "Show by which scheme its deliveries are signed, if not by Standard Webhooks",
    set: "Sign its deliveries as another sender does",
    delete: "Sign its deliveries by Standard Webhooks again",
    examples: "Examples:
  postrider endpoint set-signature --app acme first --scheme github
  postrider endpoint set-signature --app acme first --scheme generic --header X-Signature \\
    --hash sha256 --encoding hex --prefix sha256= --template '{timestamp}.{body}'",
    parameters: [
        Parameter::body(
            "scheme",
            "scheme",
            Kind::Text,
            "standard-webhooks, github, stripe, shopify, slack or generic",
        )
        .required(),
        Parameter::body(
            "header",
            "header",
            Kind::Text,
            "Of generic: the header that carries the signature",
        ),
        Parameter::body("hash", "hash", Kind::Text, "sha256, sha512 or sha1"),
        Parameter::body("encoding", "encoding", Kind::Text, "hex or base64"),
        Parameter::body(
            "prefix",
            "prefix",
            Kind::Text,
            "What stands before the digest",
        ),
        Parameter::body(
            "template",
            "template",
            Kind::Text,
            "What is signed, of {id}, {timestamp} and {body}; otherwise the body alone",
        ),
        Parameter::body(
            "timestamp-header",
            "timestampHeader",
            Kind::Text,
            "The header that carries a signed time; otherwise webhook-timestamp",
        ),
    ],
};
