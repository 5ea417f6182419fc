//! Signing in to the operator's pages by an identity provider, which the test runs: who gets in, as
//! what, and all that must not let anybody in.

mod provider;

use e2e::api::{Call, Reply};
use e2e::command::postrider;
use e2e::{Api, Options, Receiver, Server, eventually};
use http::Method;
use http::header::{LOCATION, SET_COOKIE};
use provider::{CLIENT, Key, Provider, SECRET, Said, Signed};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

const START: &str = "/dashboard/sign-in/oidc";
const RULE: &str = "[oidc.roles]\nclaim = 'groups'\nadmin = ['platform']\noperator = ['on-call']\n\
                    viewer = ['staff']\n[oidc.emails]\nadmin = ['ada@example.com']\n";

/// A server, the provider that it knows, and a browser's side of it.
struct World {
    server: Server,
    api: Api,
    provider: Provider,
    _home: tempfile::TempDir,
}

/// Somebody on the way: what the provider was sent, and what the browser keeps.
struct Sent {
    to: HashMap<String, String>,
    cookie: String,
}

impl World {
    async fn start() -> Self {
        let (provider, home) = (
            Provider::start().await,
            tempfile::tempdir().expect("a place"),
        );
        let options = options(home.path(), &provider.issuer());
        let mut server = Server::start(options).await;
        let api = server.api().await;
        assert!(
            provider.asked().await.is_empty(),
            "nothing is asked before somebody comes"
        );
        Self {
            server,
            api,
            provider,
            _home: home,
        }
    }

    async fn page(&self, path: &str, cookie: &str) -> Reply {
        let call = Call::new(Method::GET, path).anonymous();
        self.api.call(call.header("cookie", cookie)).await
    }

    /// Begins to sign in.
    async fn begin(&self, next: &str) -> Sent {
        let path = format!("{START}?next={next}");
        let reply = self.page(&path, "").await.expect(303);
        let to = reply.headers[LOCATION].to_str().expect("a URL");
        let (place, query) = to.split_once('?').expect("a query");
        assert_eq!(place, format!("{}/authorize", self.provider.issuer()));
        Sent {
            to: pairs(query),
            cookie: cookie(&reply, "__Host-postrider-oidc").expect("a cookie"),
        }
    }

    /// Comes back with this query.
    async fn return_with(&self, query: &str, cookie: &str) -> Reply {
        let reply = self
            .page(&format!("{START}/callback?{query}"), cookie)
            .await;
        let left = set(&reply, "__Host-postrider-oidc").expect("it is taken away");
        assert!(left.contains("=; Max-Age=0;"), "{left}");
        reply
    }

    /// Signs in, as the provider says.
    async fn sign_in(&self) -> Reply {
        let sent = self.begin("").await;
        let code = self.provider.grant(&sent.to);
        let query = format!("code={code}&state={}", sent.to["state"]);
        self.return_with(&query, &sent.cookie).await
    }

    /// Signs in with these claims beside those that are needed.
    async fn sign_in_as(&self, claims: Value) -> Reply {
        self.provider.now(|said| said.claims = claims);
        self.sign_in().await
    }
}

fn options(home: &Path, issuer: &str) -> Options {
    let file = home.join("postrider.toml");
    std::fs::write(&file, RULE).expect("a file");
    Options::dev()
        .option("--config", file.to_str().expect("text"))
        .option("--oidc-issuer", issuer)
        .option("--oidc-client-id", CLIENT)
        .variable("POSTRIDER_OIDC_CLIENT_SECRET", SECRET)
}

/// What a query or a form holds, without what would be escaped.
fn pairs(text: &str) -> HashMap<String, String> {
    let plain = |text: &str| text.replace("%3A", ":").replace("%2F", "/");
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), plain(value)))
        .collect()
}

/// The line that sets a cookie.
fn set<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    let lines = reply.headers.get_all(SET_COOKIE).iter();
    let mut lines = lines.filter_map(|line| line.to_str().ok());
    lines.find(|line| line.split_once('=').is_some_and(|(own, _)| own == name))
}

/// The cookie, as it is sent back.
fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let line = set(reply, name)?;
    assert!(
        line.contains("Path=/; Secure; HttpOnly; SameSite=Lax"),
        "{line}"
    );
    line.split(';').next().map(str::to_owned)
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

