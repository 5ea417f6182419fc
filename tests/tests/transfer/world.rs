//! An installation to move, and who receives from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use e2e::command::{Outcome, postrider, run};
use e2e::{Answer, Api, Options, Receiver, Server, eventually, place};
use private_postgres::Database;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Waits between attempts.
pub(crate) const EVERY_SECOND: &str = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";
pub(crate) const KEY_FILES: [&str; 2] = ["master.key", "token.key"];

/// A data directory with something delivered and something open, and who receives it.
pub(crate) struct World {
    pub(crate) home: TempDir,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Database,
    pub(crate) receiver: Receiver,
    pub(crate) willing: Arc<AtomicBool>,
    pub(crate) endpoint: String,
    pub(crate) secret: String,
    pub(crate) delivered: BTreeSet<String>,
    pub(crate) open: BTreeSet<String>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let data_dir = home.path().join("data");
        let willing = Arc::new(AtomicBool::new(true));
        let receiver = {
            let willing = willing.clone();
            Receiver::start(move |_| {
                let takes = willing.load(Ordering::Relaxed);
                Answer::status(if takes { 200 } else { 503 }).body("an answer")
            })
            .await
        };
        let mut server = Server::start(options(&data_dir)).await;
        let api = server.api().await;
        api.application("shop").await;
        let body = json!({"url": receiver.url("/"), "uid": "hooks"});
        let endpoint = api.endpoint("shop", &body).await;
        let secret = api.secret("shop", &endpoint).await;
        let delivered = send(&api, 3).await;
        all_delivered(&api, &delivered).await;
        willing.store(false, Ordering::Relaxed);
        let open = send(&api, 4).await;
        for message in &open {
            attempted(&api, message).await;
        }
        assert!(server.terminate().await.success());
        Self {
            home,
            data_dir,
            database: Database::new(),
            receiver,
            willing,
            endpoint,
            secret,
            delivered,
            open,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// What nodes on the database are started with: copies of the keys, and nothing else.
    pub(crate) fn node(&self) -> Options {
        let keys = self.path("keys");
        fs::create_dir_all(&keys).expect("a directory");
        for name in KEY_FILES {
            fs::copy(self.data_dir.join(name), keys.join(name)).expect("a key");
        }
        options(&keys).variable("POSTRIDER_DATABASE_URL", self.database.url())
    }

    /// Tries to run a node on the database, which is expected to end.
    pub(crate) async fn serve(&self) -> Outcome {
        let _copied = self.node();
        let mut command = place::command(place::binary());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(self.path("keys"))
            .env("POSTRIDER_DATABASE_URL", self.database.url());
        run(command).await
    }

    pub(crate) async fn to_database(&self) -> Outcome {
        transfer(text(&self.data_dir), self.database.url(), &[]).await
    }

    /// All that was sent so far is there, and what is open is delivered when it is taken.
    pub(crate) async fn goes_on(&mut self, server: &mut Server) {
        let api = server.api().await;
        let all: BTreeSet<String> = self.delivered.union(&self.open).cloned().collect();
        assert_eq!(listed(&api).await, all);
        assert_eq!(api.secret("shop", &self.endpoint).await, self.secret);
        self.willing.store(true, Ordering::Relaxed);
        all_delivered(&api, &self.open).await;
        self.delivered.append(&mut self.open);
        let path = format!("/app/shop/endpoint/{}/stats", self.endpoint);
        let stats = api.get(&path).await.expect(200).json();
        let counted = (&stats["success"], &stats["pending"], &stats["sending"]);
        assert_eq!(
            counted,
            (&json!(all.len()), &json!(0), &json!(0)),
            "{stats}"
        );
        self.willing.store(false, Ordering::Relaxed);
        self.open = send(&api, 2).await;
        for message in &self.open {
            attempted(&api, message).await;
        }
    }
}

pub(crate) fn options(data_dir: &Path) -> Options {
    Options::dev()
        .data_dir(data_dir)
        .option("--retry-schedule", EVERY_SECOND)
}

pub(crate) async fn transfer(from: &str, to: &str, more: &[&str]) -> Outcome {
    let arguments = ["transfer", "--from", from, "--to", to];
    postrider(&[&arguments[..], more].concat()).await
}

/// Leaves the tables of a store in a database, and nothing in them.
pub(crate) async fn tables_made(database: &Database) {
    let empty = Server::start(Options::dev()).await;
    let data_dir = empty.data_dir().to_owned();
    let mut empty = empty;
    assert!(empty.terminate().await.success());
    transfer(text(&data_dir), database.url(), &[])
        .await
        .expect(0);
    database.psql("TRUNCATE node, setting");
}

/// Sends so many messages; gives their ids.
pub(crate) async fn send(api: &Api, count: usize) -> BTreeSet<String> {
    let mut sent = BTreeSet::new();
    for number in 0..count {
        sent.insert(api.send("shop", "x", &json!({"n": number})).await);
    }
    sent
}

pub(crate) async fn listed(api: &Api) -> BTreeSet<String> {
    let list = api.get("/app/shop/msg").await.expect(200).json();
    let data = list["data"].as_array().expect("a list");
    let ids = data.iter().map(|message| message["id"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}

pub(crate) async fn attempts(api: &Api, message: &str) -> Vec<Value> {
    let path = format!("/app/shop/attempt/msg/{message}");
    let attempts = api.get(&path).await.expect(200).json();
    attempts["data"].as_array().expect("a list").clone()
}

pub(crate) async fn attempted(api: &Api, message: &str) {
    eventually(format!("an attempt of {message}"), || async {
        match attempts(api, message).await.is_empty() {
            true => Err("there is none".to_owned()),
            false => Ok(()),
        }
    })
    .await;
}

pub(crate) async fn all_delivered(api: &Api, messages: &BTreeSet<String>) {
    for message in messages {
        eventually(format!("the delivery of {message}"), || async {
            let attempts = attempts(api, message).await;
            match attempts.iter().any(|attempt| attempt["status"] == 0) {
                true => Ok(()),
                false => Err(format!("{attempts:?}")),
            }
        })
        .await;
    }
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("it is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a name in UTF-8"));
    let mut names: Vec<_> = names
        .filter(|name| name.ends_with(".key") || name.ends_with(".db"))
        .collect();
    names.sort();
    names
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
