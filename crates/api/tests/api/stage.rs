//! A world in which every path of the table of operations leads to something.

use crate::call::Call;
use crate::operations::Operation;
use crate::world::World;
use app::tokens::ORGANISATION_DEFAULT;
use serde_json::json;
use std::collections::BTreeMap;

/// A world, and the names of what is in it.
pub(crate) struct Stage {
    pub(crate) world: World,
    /// The ids of an application, an endpoint, a message, an attempt and an API key, by their
    /// prefix.
    pub(crate) ids: BTreeMap<&'static str, String>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let world = World::new();
        let body = json!({ "name": "order.paid", "description": "" });
        world.post("/event-type", body).await.is(201);
        let app = world.application("acme").await;
        let endpoint = world.endpoint(&app, json!({ "uid": "hook" })).await;
        for hidden in ["batch", "bulk-expunge", "search"] {
            world.message(&app, json!({ "eventId": hidden })).await;
        }
        let message = world.message(&app, json!({ "eventId": "order-1" })).await;
        world.succeed().await;
        let attempts = world.get("/app/acme/attempt/msg/order-1").await;
        let attempt = attempts.column("id").remove(0);
        let keys = format!("/management/authentication/{ORGANISATION_DEFAULT}/api-token");
        let key = world.post(keys, json!({ "name": "a" })).await.is(200);
        let ids = [
            ("key_", key.text("id")),
            ("app_", app),
            ("ep_", endpoint),
            ("msg_", message),
            ("atmpt_", attempt),
        ];
        Self {
            world,
            ids: ids.into(),
        }
    }

    /// A name of what is there, for an open part of a path: one that no request can change.
    fn name<'a>(&'a self, part: &'a str) -> &'a str {
        match part {
            "{app_id}" => &self.ids["app_"],
            "{endpoint_id}" => &self.ids["ep_"],
            "{msg_id}" => &self.ids["msg_"],
            "{attempt_id}" => &self.ids["atmpt_"],
            "{event_type_name}" => "order.paid",
            "{env_id}" => ORGANISATION_DEFAULT,
            "{key_id}" => &self.ids["key_"],
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
        let names = parts.map(|other| match other == part {
            true => name,
            false => self.name(other),
        });
        names.collect::<Vec<_>>().join("/")
    }

    /// An operation on what is there.
    pub(crate) fn call(&self, operation: &Operation) -> Call<'_> {
        self.world.call(operation.method, self.path(operation))
    }
}
