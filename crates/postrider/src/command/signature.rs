//! `postrider sign` and `postrider verify`: a signature made, or checked, without a server. The
//! room `webhook` does both; here is only what is read and what is shown of it. Neither prints a
//! secret, and `verify` no signature that would have been right: whoever has that needs no secret.

mod shown;

use super::{Input, escaped, say, say_json};
use crate::cli::{GenericArgs, SignArgs, SignedArgs, VerifyArgs};
use crate::failure::Failure;
use crate::system::{SystemClock, SystemEntropy};
use anyhow::anyhow;
use model::entropy::random;
use model::{Clock as _, Secret};
use serde_json::{Map, Value};
use shown::{Check, Request, Verdict};
use std::fmt::Write as _;
use std::str;
use webhook::provider::{Outgoing, Provider, SignError};
use webhook::{GenericPart, GenericScheme, HmacKey, HmacKeys, HmacScheme, HmacVerifier};

/// A way to sign.
#[derive(Debug, Clone)]
enum Scheme {
    /// A known sender's.
    Known(Provider),
    /// One that was described.
    Hmac(HmacScheme),
}

/// Prints the headers to send, a line for each.
pub(crate) fn sign(args: &SignArgs) -> Result<(), Failure> {
    let scheme = scheme(&args.signed)?;
    let id = args.id.clone().unwrap_or_else(new_id);
    if !webhook::is_valid_id(&id) {
        return Err(Failure::Misuse(anyhow!(
            "--id: 1 to {} visible ASCII characters without a full stop",
            webhook::ID_BYTES_MAX
        )));
    }
    let secret = Input::file(&args.signed.secret_file).secret()?;
    let body = Input::file(&args.signed.body).bytes()?;
    let headers = scheme.sign(
        &secret,
        &Outgoing {
            method: &args.signed.method,
            url: scheme.url(&args.signed)?,
            id: &id,
            timestamp: now(&args.signed),
            body: &body,
        },
    )?;
    if args.signed.json {
        let headers = headers.into_iter();
        let headers = headers.map(|(name, value)| (name, Value::from(value)));
        return say_json(&Value::from(Map::from_iter(headers)));
    }
    let lines = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"));
    say(lines.collect::<Vec<_>>().join("\n"))
}

/// Prints `genuine`, or `refused: REASON` and what was looked at.
pub(crate) fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let scheme = scheme(&args.signed)?;
    let secret = Input::file(&args.signed.secret_file).secret()?;
    let headers = Input::file(&args.headers).bytes()?;
    let headers = read_headers(&headers)?;
    let request = Request {
        method: &args.signed.method,
        url: scheme.url(&args.signed)?,
        headers: &headers,
        body: &Input::file(&args.signed.body).bytes()?,
        now: now(&args.signed),
    };
    let verdict = scheme.judge(&secret, &request, args.tolerance)?;
    if args.signed.json {
        say_json(&verdict.json())?;
    } else {
        say(verdict.text())?;
    }
    if verdict.is_genuine() {
        Ok(())
    } else {
        Err(Failure::No)
    }
}

fn scheme(args: &SignedArgs) -> Result<Scheme, Failure> {
    let name = args.scheme.as_str();
    if name == GENERIC {
        return generic(&args.generic).map(Scheme::Hmac);
    }
    Provider::named(name).map(Scheme::Known).ok_or_else(|| {
        let names = Provider::all().map(|known| known.name());
        let known: Vec<_> = names.chain([GENERIC]).collect();
        let (known, name) = (known.join(", "), escaped(name));
        Failure::Misuse(anyhow!(
            "the scheme `{name}` is not known; known are {known}"
        ))
    })
}

const GENERIC: &str = "generic";

fn generic(args: &GenericArgs) -> Result<HmacScheme, Failure> {
    let [header, hash, encoding] = [&args.header, &args.hash, &args.encoding]
        .map(|given| given.as_deref().unwrap_or_default());
    let described = GenericScheme {
        header,
        hash,
        encoding,
        prefix: &args.prefix,
        template: &args.template,
        timestamp_header: args.timestamp_header.as_deref(),
    };
    HmacScheme::generic(described).map_err(|error| {
        let flag = match error.part() {
            GenericPart::Header => "header",
            GenericPart::Hash => "hash",
            GenericPart::Encoding => "encoding",
            GenericPart::Prefix => "prefix",
            GenericPart::Template => "template",
            GenericPart::TimestampHeader => "timestamp-header",
        };
        Failure::Misuse(anyhow!("--{flag}: {error}"))
    })
}

