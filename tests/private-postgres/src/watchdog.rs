//! Starts servers under a watchdog, which ends them when whoever needed them is gone. What is
//! started, and where, is for others to say.

use crate::binaries::{Binaries, plain_command};
use crate::room::Room;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

const WATCHDOG: &str = include_str!("watchdog.sh");
/// How much of a log is shown when a server does not start.
const LOG_LINES: usize = 30;

/// For how long a server is needed.
pub(crate) enum Needed {
    /// Until the process that started it ends, or lets go of it.
    ByOne,
    /// Until nobody has held a lock on this file for so long. Opened for this purpose alone: as a
    /// duplicate, it would share its lock with the other.
    ByAll(File, Duration),
}

/// What is started.
pub(crate) struct Watched<'a> {
    /// With its arguments.
    pub(crate) command: &'a [OsString],
    /// Ends it at once.
    pub(crate) signal: &'static str,
    /// Where it listens in its directory, it is waited for until it does.
    pub(crate) listens: bool,
    /// The file in its directory that names the server which it starts itself, if it does so.
    pub(crate) starts: Option<&'static str>,
}

/// Starts a server in `place`, and waits until it accepts connections: the watchdog. Otherwise the
/// end of its log.
pub(crate) fn run(
    (room, binaries): (&Room, &Binaries),
    place: &Path,
    needed: Needed,
    watched: &Watched<'_>,
) -> Result<Child, String> {
    let (word, stdin) = match needed {
        Needed::ByOne => ("pipe".to_owned(), Stdio::piped()),
        Needed::ByAll(lock, idle) => (idle.as_secs().to_string(), Stdio::from(lock)),
    };
    let mut watchdog = plain_command(Path::new("sh"));
    watchdog
        .args(["-c", WATCHDOG, "watchdog.sh", &word])
        .arg(place)
        .arg(match watched.listens {
            true => binaries.folder().join("pg_isready"),
            false => "true".into(),
        })
        .args([watched.signal, watched.starts.unwrap_or("-")])
        .args(watched.command)
        .current_dir(place)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0); // what ends the tests must not end it before it has cleaned up
    room.settle(&mut watchdog);
    let mut child = watchdog.spawn().expect("every system has sh");
    let mut line = String::new();
    let said = child.stdout.take().expect("it is piped");
    let read = BufReader::new(said).read_line(&mut line);
    match read.is_ok() && line == "ready\n" {
        true => Ok(child),
        false => Err(line + &log(place)),
    }
}

/// Ends a server that [`Needed::ByOne`] needed, at once, and leaves its directory where it is.
///
/// # Panics
/// When the watchdog is gone.
pub(crate) fn end(watchdog: Child) {
    tell(watchdog, "keep");
}

/// The same as a machine does that loses its power: with all that it has started, and no farewell.
///
/// # Panics
/// When the watchdog is gone.
pub(crate) fn crash(watchdog: Child) {
    tell(watchdog, "crash");
}

fn tell(mut watchdog: Child, word: &str) {
    let mut pipe = watchdog.stdin.take().expect("it is piped");
    writeln!(pipe, "{word}").expect("the watchdog listens");
    drop(pipe);
    watchdog.wait().expect("the watchdog is a child of ours");
}

/// The end of what a server in `place` logged.
pub(crate) fn log(place: &Path) -> String {
    let path = place.join("log");
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
        }
        Err(error) => format!("{}: {error}", path.display()),
    }
}
