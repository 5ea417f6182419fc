//! The nodes that share the store: who is alive, and what each of them holds.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::operation::{Routes, organisation};
use crate::render::{Answer, ListOut, Time};
use app::Page;
use axum::Json;
use axum::extract::State;
use model::node::{Node, Role};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/node").get(
        organisation(
            "v1.node.list",
            "The nodes that share the store, and what each holds",
        ),
        list,
    )
}

/// A node as it is shown, also where no API answers.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeOut {
    slot: u16,
    name: String,
    version: String,
    roles: Vec<&'static str>,
    alive: bool,
    since: Time,
    lease_ends_at: Option<Time>,
    deliveries: u64,
}

impl From<Node> for NodeOut {
    fn from(node: Node) -> Self {
        Self {
            slot: node.slot,
            name: node.name,
            version: node.version,
            roles: node.roles.iter().map(Role::word).collect(),
            alive: node.alive,
            since: Time(node.since),
            lease_ends_at: node.lease_ends.map(Time),
            deliveries: node.deliveries,
        }
    }
}

async fn list(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<NodeOut>>> {
    let nodes = api.app.nodes(&caller).await?;
    let all = Page {
        data: nodes,
        iterator: None,
        prev_iterator: None,
        done: true,
    };
    Ok(Json(all.map(NodeOut::from).into()))
}
