//! What should not be in a payload: numbers of cards and accounts, keys, tokens, addresses of
//! people. It is told by place and kind, never by value.
//!
//! Looked at are strings, names of members, and whole numbers; in a payload that isn't JSON, all of
//! it. One walk, and at each character a bounded number of steps. What is found is likely, not
//! certain: a check digit is right by chance once in ten times. Map: `cards`, `accounts`, `keys`,
//! `people` (what each kind looks like).

mod accounts;
mod cards;
mod keys;
mod people;

use crate::json::{self, Kind, Token, Tokens};
use std::ops::Range;

/// Of how many findings in one payload it is told; beyond, it is not looked for more.
pub const FINDINGS_MAX: usize = 20;
/// The most steps of a place that are told.
const PATH_STEPS_MAX: usize = 32;
/// The longest name in a place, in characters.
const STEP_CHARS_MAX: usize = 64;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// The number of a payment card.
    CardNumber,
    /// The number of a bank account (ISO 13616).
    Iban,
    /// A private key, as PEM or as OpenSSH and PGP write it.
    PrivateKey,
    /// A key or token of a known service.
    ApiKey,
    /// A signed token (RFC 7519).
    Jwt,
    /// Somebody's address.
    EmailAddress,
}

impl Found {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::CardNumber,
        Self::Iban,
        Self::PrivateKey,
        Self::ApiKey,
        Self::Jwt,
        Self::EmailAddress,
    ];

    /// Its name in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CardNumber => "cardNumber",
            Self::Iban => "iban",
            Self::PrivateKey => "privateKey",
            Self::ApiKey => "apiKey",
            Self::Jwt => "jwt",
            Self::EmailAddress => "emailAddress",
        }
    }

    /// What people call one.
    pub fn called(self) -> &'static str {
        match self {
            Self::CardNumber => "a card number",
            Self::Iban => "an IBAN",
            Self::PrivateKey => "a private key",
            Self::ApiKey => "an API key",
            Self::Jwt => "a JSON Web Token",
            Self::EmailAddress => "an e-mail address",
        }
    }

    fn is_in(self, text: &str) -> bool {
        match self {
            Self::CardNumber => cards::is_in(text),
            Self::Iban => accounts::is_in(text),
            Self::PrivateKey => keys::private_key_is_in(text),
            Self::ApiKey => keys::api_key_is_in(text),
            Self::Jwt => keys::jwt_is_in(text),
            Self::EmailAddress => people::address_is_in(text),
        }
    }
}

/// A kind, and the place where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub found: Found,
    /// Names and indexes down to it. A name that shows something itself is `*`.
    pub path: Vec<String>,
}

impl Finding {
    /// The place as a JSON Pointer.
    pub fn pointer(&self) -> String {
        let steps = self.path.iter();
        let steps = steps.map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")));
        steps.collect()
    }
}

/// What is found in a payload, in its order, each kind once for each place.
pub fn scan(payload: &[u8]) -> Vec<Finding> {
    let lossy = String::from_utf8_lossy(payload);
    scan_json(&lossy).unwrap_or_else(|| {
        let path = Vec::new();
        kinds_in(&lossy)
            .map(|found| Finding {
                found,
                path: path.clone(),
            })
            .collect()
    })
}

/// `None`: it isn't JSON.
fn scan_json(text: &str) -> Option<Vec<Finding>> {
    let mut walk = Walk {
        text,
        frames: Vec::new(),
        findings: Vec::new(),
    };
    for token in Tokens::of(text.as_bytes()) {
        walk.take(&token.ok()?);
    }
    Some(walk.findings)
}

fn kinds_in(text: &str) -> impl Iterator<Item = Found> {
    Found::ALL.into_iter().filter(|found| found.is_in(text))
}

/// An object or array that the walk is in, and the child of it that comes now.
struct Frame {
    is_object: bool,
    name: Option<Range<usize>>,
    items: usize,
}

struct Walk<'t> {
    text: &'t str,
    frames: Vec<Frame>,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    fn take(&mut self, token: &Token) {
        if token.kind == Kind::End {
            self.frames.pop();
            return;
        }
        if let Some(frame) = self.frames.last_mut() {
            match token.kind {
                Kind::Name => frame.name = Some(token.at.clone()),
                _ => frame.items += 1,
            }
        }
        match token.kind {
            Kind::Object | Kind::Array => self.frames.push(Frame {
                is_object: token.kind == Kind::Object,
                name: None,
                items: 0,
            }),
            Kind::Name | Kind::String => self.look(token),
            Kind::Number => {
                let number = &self.text[token.at.clone()];
                if cards::is_in(number) {
                    self.note(Found::CardNumber);
                }
            }
            Kind::Word | Kind::End => {}
        }
    }

    fn look(&mut self, token: &Token) {
        if self.findings.len() >= FINDINGS_MAX {
            return;
        }
        let text = json::decoded(&self.text[token.at.clone()]);
        for found in kinds_in(&text) {
            self.note(found);
        }
    }

    fn note(&mut self, found: Found) {
        let frames = self.frames.iter().take(PATH_STEPS_MAX);
        let path = frames.map(|frame| self.step(frame)).collect();
        let finding = Finding { found, path };
        if self.findings.len() < FINDINGS_MAX && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn step(&self, frame: &Frame) -> String {
        match &frame.name {
            Some(at) if frame.is_object => shown(&json::decoded(&self.text[at.clone()])),
            _ => frame.items.saturating_sub(1).to_string(),
        }
    }
}

/// A name in a place: one that shows something is not told.
fn shown(name: &str) -> String {
    if kinds_in(name).next().is_some() {
        return "*".to_owned();
    }
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    name.chars().take(STEP_CHARS_MAX).map(printable).collect()
}

#[cfg(test)]
mod tests;