/// Asserts that nobody was let in, with this status and word.
#[track_caller]
fn refused(reply: &Reply, status: u16, word: &str) {
    assert_eq!(reply.status, status, "{word}: {reply}");
    assert!(text(reply).contains(word), "{word}: {}", text(reply));
    assert_eq!(set(reply, "__Host-postrider"), None, "{word}");
}

#[tokio::test]
async fn people_get_the_greatest_role_that_the_provider_gives_them() {
    let world = World::start().await;
    let page = world.page("/dashboard/sign-in?next=/dashboard/x", "").await;
    let link = format!("{START}?next=%2Fdashboard%2Fx");
    assert!(text(&page).contains(&link), "{}", text(&page));
    for (claims, role, name) in [
        (json!({"groups": ["staff"]}), "viewer", "person-1"),
        (
            json!({"groups": ["on-call", "staff"]}),
            "operator",
            "person-1",
        ),
        (json!({"groups": "platform"}), "admin", "person-1"),
        (
            json!({"groups": ["staff"], "email": "Ada@example.com", "email_verified": true}),
            "admin",
            "Ada@example.com",
        ),
        // An address of which nobody says that it was verified is nobody's.
        (
            json!({"groups": ["staff"], "email": "ada@example.com", "email_verified": false}),
            "viewer",
            "person-1",
        ),
        (
            json!({"groups": ["staff"], "email": "ada@example.com"}),
            "viewer",
            "person-1",
        ),
    ] {
        let reply = world.sign_in_as(claims.clone()).await.expect(303);
        assert_eq!(reply.headers[LOCATION], "/dashboard");
        let session = cookie(&reply, "__Host-postrider").expect("a session");
        let page = text(&world.page("/dashboard", &session).await.expect(200));
        let badge = format!("title=\"{name}\">{role}</span>");
        assert!(page.contains(&badge), "{claims}: {page}");
    }
    let asked = world.provider.asked().await;
    let of_itself = asked.iter().filter(|path| *path != "/token");
    let of_itself: Vec<_> = of_itself.collect();
    assert_eq!(of_itself, ["/.well-known/openid-configuration", "/keys"]);
    let log = world.server.log();
    assert!(!log.contains(SECRET) && !log.contains("an-access-token"));
}

#[tokio::test]
async fn what_a_browser_is_sent_with_is_new_each_time_and_leads_back_to_where_it_was() {
    let world = World::start().await;
    world.provider.now(|said| {
        said.key = Key::rsa();
        said.claims = json!({"groups": ["staff"]});
    });
    let (sent, other) = (
        world.begin("/dashboard/settings").await,
        world.begin("https://elsewhere.example").await,
    );
    for name in ["state", "nonce", "code_challenge"] {
        assert!(sent.to[name].len() >= 43, "{name}: {:?}", sent.to);
        assert_ne!(sent.to[name], other.to[name], "{name}");
    }
    assert_eq!(sent.to["code_challenge_method"], "S256");
    assert_eq!(sent.to["response_type"], "code");
    assert_eq!(sent.to["scope"], "openid+email");
    let redirect = format!("{}{START}/callback", world.server.url());
    assert_eq!(sent.to["redirect_uri"], redirect);
    for (sent, expected) in [(sent, "/dashboard/settings"), (other, "/dashboard")] {
        let code = world.provider.grant(&sent.to);
        let issuer = world.provider.issuer();
        let query = format!("code={code}&state={}&iss={issuer}", sent.to["state"]);
        let reply = world.return_with(&query, &sent.cookie).await.expect(303);
        assert_eq!(reply.headers[LOCATION], expected);
    }
}

#[tokio::test]
async fn what_does_not_belong_together_lets_nobody_in() {
    let world = World::start().await;
    world
        .provider
        .now(|said| said.claims = json!({"groups": ["staff"]}));
    let (sent, other) = (world.begin("").await, world.begin("").await);
    let code = world.provider.grant(&sent.to);
    let with = |state: &str| format!("code={code}&state={state}");
    let own = with(&sent.to["state"]);
    let reply = world.return_with(&own, "").await;
    refused(&reply, 400, "Nobody was sent");
    for state in ["", "x", &other.to["state"], &sent.to["nonce"]] {
        let reply = world.return_with(&with(state), &sent.cookie).await;
        refused(&reply, 400, "does not belong");
    }
    let reply = world.return_with(&own, &other.cookie).await;
    refused(&reply, 400, "does not belong");
    let elsewhere = format!("{own}&iss=https://elsewhere.example");
    let reply = world.return_with(&elsewhere, &sent.cookie).await;
    refused(&reply, 403, "can't be believed");
    // The code of one sign-in does not do for another: PKCE.
    let stolen = format!("code={code}&state={}", other.to["state"]);
    let reply = world.return_with(&stolen, &other.cookie).await;
    refused(&reply, 401, "does not know");
}

