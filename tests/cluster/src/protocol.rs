//! What a node says to its database, as far as the way between has to understand it: where its
//! messages begin, and which of them commits a transaction that renews the node's lease.

/// How the statement is known that renews a lease.
const RENEWAL: [&str; 2] = ["UPDATE node SET expires_at", "last_key"];
/// Kinds of message: a statement is prepared, one is given its values, a text is run.
const PARSE: u8 = b'P';
const BIND: u8 = b'B';
const QUERY: u8 = b'Q';

/// What a client sends, message by message.
#[derive(Default)]
pub(crate) struct Messages {
    bytes: Vec<u8>,
    /// The first message has no kind.
    begun: bool,
}

impl Messages {
    /// More of it.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// The next one that has come as a whole.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let kind = usize::from(self.begun);
        let length = self.bytes.get(kind..kind + 4)?;
        let length = i32::from_be_bytes(length.try_into().ok()?);
        let end = kind + usize::try_from(length).expect("a client sends what is well formed");
        if self.bytes.len() < end {
            return None;
        }
        self.begun = true;
        Some(self.bytes.drain(..end).collect())
    }
}

/// Whether the transaction under way renews the lease.
#[derive(Default)]
pub(crate) struct Renewal {
    /// The statement's name, which is empty through a pooler.
    name: Option<Vec<u8>>,
    sent: bool,
}

impl Renewal {
    /// Whether this message, the next that is sent, commits a transaction that renews the lease.
    pub(crate) fn is_committed_by(&mut self, message: &[u8]) -> bool {
        let Some((kind, body)) = message.split_first() else {
            return false;
        };
        let mut parts = body.get(4..).unwrap_or_default().split(|byte| *byte == 0);
        let (first, second) = (parts.next(), parts.next());
        match *kind {
            PARSE => self.prepared(first.unwrap_or_default(), second.unwrap_or_default()),
            BIND => self.sent |= second.is_some() && second == self.name.as_deref(),
            QUERY if first == Some(b"COMMIT") => return std::mem::take(&mut self.sent),
            QUERY if first == Some(b"ROLLBACK") => self.sent = false,
            _ => {}
        }
        false
    }

    fn prepared(&mut self, name: &[u8], text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        if RENEWAL.iter().all(|part| text.contains(part)) {
            self.name = Some(name.to_owned());
        } else if self.name.as_deref() == Some(name) {
            self.name = None;
        }
    }
}
