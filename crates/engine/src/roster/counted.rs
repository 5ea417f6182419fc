//! How many lanes do what, for whoever watches. Each is looked at: this is not for every turn.

use super::Roster;
use super::lane_state::{LaneState, Obstacle};
use crate::meter::LaneCounts;

impl Roster {
    /// Counts the lanes in memory.
    pub(crate) fn count_lanes(&self) -> LaneCounts {
        let mut counts = LaneCounts::default();
        for lane in self.lanes.values() {
            *counter(&mut counts, lane) += 1;
        }
        counts
    }
}

fn counter<'c>(counts: &'c mut LaneCounts, lane: &LaneState) -> &'c mut u64 {
    match lane.obstacle {
        _ if lane.is_idle() => &mut counts.idle,
        _ if lane.rest_until.is_some() => &mut counts.resting,
        Some(Obstacle::Rate) => &mut counts.rate_limited,
        Some(Obstacle::Host) => &mut counts.host_full,
        Some(Obstacle::Claims) => &mut counts.claims_full,
        Some(Obstacle::Owner) => &mut counts.owner_unknown,
        None => &mut counts.active,
    }
}
