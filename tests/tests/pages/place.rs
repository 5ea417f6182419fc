//! A filled server, and what of it has no name of its own: what pages' addresses need.

use e2e::filling::fill;
use e2e::{Api, Filled, Filling, Options, Receiver, Server, Visit, eventually};
use serde_json::{Value, json};

/// The session that the operator's pages are looked at with.
pub(crate) const OPERATOR: &str = "operator";
/// One that may look, and no more.
pub(crate) const VIEWER: &str = "viewer";
/// The session in the portal of `shop`.
pub(crate) const SHOPS: &str = "shop";
/// The one in that of `hostile`.
pub(crate) const HOSTILES: &str = "hostile";

/// A server with something of everything.
pub(crate) struct Place {
    pub(crate) server: Server,
    pub(crate) api: Api,
    pub(crate) filled: Filled,
}

/// Ids of what has no name.
pub(crate) struct Ids {
    /// The last attempt of the exhausted message.
    pub(crate) attempt: String,
    /// The last one of each hostile message.
    pub(crate) hostile_attempts: Vec<String>,
    /// Work in the background, for the endpoint `slow`.
    pub(crate) task: String,
    pub(crate) key: String,
    pub(crate) security_event: String,
    pub(crate) audit_entry: String,
    /// The sources that hostile texts name.
    pub(crate) hostile_sources: Vec<String>,
    /// A path that leads into the portal of `hostile`.
    pub(crate) hostile_portal: String,
}

impl Place {
    pub(crate) async fn filled() -> Self {
        Self::with(Options::dev()).await
    }

    /// The same with an identity provider, which is away.
    pub(crate) async fn with_identity_provider() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("postrider.toml");
        std::fs::write(&file, "[oidc.emails]\nadmin = ['ada@example.com']\n").expect("a file");
        let gone = Receiver::willing().await.url("");
        let options = Options::dev()
            .option("--config", file.to_str().expect("text"))
            .option("--oidc-issuer", gone)
            .option("--oidc-client-id", "postrider");
        Self::with(options).await
    }

    /// What waits for another attempt waits for as long as a test takes.
    pub(crate) async fn with(options: Options) -> Self {
        let mut server = Server::start(options.option("--retry-schedule", "3600")).await;
        let api = server.api().await;
        let filled = fill(&api, Filling::default()).await;
        Self {
            server,
            api,
            filled,
        }
    }

    /// A visit with the operator's session.
    pub(crate) async fn visit(&mut self) -> Visit {
        let token = self.server.token().await;
        let visit = Visit::to(self.server.url());
        visit.signing_in(OPERATOR, "/dashboard/sign-in", json!({ "token": token }))
    }

    /// A key that may do what this role may.
    pub(crate) async fn key_of(&self, role: &str) -> String {
        let path = format!(
            "/management/authentication/{}/api-token",
            self.filled.organisation
        );
        let key = json!({"name": format!("Of a {role}"), "scopes": [format!("role:{role}")]});
        text(&self.api.post(&path, &key).await.expect(200).json()["token"])
    }

    /// A path that leads into an application's portal.
    pub(crate) async fn link(&self, application: &str) -> String {
        let path = format!("/auth/app-portal-access/{application}");
        let access = self.api.post(&path, &json!({})).await.expect(200).json();
        path_of(&text(&access["url"]))
    }

    pub(crate) async fn ids(&self) -> Ids {
        let filled = &self.filled;
        let mut hostile_attempts = Vec::new();
        for message in &filled.hostile {
            hostile_attempts.push(self.attempt("hostile", message).await);
        }
        let keys = format!(
            "/management/authentication/{}/api-token",
            filled.organisation
        );
        let sources = self.list("/ingest/api/v1/source?limit=250").await;
        let stripes = sources.iter().filter(|one| one["type"] == "stripe");
        let unnamed = stripes.filter(|one| one["uid"].is_null());
        Ids {
            attempt: self.attempt("shop", &filled.exhausted).await,
            hostile_attempts,
            task: self.task().await,
            key: self.first(&keys).await,
            security_event: self
                .first("/security/event?kind=ingest.signature_invalid")
                .await,
            audit_entry: self.first("/audit").await,
            hostile_sources: unnamed.map(|one| text(&one["id"])).collect(),
            hostile_portal: self.link("hostile").await,
        }
    }

    async fn attempt(&self, application: &str, message: &str) -> String {
        self.first(&format!("/app/{application}/msg/{message}/attempt"))
            .await
    }

    async fn task(&self) -> String {
        let since = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
        let since = json!({"since": since.to_string()});
        let path = "/app/shop/endpoint/slow/replay-missing";
        text(&self.api.post(path, &since).await.expect(202).json()["id"])
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let list = self.api.get(path).await.expect(200).json();
        list["data"].as_array().cloned().unwrap_or_default()
    }

    /// The id of the first that is listed, as soon as one is.
    pub(crate) async fn first(&self, path: &str) -> String {
        eventually(format!("something at {path}"), || async {
            let list = self.list(path).await;
            list.first()
                .map(|one| text(&one["id"]))
                .ok_or_else(|| format!("{list:?}"))
        })
        .await
    }
}

/// What of a URL follows the host.
pub(crate) fn path_of(url: &str) -> String {
    let uri: http::Uri = url.parse().expect("the server writes URLs");
    uri.path().to_owned()
}

#[track_caller]
fn text(value: &Value) -> String {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    text.to_owned()
}
