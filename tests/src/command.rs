//! The binary's commands, run to their end.

use std::path::Path;
use std::process::Output;
use std::time::Duration;
use tokio::process::Command;

use crate::place;
use crate::wait::within_time;

/// How long a command may take that is not a server: who takes longer hangs.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(300);

/// What a command left behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The command line, for messages.
    pub line: String,
    /// The exit status; `None`: a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output without the final line break, of a command that must succeed.
    ///
    /// # Panics
    /// When the exit status is not 0.
    #[track_caller]
    pub fn text(&self) -> &str {
        self.expect(0);
        self.stdout.trim_end()
    }

    /// Asserts the exit status, with all output in the message.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    pub fn expect(&self, status: i32) -> &Self {
        assert_eq!(self.status, Some(status), "exit status of {self:#?}");
        self
    }

    /// Asserts that standard error holds `part`, whatever its case.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn complains_of(&self, part: &str) -> &Self {
        let text = self.stderr.to_lowercase();
        assert!(
            text.contains(&part.to_lowercase()),
            "{part:?} is not in the error of {self:#?}"
        );
        self
    }
}

/// Runs `postrider` with these arguments, in the repository's root.
pub async fn postrider(arguments: &[&str]) -> Outcome {
    postrider_in(place::repository(), arguments).await
}

/// Runs `postrider` with these arguments in `directory`.
pub async fn postrider_in(directory: &Path, arguments: &[&str]) -> Outcome {
    let mut command = place::command(place::binary());
    command.args(arguments).current_dir(directory);
    run(command).await
}

/// Runs any command to its end.
///
/// # Panics
/// When it can't be started, or takes longer than two minutes.
pub async fn run(mut command: Command) -> Outcome {
    let line = format!("{:?}", command.as_std());
    let output = within_time(
        COMMAND_LIMIT,
        format!("the end of {line}"),
        command.output(),
    )
    .await;
    let output = output.unwrap_or_else(|error| panic!("{line} can't be run: {error}"));
    outcome(line, &output)
}

fn outcome(line: String, output: &Output) -> Outcome {
    Outcome {
        line,
        status: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
