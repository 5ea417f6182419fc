//! The pure domain of Postrider: what an application, an endpoint, a message, a delivery and an
//! attempt are, and the rules that need nothing but their arguments.
//!
//! Nothing here reads a clock, draws randomness, does I/O or waits: [`clock::Clock`] and
//! [`entropy::Entropy`] are traits that the binary and the simulation implement. Wire forms and
//! table rows are other rooms' business, so no type here is serialisable.
//!
//! Map: [`id`] (public ids and their integer keys) · [`name`] (validated words) · [`application`],
//! [`endpoint`], [`event_type`], [`message`], [`delivery`], [`attempt`], [`api_key`] (the field's
//! nouns), [`role`] (what people may do) · [`hops`] (how often an event has come round), [`trace`]
//! (what it is a part of) · [`retry`] (when the next attempt is due)
//! · [`address`] (where requests may go) · [`protection`] (how an endpoint's deliveries are kept
//! safe), [`policy`] (what of it is demanded), [`chain_seen`] (what receivers showed of
//! themselves),
//! [`challenge`], [`proof`] (whether it wants what it is to get) · [`redaction`] (what an endpoint
//! doesn't get), [`scan`] (what is not to be in a payload), `json` (what both walk over) ·
//! [`oauth`] (how requests come by a token) · [`pin`] (keys of certificates) · [`node`] (who does
//! the work) · [`source`] (where webhooks come in), [`schedule`] (when some make messages by
//! themselves) · [`security`] (what is worth reporting), [`audit`] (who did what), [`operational`]
//! (what the operator is told of), [`alerts`] (whom events are told to), [`witness`] (what is
//! ordinary, for whoever looks for what is not), [`skew`] (whether our clock runs apart) ·
//! [`meter`] (what is counted) · `texts`, `fields` (forms that some are stored in) ·
//! [`duration`] (as people write it) · [`clock`], [`entropy`], [`secret`], [`chain`] (errors as
//! people read them).

pub mod address;
pub mod alerts;
pub mod answer_head;
pub mod api_key;
pub mod application;
pub mod attempt;
pub mod audit;
pub mod chain;
pub mod chain_seen;
pub mod challenge;
pub mod clock;
pub mod delivery;
pub mod duration;
pub mod endpoint;
pub mod entropy;
pub mod event_type;
mod fields;
pub mod hops;
pub mod id;
mod json;
pub mod message;
pub mod meter;
pub mod name;
pub mod node;
pub mod oauth;
pub mod operational;
pub mod phases;
pub mod pin;
pub mod policy;
pub mod proof;
pub mod protection;
pub mod redaction;
pub mod retry;
pub mod role;
pub mod scan;
pub mod schedule;
pub mod secret;
pub mod security;
pub mod skew;
pub mod source;
mod texts;
pub mod trace;
pub mod witness;

pub use chain::Chain;
pub use clock::{Clock, Timestamp};
pub use entropy::Entropy;
pub use pin::Pin;
pub use secret::Secret;