#[tokio::test]
async fn a_code_is_good_once() {
    let world = World::start().await;
    world
        .provider
        .now(|said| said.claims = json!({"groups": ["staff"]}));
    let sent = world.begin("").await;
    let code = world.provider.grant(&sent.to);
    let query = format!("code={code}&state={}", sent.to["state"]);
    world.return_with(&query, &sent.cookie).await.expect(303);
    let again = world.return_with(&query, &sent.cookie).await;
    refused(&again, 401, "does not know");
    let reply = world.return_with(&query, "").await;
    refused(&reply, 400, "Nobody was sent");
}

#[tokio::test]
async fn a_statement_that_is_not_the_providers_for_this_sign_in_lets_nobody_in() {
    let now = jiff::Timestamp::now().as_second();
    let with = |claims: Value| move |said: &mut Said| said.claims = claims;
    let signed = |signed: Signed| move |said: &mut Said| said.signed = signed;
    type Change = Box<dyn FnOnce(&mut Said) + Send>;
    let changes: Vec<(Change, &str)> = vec![
        (Box::new(with(json!({"nonce": "x"}))), "nonce"),
        (Box::new(with(json!({"nonce": null}))), "nonce"),
        (
            Box::new(with(json!({"iss": "https://elsewhere.example"}))),
            "issuer",
        ),
        (Box::new(with(json!({"aud": "another"}))), "audience"),
        (
            Box::new(with(json!({"aud": [CLIENT, "another"]}))),
            "audience",
        ),
        (Box::new(with(json!({"azp": "another"}))), "another client"),
        (Box::new(with(json!({"exp": now - 1}))), "xpired"),
        (Box::new(with(json!({"at_hash": "x"}))), "access token"),
        (Box::new(signed(Signed::Never)), "signature"),
        (Box::new(signed(Signed::WithSecret)), "lg"),
        (Box::new(signed(Signed::WithPublicKey)), "lg"),
        (Box::new(signed(Signed::Changed)), "ignature"),
    ];
    // Each on a server of its own: ten failures are enough for an address.
    let (mut world, mut tried) = (World::start().await, 0);
    for (change, why) in changes {
        if tried == 8 {
            (world, tried) = (World::start().await, 0);
        }
        tried += 1;
        world.provider.now(|said| {
            said.signed = Signed::Rightly;
            change(said);
            if said.claims.get("groups").is_none() {
                said.claims["groups"] = json!(["staff"]);
            }
        });
        let reply = world.sign_in().await;
        refused(&reply, 403, "can't be believed");
        let told = eventually("a word on it in the log", || async {
            let log = world.server.log();
            let told = log
                .lines()
                .filter(|line| line.contains("nobody can sign in"));
            let told: Vec<_> = told.map(str::to_owned).collect();
            (told.len() == tried).then(|| told.concat()).ok_or(log)
        });
        let told = told.await;
        let last = told.rfind("nobody can sign in").map(|at| &told[at..]);
        assert!(last.is_some_and(|last| last.contains(why)), "{why}: {told}");
        world.provider.now(|said| said.claims = json!({}));
    }
    world.provider.now(|said| said.signed = Signed::Rightly);
    let right = json!({"groups": ["staff"]});
    world.sign_in_as(right).await.expect(303);
}

#[tokio::test]
async fn somebody_without_a_role_is_told_so_and_it_is_a_security_event() {
    let world = World::start().await;
    let claims = json!({
        "groups": ["visitors"], "email": "<b>eve</b>@example.com", "email_verified": true,
    });
    let reply = world.sign_in_as(claims).await;
    refused(&reply, 403, "no rule gives that person a role");
    let page = text(&reply);
    assert!(
        page.contains("&lt;b&gt;eve&lt;/b&gt;@example.com"),
        "{page}"
    );
    assert!(page.contains("name=\"token\""), "a token is still taken");
    eventually("the security event", || async {
        let path = "/security/event?kind=api.authentication_failed";
        let list = world.api.get(path).await.expect(200).json();
        let rows = list["data"].as_array().expect("a list");
        let is = rows.iter().any(|row| {
            row.to_string()
                .contains("no rule gives a role to <b>eve</b>@")
        });
        is.then_some(()).ok_or_else(|| list.to_string())
    })
    .await;
}