/// Names and values.
type Headers = Vec<(String, String)>;

impl Scheme {
    /// The URL, which has to be known where it is signed.
    fn url<'a>(&self, args: &'a SignedArgs) -> Result<&'a str, Failure> {
        match (self, args.url.as_deref()) {
            (Self::Known(known), None) if known.signs_url() => {
                let name = known.name();
                Err(Failure::Misuse(anyhow!(
                    "--url: `{name}` signs the URL: give the whole one, as its sender has it"
                )))
            }
            (_, url) => Ok(url.unwrap_or_default()),
        }
    }

    fn sign(&self, secret: &Secret, request: &Outgoing<'_>) -> Result<Headers, Failure> {
        match self {
            Self::Known(known) => known.sign(&lines(secret)?, request).map_err(|error| {
                let flag = match error {
                    SignError::OnlyVerified => "scheme",
                    SignError::NoBodyDigest => "url",
                    _ => "secret-file",
                };
                Failure::Misuse(anyhow!("--{flag}: {error}"))
            }),
            Self::Hmac(scheme) => {
                let keys = keys(scheme, secret)?;
                let (current, before) = keys.split_first().expect("there is at least one");
                let before: Vec<_> = before.iter().collect();
                let keys = HmacKeys {
                    current,
                    before: &before,
                };
                let when = (request.id, request.timestamp);
                let headers = scheme.sign(keys, when, request.body).into_iter();
                Ok(headers
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect())
            }
        }
    }

    fn judge(
        &self,
        secret: &Secret,
        request: &Request<'_>,
        tolerance_seconds: Option<u32>,
    ) -> Result<Verdict, Failure> {
        match self {
            Self::Known(known) => {
                let verifier = known.verifier(&lines(secret)?).map_err(unsuitable)?;
                let tolerance_seconds = tolerance_seconds.unwrap_or(known.tolerance_seconds());
                let check = Check::Known(*known, &verifier, tolerance_seconds);
                Ok(Verdict::of(&check, request))
            }
            Self::Hmac(scheme) => {
                let check = Check::Hmac(HmacVerifier {
                    scheme,
                    keys: &keys(scheme, secret)?,
                    tolerance_seconds: tolerance_seconds.unwrap_or(webhook::TOLERANCE_SECONDS),
                });
                Ok(Verdict::of(&check, request))
            }
        }
    }
}

/// The keys of all lines.
fn keys(scheme: &HmacScheme, secret: &Secret) -> Result<Vec<HmacKey>, Failure> {
    let lines = lines(secret)?.into_iter();
    let keys: Result<_, _> = lines.map(|line| scheme.key(line)).collect();
    keys.map_err(unsuitable)
}

fn unsuitable(error: impl std::fmt::Display) -> Failure {
    Failure::Misuse(anyhow!("--secret-file: {error}"))
}

/// The secrets, each of which is a line. There is at least one.
fn lines(secret: &Secret) -> Result<Vec<&str>, Failure> {
    let text = str::from_utf8(secret.expose()).map_err(|_| unsuitable("the secret is not text"))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.collect();
    match lines.is_empty() {
        true => Err(unsuitable("there is no secret in it")),
        false => Ok(lines),
    }
}

fn now(args: &SignedArgs) -> i64 {
    args.now
        .unwrap_or_else(|| SystemClock::new().now().seconds())
}

fn new_id() -> String {
    let mut id = String::from("msg_");
    for byte in random::<16>(&SystemEntropy) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// Names and values of the lines `Name: value`.
fn read_headers(text: &[u8]) -> Result<Vec<(&str, &[u8])>, Failure> {
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let headers = lines.map(|(number, line)| {
        let colon = line.iter().position(|byte| *byte == b':');
        let header = colon.and_then(|colon| {
            let name = str::from_utf8(&line[..colon]).ok()?;
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
            is_name.then(|| (name, line[colon + 1..].trim_ascii()))
        });
        let number = number + 1;
        header.ok_or_else(|| {
            Failure::Misuse(anyhow!(
                "--headers: line {number} is no header: write `Name: value`"
            ))
        })
    });
    headers.collect()
}

#[cfg(test)]
mod tests;
