//! Learnt state as bytes: whole numbers in as few bytes as they need, texts with their length, and
//! a sum of all at the end. What reads believes no length that it was not told is possible.

use super::StateError;

/// What state begins with; the last byte is the version of its form.
const HEAD: &[u8] = b"postrider detection \x02";
const SUM_BYTES: usize = 8;

/// Writes.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new() -> Self {
        Self(HEAD.to_vec())
    }

    /// In groups of seven bits, the low ones first.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Seconds, which may be before 1970 where a clock is wrong; and what else may be below zero.
    pub(super) fn seconds(&mut self, seconds: i64) {
        self.number(((seconds << 1) ^ (seconds >> 63)) as u64);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// All, with its sum.
    pub(super) fn done(mut self) -> Vec<u8> {
        let sum = fingerprint(&self.0);
        self.0.extend_from_slice(&sum.to_le_bytes());
        self.0
    }
}

/// Reads what a [`Writer`] wrote.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(state: &'a [u8]) -> Result<Self, StateError> {
        let rest = state.strip_prefix(HEAD).ok_or(StateError::Version)?;
        let body = rest.len().checked_sub(SUM_BYTES);
        let (rest, sum) = rest.split_at(body.ok_or(StateError::Broken)?);
        let summed = fingerprint(&state[..state.len() - SUM_BYTES]);
        if summed.to_le_bytes() != sum {
            return Err(StateError::Broken);
        }
        Ok(Self(rest))
    }

    pub(super) fn number(&mut self) -> Result<u64, StateError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(StateError::Broken)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(StateError::Broken)
    }

    pub(super) fn seconds(&mut self) -> Result<i64, StateError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// How many follow; not more than there is room for.
    pub(super) fn count(&mut self, most: usize) -> Result<usize, StateError> {
        let count = usize::try_from(self.number()?).map_err(|_| StateError::Broken)?;
        Some(count)
            .filter(|count| *count <= most)
            .ok_or(StateError::Broken)
    }

    /// A number that fits into 32 bits.
    pub(super) fn small(&mut self) -> Result<u32, StateError> {
        u32::try_from(self.number()?).map_err(|_| StateError::Broken)
    }

    pub(super) fn text(&mut self) -> Result<String, StateError> {
        let length = self.count(self.0.len())?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(StateError::Broken)?;
        self.0 = rest;
        let text = std::str::from_utf8(text).map_err(|_| StateError::Broken)?;
        Ok(text.to_owned())
    }

    /// Nothing may be left.
    pub(super) fn done(self) -> Result<(), StateError> {
        match self.0 {
            [] => Ok(()),
            _ => Err(StateError::Broken),
        }
    }
}

/// FNV-1a, with its bits mixed: tells texts apart, and finds what broke by accident. Nobody gains
/// by making two texts alike to it.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// State of these bytes, with a good head and sum.
    pub(in crate::detect) fn summed(body: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.0.extend_from_slice(body);
        writer.done()
    }

    #[test]
    fn what_was_written_is_read_back() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let seconds = [0, -1, 1, i64::MIN, i64::MAX, 1_700_000_000];
        let mut writer = Writer::new();
        numbers.iter().for_each(|number| writer.number(*number));
        seconds.iter().for_each(|second| writer.seconds(*second));
        writer.text("what");
        let state = writer.done();
        let mut reader = Reader::new(&state).unwrap();
        for number in numbers {
            assert_eq!(reader.number(), Ok(number));
        }
        for second in seconds {
            assert_eq!(reader.seconds(), Ok(second));
        }
        assert_eq!(reader.text().as_deref(), Ok("what"));
        assert_eq!(reader.done(), Ok(()));
    }

    #[test]
    fn what_is_cut_off_or_changed_or_of_another_version_is_refused() {
        let mut writer = Writer::new();
        writer.text("what");
        let state = writer.done();
        for length in 0..state.len() {
            assert!(Reader::new(&state[..length]).is_err(), "{length}");
        }
        for at in 0..state.len() {
            let mut changed = state.clone();
            changed[at] ^= 1;
            let expected = match at < HEAD.len() {
                true => StateError::Version,
                false => StateError::Broken,
            };
            assert_eq!(Reader::new(&changed).err(), Some(expected), "{at}");
        }
    }

    #[test]
    fn a_length_beyond_what_is_there_is_refused() {
        let mut writer = Writer::new();
        writer.number(u64::MAX);
        let state = writer.done();
        let mut reader = Reader::new(&state).unwrap();
        assert_eq!(reader.text(), Err(StateError::Broken));
    }
}