#[tokio::test]
async fn what_the_provider_says_instead_is_shown_as_text_and_only_to_whom_it_belongs() {
    let world = World::start().await;
    let sent = world.begin("").await;
    let says = "error=access_denied&error_description=%3Cscript%3Ecall+us";
    let reply = world
        .return_with(&format!("{says}&state=x"), &sent.cookie)
        .await;
    refused(&reply, 400, "does not belong");
    assert!(!text(&reply).contains("call us"), "{}", text(&reply));
    let query = format!("{says}&state={}", sent.to["state"]);
    let reply = world.return_with(&query, &sent.cookie).await;
    refused(&reply, 401, "access_denied (&lt;script&gt;call us)");
}

#[tokio::test]
async fn a_new_key_of_the_providers_is_looked_for_once() {
    let world = World::start().await;
    world
        .sign_in_as(json!({"groups": ["staff"]}))
        .await
        .expect(303);
    world.provider.now(|said| {
        said.key = Key::elliptic();
        said.key_id = "two".into();
    });
    world.provider.asked().await;
    world.sign_in().await.expect(303);
    world.sign_in().await.expect(303);
    let asked = world.provider.asked().await;
    let keys = asked.iter().filter(|path| *path == "/keys").count();
    assert_eq!(keys, 1, "{asked:?}");
}

#[tokio::test]
async fn a_provider_that_is_away_keeps_nobody_with_a_token_out() {
    let home = tempfile::tempdir().expect("a place");
    let gone = Provider::start().await.issuer();
    let mut server = Server::start(options(home.path(), &gone)).await;
    let api = server.api().await;
    let start = Call::new(Method::GET, START).anonymous();
    let reply = api.call(start).await;
    refused(&reply, 502, "can't be asked at the moment");
    let token = server.token().await;
    let form = Call::post("/dashboard/sign-in", format!("token={token}")).anonymous();
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let reply = api.call(form).await.expect(303);
    assert!(cookie(&reply, "__Host-postrider").is_some());
}

#[tokio::test]
async fn nobody_is_asked_whom_the_operator_has_not_named() {
    let stranger = Receiver::willing().await;
    for change in [
        (|said: &mut Said, url: String| said.token_endpoint = Some(url)) as fn(&mut Said, String),
        |said, url| said.jwks_uri = Some(url),
    ] {
        let world = World::start().await;
        let url = stranger.url("/elsewhere");
        world.provider.now(|said| change(said, url));
        let start = world.page(START, "").await;
        let reply = match start.status {
            303 => world.sign_in_as(json!({"groups": ["staff"]})).await,
            _ => start,
        };
        refused(&reply, 502, "list it as `oidc_host`");
        assert!(text(&reply).contains(&stranger.address().to_string()));
    }
    assert!(stranger.rest().await.is_empty());
}

#[tokio::test]
async fn an_issuer_that_calls_itself_otherwise_is_told_clearly() {
    let world = World::start().await;
    let with_slash = format!("{}/", world.provider.issuer());
    world.provider.now(|said| said.issuer = Some(with_slash));
    let reply = world.page(START, "").await;
    refused(&reply, 502, "`oidc_issuer` must be what it calls itself");
}

#[tokio::test]
async fn it_is_refused_at_the_start_without_a_rule() {
    let home = tempfile::tempdir().expect("a place");
    let data = home.path().join("data");
    let base = ["serve", "--dev", "--listen", "127.0.0.1:0", "--data-dir"];
    let data = [data.to_str().expect("text")];
    let oidc = [
        "--oidc-issuer",
        "https://id.example.com",
        "--oidc-client-id",
        "x",
    ];
    let refused = postrider(&[&base[..], &data, &oidc].concat()).await;
    refused
        .expect(2)
        .complains_of("[oidc.roles]")
        .complains_of("`oidc_issuer`");
}
