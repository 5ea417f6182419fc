//! Keeps security events, seals the audit log, and has told what the operator is told. Whoever
//! reports something is never made to wait: equal security events are folded in memory, and handed
//! to the store at most once a second.
//!
//! Beside them it looks for what is far from usual, in them and in the traffic, and reports that as
//! one of them. All else that is worth reporting is said by those who report.
//!
//! Map: [`keeper`] (the sink, and the loop that writes) · `fold` (what is equal, and how much of it
//! is told apart) · [`alerts`] (people hear of it) · [`detect`] (the rules), [`detector`] (what
//! runs them), [`blocks`] (addresses that nothing is taken from for a while) · [`audit`] (the chain
//! over the audit log, and its verification) · [`operational`] (what operational webhooks tell of,
//! until messages are made of it) · [`exposition`] (what is counted, as Prometheus reads it).

pub mod alerts;
pub mod audit;
pub mod blocks;
pub mod detect;
pub mod detector;
pub mod exposition;
mod fold;
pub mod keeper;
pub mod operational;

pub use blocks::Blocks;
pub use detector::Detector;
pub use keeper::Keeper;
pub use operational::Outbox;
