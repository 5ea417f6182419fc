//! Moving in from another sender, by `postrider import svix` and `postrider import file`: what is
//! carried, what is said of what is not, that being broken off makes nothing twice, and the way
//! there and back as the document has it.

mod broken_off;
mod carried;
mod foreign;
mod lines;
mod side_by_side;
mod way;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use e2e::command::{Outcome, run};
use e2e::{Api, Options, Received, Server, place};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Two servers, and somebody who moves from the one to the other.
struct Move {
    source: Server,
    target: Server,
    from: Api,
    to: Api,
    directory: TempDir,
}

impl Move {
    async fn new() -> Self {
        let source = Server::start(Options::dev()).await;
        let target = Server::start(Options::dev()).await;
        Self::between(source, target).await
    }

    async fn between(mut source: Server, mut target: Server) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, server) in [("old.token", &mut source), ("new.token", &mut target)] {
            let token = server.token().await;
            fs::write(directory.path().join(name), token).expect("a file");
        }
        let (from, to) = (source.api().await, target.api().await);
        Self {
            source,
            target,
            from,
            to,
            directory,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command that writes to the server at this URL.
    fn command_to(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = place::command(place::binary());
        command
            .args(arguments)
            .env("POSTRIDER_SERVER", url)
            .env("POSTRIDER_TOKEN_FILE", self.file("new.token"));
        command
    }

    /// `import svix` from the source to the server at this URL.
    fn import_to(&self, url: &str, more: &[&str]) -> Command {
        let (from, token) = (self.source.url(), self.file("old.token"));
        let token = token.to_str().expect("a path in UTF-8");
        let import = ["import", "svix", "--from", &from, "--token-file", token];
        self.command_to(url, &[&import, more].concat())
    }

    async fn import(&self, more: &[&str]) -> Outcome {
        run(self.import_to(&self.target.url(), more)).await
    }

    /// What it says with `--json`, and its exit status.
    async fn report(&self, more: &[&str]) -> (Value, Option<i32>) {
        let outcome = self.import(&[more, &["--json"]].concat()).await;
        let report = serde_json::from_str(&outcome.stdout);
        let report = report.unwrap_or_else(|error| panic!("no JSON ({error}): {outcome:?}"));
        (report, outcome.status)
    }

    /// What `verify` says of a request with this secret.
    async fn verdict(&self, secret: &str, request: &Received) -> String {
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| {
            let value = value.to_str().expect("it is ASCII");
            format!("{name}: {value}\n")
        });
        fs::write(self.file("headers"), headers.collect::<String>()).expect("a file");
        fs::write(self.file("body"), &request.body).expect("a file");
        fs::write(self.file("secret"), secret).expect("a file");
        let mut verify = place::command(place::binary());
        verify
            .args(["verify", "--scheme", "standard-webhooks"])
            .args(["--secret-file", "secret", "--headers", "headers"])
            .args(["--body", "body"])
            .current_dir(self.directory.path());
        run(verify).await.text().to_owned()
    }
}

/// Event types, applications and endpoints of a server, by their names at the target, without what
/// differs between two servers anyway.
async fn contents(api: &Api) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut keep = |name: String, object: &Value| {
        let mut object = object.clone();
        let fields = object.as_object_mut().expect("an object");
        for own in ["id", "uid", "createdAt", "updatedAt"] {
            fields.remove(own);
        }
        assert!(
            all.insert(name.clone(), object).is_none(),
            "{name} is there twice"
        );
    };
    let types = "/event-type?include_archived=true&with_content=true&limit=250";
    for one in rows(&list(api, types).await) {
        keep(format!("type {}", text(one, "name")), one);
    }
    for app in rows(&list(api, "/app?limit=250").await) {
        let (id, uid) = (text(app, "id"), known_as(app));
        keep(format!("app {uid}"), app);
        let path = format!("/app/{id}/endpoint");
        for endpoint in rows(&list(api, &format!("{path}?limit=250")).await) {
            let of = format!("{path}/{}", text(endpoint, "id"));
            let mut whole = endpoint.clone();
            for part in ["headers", "secret"] {
                let part_of_it = api.get(&format!("{of}/{part}")).await.expect(200).json();
                whole[part] = part_of_it;
            }
            keep(format!("endpoint {uid}/{}", known_as(endpoint)), &whole);
        }
    }
    all
}

/// The whole list, which has to be one page.
async fn list(api: &Api, path: &str) -> Value {
    let page = api.get(path).await.expect(200).json();
    assert_eq!(page["done"], true, "{path} has more than a page");
    page
}

fn rows(page: &Value) -> &[Value] {
    page["data"].as_array().expect("a list")
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

/// The uid; of something that has none, the one that it gets when it is moved.
fn known_as(object: &Value) -> String {
    match object["uid"].as_str() {
        Some(uid) => uid.to_owned(),
        None => format!("was-{}", text(object, "id")),
    }
}

/// Applications with endpoints enough to be broken off in between: 4 and 32, and an archived type
/// that all of them name.
async fn fill(api: &Api) {
    let event_type = json!({"name": "paid", "description": "Paid"});
    api.post("/event-type", &event_type).await.expect(201);
    for app in ["a", "b", "c", "d"] {
        let id = api.application(app).await;
        for number in 0..8 {
            let endpoint = json!({
                "url": format!("http://127.0.0.1:9999/{app}/{number}"),
                "eventTypes": ["paid"],
                "headers": {"x-number": number.to_string()},
                "description": app,
            });
            api.endpoint(&id, &endpoint).await;
        }
    }
    let archived = json!({"archived": true});
    api.patch("/event-type/paid", &archived).await.expect(200);
}
