//! The story's part that carries an installation elsewhere, and holds payloads against the schemas
//! that came with it.

use serde_json::{Value, json};
use svix::models::{ApplicationIn, EnvironmentIn, EventTypeIn, MessageIn};

use crate::{Story, ask, done, refused};

const STRICT: &str = "carried.strict";

fn carried() -> String {
    "carried".to_owned()
}

pub(crate) async fn an_installation_is_carried_elsewhere(story: &Story) {
    let schemas = json!({ "1": { "type": "object", "required": ["id"] } });
    let strict = EventTypeIn {
        schemas: Some(schemas.clone()),
        ..EventTypeIn::new(STRICT.to_owned(), String::new())
    };
    let all = EnvironmentIn {
        event_types: Some(vec![strict]),
        settings: Some(json!({ "enforceEventTypeSchemas": true })),
        ..EnvironmentIn::default()
    };
    done!(story, environment.import(all, None));
    let exported = done!(story, environment.export(None));
    let settings = exported.settings.expect("there are some");
    assert_eq!(settings["enforceEventTypeSchemas"], true);
    let mut types = exported.event_types.into_iter();
    let found = types
        .find(|one| one.name == STRICT)
        .expect("it was imported");
    assert_eq!(found.schemas, Some(schemas));

    let app = ApplicationIn {
        uid: Some(carried()),
        ..ApplicationIn::new("Carried".to_owned())
    };
    done!(story, application.create(app, None));
    let message = |payload: Value| MessageIn::new(STRICT.to_owned(), payload);
    let fine = message(json!({ "id": 1 }));
    done!(story, message.create(carried(), fine, None));
    let wrong = message(json!({}));
    refused(422, ask!(story, message.create(carried(), wrong, None)));
    let off = EnvironmentIn {
        settings: Some(json!({ "enforceEventTypeSchemas": false })),
        ..EnvironmentIn::default()
    };
    done!(story, environment.import(off, None));
    let wrong = message(json!({}));
    done!(story, message.create(carried(), wrong, None));
    done!(story, application.delete(carried()));
}
