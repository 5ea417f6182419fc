//! Public ids and the integer keys inside them.
//!
//! A public id is its kind's prefix and a KSUID: 20 bytes in 27 characters of base 62. The first
//! 8 bytes are the [`Key`] that the store sorts and searches by: 4 bytes of seconds since
//! [`EPOCH_SECONDS`], 1 byte of 4 ms steps, 10 bits of the node's slot, 14 bits of a counter. The
//! other 12, the [`Tail`], are random, stored beside the key, and compared when an id comes back,
//! so that ids can't be guessed. Byte order of the text is time order.

use crate::clock::Timestamp;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

/// Second zero of a KSUID: 13 May 2014, as its authors chose.
pub const EPOCH_SECONDS: i64 = 1_400_000_000;

/// Length of the text behind the prefix.
pub const TEXT_LENGTH: usize = 27;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SLOT_BITS: u32 = 10;
const COUNTER_BITS: u32 = 14;
/// To what a key tells the time: rows that were made within it may have keys of the same time.
pub const KEY_STEP: Duration = Duration::from_millis(4);
const STEP_MICROS: i64 = KEY_STEP.as_micros() as i64;
const STEPS_PER_SECOND: i64 = 250;

/// The random part of an id, which is also the row's name in the additional data of whatever is
/// sealed in it.
pub type Tail = [u8; 12];

/// What an id can be of: gives the prefix.
pub trait Kind: 'static {
    /// The prefix with its underscore, such as `msg_`; the contract has one without.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $key:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        /// Its public id.
        pub type $alias = Id<$kind>;
        /// Its integer key.
        pub type $key = Key<$kind>;
    )*};
}

kinds! {
    /// An application: a tenant, the consumer of events.
    ApplicationKind, ApplicationId, ApplicationKey = "app_";
    /// An endpoint: a registered URL.
    EndpointKind, EndpointId, EndpointKey = "ep_";
    /// A message: one event sent to an application.
    MessageKind, MessageId, MessageKey = "msg_";
    /// An attempt: one HTTP request of a delivery.
    AttemptKind, AttemptId, AttemptKey = "atmpt_";
    /// A row of background work, such as a recovery.
    TaskKind, TaskId, TaskKey = "qtask_";
    /// An open delivery, by its own sequence number. Its id is never shown; only its key is used.
    DeliveryKind, DeliveryId, DeliveryKey = "dlv_";
    /// A delivery, open or ended, as people name it: see [`crate::delivery::PublicName`].
    PublicDeliveryKind, PublicDeliveryId, PublicDeliveryKey = "dlv_";
    /// An API key: a token that the API made, by its id. The token itself is something else.
    ApiKeyKind, ApiKeyId, ApiKeyKey = "key_";
    /// A security event as it is kept.
    SecurityEventKind, SecurityEventId, SecurityEventKey = "sec_";
    /// An entry of the audit log.
    AuditKind, AuditId, AuditKey = "aud_";
    /// A source: a place that incoming webhooks arrive at.
    SourceKind, SourceId, SourceKey = "src_";
    /// A security event as a source's log shows it: with the same key and tail.
    SourceLogKind, SourceLogId, SourceLogKey = "log";
}

/// The integer key of a row: sorts by time. Typed by what it is the key of.
pub struct Key<K>(i64, PhantomData<fn() -> K>);

impl<K> Key<K> {
    /// Smaller than every real key.
    pub const MIN: Self = Self(0, PhantomData);
    /// Larger than every real key.
    pub const MAX: Self = Self(i64::MAX, PhantomData);

    /// From what the store holds.
    pub const fn from_integer(integer: i64) -> Self {
        Self(integer, PhantomData)
    }

    /// What the store holds.
    pub const fn integer(self) -> i64 {
        self.0
    }

