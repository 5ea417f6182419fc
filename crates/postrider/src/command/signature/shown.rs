//! A verdict on a request: which check failed, why, and what would have had to be signed.

use super::super::escaped;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::fmt::Write as _;
use webhook::{HmacVerifier, Refused, Verifier};

/// The longest signed text that is shown.
const SIGNED_BYTES_MAX: usize = 4_096;

/// A request as it was received, and when.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) headers: &'a [(&'a str, &'a [u8])],
    pub(super) body: &'a [u8],
    pub(super) now: i64,
}

/// What a request is held against.
#[derive(Clone, Copy)]
pub(super) enum Check<'k> {
    Standard(Verifier<'k>),
    Hmac(HmacVerifier<'k>),
}

/// What is signed of a request, as far as it is there.
struct Content<'a> {
    id: Option<&'a [u8]>,
    timestamp: Option<&'a [u8]>,
    bytes: Option<Vec<u8>>,
}

impl Check<'_> {
    fn refused(&self, request: &Request<'_>, body: &[u8]) -> Option<Refused> {
        let headers = request.headers.iter().copied();
        match self {
            Self::Standard(verifier) => verifier.verify(headers, body, request.now).err(),
            Self::Hmac(verifier) => verifier.verify(headers, body, request.now).err(),
        }
    }

    fn content<'a>(&self, request: &Request<'a>) -> Content<'a> {
        match self {
            Self::Standard(verifier) => {
                let names = verifier.family.names()[0];
                let [id, timestamp] = [names.id, names.timestamp].map(|name| header(request, name));
                let both = id.zip(timestamp);
                let bytes = both.map(|(id, timestamp)| [id, timestamp, request.body].join(&b'.'));
                Content {
                    id,
                    timestamp,
                    bytes,
                }
            }
            Self::Hmac(verifier) => {
                let headers = request.headers.iter().copied();
                match verifier.scheme.content(headers, request.body) {
                    Ok(content) => Content {
                        id: content.id.map(str::as_bytes),
                        timestamp: content.timestamp,
                        bytes: Some(content.bytes),
                    },
                    Err(_) => {
                        let named = |name: Option<&str>| header(request, name?);
                        Content {
                            id: named(verifier.scheme.id_header()),
                            timestamp: named(verifier.scheme.timestamp_header()),
                            bytes: None,
                        }
                    }
                }
            }
        }
    }

    /// Whether its requests have an id, and whether a time of theirs is signed.
    fn has(&self) -> [bool; 2] {
        match self {
            Self::Standard(_) => [true, true],
            Self::Hmac(verifier) => {
                let scheme = verifier.scheme;
                [scheme.id_header().is_some(), scheme.signs_time()]
            }
        }
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
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let signed = content.as_deref().and_then(printable);
        Self {
            hint: refused.and_then(|refused| hint(check, request, refused)),
            refused,
            id: id.map(text),
            timestamp: timestamp.map(text),
            has: check.has(),
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
        | Refused::ContradictoryHeaders => "headers",
        Refused::MalformedId => "id",
        Refused::MalformedTimestamp => "timestamp",
        Refused::TooManySignatures | Refused::NoUsableSignature | Refused::WrongSignature => {
            "signature"
        }
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
