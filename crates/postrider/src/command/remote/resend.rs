//! `delivery resend`: finds what is meant, asks whether it is meant, and has each of them sent
//! again by the one operation that there is for it, one after the other.
//!
//! What has ended may be much: so many are looked for by one run, and it says from where another
//! goes on. A run that was broken off is begun anew: what it has sent again stands otherwise by
//! then, unless it was `delivered` already. One that the server refuses, because its payload is
//! gone for instance, does not keep it from the others.

use super::super::table::table;
use super::super::{escaped, say, say_json};
use super::list::{Page, Pages};
use crate::cli::{Given, RemoteArgs};
use crate::client::{Client, ClientError, Request};
use crate::failure::Failure;
use crate::resources::{COLUMNS, Parameter, Place};
use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _, stderr, stdin};

/// How many are sent again by one run, or a page more.
const RESENT_MAX: usize = 100_000;
/// How many refusals are told to people one by one.
const TOLD_MAX: usize = 20;
/// How many of what would be sent again are shown before it is asked whether they are meant.
const SHOWN_MAX: usize = 20;

/// What is meant, and where more of it begins.
struct Meant {
    deliveries: Vec<Value>,
    more: Option<String>,
}

/// What came of it.
#[derive(Default)]
struct Done {
    resent: usize,
    /// Deliveries that the server refused to send again, and why.
    refused: Vec<(String, String)>,
    /// Why it went no further.
    stopped: Option<Failure>,
}

/// Sends again.
pub(super) async fn run(
    client: &Client,
    args: &RemoteArgs,
    request: Request,
) -> Result<(), Failure> {
    let ids = ids(args)?;
    let meant = match ids {
        Some(ids) => named(client, ids).await?,
        None => found(client, request).await?,
    };
    if args.dry_run {
        return show(args, &meant);
    }
    if meant.deliveries.is_empty() {
        return end(args, Done::default(), &meant);
    }
    if ids.is_none() && !args.yes && !is_meant(&meant)? {
        return Err(Failure::Refused(anyhow!("nothing was sent again")));
    }
    let done = resend_all(client, args, &meant).await;
    end(args, done, &meant)
}

/// The ids that were typed; `None`: filters were, and a state among them.
fn ids(args: &RemoteArgs) -> Result<Option<&[String]>, Failure> {
    let is_filter = |(parameter, _): &&(&Parameter, Given)| parameter.place != Place::Target;
    let filters = args.given.iter().filter(is_filter).count();
    match (args.given("id"), filters) {
        (Some(Given::Words(ids)), 0) if args.iterator.is_none() => Ok(Some(ids)),
        (Some(_), _) => Err(Failure::Misuse(anyhow!(
            "give ids, or what is to be looked for, not both"
        ))),
        (None, _) if args.given("state").is_none() => Err(Failure::Misuse(anyhow!(
            "give ids, or what is to be looked for with --state, such as --state exhausted"
        ))),
        (None, _) => Ok(None),
    }
}

async fn named(client: &Client, ids: &[String]) -> Result<Meant, Failure> {
    let mut deliveries = Vec::with_capacity(ids.len());
    for id in ids {
        let request = Request::get(["delivery", id]);
        let found = client.ask(&request).await;
        deliveries.push(found.map_err(|error| about(id, error))?);
    }
    Ok(Meant {
        deliveries,
        more: None,
    })
}

/// A refusal that says what it is about.
fn about(id: &str, error: ClientError) -> Failure {
    match Failure::from(error) {
        Failure::Refused(error) => Failure::Refused(error.context(escaped(id))),
        Failure::Misuse(error) => Failure::Misuse(error.context(escaped(id))),
        other => other,
    }
}

async fn found(client: &Client, request: Request) -> Result<Meant, Failure> {
    let mut pages = Pages::to_the_end(client, request.query("limit", "250"));
    let mut deliveries = Vec::new();
    loop {
        let body = client.call(&pages.request).await?;
        let mut page: Page<Value> = pages.read(&body)?;
        deliveries.append(&mut page.data);
        let more = pages.turn(&page)?.then_some(page.iterator).flatten();
        if deliveries.len() >= RESENT_MAX || more.is_none() {
            return Ok(Meant { deliveries, more });
        }
    }
}

