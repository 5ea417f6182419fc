//! A verdict on a request: which check failed, why, and what would have had to be signed.

use super::super::escaped;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write as _;
use webhook::provider::{self, Provider, ReplayGuard};
use webhook::{HmacVerifier, Refused};

/// The longest signed text that is shown.
const SIGNED_BYTES_MAX: usize = 4_096;

/// A request as it was received, and when.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) headers: &'a [(&'a str, &'a [u8])],
    pub(super) body: &'a [u8],
    pub(super) now: i64,
}

impl<'a> Request<'a> {
    fn received(&self) -> provider::Request<'a> {
        provider::Request {
            method: self.method,
            url: self.url,
            headers: self.headers,
            body: self.body,
        }
    }
}

/// What a request is held against.
#[derive(Clone, Copy)]
pub(super) enum Check<'k> {
    /// With what a known sender's requests are verified, and the tolerance in seconds.
    Known(Provider, &'k provider::Verifier, u32),
    Hmac(HmacVerifier<'k>),
}

/// What is signed of a request, as far as it is there.
struct Content<'a> {
    id: Option<Cow<'a, [u8]>>,
    timestamp: Option<Cow<'a, [u8]>>,
    bytes: Option<Vec<u8>>,
}

impl Check<'_> {
    fn refused(&self, request: &Request<'_>, body: &[u8]) -> Option<Refused> {
        match self {
            Self::Known(_, verifier, tolerance_seconds) => {
                let received = provider::Request {
                    body,
                    ..request.received()
                };
                let now = request.now;
                verifier.verify(&received, now, *tolerance_seconds).err()
            }
            Self::Hmac(verifier) => {
                let headers = request.headers.iter().copied();
                verifier.verify(headers, body, request.now).err()
            }
        }
    }

    fn content<'a>(&self, request: &Request<'a>) -> Content<'a> {
        let read = match self {
            Self::Known(_, verifier, _) => {
                let content = verifier.content(&request.received()).ok();
                content.map(|content| Content {
                    id: content.id,
                    timestamp: content.timestamp,
                    bytes: Some(content.bytes),
                })
            }
            Self::Hmac(verifier) => {
                let headers = request.headers.iter().copied();
                let content = verifier.scheme.content(headers, request.body).ok();
                content.map(|content| Content {
                    id: content.id.map(|id| id.as_bytes().into()),
                    timestamp: content.timestamp.map(Cow::Borrowed),
                    bytes: Some(content.bytes),
                })
            }
        };
        read.unwrap_or_else(|| {
            let [id, timestamp] = self.names().map(|name| header(request, name?));
            Content {
                id: id.map(Cow::Borrowed),
                timestamp: timestamp.map(Cow::Borrowed),
                bytes: None,
            }
        })
    }

    /// The headers of an id and of a time.
    fn names(&self) -> [Option<&str>; 2] {
        match self {
            Self::Known(known, ..) => {
                let names = known.headers();
                [names.id, names.timestamp]
            }
            Self::Hmac(verifier) => {
                let scheme = verifier.scheme;
                [scheme.id_header(), scheme.timestamp_header()]
            }
        }
    }

    /// Whether anything is signed.
    fn signs(&self) -> bool {
        match self {
            Self::Known(known, ..) => known.guard() != ReplayGuard::Nothing,
            Self::Hmac(_) => true,
        }
    }

    /// Whether its requests have an id, and whether a time of theirs is signed.
    fn has(&self) -> [bool; 2] {
        let signs_time = match self {
            Self::Known(known, ..) => known.guard() == ReplayGuard::ByAge,
            Self::Hmac(verifier) => verifier.scheme.signs_time(),
        };
        [self.names()[0].is_some(), signs_time]
    }
}

/// What came of it.
pub(super) struct Verdict {
    refused: Option<Refused>,
    /// What else could be found out about the reason.
    hint: Option<String>,
    id: Option<String>,
    timestamp: Option<String>,
    /// Whether there should be an id, and a time.
    has: [bool; 2],
    /// Whether anything is signed.
    signs: bool,
    body_bytes: usize,
    body_sha256: String,
    /// What is signed, where it can be shown.
    signed: Option<String>,
    signed_bytes: Option<usize>,
}

