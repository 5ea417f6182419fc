//! A key that a program prints: the way to what a key-management service holds. It is run without a
//! shell, for a bounded time, and with a bounded output, which goes nowhere else. What it says on
//! standard error is the operator's to see.

use model::Secret;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// How long it may take: a service may have to be asked, and asked again.
const TIME_MAX: Duration = Duration::from_secs(30);
/// Many times what a key has.
const OUTPUT_BYTES_MAX: u64 = 4_096;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// It names no program.
    #[error("it names no program: give a program and its arguments, with spaces between them")]
    Empty,
    /// It can't be run.
    #[error("`{0}` can't be run: give a program that is there; no shell looks at it")]
    Start(String, #[source] io::Error),
    /// Its output can't be read.
    #[error("what `{0}` prints can't be read")]
    Output(String, #[source] io::Error),
    /// It ended badly.
    #[error("`{0}` ended with {1}, and must print the key and end with status 0")]
    Failed(String, ExitStatus),
    /// It did not end.
    #[error("`{0}` did not end within {max} seconds", max = TIME_MAX.as_secs())]
    Late(String),
    /// It prints something else.
    #[error("`{0}` prints more than {OUTPUT_BYTES_MAX} bytes, and must print nothing but the key")]
    Long(String),
}

/// What the command prints. Arguments may be secret: only the program is named in errors.
pub(crate) async fn output(command: &str) -> Result<Secret, CommandError> {
    output_within(command, TIME_MAX).await
}

async fn output_within(command: &str, time: Duration) -> Result<Secret, CommandError> {
    let mut words = command.split_whitespace();
    let program = words.next().ok_or(CommandError::Empty)?.to_owned();
    let mut child = Command::new(&program);
    child
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let started = child.spawn();
    let mut child = started.map_err(|error| CommandError::Start(program.clone(), error))?;
    let stdout = child.stdout.take().expect("it was asked for");
    let whole = async {
        // Large enough from the start: what it outgrew would be left in memory.
        let mut bytes = Vec::with_capacity(2 * OUTPUT_BYTES_MAX as usize);
        let mut stdout = stdout.take(OUTPUT_BYTES_MAX + 1);
        stdout.read_to_end(&mut bytes).await?;
        // What prints on and on is not waited for.
        let status = match bytes.len() as u64 > OUTPUT_BYTES_MAX {
            true => None,
            false => Some(child.wait().await?),
        };
        Ok((Secret::new(bytes), status))
    };
    let Ok(ended) = tokio::time::timeout(time, whole).await else {
        return Err(CommandError::Late(program));
    };
    match ended.map_err(|error| CommandError::Output(program.clone(), error))? {
        (_, None) => Err(CommandError::Long(program)),
        (_, Some(status)) if !status.success() => Err(CommandError::Failed(program, status)),
        (bytes, Some(_)) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_program_prints_is_the_key_and_no_shell_is_asked() {
        let key = output("echo  a $HOME ; key").await.unwrap();
        assert_eq!(key.expose(), b"a $HOME ; key\n");
    }

    #[tokio::test]
    async fn what_fails_hangs_or_prints_too_much_is_no_key_and_is_not_repeated() {
        for (command, says) in [
            (" ", "names no program"),
            ("/nowhere/at-all sesame", "can't be run"),
            ("false sesame", "exit status: 1"),
            ("yes sesame", "more than 4096 bytes"),
            ("sleep 60", "did not end"),
        ] {
            let limit = match command {
                "sleep 60" => Duration::from_millis(50),
                _ => TIME_MAX,
            };
            let error = output_within(command, limit).await.err().unwrap();
            let error = error.to_string();
            assert!(error.contains(says), "{command}: {error}");
            assert!(!error.contains("sesame"), "{error}");
        }
    }
}
