//! Tickets: a text that lets whoever shows it fetch one message's payload, as one endpoint would
//! get it, until a time. Nothing is kept of them: the text says all, and ends with a tag that only
//! an application's data keys make.
//!
//! A ticket that was shown says nothing before it was checked, but whose keys to check it with.

use crate::DataKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use model::id::{ApplicationKey, EndpointKey, Key, MessageId, Tail};
use std::fmt;

/// Application, endpoint, message and time.
const CONTENTS_BYTES: usize = 8 + 8 + 20 + 8;
/// HMAC-SHA256.
const TAG_BYTES: usize = 32;

/// What a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Whose message it is.
    pub application: ApplicationKey,
    /// As which endpoint gets it.
    pub endpoint: EndpointKey,
    /// The message.
    pub message: MessageId,
    /// It is good before then.
    pub until: Timestamp,
}

/// A ticket that somebody showed: it may be anybody's work.
pub struct ShownTicket {
    contents: [u8; CONTENTS_BYTES],
    tag: [u8; TAG_BYTES],
}

impl Ticket {
    /// The text of it, by this key: ASCII that is the same in a URL.
    pub(crate) fn text(&self, key: &DataKey) -> String {
        let contents = [
            &self.application.integer().to_be_bytes()[..],
            &self.endpoint.integer().to_be_bytes(),
            &self.message.key().integer().to_be_bytes(),
            &self.message.tail(),
            &self.until.micros().to_be_bytes(),
        ]
        .concat();
        let tag = key.ticket_tag(&contents);
        URL_SAFE_NO_PAD.encode([&contents, tag.as_ref()].concat())
    }

    fn read(contents: &[u8; CONTENTS_BYTES]) -> Self {
        let mut rest = Rest(contents);
        Self {
            application: Key::from_integer(rest.integer()),
            endpoint: Key::from_integer(rest.integer()),
            message: MessageId::new(Key::from_integer(rest.integer()), rest.tail()),
            until: Timestamp::from_micros(rest.integer()),
        }
    }
}

impl ShownTicket {
    /// Reads a text; `None`: it is no ticket.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; CONTENTS_BYTES + TAG_BYTES];
        let read = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        if read != bytes.len() {
            return None;
        }
        let (contents, tag) = bytes.split_first_chunk()?;
        Some(Self {
            contents: *contents,
            tag: tag.try_into().ok()?,
        })
    }

    /// Whose keys it is to be checked with, as it says.
    pub fn application(&self) -> ApplicationKey {
        Ticket::read(&self.contents).application
    }

    /// What it says, if this key made it.
    pub(crate) fn checked(&self, key: &DataKey) -> Option<Ticket> {
        let genuine = key.is_ticket_tag(&self.contents, &self.tag);
        genuine.then(|| Ticket::read(&self.contents))
    }
}

/// Whoever has a ticket may use it: it is no text for logs.
impl fmt::Debug for ShownTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownTicket")
    }
}

/// What is left to read of the contents.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn integer(&mut self) -> i64 {
        i64::from_be_bytes(self.take())
    }

    fn tail(&mut self) -> Tail {
        self.take()
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_first_chunk().expect(WHOLE);
        self.0 = rest;
        *taken
    }
}

const WHOLE: &str = "the contents are as long as what is read of them";
