//! `postrider listen`: gets an application's new messages as an endpoint would, shows them, and
//! sends them on, from wherever it runs: it asks for them over connections that it opens itself.
//!
//! The server keeps nothing of it: the secret and the place that it has come to go with each
//! request. So there is nothing to remove at its end, however that comes, and a server that was
//! away, or another node, goes on where this left off.

mod forward;
mod heard;
mod shown;

use super::{Input, drive, escaped, say, say_json};
use crate::cli::ListenArgs;
use crate::client::{Client, ClientError, Patience, Request};
use crate::failure::Failure;
use crate::system::{SystemClock, SystemEntropy};
use anyhow::anyhow;
use app::listening::WAIT_MAX;
use forward::Forward;
use heard::{Heard, Letter};
use model::Clock as _;
use model::entropy::random;
use serde_json::{Map, Value, json};
use shown::Outcome;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use webhook::{SigningKey, VerifyingKey};

/// Between two questions that the server did not take its time for: it is away, or about to end.
const PAUSE: Duration = Duration::from_secs(1);
/// One try at a time: it is gone on with anyway.
const PATIENCE: Patience = Patience {
    tries: 1,
    ..Patience::SHORT
};

/// Listens until it is told to end.
pub(crate) fn run(args: ListenArgs) -> Result<(), Failure> {
    let key = signing_key(&args)?;
    let forward = args.forward.as_deref().map(Forward::to).transpose()?;
    let (server, credentials) = args.server.choose()?;
    let place = server.to_string();
    let client = Client::new(server, &credentials, PATIENCE)?;
    drive(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::could_not)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::could_not)?;
        let listening = async {
            let listener = Listener {
                application: application(&client, args.app.as_deref()).await?,
                verifying: verifying_key(&key)?,
                key,
                client,
                forward,
                args: &args,
            };
            listener.listen(&place).await
        };
        tokio::select! {
            ended = listening => ended,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    })?
}

struct Listener<'a> {
    application: String,
    key: SigningKey,
    verifying: VerifyingKey,
    client: Client,
    forward: Option<Forward>,
    args: &'a ListenArgs,
}

impl Listener<'_> {
    async fn listen(&self, server: &str) -> Result<(), Failure> {
        let mut iterator = self.ask(None).await?.iterator;
        self.announce(server);
        let mut away = false;
        loop {
            let began = Instant::now();
            match self.ask(Some(&iterator)).await {
                Ok(heard) => {
                    if std::mem::take(&mut away) {
                        eprintln!("{server} is there again");
                    }
                    let came_on = heard.iterator != iterator;
                    let was_quick = !came_on && began.elapsed() < PAUSE;
                    iterator = heard.iterator;
                    for letter in &heard.data {
                        self.take(letter).await?;
                    }
                    if !was_quick {
                        continue;
                    }
                }
                Err(error) if error.may_pass() => {
                    if !std::mem::replace(&mut away, true) {
                        eprintln!("waiting: {error}");
                    }
                }
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What is new behind this.
    async fn ask(&self, iterator: Option<&str>) -> Result<Heard, ClientError> {
        let words = |words: &[String]| (!words.is_empty()).then(|| json!(words));
        let fields = [
            ("secret", Some(json!(self.key.to_text().expose()))),
            ("iterator", iterator.map(Value::from)),
            ("waitSeconds", Some(json!(WAIT_MAX.as_secs()))),
            ("eventTypes", words(&self.args.types)),
            ("channels", words(&self.args.channels)),
        ];
        let given = fields.into_iter();
        let given = given.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let body = Value::from(given.collect::<Map<_, _>>()).to_string();
        let request = Request::post(["app", &self.application, "listen"], body);
        self.client.ask(&request).await
    }

    fn announce(&self, server: &str) {
        let application = escaped(&self.application);
        eprintln!("listening to {application} at {server}; Ctrl-C ends it");
        if self.args.secret_file.is_none() {
            let secret = self.key.receiver_text();
            eprintln!("signed with {}", secret.expose());
        }
    }

    /// Shows a message, and sends it on where it is genuine.
    async fn take(&self, letter: &Letter) -> Result<(), Failure> {
        let now = SystemClock::new().now();
        let body = letter.bytes();
        let verified = match &body {
            Ok(body) => letter.verify(&self.verifying, body, now.seconds()),
            Err(reason) => Err(reason.clone()),
        };
        let forwarded = match (&self.forward, &body, &verified) {
            (Some(forward), Ok(body), Ok(())) => Some(forward.send(letter, body.clone()).await),
            _ => None,
        };
        let outcome = Outcome {
            letter,
            body: body.as_deref().ok(),
            verified,
            forwarded,
        };
        if self.args.json {
            return say_json(&outcome.json());
        }
        let at = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or_default();
        say(outcome.text(&at.strftime("%H:%M:%S").to_string()))
    }
}

/// What is typed, or what the token is for.
async fn application(client: &Client, typed: Option<&str>) -> Result<String, Failure> {
    if let Some(typed) = typed {
        return Ok(typed.to_owned());
    }
    let myself: Value = client.ask(&Request::get(["auth", "whoami"])).await?;
    match myself["appId"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => Err(Failure::Misuse(anyhow!(
            "the token is the organisation's: say which application with --app"
        ))),
    }
}

/// The secret that was given, or a new one.
fn signing_key(args: &ListenArgs) -> Result<SigningKey, Failure> {
    let Some(path) = &args.secret_file else {
        return Ok(SigningKey::generate_hmac(&random(&SystemEntropy)));
    };
    let secret = Input::file(path).secret()?;
    let text = std::str::from_utf8(secret.expose()).unwrap_or_default();
    let key = SigningKey::parse(text);
    key.map_err(|error| Failure::Misuse(anyhow!("--secret-file: {error}")))
}

fn verifying_key(key: &SigningKey) -> Result<VerifyingKey, Failure> {
    VerifyingKey::parse(key.receiver_text().expose()).map_err(Failure::could_not)
}
