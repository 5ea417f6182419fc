//! Receivers' examples in the documentation: found on their pages, and run as they stand there, by
//! the real Node and Python with the published packages.

use std::fmt::Debug;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::chance::Chance;
use crate::clients::{Language, SCRIPT_LIMIT, described, feed, node, python, scripts};
use crate::command::{Outcome, run};
use crate::place;
use crate::receiver::Received;
use crate::server::quiet_address;
use crate::wait::eventually;

/// A block of code on a page.
#[derive(Clone, PartialEq, Eq)]
pub struct Example {
    /// The page below `docs`.
    pub page: String,
    /// The heading that it stands under.
    pub heading: String,
    /// The language, as the block names it.
    pub language: String,
    /// What stands there.
    pub code: String,
}

/// How an example is called, and what must be there for it.
pub struct Call<'a> {
    /// An expression of its language, in terms of `method`, `path`, `headers` and `body`.
    pub expression: &'a str,
    /// What it finds under these names.
    pub given: Value,
    /// Files that it reads.
    pub files: &'a [(&'a str, &'a str)],
}

/// A request, with what a call gives back for it; null: it refuses.
pub type Judged = (Received, Value);

impl Example {
    /// All examples of a page in the languages that receivers are written in.
    ///
    /// # Panics
    /// When there is no such page.
    pub fn all(page: &str) -> Vec<Self> {
        let path = place::repository().join("docs").join(page);
        let text = std::fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (mut found, mut heading) = (Vec::new(), String::new());
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(language) = line.strip_prefix("```") else {
                if line.starts_with('#') {
                    heading = line.trim_start_matches(['#', ' ']).to_owned();
                }
                continue;
            };
            let block = lines.by_ref().take_while(|line| *line != "```");
            let code = block.map(|line| format!("{line}\n")).collect();
            if ["python", "js", "rust"].contains(&language) {
                found.push(Self {
                    page: page.to_owned(),
                    heading: heading.clone(),
                    language: language.to_owned(),
                    code,
                });
            }
        }
        found
    }

    /// The one under this heading in this language.
    ///
    /// # Panics
    /// When there is not exactly one.
    pub fn find(page: &str, heading: &str, language: &str) -> Self {
        let mut all = Self::all(page);
        all.retain(|one| one.heading == heading && one.language == language);
        assert_eq!(all.len(), 1, "{page}, {heading}, {language}: {all:?}");
        all.remove(0)
    }

    /// Calls it for each request; every one must be judged as is said.
    ///
    /// # Panics
    /// When one isn't.
    pub async fn judges(&self, call: &Call<'_>, requests: &[Judged]) {
        let home = home(call.files);
        let (name, mut command) = match self.written_in() {
            Language::Python => ("example.py", python(&scripts().join("example.py"))),
            Language::Node => ("example.mjs", node(home.path(), "example.mjs").await),
        };
        command
            .current_dir(&home)
            .env("EXAMPLE", &self.code)
            .env("GIVEN", call.given.to_string())
            .env("CALL", call.expression);
        let lines = requests.iter().map(|(request, gives)| {
            let mut line = described(request);
            line["gives"] = gives.clone();
            line.to_string() + "\n"
        });
        let lines: String = lines.collect();
        let output = feed(command, (name, SCRIPT_LIMIT), &lines).await;
        let expected = format!("judged: {}", requests.len());
        assert!(output.contains(&expected), "{self:?} said {output:?}");
    }

    /// Runs it to its end, as a program with these arguments.
    pub async fn runs(&self, arguments: &[String]) -> Outcome {
        let home = home(&[]);
        let mut command = self.file(home.path(), &self.code).await;
        command.args(arguments).current_dir(&home);
        run(command).await
    }

    /// Starts it, as a server; its port of the page is another here.
    pub async fn serves(&self, port: u16, files: &[(&str, &str)]) -> Served {
        let free = quiet_address(&mut Chance::new()).port();
        let (page, here) = (port.to_string(), free.to_string());
        assert_eq!(self.code.matches(&page).count(), 1, "{self:?}");
        let home = home(files);
        let mut command = self
            .file(home.path(), &self.code.replace(&page, &here))
            .await;
        let child = command.current_dir(&home).spawn();
        eventually(format!("{self:?} to listen"), || async {
            let connected = TcpStream::connect(("127.0.0.1", free)).await;
            connected.map(drop).map_err(|error| error.to_string())
        })
        .await;
        Served {
            port: free,
            _child: child.expect("it can be started"),
            _home: home,
        }
    }

    async fn file(&self, home: &Path, code: &str) -> Command {
        let name = match self.written_in() {
            Language::Python => "receiver.py",
            Language::Node => "receiver-of-the-page.mjs",
        };
        std::fs::write(home.join(name), code).expect("a file can be written");
        match self.written_in() {
            Language::Python => python(&home.join(name)),
            Language::Node => node(home, name).await,
        }
    }

    fn written_in(&self) -> Language {
        match self.language.as_str() {
            "python" => Language::Python,
            "js" => Language::Node,
            other => panic!("no script runs {other}"),
        }
    }
}

impl Debug for Example {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (page, heading, language) = (&self.page, &self.heading, &self.language);
        write!(f, "the example in {language} of {page} under {heading:?}")
    }
}

/// An example that runs; it ends when this is dropped.
pub struct Served {
    /// Where it listens, on this machine.
    pub port: u16,
    _child: Child,
    _home: TempDir,
}

fn home(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().expect("a directory for the example");
    for (name, text) in files {
        std::fs::write(home.path().join(name), text).expect("a file can be written");
    }
    home
}
