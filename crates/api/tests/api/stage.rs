//! A world in which every path of the table of operations leads to something.

use crate::auditing::seal_first;
use crate::call::Call;
use crate::connection::identity;
use crate::operations::Operation;
use crate::payloads::issued;
use crate::world::World;
use app::tokens::ORGANISATION_DEFAULT;
use serde_json::json;
use std::collections::BTreeMap;

/// A world, and the names of what is in it.
pub(crate) struct Stage {
    pub(crate) world: World,
    /// The ids of an application, an endpoint, a message, an attempt, a delivery, an API key and
    /// background work, by their prefix.
    pub(crate) ids: BTreeMap<&'static str, String>,
    /// By which the message's payload can be fetched.
    ticket: String,
}

/// What the operator's endpoint is kept by beside the prefixes.
const OPERATOR: &str = "operational-webhook";

/// Every part of an endpoint's protection, so that it can be read.
pub(crate) const PROTECTION: [(&str, &str); 8] = [
    (
        "auth",
        r#"{"type":"basic","username":"ann","password":"sesame"}"#,
    ),
    (
        "redaction",
        r#"{"rules":[{"path":"/secret","action":"drop"}]}"#,
    ),
    (
        "encryption",
        r#"{"jwksUrl":"https://keys.customer-site.net/jwks.json"}"#,
    ),
    ("signature", r#"{"scheme":"github"}"#),
    ("payload", r#"{"mode":"full"}"#),
    (
        "oauth",
        r#"{"tokenUrl":"https://login.customer-site.net/token","clientId":"c",
            "authMethod":"clientSecretPost","clientSecret":"s","grantType":"clientCredentials"}"#,
    ),
    ("ca", r#"{"minTlsVersion":"1.3"}"#),
    ("pins", r#"{"mode":"firstUse"}"#),
];

async fn protect(world: &World) {
    for (part, body) in PROTECTION {
        let path = format!("/app/acme/endpoint/hook/{part}");
        world.put(path, body).await.is(204);
    }
    let path = "/app/acme/endpoint/hook/mtls";
    world.put(path, identity()).await.is(204);
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let world = World::new();
        let body = json!({ "name": "order.paid", "description": "" });
        world.post("/event-type", body).await.is(201);
        let rules = json!({ "rules": [{ "path": "/secret", "action": "drop" }] });
        let redaction = world.put("/event-type/order.paid/redaction", rules);
        redaction.await.is(204);
        let app = world.application("acme").await;
        let endpoint = world.endpoint(&app, json!({ "uid": "hook" })).await;
        protect(&world).await;
        for hidden in ["batch", "bulk-expunge", "expunge-all-contents", "search"] {
            world.message(&app, json!({ "eventId": hidden })).await;
        }
        let message = world.message(&app, json!({ "eventId": "order-1" })).await;
        world.succeed().await;
        let attempts = world.get("/app/acme/attempt/msg/order-1").await;
        let attempt = attempts.column("id").remove(0);
        let delivery = world.get("/delivery?limit=1").await.column("id").remove(0);
        let keys = format!("/management/authentication/{ORGANISATION_DEFAULT}/api-token");
        let key = world.post(keys, json!({ "name": "a" })).await.is(200);
        let since = json!({ "since": "2026-01-01T00:00:00Z" });
        let recovery = world.post("/app/acme/endpoint/hook/recover", since).await;
        let source = json!({
            "name": "acme", "uid": "payments", "type": "stripe",
            "config": { "secret": "s", "appId": "acme" },
        });
        let source = world.post("/ingest/api/v1/source", source).await.is(201);
        seal_first(&world).await;
        let ticket = issued(&world, [&app, &endpoint, &message]).await;
        let operator = json!({ "url": "https://ops.example.com/" });
        let operator = world.post("/operational-webhook/endpoint", operator).await;
        let ids = [
            (OPERATOR, operator.is(201).text("id")),
            ("qtask_", recovery.is(202).text("id")),
            ("key_", key.text("id")),
            ("src_", source.text("id")),
            ("app_", app),
            ("ep_", endpoint),
            ("msg_", message),
            ("atmpt_", attempt),
            ("dlv_", delivery),
        ];
        Self {
            world,
            ids: ids.into(),
            ticket,
        }
    }

    /// The ids of an application beside it, of its endpoint, message and attempt, by the open parts
    /// that they are for.
    pub(crate) async fn of_another_application(&self) -> BTreeMap<&'static str, String> {
        let app = self.world.application("other").await;
        let endpoint = self.world.endpoint(&app, json!({})).await;
        let message = self.world.message(&app, json!({})).await;
        self.world.succeed().await;
        let attempts = self.world.get(format!("/app/{app}/attempt/msg/{message}"));
        let attempt = attempts.await.column("id").remove(0);
        let parts = [
            ("{endpoint_id}", endpoint),
            ("{msg_id}", message),
            ("{attempt_id}", attempt),
        ];
        parts.into()
    }

    /// A name of what is there, for an open part of a path: one that no request can change.
    pub(crate) fn name<'a>(&'a self, part: &'a str) -> &'a str {
        match part {
            "{app_id}" => &self.ids["app_"],
            "{endpoint_id}" => &self.ids["ep_"],
            "{msg_id}" => &self.ids["msg_"],
            "{attempt_id}" => &self.ids["atmpt_"],
            "{delivery_id}" => &self.ids["dlv_"],
            "{event_type_name}" => "order.paid",
            "{env_id}" => ORGANISATION_DEFAULT,
            "{key_id}" => &self.ids["key_"],
            "{task_id}" => &self.ids["qtask_"],
            "{source_id}" => &self.ids["src_"],
            "{operators_endpoint_id}" => &self.ids[OPERATOR],
            "{ticket}" => &self.ticket,
            part => part,
        }
    }

    /// The path of an operation to what is there.
    pub(crate) fn path(&self, operation: &Operation) -> String {
        self.path_with(operation, ("no part", ""))
    }

    /// The same, but for another name in the place of one part.
    pub(crate) fn path_with(&self, operation: &Operation, (part, name): (&str, &str)) -> String {
        let parts = operation.template.split('/');
        let is_operators = operation.template.contains(OPERATOR);
        let names = parts.map(|other| match other {
            other if other == part => name,
            "{endpoint_id}" if is_operators => self.name("{operators_endpoint_id}"),
            other => self.name(other),
        });
        names.collect::<Vec<_>>().join("/")
    }

    /// An operation on what is there.
    pub(crate) fn call(&self, operation: &Operation) -> Call<'_> {
        let path = self.path(operation) + operation.query_needed();
        self.world.call(operation.method, path)
    }
}
