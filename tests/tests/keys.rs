//! The two keys of an installation: where they are taken from, in which order, and how they are
//! made.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::command::{Outcome, postrider, run};
use e2e::{Api, Options, Server, place};
use serde_json::json;
use tempfile::TempDir;

#[tokio::test]
async fn keys_are_taken_from_the_first_place_that_gives_them() {
    let (right, wrong) = (Keys::generate().await, Keys::generate().await);
    let by_environment = Options::dev()
        .variable("POSTRIDER_MASTER_KEY", right.text("master.key"))
        .variable("POSTRIDER_TOKEN_KEY", right.text("token.key"));
    let mut server = Server::start(by_environment).await;
    let made = ["master.key", "token.key"].map(|name| server.data_dir().join(name).exists());
    assert_eq!(made, [false, false], "keys that were given are not made");
    let token = with_variable("POSTRIDER_TOKEN_KEY", &right.text("token.key"), &["token"]).await;
    let token = token.text();
    let api = Api::new(&server.url(), token);
    api.application("shop").await;
    let sealed = json!({"url": "https://hooks.example.com", "uid": "first"});
    let endpoint = api.endpoint("shop", &sealed).await;
    let secret = api.secret("shop", &endpoint).await;
    server.terminate().await;

    // Flags that name files go before texts in the environment, and those before the file.
    let file = wrong.config_file();
    let flags = Options::dev()
        .option("--config", text(&file))
        .option("--master-key-file", text(&right.path("master.key")))
        .option("--token-key-file", text(&right.path("token.key")))
        .variable("POSTRIDER_MASTER_KEY", wrong.text("master.key"))
        .variable("POSTRIDER_TOKEN_KEY", wrong.text("token.key"));
    let environment = Options::dev()
        .option("--config", text(&file))
        .variable("POSTRIDER_MASTER_KEY_FILE", text(&right.path("master.key")))
        .variable("POSTRIDER_TOKEN_KEY_FILE", text(&right.path("token.key")));
    let in_the_file = Options::dev().option("--config", text(&right.config_file()));
    for options in [flags, environment, in_the_file] {
        server.restart_with(options).await;
        let api = Api::new(&server.url(), token);
        assert_eq!(api.secret("shop", &endpoint).await, secret);
        server.terminate().await;
    }

    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir"];
    let with_wrong = [text(server.data_dir()), "--config", text(&file)];
    let refused = postrider(&[&arguments[..], &with_wrong].concat()).await;
    refused.expect(3).complains_of("master key");
}

#[tokio::test]
async fn a_key_that_one_place_gives_twice_is_refused() {
    let keys = Keys::generate().await;
    let (path, key) = (keys.path("token.key"), keys.text("token.key"));
    let file = keys.home.path().join("twice.toml");
    let lines = format!("token_key = {key:?}\ntoken_key_file = {path:?}\n");
    fs::write(&file, lines).expect("a file");
    let refused = postrider(&["config", "--config", text(&file)]).await;
    let refused = refused.expect(2).complains_of("`token_key_file`");
    assert!(!refused.stderr.contains(&key), "{refused:?}");

    let mut command = place::command(place::binary());
    command
        .arg("config")
        .env("POSTRIDER_MASTER_KEY", keys.text("master.key"))
        .env("POSTRIDER_MASTER_KEY_FILE", keys.path("master.key"));
    let refused = run(command).await;
    refused.expect(2).complains_of("the environment");
}

#[tokio::test]
async fn the_keys_of_a_store_are_not_made_anew() {
    let mut server = Server::start(Options::dev()).await;
    server.api().await.application("shop").await;
    server.terminate().await;
    let data_dir = server.data_dir().to_owned();
    let key = fs::read(data_dir.join("master.key")).expect("a key");
    for name in ["master.key", "token.key"] {
        fs::remove_file(data_dir.join(name)).expect("it is there");
    }
    let generate = ["keys", "generate", "--data-dir", text(&data_dir)];
    postrider(&generate)
        .await
        .expect(3)
        .complains_of("master.key");
    let start = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        text(&data_dir),
    ];
    postrider(&start).await.expect(3).complains_of("master.key");

    // The other one can be made: the tokens that it signed are lost with it, and nothing else.
    fs::write(data_dir.join("master.key"), key).expect("a file");
    let made = postrider(&generate).await;
    let made = made.text();
    assert!(
        made.contains("token.key") && !made.contains("master.key"),
        "{made}"
    );
    server.restart().await;
}

/// The keys of an installation that is nowhere else.
struct Keys {
    home: TempDir,
}

impl Keys {
    async fn generate() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let generate = ["keys", "generate", "--data-dir", text(home.path())];
        postrider(&generate).await.expect(0);
        Self { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(name)).expect("a key");
        text.trim().to_owned()
    }

    /// A configuration file that holds both as texts.
    fn config_file(&self) -> PathBuf {
        let [master, token] = ["master.key", "token.key"].map(|name| self.text(name));
        let path = self.path("postrider.toml");
        let lines = format!("master_key = {master:?}\ntoken_key = {token:?}\n");
        fs::write(&path, lines).expect("a file");
        path
    }
}

async fn with_variable(name: &str, value: &str, arguments: &[&str]) -> Outcome {
    let mut command = place::command(place::binary());
    command.args(arguments).env(name, value);
    run(command).await
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
