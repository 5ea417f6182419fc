//! The operator's endpoints, which are told what happens in the installation.

use super::owned::{Endpoints, ID, endpoints};
use super::{Kind, Noun, Operation, Parameter, Shows, Verb};

const TYPES: Parameter = Parameter::body(
    "type",
    "eventTypes",
    Kind::Words,
    "Only these, such as endpoint.disabled or message.attempt.exhausted; otherwise all",
);

const OF_OPERATORS: Endpoints = endpoints! {
    typed: "operational-webhook",
    whose: "",
    path: "/operational-webhook/endpoint",
    owner: [],
    more: [TYPES],
    columns: [Column::of("event types", "eventTypes")],
    list: "list", "List the endpoints that are told what happens";
    get: "get", "Show one of them";
    create: "create", "Register an endpoint that is told what happens";
    put: "put";
    delete: "delete", "Remove one of them";
    headers: "headers";
    set_headers: "set-headers";
    secret: "secret";
    rotate_secret: "rotate-secret";
};

pub(super) const OPERATIONAL_WEBHOOK: Noun = Noun {
    name: "operational-webhook",
    about: "Operational webhooks: the endpoints that are told what happens here",
    operations: &[
        OF_OPERATORS.list,
        OF_OPERATORS.get,
        OF_OPERATORS.create,
        OF_OPERATORS.put,
        OF_OPERATORS.delete,
        OF_OPERATORS.headers,
        OF_OPERATORS.set_headers,
        OF_OPERATORS.secret,
        OF_OPERATORS.rotate_secret,
        SEND_EXAMPLE,
    ],
};

const SEND_EXAMPLE: Operation = Operation {
    name: "send-example",
    about: "Send it an example of what can happen, which has not",
    examples: "Example:
  postrider operational-webhook send-example first --type endpoint.disabled",
    verb: Verb::Post,
    paths: &["/operational-webhook/endpoint/{id}/send-example"],
    parameters: &[
        ID,
        Parameter::body(
            "type",
            "eventType",
            Kind::Text,
            "What, such as endpoint.disabled or security.event",
        )
        .required(),
    ],
    fixed: &[],
    shows: Shows::Fields,
};