    /// The first key that a row made at `time` can have: the border for `before` and `after`.
    pub fn first_at(time: Timestamp) -> Self {
        let step = time.micros().div_euclid(STEP_MICROS) - EPOCH_SECONDS * STEPS_PER_SECOND;
        let step = step.clamp(0, i64::from(i32::MAX) * STEPS_PER_SECOND);
        Self(from_step(step), PhantomData)
    }

    /// The slot of the node that gave it; 0: an embedded store.
    pub const fn slot(self) -> u16 {
        ((self.0 >> COUNTER_BITS) & ((1 << SLOT_BITS) - 1)) as u16
    }

    /// When the row was made, to 4 ms.
    pub fn time(self) -> Timestamp {
        time_of(to_step(self.0))
    }
}

fn from_step(step: i64) -> i64 {
    let (seconds, rest) = (step / STEPS_PER_SECOND, step % STEPS_PER_SECOND);
    (seconds << 32) | (rest << (SLOT_BITS + COUNTER_BITS))
}

fn to_step(key: i64) -> i64 {
    (key >> 32) * STEPS_PER_SECOND + ((key >> (SLOT_BITS + COUNTER_BITS)) & 0xff)
}

fn time_of(step: i64) -> Timestamp {
    Timestamp::from_micros((step + EPOCH_SECONDS * STEPS_PER_SECOND) * STEP_MICROS)
}

// Derives would demand the same of `K`, which is only a name.
impl<K> Clone for Key<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Key<K> {}
impl<K> PartialEq for Key<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Key<K> {}
impl<K> PartialOrd for Key<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Key<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> std::hash::Hash for Key<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> fmt::Debug for Key<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A public id: key and tail, typed by what it names. `Display` is the text that clients see.
pub struct Id<K> {
    key: Key<K>,
    tail: Tail,
}

impl<K> Id<K> {
    /// From its parts.
    pub const fn new(key: Key<K>, tail: Tail) -> Self {
        Self { key, tail }
    }

    /// The integer key.
    pub const fn key(self) -> Key<K> {
        self.key
    }

    /// The random part.
    pub const fn tail(self) -> Tail {
        self.tail
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.tail == other.tail
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.key, self.tail).cmp(&(other.key, other.tail))
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.key.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.tail);
        let text = encode(bytes);
        f.write_str(K::PREFIX)?;
        f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
    }
}

/// Why a text is not an id of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// It begins differently.
    #[error("an id of this kind begins with `{0}`")]
    Prefix(&'static str),
    /// The prefix is right, the rest isn't a KSUID.
    #[error("an id is `{0}` and 27 characters of 0-9, A-Z and a-z")]
    Text(&'static str),
}

impl<K: Kind> FromStr for Id<K> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let rest = text
            .strip_prefix(K::PREFIX)
            .ok_or(ParseIdError::Prefix(K::PREFIX))?;
        let bytes = decode(rest.as_bytes()).ok_or(ParseIdError::Text(K::PREFIX))?;
        let (key, tail) = bytes
            .split_first_chunk::<8>()
            .expect("20 bytes begin with 8");
        let key = i64::from_be_bytes(*key);
        if key < 0 {
            return Err(ParseIdError::Text(K::PREFIX));
        }
        let tail = tail.try_into().expect("20 bytes less 8 are 12");
        Ok(Self::new(Key::from_integer(key), tail))
    }
}

/// So many digits at a time fit into 32 bits.
const GROUP: usize = 5;
/// What such a group is one digit of.
const BASE_OF_GROUP: u64 = 62u64.pow(GROUP as u32);

