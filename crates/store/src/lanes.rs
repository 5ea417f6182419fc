//! The hand-over: how what `app` has accepted reaches the sender without being read back, although
//! neither knows the other. The engine implements [`Lanes`]; the binary brings them together.

use crate::rows::Claimed;
use bytes::Bytes;
use model::Timestamp;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey};
use std::fmt;
use std::sync::Arc;

/// An endpoint's share of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    /// The application, between which slots are shared first.
    pub application: ApplicationKey,
    /// The endpoint.
    pub endpoint: EndpointKey,
}

/// Where accepted deliveries go.
///
/// Every call returns at once: nothing here waits, and what is forgotten in a crash is found in the
/// store at the next start.
pub trait Lanes: Send + Sync {
    /// Asks for a place, before the delivery is written: a delivery that has one is written owned
    /// and handed over from memory; one that has none is written unowned, and claimed later. The
    /// place is given back when it is dropped.
    fn grant(&self, lane: Lane) -> Option<Place>;

    /// Hands over what was committed, with the place that was granted for it, and its payload as
    /// it is in memory.
    fn hand_over(&self, claimed: Claimed, payload: Bytes, place: Place);

    /// An unowned delivery was written that is due then: the lane must look for it.
    fn waiting(&self, lane: Lane, due: Timestamp);

    /// An application or an endpoint changed: no attempt may start by what it was before.
    fn changed(&self, application: ApplicationKey);

    /// Background work was started.
    fn work(&self);
}

/// A place in a lane, given back when dropped.
pub struct Place(Box<dyn Send + Sync>);

impl Place {
    /// Keeps `token` until the place is given back: the token's drop does the giving.
    pub fn new(token: impl Send + Sync + 'static) -> Self {
        Self(Box::new(token))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = &self.0;
        f.write_str("Place")
    }
}

/// What lets go of a delivery that is owned.
pub trait LetGo: Send + Sync {
    /// The delivery is nobody's again: if it is still open, it can be claimed.
    fn let_go(&self, endpoint: EndpointKey, delivery: DeliveryKey);
}

/// Ownership of an open delivery. Lets go when dropped, also by a panicking holder, so that nothing
/// stays owned by nobody.
pub struct Hold {
    owner: Arc<dyn LetGo>,
    endpoint: EndpointKey,
    delivery: DeliveryKey,
}

impl Hold {
    /// A hold that tells `owner` when it ends.
    pub fn new(owner: Arc<dyn LetGo>, endpoint: EndpointKey, delivery: DeliveryKey) -> Self {
        Self {
            owner,
            endpoint,
            delivery,
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.owner.let_go(self.endpoint, self.delivery);
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hold({:?}, {:?})", self.endpoint, self.delivery)
    }
}
