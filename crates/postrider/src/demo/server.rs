//! A Postrider in a process of its own: this binary's `serve`, in a temporary data directory.

use anyhow::{Context as _, bail};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// The waits between attempts: a shortened schedule, so that trouble is over in seconds.
const RETRY_SCHEDULE: &str = "1,1,1,2,2,3,3,5,5,8,8";
/// How long a body may take to arrive: less than usual, so that who is slow is refused in time.
const BODY_TIMEOUT: &str = "5s";
/// How long a start or an orderly stop may take, also where the disk is busy with what was built.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Postrider that can be killed and started again.
pub(super) struct Server {
    data_dir: PathBuf,
    address: OnceLock<SocketAddr>,
    token: OnceLock<String>,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// Starts one on a free port, with its data in this directory.
    pub(super) async fn start(data_dir: PathBuf) -> anyhow::Result<Self> {
        let server = Self {
            data_dir,
            address: OnceLock::new(),
            token: OnceLock::new(),
            child: Mutex::new(None),
        };
        server.launch("127.0.0.1:0").await?;
        let token = server.mint().await?;
        server.token.get_or_init(|| token);
        Ok(server)
    }

    /// Where it listens: the same after a restart.
    pub(super) fn address(&self) -> SocketAddr {
        *self.address.get().expect("known since the start")
    }

    /// The base of its URLs.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address())
    }

    /// An admin token.
    pub(super) fn token(&self) -> &str {
        self.token.get().expect("minted at the start")
    }

    /// Kills it without a warning, and starts it again on the same data and port.
    pub(super) async fn kill_and_restart(&self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.lock().await.take() {
            child
                .kill()
                .await
                .context("Postrider could not be killed")?;
        }
        self.launch(&self.address().to_string()).await
    }

    /// Stops it as an operator would, and waits for it to end.
    pub(super) async fn stop(&self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.lock().await.take() else {
            return Ok(());
        };
        let Some(pid) = child.id() else { return Ok(()) };
        // The shell's own `kill`: the program of that name is not on every machine.
        let line = format!("kill -TERM {pid}");
        let asked = Command::new("sh").args(["-c", &line]).status().await;
        asked.context("`sh` could not be run")?;
        tokio::time::timeout(PATIENCE, child.wait())
            .await
            .context("Postrider did not stop")??;
        Ok(())
    }

    async fn launch(&self, listen: &str) -> anyhow::Result<()> {
        let mut child = program()?
            .args([
                "serve",
                "--dev",
                "--log-format",
                "text",
                "--log",
                "warn",
                "--listen",
                listen,
            ])
            .args(["--body-timeout", BODY_TIMEOUT])
            .args(["--retry-schedule", RETRY_SCHEDULE, "--data-dir"])
            .arg(&self.data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("Postrider could not be started")?;
        let mut lines = BufReader::new(child.stderr.take().context("its log is piped")?).lines();
        let mut log = Vec::new();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, rest)) = line.split_once("listening on http://") {
                    let address = rest.split_whitespace().next().unwrap_or_default();
                    return address.parse().context("the address it listens on");
                }
                log.push(line);
            }
            bail!("Postrider ended at its start:\n{}", log.join("\n"))
        };
        let address = tokio::time::timeout(PATIENCE, ready).await;
        let address = address.context("Postrider did not start in time")??;
        self.address.get_or_init(|| address);
        // Whoever writes to a pipe that nobody reads will stand still one day.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        *self.child.lock().await = Some(child);
        Ok(())
    }

    async fn mint(&self) -> anyhow::Result<String> {
        let mut command = program()?;
        command
            .args(["token", "--expires", "12h", "--data-dir"])
            .arg(&self.data_dir);
        let output = command.stdin(Stdio::null()).output().await?;
        if !output.status.success() {
            bail!("no token: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

/// This very binary, without the options of whoever runs the demo.
fn program() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("where this binary is")?);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("POSTRIDER_") {
            command.env_remove(name);
        }
    }
    Ok(command)
}
