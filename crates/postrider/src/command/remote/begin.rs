//! What begins background work: it is begun, and waited for, with what has come of it so far on
//! standard error. Whoever ends the command ends only the waiting.

use super::super::escape::plain;
use super::super::table::fields;
use super::super::{escaped, say};
use super::Object;
use crate::cli::RemoteArgs;
use crate::client::{Client, Patience, Request};
use crate::failure::Failure;
use anyhow::anyhow;
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::Value;
use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

/// Between the first two looks at how it stands. Each wait after it is twice as long, up to
/// [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Background work, as far as it is looked at.
#[derive(Deserialize)]
struct Task {
    id: String,
    status: String,
    #[serde(default)]
    data: Value,
}

/// Begins it, and waits for its end.
pub(super) async fn run(
    client: &Client,
    args: &RemoteArgs,
    request: Request,
) -> Result<(), Failure> {
    let body = client.call(&request).await?;
    let task = read(client, &body)?;
    if args.no_wait {
        return match args.json {
            true => show(client, args, &body),
            false => say(escaped(&task.id)),
        };
    }
    let id = escaped(&task.id);
    eprintln!("postrider: begun as {id}: it goes on also without this command");
    let bar = match stderr().is_terminal() {
        true => ProgressBar::new_spinner(),
        false => ProgressBar::hidden(),
    };
    let ended = wait(client, &task.id, &bar).await;
    bar.finish_and_clear();
    let body = ended?;
    show(client, args, &body)?;
    let task = read(client, &body)?;
    match task.status.as_str() {
        "failed" => {
            let why = task.data["error"].as_str().unwrap_or("it failed");
            Err(Failure::Refused(anyhow!("{}", escaped(why))))
        }
        _ => Ok(()),
    }
}

/// A server that is away meanwhile is waited for: the work goes on when it is back.
async fn wait(client: &Client, id: &str, bar: &ProgressBar) -> Result<bytes::Bytes, Failure> {
    let request = Request::get(["background-task", id]);
    let mut pause = PAUSE;
    loop {
        let body = client.call_with(&request, Patience::LONG).await?;
        let task = read(client, &body)?;
        if task.status != "running" {
            return Ok(body);
        }
        bar.set_message(counts(&task.data));
        bar.tick();
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// What it has counted so far.
fn counts(data: &Value) -> String {
    let counts = data.as_object().into_iter().flatten();
    let counts = counts.filter(|(_, count)| count.is_number());
    let counts: Vec<_> = counts
        .map(|(name, count)| format!("{} {count}", escaped(name)))
        .collect();
    counts.join(", ")
}

fn read(client: &Client, body: &[u8]) -> Result<Task, Failure> {
    let task = serde_json::from_slice(body);
    task.map_err(|_| client.strange("its answer is no background task").into())
}

fn show(client: &Client, args: &RemoteArgs, body: &[u8]) -> Result<(), Failure> {
    let strange = |_| client.strange("its answer is no JSON object");
    if args.json {
        let text: &serde_json::value::RawValue = serde_json::from_slice(body).map_err(strange)?;
        return say(plain(text.get()));
    }
    let object: Object = serde_json::from_slice(body).map_err(strange)?;
    say(fields(&object))
}
