//! The command line as a client of a server: what is asked, what is shown to people and to scripts,
//! and how it ends. And signing and verifying, which need no server.

mod asking;
mod ending;
mod giving_up;
mod headers;
mod importing;
mod installation;
mod listening;
mod pinning;
mod schemes;
mod sending;
mod signing;
mod trusting;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use e2e::command::{Outcome, run};
use e2e::{Options, Server, place};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// A server, and somebody who types.
struct Desk {
    server: Server,
    directory: TempDir,
}

impl Desk {
    async fn new() -> Self {
        Self::with(Options::dev()).await
    }

    async fn with(options: Options) -> Self {
        let mut server = Server::start(options).await;
        let directory = tempfile::tempdir().expect("a directory");
        let token = server.token().await;
        fs::write(directory.path().join("token"), format!("{token}\n")).expect("a file");
        Self { server, directory }
    }

    /// A file of this name, with this in it.
    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    /// A command that asks the server.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("POSTRIDER_SERVER", self.server.url())
            .env("POSTRIDER_TOKEN_FILE", self.directory.path().join("token"));
        command
    }

    async fn ask(&self, arguments: &[&str]) -> Outcome {
        run(self.command(arguments)).await
    }

    /// The same with this on standard input.
    async fn ask_with(&self, input: &str, arguments: &[&str]) -> Outcome {
        let path = self.file("input", input);
        let mut command = self.command(arguments);
        command.stdin(Stdio::from(File::open(path).expect("it was written above")));
        run(command).await
    }

    /// What it prints with `--json`.
    async fn json(&self, arguments: &[&str]) -> Value {
        let outcome = self.ask(&[arguments, &["--json"]].concat()).await;
        serde_json::from_str(outcome.text())
            .unwrap_or_else(|error| panic!("no JSON ({error}): {outcome:?}"))
    }

    /// An application with an endpoint, `acme` and `first`, that hears of everything.
    async fn acme(&self, url: &str) {
        let app = ["app", "create", "--name", "Acme", "--uid", "acme"];
        self.ask(&app).await.expect(0);
        let endpoint = [
            "endpoint", "create", "--app", "acme", "--uid", "first", "--url", url,
        ];
        self.ask(&endpoint).await.expect(0);
    }
}

/// A command without a server.
fn command(arguments: &[&str]) -> Command {
    let mut command = place::command(place::binary());
    command.args(arguments);
    command
}

fn path(directory: &TempDir, name: &str) -> PathBuf {
    directory.path().join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
