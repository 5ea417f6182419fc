//! The commands that ask a server: the nouns of `resources`, and `send`. One way for all of them:
//! what was typed becomes a request ([`build`]), the client sends it, and the answer is shown as
//! the table of `resources` says, or as it came with `--json`. Only [`resend`] does more than one
//! thing, [`begin`] waits for what it began, and [`follow`] for what is new.

mod begin;
mod build;
mod follow;
mod headers;
mod list;
mod resend;
mod secrets;

use super::escape::plain;
use super::{drive, escaped, say, table};
use crate::cli::{Given, RemoteArgs};
use crate::client::{Client, Patience, Request};
use crate::failure::Failure;
use crate::resources::{Shows, Verb};
use crate::system::SystemClock;
use build::Build;
use model::Clock as _;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// An object of the API, its values as they came.
type Object = BTreeMap<String, Box<RawValue>>;

/// Asks, and shows the answer.
pub(crate) fn run(args: RemoteArgs) -> Result<(), Failure> {
    let (server, credentials) = args.server.choose()?;
    let patience = match args.operation.verb {
        Verb::Resend => Patience::LONG,
        _ => Patience::SHORT,
    };
    let client = Client::new(server, &credentials, patience)?;
    let build = Build {
        args: &args,
        now: SystemClock::new().now(),
    };
    secrets::warn(&args);
    let of_headers = build.headers()?;
    let request = build.request(of_headers.is_some())?;
    drive(async {
        if let Some(of_headers) = &of_headers {
            client.call(of_headers).await?;
        }
        match args.operation.verb {
            Verb::List => list::run(&client, &args, request).await,
            Verb::Follow => follow::run(&client, &args, request).await,
            Verb::Resend => resend::run(&client, &args, request).await,
            Verb::Begin => begin::run(&client, &args, request).await,
            Verb::Get | Verb::Post | Verb::Put | Verb::Patch | Verb::Delete => {
                let done = one(&client, &args, &request).await;
                if done.is_err() && of_headers.is_some() {
                    eprintln!(
                        "postrider: its headers were changed; what was asked besides was not"
                    );
                }
                done
            }
        }
    })?
}

async fn one(client: &Client, args: &RemoteArgs, request: &Request) -> Result<(), Failure> {
    let body = client.call(request).await?;
    // Not all that is done is answered with something.
    let body = if body.is_empty() { "{}".into() } else { body };
    let no_object = |_| client.strange("its answer is no JSON object");
    let object: Object = serde_json::from_slice(&body).map_err(no_object)?;
    let shows = match args.json {
        true => Shows::Json,
        false => args.operation.shows,
    };
    match shows {
        Shows::Json => {
            let text: &RawValue = serde_json::from_slice(&body).map_err(no_object)?;
            say(plain(text.get()))
        }
        Shows::Fields => say(table::fields(&object)),
        Shows::Text { field, .. } => {
            let text = object.get(field).map(|value| value.get());
            let text: Option<String> = text.and_then(|text| serde_json::from_str(text).ok());
            let text = text.ok_or_else(|| client.strange(format!("it gives no `{field}`")))?;
            say(escaped(&text))
        }
        Shows::Done(done) => say(format_args!("{done} {}", target(args))),
        Shows::Rows { .. } => Err(client.strange("it gives one where many were meant").into()),
    }
}

/// What an operation is about, as it was typed.
fn target(args: &RemoteArgs) -> String {
    let mut given = args.given.iter();
    let target = given.find(|(parameter, _)| parameter.place.is_nameless());
    match target {
        Some((_, Given::Text(text))) => escaped(text),
        _ => String::new(),
    }
}
