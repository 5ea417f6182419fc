//! Deliveries as a list, open and ended, of one application or of all: what is asked of it, and
//! what it gives.
//!
//! To people a delivery is one message on its way to one endpoint, however often it was sent: its
//! [`Story`] is told by all attempts of the two, and by what is open of them. The list goes by
//! message and endpoint, so that a delivery stands in the same place whatever becomes of it, and
//! none is passed over or shown twice because it moved.
//!
//! What was delivered is found among all that was sent. What is open or was given up is little, and
//! is found without the rest: by the open deliveries, and by attempts that say that a delivery was
//! given up with them. These may be too many, never too few: the story decides.

use crate::lanes::Lane;
use crate::rows::Standing;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::id::{
    ApplicationId, ApplicationKey, AttemptId, AttemptKey, EndpointId, EndpointKey, MessageKey,
};
use model::message::Message;
use model::name::Name;

/// Where a delivery stands in the list: by its message, then by its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryPosition {
    /// The message.
    pub message: MessageKey,
    /// The endpoint.
    pub endpoint: EndpointKey,
}

/// A part of the list, and the way to walk it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryWindow {
    /// Only what stands behind this in ascending order.
    pub above: DeliveryPosition,
    /// Only what stands before this.
    pub below: DeliveryPosition,
    /// From the smallest position up, or from the largest down.
    pub ascending: bool,
    /// How many rows at the most.
    pub limit: usize,
}

/// Whose deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryScope {
    /// Those of all applications.
    All,
    /// Those of one.
    Application(ApplicationKey),
    /// Those to one endpoint.
    Endpoint(Lane),
}

/// A list of deliveries.
#[derive(Debug, Clone)]
pub struct DeliveryQuery {
    /// Whose.
    pub scope: DeliveryScope,
    /// Which part.
    pub window: DeliveryWindow,
    /// How they stand: one of these.
    pub standing: Option<Vec<Standing>>,
    /// Of messages of this type.
    pub event_type: Option<Name>,
    /// Status codes of the last attempt, from the first to before the second.
    pub status_codes: Option<(u16, u16)>,
}

/// Where the deliveries are found that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// All messages that were sent.
    Messages,
    /// What is open, or was given up.
    Unfinished {
        /// Open deliveries.
        open: bool,
        /// Attempts with which a delivery was given up.
        given_up: bool,
    },
}

impl DeliveryQuery {
    /// Where to look.
    pub fn among(&self) -> Among {
        let wants = |standings: &[Standing]| {
            let wanted = self.standing.as_ref();
            wanted.is_none_or(|wanted| wanted.iter().any(|one| standings.contains(one)))
        };
        // The last attempt of what was delivered is the one that succeeded.
        let succeeded = |(first, end): (u16, u16)| first < 300 && end > 200;
        if wants(&[Standing::Delivered]) && self.status_codes.is_none_or(succeeded) {
            return Among::Messages;
        }
        Among::Unfinished {
            open: wants(&[Standing::Pending, Standing::Retrying]),
            given_up: wants(&[Standing::Failed, Standing::Cancelled]),
        }
    }

    /// Whether a delivery passes of which this is told, of whatever type its message is.
    pub fn passes(&self, story: &Story) -> bool {
        let wanted = self.standing.as_ref();
        let code = story.last.as_ref().map(|last| last.status_code);
        wanted.is_none_or(|wanted| wanted.contains(&story.standing))
            && self
                .status_codes
                .is_none_or(|(first, end)| code.is_some_and(|code| (first..end).contains(&code)))
    }

    /// The keys between which messages are looked at, both left out.
    pub fn messages(&self) -> (MessageKey, MessageKey) {
        let DeliveryWindow { above, below, .. } = self.window;
        let moved =
            |key: MessageKey, by: i64| MessageKey::from_integer(key.integer().saturating_add(by));
        let (from, to) = match self.scope {
            DeliveryScope::Endpoint(lane) => (
                lane.endpoint > above.endpoint,
                lane.endpoint < below.endpoint,
            ),
            _ => (
                above.endpoint < EndpointKey::MAX,
                below.endpoint > EndpointKey::MIN,
            ),
        };
        (
            if from {
                moved(above.message, -1)
            } else {
                above.message
            },
            if to {
                moved(below.message, 1)
            } else {
                below.message
            },
        )
    }
}

