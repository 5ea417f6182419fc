//! `postrider sign` and `postrider verify`: a signature made, or checked, without a server. The
//! room `webhook` does both; here is only what is read and what is shown of it. Neither prints a
//! secret, and `verify` no signature that would have been right: whoever has that needs no secret.

mod shown;

use super::{Input, escaped, say, say_json};
use crate::cli::{SignArgs, SignedArgs, VerifyArgs};
use crate::failure::Failure;
use crate::system::{SystemClock, SystemEntropy};
use anyhow::anyhow;
use model::entropy::random;
use model::{Clock as _, Secret};
use serde_json::{Map, Value};
use shown::{Request, Verdict};
use std::fmt::Write as _;
use std::str;
use webhook::{HeaderFamily, KeyError, SigningKey, Verifier, VerifyingKey};

/// A way to sign that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scheme {
    name: &'static str,
    family: HeaderFamily,
    /// How its secrets begin that sign, and those that verify, where it takes only one kind.
    only: Option<[&'static str; 2]>,
}

const SCHEMES: [Scheme; 3] = [
    Scheme {
        name: "standard-webhooks",
        family: HeaderFamily::Webhook,
        only: None,
    },
    Scheme {
        name: "standard-webhooks-ed25519",
        family: HeaderFamily::Webhook,
        only: Some(["whsk_", "whpk_"]),
    },
    Scheme {
        name: "svix",
        family: HeaderFamily::Svix,
        only: None,
    },
];

/// Prints the headers to send, a line for each.
pub(crate) fn sign(args: &SignArgs) -> Result<(), Failure> {
    let scheme = scheme(&args.signed.scheme)?;
    let id = args.id.clone().unwrap_or_else(new_id);
    if !webhook::is_valid_id(&id) {
        return Err(Failure::Misuse(anyhow!(
            "--id: 1 to {} visible ASCII characters without a full stop",
            webhook::ID_BYTES_MAX
        )));
    }
    let keys = scheme.signing_keys(&Input::file(&args.signed.secret_file).secret()?)?;
    let body = Input::file(&args.signed.body).bytes()?;
    let now = now(&args.signed);
    let headers = scheme.sign(&keys, (&id, now), &body);
    if args.signed.json {
        let headers = headers.map(|(name, value)| (name.to_owned(), Value::from(value)));
        return say_json(&Value::from(Map::from_iter(headers)));
    }
    say(headers
        .map(|(name, value)| format!("{name}: {value}"))
        .join("\n"))
}

/// Prints `genuine`, or `refused: REASON` and what was looked at.
pub(crate) fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let scheme = scheme(&args.signed.scheme)?;
    let keys = scheme.verifying_keys(&Input::file(&args.signed.secret_file).secret()?)?;
    let headers = Input::file(&args.headers).bytes()?;
    let headers = read_headers(&headers)?;
    let request = Request {
        headers: &headers,
        body: &Input::file(&args.signed.body).bytes()?,
        now: now(&args.signed),
    };
    let verifier = Verifier {
        keys: &keys,
        family: scheme.family,
        tolerance_seconds: args.tolerance,
    };
    let verdict = Verdict::of(&verifier, &request);
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

fn scheme(name: &str) -> Result<Scheme, Failure> {
    let found = SCHEMES.iter().find(|scheme| scheme.name == name);
    found.copied().ok_or_else(|| {
        let known: Vec<_> = SCHEMES.iter().map(|scheme| scheme.name).collect();
        let (known, name) = (known.join(", "), escaped(name));
        Failure::Misuse(anyhow!(
            "the scheme `{name}` is not known; known are {known}"
        ))
    })
}

impl Scheme {
    fn signing_keys(self, secret: &Secret) -> Result<Vec<SigningKey>, Failure> {
        let parse = |text: &str| {
            // Providers show their secrets in both ways.
            let is_named = ["whsec_", "whsk_", "whpk_"]
                .iter()
                .any(|prefix| text.starts_with(prefix));
            if is_named {
                SigningKey::parse(text)
            } else {
                let named = Secret::from(format!("whsec_{text}"));
                SigningKey::parse(str::from_utf8(named.expose()).unwrap_or_default())
            }
        };
        self.keys(secret, 0, parse)
    }

    fn verifying_keys(self, secret: &Secret) -> Result<Vec<VerifyingKey>, Failure> {
        self.keys(secret, 1, VerifyingKey::parse)
    }

    /// The keys of all lines; `side` is the place of the prefix that they may be held to.
    fn keys<K>(
        self,
        secret: &Secret,
        side: usize,
        parse: impl Fn(&str) -> Result<K, KeyError>,
    ) -> Result<Vec<K>, Failure> {
        let text = str::from_utf8(secret.expose())
            .map_err(|_| Failure::Misuse(anyhow!("--secret-file: the secret is not text")))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = lines.map(|line| {
            let other = KeyError::SecretKeyToVerifyWith;
            match self.only {
                Some(only) if !line.starts_with(only[side]) && parse(line).err() != Some(other) => {
                    Err(anyhow!(
                        "the scheme `{}` takes `{}…`",
                        self.name,
                        only[side]
                    ))
                }
                _ => parse(line).map_err(anyhow::Error::from),
            }
        });
        let keys: Result<Vec<K>, _> = keys.collect();
        let keys = keys.map_err(|error| Failure::Misuse(anyhow!("--secret-file: {error}")))?;
        if keys.is_empty() {
            return Err(Failure::Misuse(anyhow!(
                "--secret-file: there is no secret in it"
            )));
        }
        Ok(keys)
    }

    fn sign(
        self,
        keys: &[SigningKey],
        (id, now): (&str, i64),
        body: &[u8],
    ) -> [(&'static str, String); 3] {
        let keys: Vec<&SigningKey> = keys.iter().collect();
        let signature = webhook::sign(&keys, id, now, body);
        let names = self.family.names()[0];
        [
            (names.id, id.to_owned()),
            (names.timestamp, now.to_string()),
            (names.signature, signature),
        ]
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