/// 20 bytes as 27 digits of base 62, most significant first: long division of five 32-bit limbs, by
/// as many digits at a time as fit into one.
fn encode(bytes: [u8; 20]) -> [u8; TEXT_LENGTH] {
    let mut limbs = [0u32; 5];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(4)) {
        *limb = u32::from_be_bytes(chunk.try_into().expect("chunks of 4"));
    }
    let mut text = [b'0'; TEXT_LENGTH];
    for group in text.rchunks_mut(GROUP) {
        let mut remainder = 0u64;
        for limb in &mut limbs {
            let value = (remainder << 32) | u64::from(*limb);
            *limb = (value / BASE_OF_GROUP) as u32;
            remainder = value % BASE_OF_GROUP;
        }
        let mut remainder = remainder as u32;
        for digit in group.iter_mut().rev() {
            *digit = ALPHABET[(remainder % 62) as usize];
            remainder /= 62;
        }
    }
    text
}

/// The reverse of [`encode`]; `None` for other lengths, other characters, and numbers of more than
/// 160 bits.
fn decode(text: &[u8]) -> Option<[u8; 20]> {
    if text.len() != TEXT_LENGTH {
        return None;
    }
    let mut limbs = [0u32; 5];
    let (first, rest) = text.split_at(TEXT_LENGTH % GROUP);
    for group in std::iter::once(first).chain(rest.chunks_exact(GROUP)) {
        let mut carry = 0u64;
        for byte in group {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'A'..=b'Z' => byte - b'A' + 10,
                b'a'..=b'z' => byte - b'a' + 36,
                _ => return None,
            };
            carry = carry * 62 + u64::from(digit);
        }
        for limb in limbs.iter_mut().rev() {
            let value = u64::from(*limb) * BASE_OF_GROUP + carry;
            *limb = value as u32;
            carry = value >> 32;
        }
        if carry != 0 {
            return None;
        }
    }
    let mut bytes = [0; 20];
    for (chunk, limb) in bytes.chunks_exact_mut(4).zip(limbs) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    Some(bytes)
}

/// Gives out keys that only grow: `max(now, last + 1)`, so that a clock set back repeats none.
///
/// One sequence serves every kind of a node; whoever holds it takes keys under the writer's lock,
/// so that a smaller key never commits after a larger one.
#[derive(Debug, Clone)]
pub struct KeySequence {
    slot: i64,
    step: i64,
    counter: i64,
}

impl KeySequence {
    /// Keys of the node in `slot` (0 to 1,023; 0 when embedded) that follow `last`, the largest
    /// key this slot ever gave, or zero. Seconds end in the year 2082; if `last` lies there, see
    /// [`Self::ahead_of`].
    pub fn after(slot: u16, last: i64) -> Self {
        let last = last.max(0);
        let counter = last & ((1 << COUNTER_BITS) - 1);
        Self {
            slot: i64::from(slot) & ((1 << SLOT_BITS) - 1),
            step: to_step(last),
            counter,
        }
    }

    /// The next key.
    pub fn next<K>(&mut self, now: Timestamp) -> Key<K> {
        let step = to_step(Key::<K>::first_at(now).integer());
        if step > self.step {
            (self.step, self.counter) = (step, 0);
        } else if self.counter + 1 < 1 << COUNTER_BITS {
            self.counter += 1;
        } else {
            (self.step, self.counter) = (self.step + 1, 0);
        }
        Key::from_integer(from_step(self.step) | (self.slot << COUNTER_BITS) | self.counter)
    }

    /// A key below which this sequence gives none any more, of `now` or later: it moves on to
    /// `now`.
    pub fn floor(&mut self, now: Timestamp) -> i64 {
        let step = to_step(Key::<()>::first_at(now).integer());
        if step > self.step {
            (self.step, self.counter) = (step, -1);
        }
        let (step, counter) = match self.counter + 1 < 1 << COUNTER_BITS {
            true => (self.step, self.counter + 1),
            false => (self.step + 1, 0),
        };
        from_step(step) | (self.slot << COUNTER_BITS) | counter
    }

    /// How far the sequence runs ahead of the clock: more than a minute means that the clock was
    /// set back, and that starting would be wrong.
    pub fn ahead_of(&self, now: Timestamp) -> std::time::Duration {
        time_of(self.step).since(now)
    }
}

#[cfg(test)]
mod tests;
