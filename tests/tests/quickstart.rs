//! Runs the commands of `docs/quickstart.md`, as they are written, in as many terminals as it says.
//!
//! Two things are not as a reader would have them: the data directory is a temporary one
//! (POSTRIDER_DATA_DIR), so that nothing of a developer's is touched; and where one of the page's
//! ports is taken, another is put into the text, which is said.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use e2e::command::{self, Outcome};
use e2e::wait::within_time;
use e2e::{eventually, place, within};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

/// The most commands from nothing to one's own first webhook.
const COMMANDS_MAX: usize = 6;
/// For a build from nothing.
const BUILD_LIMIT: Duration = Duration::from_secs(600);

#[tokio::test]
async fn the_quickstart_brings_a_first_webhook_as_it_is_written() {
    let reader = Reader::new();
    let terminals = terminals(&reader.page);
    let count: usize = terminals.iter().map(Vec::len).sum();
    assert!(
        count <= COMMANDS_MAX,
        "{count} commands are more than {COMMANDS_MAX}"
    );
    let said = ["No", "One", "Two", "Three", "Four", "Five", "Six"][count];
    let beginning = reader.page.contains(&format!("{said} commands, "));
    assert!(beginning, "the page says another number than {count}");
    let [serve, receive, send] = &terminals[..] else {
        panic!("the page has {} terminals, not three", terminals.len())
    };

    let mut server = Terminal::start(&reader, &serve[0]);
    within_time(BUILD_LIMIT, "the server to be ready", async {
        while !server.line().await.contains("listening on http://") {}
    })
    .await;
    let mut receiver = Terminal::start(&reader, &receive[0]);
    reader.receiver_listens().await;
    for command in send {
        let outcome = reader.run(command).await;
        assert!(outcome.text().contains("\"id\":"), "{outcome:?}");
    }

    let shown = within("the webhook in the second terminal", receiver.until("{")).await;
    let (body, headers) = shown.split_last().expect("the line was found");
    assert_eq!(
        body, r#"{"id": "inv_1", "amount": 4200}"#,
        "as it was posted"
    );
    for name in [
        "webhook-id: msg_",
        "webhook-timestamp: ",
        "webhook-signature: v1,",
    ] {
        let found = headers
            .iter()
            .any(|line| line.to_lowercase().starts_with(name));
        assert!(found, "no {name} in {headers:?}");
    }
    println!("{count} commands to the first webhook");
}

/// The `sh` blocks below each heading that begins with the word for a terminal.
fn terminals(page: &str) -> Vec<Vec<String>> {
    let mut terminals: Vec<Vec<String>> = Vec::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        match (&mut block, line) {
            (None, "```sh") => block = Some(String::new()),
            (Some(_), "```") => {
                let text = block.take().expect("it was just there");
                terminals
                    .last_mut()
                    .expect("a heading stands before the commands")
                    .push(text);
            }
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, line) if line.starts_with("## ") && line.contains(" terminal: ") => {
                terminals.push(Vec::new());
            }
            (None, _) => {}
        }
    }
    terminals
}

/// Who follows the page.
struct Reader {
    page: String,
    listen: SocketAddr,
    receiver: SocketAddr,
    home: TempDir,
}

impl Reader {
    fn new() -> Self {
        let page = std::fs::read_to_string(place::repository().join("docs/quickstart.md"));
        let mut page = page.expect("docs/quickstart.md is there");
        let [listen, receiver] = [8071, 8072].map(|port| free_instead(port, &mut page));
        Self {
            page,
            listen,
            receiver,
            home: tempfile::tempdir().expect("a directory"),
        }
    }

    fn shell(&self, text: &str) -> Command {
        let mut command = place::command(Path::new("sh"));
        command.args(["-c", text]).current_dir(place::repository());
        command.env(
            "POSTRIDER_DATA_DIR",
            self.home.path().join("postrider-data"),
        );
        if self.listen.port() != 8071 {
            command.env("POSTRIDER_LISTEN", self.listen.to_string());
        }
        command
    }

    async fn run(&self, text: &str) -> Outcome {
        let outcome = command::run(self.shell(text)).await;
        println!("$ {text}{}", outcome.stdout);
        outcome
    }

    async fn receiver_listens(&self) {
        eventually("the receiver to listen", || async {
            TcpStream::connect(self.receiver)
                .await
                .map(drop)
                .map_err(|error| error.to_string())
        })
        .await;
    }
}

/// The page's port; where it is taken, a free one is put into the page.
fn free_instead(port: u16, page: &mut String) -> SocketAddr {
    assert!(
        page.contains(&port.to_string()),
        "the page does not use port {port} any more"
    );
    let listen = |port: u16| TcpListener::bind(("127.0.0.1", port))?.local_addr();
    listen(port).unwrap_or_else(|error| {
        let free = listen(0).expect("a free port");
        println!(
            "port {port} is taken ({error}): the page is run with {} instead",
            free.port()
        );
        *page = page.replace(&port.to_string(), &free.port().to_string());
        free
    })
}

/// A command that goes on running, in a process group of its own.
struct Terminal {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Terminal {
    fn start(reader: &Reader, text: &str) -> Self {
        // One stream for both, as a terminal shows them.
        let mut command = reader.shell(&format!("exec 2>&1\n{text}"));
        let child = command.process_group(0).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("sh is there");
        let output = child.stdout.take().expect("it is piped");
        Self {
            child,
            lines: BufReader::new(output).lines(),
        }
    }

    /// The next line; what the command shows is shown here too.
    async fn line(&mut self) -> String {
        let line = self
            .lines
            .next_line()
            .await
            .expect("the output can be read");
        let line = line.expect("the command goes on running");
        println!("| {line}");
        line
    }

    /// All lines up to the one that begins so.
    async fn until(&mut self, beginning: &str) -> Vec<String> {
        let mut lines = vec![self.line().await];
        while !lines.last().is_some_and(|line| line.starts_with(beginning)) {
            lines.push(self.line().await);
        }
        lines
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The shell, and what it started.
        if let Some(group) = self.child.id() {
            let kill = format!("kill -TERM -{group}");
            let _ = std::process::Command::new("sh")
                .args(["-c", &kill])
                .status();
        }
    }
}