impl Verdict {
    /// Verifies a request.
    pub(super) fn of(check: &Check<'_>, request: &Request<'_>) -> Self {
        let refused = check.refused(request, request.body);
        let Content {
            id,
            timestamp,
            bytes: content,
        } = check.content(request);
        let text = |bytes: Cow<'_, [u8]>| String::from_utf8_lossy(&bytes).into_owned();
        let content = content.filter(|_| check.signs());
        let signed = content.as_deref().and_then(printable);
        Self {
            hint: refused.and_then(|refused| hint(check, request, refused)),
            refused,
            id: id.map(text),
            timestamp: timestamp.map(text),
            has: check.has(),
            signs: check.signs(),
            body_bytes: request.body.len(),
            body_sha256: hex(digest(&SHA256, request.body).as_ref()),
            signed: signed.map(str::to_owned),
            signed_bytes: content.map(|content| content.len()),
        }
    }

    pub(super) fn is_genuine(&self) -> bool {
        self.refused.is_none()
    }

    /// For people: the verdict, and if it is no, what it is about.
    pub(super) fn text(&self) -> String {
        let Some(refused) = self.refused else {
            return "genuine".to_owned();
        };
        let mut text = format!("refused: {refused}\n");
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "  {name:<10} {value}");
        };
        line("check", check(refused));
        if let Some(hint) = &self.hint {
            line("hint", hint);
        }
        let missing = || "missing".to_owned();
        let named = [("id", &self.id), ("timestamp", &self.timestamp)];
        for (name, value) in named
            .iter()
            .zip(self.has)
            .filter(|(_, has)| *has)
            .map(|(one, _)| one)
        {
            line(name, &value.as_deref().map_or_else(missing, escaped));
        }
        let (bytes, sha256) = (self.body_bytes, &self.body_sha256);
        line("body", &format!("{bytes} bytes, SHA-256 {sha256}"));
        let signed = match (&self.signed, self.signed_bytes) {
            (Some(signed), _) => signed.clone(),
            (None, Some(bytes)) => format!("{bytes} bytes, not shown"),
            (None, None) if !self.signs => {
                "nothing: whoever has the token can send anything".to_owned()
            }
            (None, None) => "a part of it is missing".to_owned(),
        };
        line("signed", &signed);
        text.trim_end().to_owned()
    }

    /// For scripts.
    pub(super) fn json(&self) -> Value {
        json!({
            "genuine": self.is_genuine(),
            "check": self.refused.map(check),
            "reason": self.refused.map(|refused| refused.to_string()),
            "hint": self.hint,
            "id": self.id.as_deref().map(escaped),
            "timestamp": self.timestamp.as_deref().map(escaped),
            "bodyBytes": self.body_bytes,
            "bodySha256": self.body_sha256,
            "signed": self.signed,
        })
    }
}

/// Which of the checks it was, in a word.
fn check(refused: Refused) -> &'static str {
    match refused {
        Refused::NoKey => "key",
        Refused::MissingHeader(_)
        | Refused::DuplicateHeader(_)
        | Refused::Missing(_)
        | Refused::Duplicate(_)
        | Refused::ContradictoryHeaders
        | Refused::OtherVersion(_) => "headers",
        Refused::MalformedId => "id",
        Refused::MalformedTimestamp => "timestamp",
        Refused::TooManySignatures | Refused::NoUsableSignature | Refused::WrongSignature => {
            "signature"
        }
        Refused::WrongToken => "token",
        Refused::MalformedBody(_) | Refused::WrongUrlDigest(_) => "body",
        Refused::TooOld { .. } | Refused::FromTheFuture { .. } => "age",
        _ => "request",
    }
}

/// What mostly happens to a body on its way into a file.
fn hint(check: &Check<'_>, request: &Request<'_>, refused: Refused) -> Option<String> {
    if refused != Refused::WrongSignature {
        return None;
    }
    let genuine = |body: &[u8]| {
        let refused = check.refused(request, body);
        matches!(
            refused,
            None | Some(Refused::TooOld { .. } | Refused::FromTheFuture { .. })
        )
    };
    let shorter = request.body.strip_suffix(b"\n");
    let shorter = shorter.map(|body| body.strip_suffix(b"\r").unwrap_or(body));
    if shorter.is_some_and(genuine) {
        return Some("without the line break at its end, this body was signed".to_owned());
    }
    let longer = [request.body, b"\n"].concat();
    genuine(&longer).then(|| "with a line break at its end, this body was signed".to_owned())
}

/// The value of the first header of this name.
fn header<'a>(request: &Request<'a>, name: &str) -> Option<&'a [u8]> {
    let mut headers = request.headers.iter();
    let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| *value)
}

/// A short text that a terminal shows as it is.
fn printable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_short = text.len() <= SIGNED_BYTES_MAX;
    (is_short && !text.chars().any(char::is_control)).then_some(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
