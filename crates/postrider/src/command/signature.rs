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
use webhook::{
    GenericPart, GenericScheme, HeaderFamily, HmacKeys, HmacScheme, HmacVerifier, KeyError,
    SigningKey, Verifier, VerifyingKey,
};

/// A way to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scheme {
    Standard(Standard),
    /// Another sender's, or one that was described.
    Hmac(HmacScheme),
}

/// A way to sign by Standard Webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standard {
    name: &'static str,
    family: HeaderFamily,
    /// How its secrets begin that sign, and those that verify, where it takes only one kind.
    only: Option<[&'static str; 2]>,
}

const STANDARD: [Standard; 3] = [
    Standard {
        name: "standard-webhooks",
        family: HeaderFamily::Webhook,
        only: None,
    },
    Standard {
        name: "standard-webhooks-ed25519",
        family: HeaderFamily::Webhook,
        only: Some(["whsk_", "whpk_"]),
    },
    Standard {
        name: "svix",
        family: HeaderFamily::Svix,
        only: None,
    },
];

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
    let headers = scheme.sign(&secret, (&id, now(&args.signed)), &body)?;
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
    if let Some(known) = HmacScheme::known(name) {
        return Ok(Scheme::Hmac(known));
    }
    let found = STANDARD.iter().find(|scheme| scheme.name == name);
    found.copied().map(Scheme::Standard).ok_or_else(|| {
        let standard = STANDARD.iter().map(|scheme| scheme.name);
        let known: Vec<_> = standard.chain(HmacScheme::KNOWN).chain([GENERIC]).collect();
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
    fn sign(
        &self,
        secret: &Secret,
        (id, now): (&str, i64),
        body: &[u8],
    ) -> Result<Headers, Failure> {
        match self {
            Self::Standard(scheme) => {
                let keys = scheme.signing_keys(secret)?;
                Ok(scheme.sign(&keys, (id, now), body).into())
            }
            Self::Hmac(scheme) => {
                let keys = keys(secret, |line| Ok(scheme.key(line)?))?;
                let (current, before) = keys.split_first().expect("there is at least one");
                let before: Vec<_> = before.iter().collect();
                let keys = HmacKeys {
                    current,
                    before: &before,
                };
                let headers = scheme.sign(keys, (id, now), body).into_iter();
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
        tolerance_seconds: u32,
    ) -> Result<Verdict, Failure> {
        match self {
            Self::Standard(scheme) => {
                let check = Check::Standard(Verifier {
                    keys: &scheme.verifying_keys(secret)?,
                    family: scheme.family,
                    tolerance_seconds,
                });
                Ok(Verdict::of(&check, request))
            }
            Self::Hmac(scheme) => {
                let check = Check::Hmac(HmacVerifier {
                    scheme,
                    keys: &keys(secret, |line| Ok(scheme.key(line)?))?,
                    tolerance_seconds,
                });
                Ok(Verdict::of(&check, request))
            }
        }
    }
}

/// The keys of all lines.
fn keys<K>(
    secret: &Secret,
    parse: impl Fn(&str) -> Result<K, anyhow::Error>,
) -> Result<Vec<K>, Failure> {
    let text = str::from_utf8(secret.expose())
        .map_err(|_| Failure::Misuse(anyhow!("--secret-file: the secret is not text")))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Result<Vec<K>, _> = lines.map(parse).collect();
    let keys = keys.map_err(|error| Failure::Misuse(anyhow!("--secret-file: {error}")))?;
    if keys.is_empty() {
        return Err(Failure::Misuse(anyhow!(
            "--secret-file: there is no secret in it"
        )));
    }
    Ok(keys)
}

impl Standard {
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
        keys(secret, |line| {
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
        })
    }

    fn sign(
        self,
        keys: &[SigningKey],
        (id, now): (&str, i64),
        body: &[u8],
    ) -> [(String, String); 3] {
        let keys: Vec<&SigningKey> = keys.iter().collect();
        let signature = webhook::sign(&keys, id, now, body);
        let names = self.family.names()[0];
        [
            (names.id.to_owned(), id.to_owned()),
            (names.timestamp.to_owned(), now.to_string()),
            (names.signature.to_owned(), signature),
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
