//! Keeps security events, and seals the audit log. Whoever reports one is never made to wait: equal ones are folded in
//! memory, and handed to the store at most once a second.
//!
//! It judges nothing and alerts nobody: what is worth reporting is said by those who report.
//!
//! Map: [`keeper`] (the sink, and the loop that writes) · `fold` (what is equal, and how much of it
//! is told apart) · [`audit`] (the chain over the audit log, and its verification).

pub mod audit;
pub mod detect;
mod fold;
pub mod keeper;

pub use keeper::Keeper;