fn show(args: &RemoteArgs, meant: &Meant) -> Result<(), Failure> {
    if args.json {
        let (data, iterator) = (&meant.deliveries, &meant.more);
        return say_json(
            &json!({ "data": data, "iterator": iterator, "done": iterator.is_none() }),
        );
    }
    if !meant.deliveries.is_empty() {
        say(table(COLUMNS, &meant.deliveries))?;
    }
    say(format_args!("{} would be sent again", count_of_more(meant)))
}

/// How many, in words.
fn count(meant: &Meant) -> String {
    match meant.deliveries.len() {
        1 => "1 delivery".to_owned(),
        some => format!("{some} deliveries"),
    }
}

/// The same, and whether that is all, in the middle of a sentence.
fn count_of_more(meant: &Meant) -> String {
    let count = count(meant);
    match meant.more {
        None => count,
        Some(_) => format!("{count} at first, of more,"),
    }
}

/// Asks whoever sits there.
fn is_meant(meant: &Meant) -> Result<bool, Failure> {
    let count = count_of_more(meant);
    if !stdin().is_terminal() {
        return Err(Failure::Misuse(anyhow!(
            "{count} would be sent again, and nobody is there to be asked: give --yes, or \
             --dry-run to see them"
        )));
    }
    let shown = meant.deliveries.len().min(SHOWN_MAX);
    eprintln!("{}", table(COLUMNS, &meant.deliveries[..shown]));
    if shown < meant.deliveries.len() {
        eprintln!("… and {} more", meant.deliveries.len() - shown);
    }
    eprint!("Send {count} again? [y/N] ");
    let asked = stderr().flush();
    asked
        .context("the question can't be asked")
        .map_err(Failure::CouldNot)?;
    let mut answer = String::new();
    let read = stdin().read_line(&mut answer);
    read.context("the answer can't be read")
        .map_err(Failure::CouldNot)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Sends each again, to the end or until it goes no further: what was done by then is told, too.
async fn resend_all(client: &Client, args: &RemoteArgs, meant: &Meant) -> Done {
    let mut done = Done::default();
    for delivery in &meant.deliveries {
        match resend(client, delivery).await {
            Ok(()) => done.resent += 1,
            Err(error) if is_about_it(&error) => {
                let id = delivery["id"].as_str().unwrap_or_default().to_owned();
                if !args.json && done.refused.len() < TOLD_MAX {
                    eprintln!("postrider: {}: {error}", escaped(&id));
                }
                done.refused.push((id, error.to_string()));
            }
            Err(error) => {
                done.stopped = Some(error.into());
                break;
            }
        }
    }
    done
}

async fn resend(client: &Client, delivery: &Value) -> Result<(), ClientError> {
    let text = |field: &str| match delivery[field].as_str() {
        Some(text) => Ok(text),
        None => Err(client.strange(format!("a delivery has no `{field}`"))),
    };
    let (app, message, endpoint) = (text("appId")?, text("msgId")?, text("endpointId")?);
    let path = ["app", app, "msg", message, "endpoint", endpoint, "resend"];
    client.call(&Request::post(path, "{}")).await.map(drop)
}

/// Whether a refusal says something of this delivery, rather than of whoever asks, or the server.
fn is_about_it(error: &ClientError) -> bool {
    matches!(error.status(), Some(400 | 404 | 409 | 422))
}

fn end(args: &RemoteArgs, done: Done, meant: &Meant) -> Result<(), Failure> {
    let Done {
        resent,
        refused,
        stopped,
    } = done;
    // One that stopped is begun anew, from where it was begun.
    let more = meant.more.as_deref().filter(|_| stopped.is_none());
    if args.json {
        let refused = refused.iter();
        let refused: Vec<Value> = refused
            .map(|(id, reason)| json!({ "id": id, "reason": reason }))
            .collect();
        let is_done = more.is_none() && stopped.is_none();
        say_json(&json!({
            "resent": resent, "refused": refused, "iterator": more, "done": is_done,
        }))?;
    } else {
        say(format_args!("sent again: {resent} of {}", count(meant)))?;
        if let Some(more) = more {
            let more = escaped(more);
            eprintln!("postrider: there is more: go on with --iterator {more}");
        }
    }
    match (stopped, refused.len()) {
        (Some(failure), _) => Err(failure),
        (None, 0) => Ok(()),
        (None, _) if args.json => Err(Failure::No),
        (None, some) => Err(Failure::Refused(anyhow!("{some} could not be sent again"))),
    }
}
