//! One of each thing that a page can be about, found or made through a server's API, and put into
//! the pages' paths.

use crate::BenchError;
use crate::control::Control;
use crate::target::Target;
use crate::tenants::{APPLICATIONS, Wanted};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

const EVENT_TYPE: &str = "bench.page";
/// Of the organisation that a server has if it is told nothing else.
const KEYS: &str = "/api/v1/management/authentication/org_23rb8YdGqMT0qIzpgGwdXfHirMu/api-token";
const SECURITY: &str = "/api/v1/security/event?limit=1";
const AUDIT: &str = "/api/v1/audit?limit=1";
/// A part of what an endpoint is protected by.
const PROTECTION: &str = "pins";
/// How long a security event may take until it is kept.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks for it.
const PAUSE: Duration = Duration::from_millis(100);

/// Ids, by the names that paths have for them.
pub(crate) struct Subjects {
    ids: BTreeMap<&'static str, String>,
    /// The path of a link that leads into the portal.
    pub(crate) portal: String,
}

impl Subjects {
    /// Finds or makes one of each.
    pub(crate) async fn make(target: &Target, secret: &str) -> Result<Self, BenchError> {
        let mut control = target.tenants().control();
        let application = &target.applications[0];
        let app = last(application).to_owned();
        let endpoint = first(&mut control, &format!("{application}/endpoint?limit=1")).await?;
        let message = first(&mut control, &format!("{application}/msg?limit=1")).await?;
        let attempts = format!("{application}/attempt/msg/{message}?limit=1");
        let attempt = first(&mut control, &attempts).await?;
        event_type(&mut control).await?;
        let key = json!({"name": "bench", "scopes": ["role:viewer"]});
        let key = id(KEYS, &control.post(KEYS, &key).await?, "id")?;
        let recover = format!("{application}/endpoint/{endpoint}/recover");
        let since = json!({"since": "2000-01-01T00:00:00Z", "until": "2000-01-02T00:00:00Z"});
        let task = id(&recover, &control.post(&recover, &since).await?, "id")?;
        let (source, event) = source(target, secret).await?;
        let access = format!("/api/v1/auth/app-portal-access/{app}");
        let url = id(&access, &control.post(&access, &json!({})).await?, "url")?;
        let portal = url.find("/portal").map_or(url.as_str(), |at| &url[at..]);
        Ok(Self {
            portal: portal.to_owned(),
            ids: BTreeMap::from([
                ("app", app),
                ("endpoint", endpoint),
                ("message", message),
                ("attempt", attempt),
                ("type", EVENT_TYPE.to_owned()),
                ("key", key),
                ("task", task),
                ("part", PROTECTION.to_owned()),
                ("source", source),
                ("event", event),
                ("entry", first(&mut control, AUDIT).await?),
                // A page that asks whether to come in takes any.
                ("token", "none".to_owned()),
            ]),
        })
    }

    /// A path with ids in place of its braces.
    pub(crate) fn put_into(&self, path: &str) -> Result<String, BenchError> {
        put_into(path, &self.ids)
    }
}

fn put_into(path: &str, ids: &BTreeMap<&str, String>) -> Result<String, BenchError> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        let name = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        let Some(name) = name else {
            parts.push(part);
            continue;
        };
        let id = ids.get(name).ok_or_else(|| BenchError::Unnamed {
            path: path.to_owned(),
            name: name.to_owned(),
        })?;
        parts.push(id);
    }
    Ok(parts.join("/"))
}

/// The id of the first thing in a list.
async fn first(control: &mut Control, list: &str) -> Result<String, BenchError> {
    let found: Value = control.get(list).await?;
    id(list, &found["data"][0], "id")
}

fn id(request: &str, found: &Value, name: &'static str) -> Result<String, BenchError> {
    let text = found[name].as_str().ok_or_else(|| BenchError::Strange {
        request: request.to_owned(),
        missing: name,
    });
    text.map(str::to_owned)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

async fn event_type(control: &mut Control) -> Result<(), BenchError> {
    let schema = json!({"type": "object", "properties": {"amount": {"type": "integer"}}});
    let event_type = json!({
        "name": EVENT_TYPE,
        "description": "for a page",
        "schemas": {"1": schema},
    });
    control.post("/api/v1/event-type", &event_type).await?;
    Ok(())
}

/// A source, and the security event of a request to it that nobody signed.
async fn source(target: &Target, secret: &str) -> Result<(String, String), BenchError> {
    let tenants = target.tenants();
    let nobody = Wanted {
        receiver: String::new(),
        numbers: 0..0,
        bystanders: 0,
    };
    let sources = tenants.sources(1, secret, nobody).await?;
    let (source, inbound) = (&sources.applications[0], &sources.inbound[0]);
    let source = last(source.trim_start_matches(APPLICATIONS)).to_owned();
    let mut stranger = Control::new(target.places[0].clone(), None);
    match stranger.post(inbound, &json!({})).await {
        Err(BenchError::Refused { .. }) => {}
        answered => drop(answered?),
    }
    let mut control = tenants.control();
    let began = Instant::now();
    loop {
        match first(&mut control, SECURITY).await {
            Err(BenchError::Strange { .. }) if began.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            event => return Ok((source, event?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_names_is_put_into_it() {
        let ids = BTreeMap::from([("app", "app_1".to_owned()), ("type", "a.b".to_owned())]);
        let put = |path| put_into(path, &ids);
        assert_eq!(put("/dashboard").unwrap(), "/dashboard");
        let path = "/dashboard/applications/{app}/event-types/{type}";
        assert_eq!(
            put(path).unwrap(),
            "/dashboard/applications/app_1/event-types/a.b"
        );
        let refused = put("/dashboard/moons/{moon}").unwrap_err().to_string();
        assert!(refused.contains("{moon}"), "{refused}");
    }
}