impl DeliveryWindow {
    /// The part that is left behind a position.
    pub fn behind(self, position: Option<DeliveryPosition>) -> Self {
        match position {
            None => self,
            Some(above) if self.ascending => Self { above, ..self },
            Some(below) => Self { below, ..self },
        }
    }

    /// Whether a position lies in it.
    pub fn holds(&self, position: DeliveryPosition) -> bool {
        position > self.above && position < self.below
    }

    /// Whether a walk begins among the deliveries of a message.
    pub fn begins_in(&self, message: MessageKey) -> bool {
        let begin = if self.ascending {
            self.above
        } else {
            self.below
        };
        begin.message == message
    }

    /// Where a walk stands that has passed over all of a message that it wants.
    pub fn end_of(&self, message: MessageKey) -> DeliveryPosition {
        DeliveryPosition {
            message,
            endpoint: if self.ascending {
                EndpointKey::MAX
            } else {
                EndpointKey::MIN
            },
        }
    }

    /// Puts positions in the order of the walk, each of them once.
    pub fn arrange(&self, positions: &mut Vec<DeliveryPosition>) {
        positions.sort_unstable();
        positions.dedup();
        if !self.ascending {
            positions.reverse();
        }
    }
}

/// What became of a delivery so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// How it stands.
    pub standing: Standing,
    /// How many attempts were made.
    pub attempts: u32,
    /// The last attempt; of what was delivered, the last that succeeded. `None` where there was
    /// none yet.
    pub last: Option<Told>,
    /// When the next attempt is due, if there will be one.
    pub next_attempt: Option<Timestamp>,
}

/// An attempt, as far as it is part of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Its key.
    pub key: AttemptKey,
    /// The response's status, or 0.
    pub status_code: u16,
    /// How it ended.
    pub result: AttemptResult,
}

/// A story that is being read, in any order.
#[derive(Debug, Clone, Default)]
pub struct Telling {
    attempts: u32,
    last: Option<Told>,
    delivered: Option<Told>,
    due: Option<Timestamp>,
}

impl Telling {
    /// There is this attempt.
    pub fn attempt(&mut self, told: Told) {
        let later = |known: Option<Told>| known.filter(|known| known.key > told.key).or(Some(told));
        self.last = later(self.last);
        if told.result == AttemptResult::Success {
            self.delivered = later(self.delivered);
        }
        if !matches!(told.result, AttemptResult::Cancelled(_)) {
            self.attempts = self.attempts.saturating_add(1);
        }
    }

    /// Something is open, and due then.
    pub fn open(&mut self, due: Timestamp) {
        self.due = self.due.into_iter().chain([due]).min();
    }

    /// The whole story; `None`: the message was never meant for the endpoint.
    pub fn end(self) -> Option<Story> {
        let last = self.last.map(|last| last.result);
        let standing = Standing::of(self.due.is_some(), last, self.delivered.is_some())?;
        Some(Story {
            standing,
            attempts: self.attempts,
            last: self.delivered.or(self.last),
            next_attempt: self.due,
        })
    }
}

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its message.
    pub message: Message,
    /// Its application, which is live, and what its user calls that.
    pub application: (ApplicationId, Option<Name>),
    /// Its endpoint, which may be deleted, and what its user calls that.
    pub endpoint: (EndpointId, Option<Name>),
    /// What became of it.
    pub story: Story,
    /// The id of the story's last attempt.
    pub last: Option<AttemptId>,
}

impl DeliveryRow {
    /// Where it stands in the list.
    pub fn position(&self) -> DeliveryPosition {
        DeliveryPosition {
            message: self.message.id.key(),
            endpoint: self.endpoint.0.key(),
        }
    }
}

#[cfg(test)]
mod tests;
