//! Whether an endpoint has proved that its receiver wants what it is to get: what came of the last
//! challenge, and for which URL. It holds for that URL alone, so that one that was changed has
//! proved nothing. What a challenge is, [`crate::challenge`] says.

use crate::clock::Timestamp;
use crate::endpoint::StoredFormError;
use crate::texts;
use std::num::NonZeroU32;

const WRONG: StoredFormError = StoredFormError::new("proof of an endpoint");

/// The form below. Another one would have another number.
const VERSION: &str = "1";

/// What is known of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Which, as the endpoint has it.
    pub url: String,
    /// When a challenge was last sent to it.
    pub asked_at: Timestamp,
    /// What came of it; `None`: nothing yet.
    pub told: Option<Told>,
}

/// What came of a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// What.
    pub outcome: Outcome,
}

/// Whether the receiver wants what the endpoint is to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does.
    Proved {
        /// The most requests in a minute that it allows, if it said so.
        per_minute: Option<NonZeroU32>,
    },
    /// It did not say so. A later attempt may do better.
    Failed {
        /// Why, as a sentence for people.
        reason: String,
    },
}

impl Proof {
    /// Whether the URL has proved itself.
    pub fn is_proved(&self) -> bool {
        matches!(&self.told, Some(told) if matches!(told.outcome, Outcome::Proved { .. }))
    }

    /// The most requests in a minute that the receiver allows, if it said so.
    pub fn per_minute(&self) -> Option<NonZeroU32> {
        match self.told.as_ref()?.outcome {
            Outcome::Proved { per_minute } => per_minute,
            Outcome::Failed { .. } => None,
        }
    }

    /// What is known once another challenge is sent: what was proved stays so.
    #[must_use]
    pub fn asked_again(self, at: Timestamp) -> Self {
        let told = self.is_proved().then_some(self.told).flatten();
        Self {
            asked_at: at,
            told,
            ..self
        }
    }

    /// What is known once a challenge has come to something. A failure takes no proof away: the
    /// receiver has said once that it wants what comes, and may be down for a while.
    #[must_use]
    pub fn after(self, told: Told) -> Self {
        let keeps = self.is_proved() && matches!(told.outcome, Outcome::Failed { .. });
        match keeps {
            true => self,
            false => Self {
                told: Some(told),
                ..self
            },
        }
    }

    /// The bytes that are stored.
    pub fn to_stored(&self) -> Vec<u8> {
        let asked = texts::of_time(self.asked_at);
        let mut all = vec![VERSION.to_owned(), self.url.clone(), asked];
        if let Some(told) = &self.told {
            all.push(texts::of_time(told.at));
            match &told.outcome {
                Outcome::Proved { per_minute } => {
                    let rate = per_minute.map(|rate| rate.to_string());
                    all.extend(["proved".to_owned(), rate.unwrap_or_default()]);
                }
                Outcome::Failed { reason } => all.extend(["failed".to_owned(), reason.clone()]),
            }
        }
        texts::to_stored(&all)
    }

    /// Reads what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        let all = texts::from_stored(stored).ok_or(WRONG)?;
        let [VERSION, url, asked, told @ ..] = &all[..] else {
            return Err(WRONG);
        };
        Ok(Self {
            url: (*url).to_owned(),
            asked_at: texts::time(asked).ok_or(WRONG)?,
            told: match told {
                [] => None,
                [at, word, detail] => Some(Told {
                    at: texts::time(at).ok_or(WRONG)?,
                    outcome: outcome(word, detail)?,
                }),
                _ => return Err(WRONG),
            },
        })
    }
}

fn outcome(word: &str, detail: &str) -> Result<Outcome, StoredFormError> {
    match word {
        "proved" => Ok(Outcome::Proved {
            per_minute: match detail {
                "" => None,
                rate => Some(rate.parse().map_err(|_| WRONG)?),
            },
        }),
        "failed" => Ok(Outcome::Failed {
            reason: detail.to_owned(),
        }),
        _ => Err(WRONG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn proved(per_minute: u32) -> Told {
        Told {
            at: Timestamp::from_seconds(7),
            outcome: Outcome::Proved {
                per_minute: NonZeroU32::new(per_minute),
            },
        }
    }

    fn failed(reason: &str) -> Told {
        Told {
            at: Timestamp::from_seconds(8),
            outcome: Outcome::Failed {
                reason: reason.to_owned(),
            },
        }
    }

    fn proof(told: Option<Told>) -> Proof {
        Proof {
            url: "https://a.example/in".to_owned(),
            asked_at: Timestamp::from_seconds(5),
            told,
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        for told in [None, Some(proved(0)), Some(proved(120)), Some(failed("no"))] {
            let proof = proof(told);
            assert_eq!(Proof::from_stored(&proof.to_stored()), Ok(proof));
        }
    }

    #[test]
    fn what_is_written_otherwise_is_refused() {
        for other in [
            &b""[..],
            b"1",
            b"1\0a",
            b"2\0a\x005",
            b"1\0a\0when",
            b"1\0a\x005\x006",
            b"1\0a\x005\x006\0proved",
            b"1\0a\x005\x006\0proved\x000",
            b"1\0a\x005\x006\0proved\0\0more",
            b"1\0a\x005\x006\0else\0",
        ] {
            assert!(Proof::from_stored(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn what_was_proved_stays_so_whatever_fails_later() {
        let unknown = proof(None);
        assert!(!unknown.is_proved());
        let refused = unknown.clone().after(failed("no"));
        assert!(!refused.is_proved());
        assert_eq!(refused.clone().asked_again(Timestamp::MAX).told, None);
        let proved_once = refused.after(proved(60));
        assert_eq!(proved_once.per_minute(), NonZeroU32::new(60));
        assert_eq!(proved_once.clone().after(failed("no")), proved_once);
        let again = proved_once.asked_again(Timestamp::MAX);
        assert!(again.is_proved());
        assert_eq!(again.after(proved(0)).per_minute(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>) {
            let _ = Proof::from_stored(&bytes);
        }

        #[test]
        fn a_reason_can_not_pass_for_another_field(reason: String) {
            let read = Proof::from_stored(&proof(Some(failed(&reason))).to_stored());
            let expected = proof(Some(failed(&reason.replace('\0', " "))));
            prop_assert_eq!(read, Ok(expected));
        }
    }
}
