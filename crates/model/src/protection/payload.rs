//! What an endpoint's deliveries carry. How a payload is to be had that a delivery doesn't carry is
//! not said here.

use crate::endpoint::StoredFormError;
use crate::fields::{Fields, Part};

/// What is in the body of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadMode {
    /// The payload: what holds where nothing is set, too.
    Full,
    /// Where the payload is to be had, and nothing of it.
    Thin,
}

impl PayloadMode {
    const ALL: [Self; 2] = [Self::Full, Self::Thin];

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Thin => "thin",
        }
    }
}

impl Part for PayloadMode {
    fn write(&self, fields: &mut Fields) {
        fields.put_text("mode", self.as_str());
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        fields.word("mode", &Self::ALL, Self::as_str)
    }
}
