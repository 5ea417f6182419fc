//! The table of rules. Each is a file of its own below; all are told all, and each looks for what
//! concerns it.

mod brute_force_by_address;
mod brute_force_by_source;
mod bulk;
mod news;
mod replay_burst;
mod shared_host;
mod traffic;
mod tried;
mod url_change_then_secrets;

use super::bytes::{Reader, Writer};
use super::course::Moment;
use super::{Config, Finding, Observation, StateError};

/// What a rule does. What it keeps is bounded, whatever it is told.
pub(super) trait Rule: Send {
    /// Something was observed.
    fn observe(
        &mut self,
        moment: &Moment,
        told: (&Config, &Observation),
        findings: &mut Vec<Finding>,
    );

    /// Time goes on.
    fn pass(&mut self, _moment: &Moment, _config: &Config, _findings: &mut Vec<Finding>) {}

    /// What it has learnt.
    fn save(&self, to: &mut Writer);

    /// Takes up what it had learnt.
    fn restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError>;

    /// Of how many it has learnt something.
    #[cfg(test)]
    fn kept(&self) -> usize;
}

/// All of them, in the order in which they are saved.
pub(super) fn all() -> Vec<Box<dyn Rule>> {
    vec![
        brute_force_by_address::rule(),
        brute_force_by_source::rule(),
        replay_burst::rule(),
        traffic::rules(),
        news::new_event_type(),
        news::new_network(),
        url_change_then_secrets::rule(),
        shared_host::rule(),
        bulk::mass_export(),
        bulk::mass_replay(),
    ]
}
