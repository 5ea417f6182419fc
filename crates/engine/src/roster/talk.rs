//! What the engine tells the roster, and what the roster orders.

use crate::host::HostName;
use crate::lane::How;
use crate::rate::Limit;
use bytes::Bytes;
use model::Timestamp;
use model::trace::TraceParent;
use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;
use store::rows::{Claimed, Payload};
use store::{Lane, Scope};

/// A moment by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Moment {
    /// By which deliveries are due.
    pub(crate) wall: Timestamp,
    /// By which everything else is measured.
    pub(crate) mono: Duration,
}

/// A delivery in memory, held until it is dropped.
pub(crate) struct InHand {
    pub(crate) claimed: Claimed,
    /// The payload where it was handed over in the clear; else it is in the message, sealed.
    pub(crate) payload: Option<Bytes>,
    /// Its application's revision, read before it was known to be open: once it has grown,
    /// somebody may have ended it.
    pub(crate) revision: u64,
    /// The endpoint has been known to be gone for a while when this was begun: the background work
    /// that ends its deliveries does not know of this one.
    pub(crate) left_over: bool,
    /// The attempt that is made, as a step of the trace that the message is a part of.
    pub(crate) step: Option<TraceParent>,
}

impl InHand {
    /// A delivery as it came from the store, or was handed over.
    pub(crate) fn new(claimed: Claimed, payload: Option<Bytes>, revision: u64) -> Self {
        Self {
            claimed,
            payload,
            revision,
            left_over: false,
            step: None,
        }
    }

    /// The lane that it is in.
    pub(crate) fn lane(&self) -> Lane {
        Lane {
            application: self.claimed.delivery.application,
            endpoint: self.claimed.delivery.endpoint,
        }
    }

    /// What it keeps in memory, as far as that varies.
    pub(super) fn bytes(&self) -> usize {
        self.claimed.message.payload.bytes() + self.payload.as_ref().map_or(0, Bytes::len)
    }

    /// The request has its payload: it need not be here too.
    pub(crate) fn drop_payload(&mut self) {
        self.payload = None;
        self.claimed.message.payload = Payload::NotRead;
    }
}

/// Without the payload, which may be in the clear.
impl fmt::Debug for InHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("InHand");
        shown.field("delivery", &self.claimed.delivery);
        shown.field("left_over", &self.left_over);
        shown.finish_non_exhaustive()
    }
}

/// Tells attempts apart, in the order in which they were begun.
pub(crate) type AttemptNumber = u64;

/// What the engine is to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Make an attempt, and say [`super::Roster::ended`].
    Attempt(AttemptNumber, Box<InHand>),
    /// Claim what is due of a lane, and say [`super::Roster::claimed`].
    Claim(Lane, ToClaim),
    /// Look up what is configured of a lane, and say [`super::Roster::learned`].
    Learn(Lane),
    /// Ask for the sole rights that lanes need, and say [`super::Roster::owned`].
    Own(Vec<Scope>),
}

/// What a claim is to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ToClaim {
    /// At most so many deliveries.
    pub(crate) limit: usize,
    /// And, if that is all that is due, when the next one is.
    pub(crate) next_due: bool,
}

/// What is configured of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    /// Whether there is an endpoint to send to: else its deliveries are ended, without limits.
    pub(crate) live: bool,
    /// Where its attempts go; `None` if nowhere.
    pub(crate) host: Option<HostName>,
    /// Of the endpoint, attempts per second.
    pub(crate) rate_limit: Option<NonZeroU16>,
    /// Of the endpoint's receiver, requests per minute.
    pub(crate) allowed_rate: Option<NonZeroU32>,
    /// Of its application, attempts per second over all its lanes.
    pub(crate) application_rate_limit: Option<NonZeroU16>,
}

impl Facts {
    /// How fast attempts to the endpoint may start.
    pub(super) fn limit(&self) -> Option<Limit> {
        let own = self.rate_limit.map(Limit::per_second);
        let allowed = self.allowed_rate.map(Limit::per_minute);
        match (own, allowed) {
            (Some(own), Some(allowed)) => Some(own.and(allowed)),
            (own, allowed) => own.or(allowed),
        }
    }
}

/// How an attempt went, as far as its lane is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) how: How,
    pub(crate) took: Duration,
    /// When the lane must look for the delivery again.
    pub(crate) due: Option<Timestamp>,
    /// How long the lane is left alone, because something is wrong that will not be better at once.
    pub(crate) rest: Option<Duration>,
}

impl Ended {
    /// Nothing was sent, and nothing became of it.
    pub(crate) const NOT_SENT: Self = Self {
        how: How::NotSent,
        took: Duration::ZERO,
        due: None,
        rest: None,
    };
}

/// What a claim brought.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    pub(crate) deliveries: Vec<InHand>,
    /// There may be more that is due already.
    pub(crate) more: bool,
    /// When the next one is due that was not brought.
    pub(crate) next_due: Option<Timestamp>,
    /// The claim failed: leave the lane alone for so long.
    pub(crate) rest: Option<Duration>,
}
