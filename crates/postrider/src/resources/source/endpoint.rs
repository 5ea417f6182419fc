//! A source's endpoints: what is done with them by the source.

use super::SOURCE;
use crate::resources::owned::{Endpoints, endpoints};

pub(super) const OF_SOURCE: Endpoints = endpoints! {
    typed: "source",
    whose: " --source payments",
    path: "/ingest/source/{source}/endpoint",
    owner: [SOURCE],
    more: [],
    columns: [],
    list: "endpoints", "List the endpoints that get what arrives at a source";
    get: "endpoint", "Show one of a source's endpoints";
    create: "create-endpoint", "Register an endpoint that gets what arrives at a source";
    put: "put-endpoint";
    delete: "delete-endpoint", "Remove one of a source's endpoints";
    headers: "endpoint-headers";
    set_headers: "set-endpoint-headers";
    secret: "endpoint-secret";
    rotate_secret: "rotate-endpoint-secret";
};
