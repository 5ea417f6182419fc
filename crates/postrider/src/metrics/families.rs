//! The families of the text, each part's beside each other. docs/metrics.md has all of them: a test
//! holds it against what a server answers.

use super::{Found, Metrics};
use model::security::SecurityKind;
use store::vitals::Fill;
use watch::exposition::Exposition;

impl Metrics {
    pub(super) fn write_requests(&self, text: &mut Exposition) {
        let asked = self.doors.get().map(|doors| {
            let asked = doors.requests.iter();
            asked.filter(|one| one.classes().any(|(_, count)| count > 0))
        });
        let asked: Vec<_> = asked.into_iter().flatten().collect();
        let mut family = text.counter(
            "postrider_http_requests_total",
            "Requests to the API that were answered, by operation and the class of the status.",
        );
        for one in &asked {
            for (status, count) in one.classes().filter(|(_, count)| *count > 0) {
                let labels = [
                    ("method", one.method()),
                    ("route", one.path()),
                    ("status", status),
                ];
                family.with(&labels, count as f64);
            }
        }
        let mut family = text.durations(
            "postrider_http_request_duration_seconds",
            "How long it took until the answer to a request to the API began.",
        );
        for one in &asked {
            let labels = [("method", one.method()), ("route", one.path())];
            family.took(&labels, &one.took());
        }
    }

    pub(super) fn write_gateway(&self, text: &mut Exposition) {
        let gate = self.doors.get().and_then(|doors| doors.gate.as_ref());
        let mut family = text.counter(
            "postrider_gateway_requests_total",
            "Requests to sources, by how they ended.",
        );
        for (outcome, count) in gate.iter().flat_map(|gate| gate.outcomes()) {
            family.with(&[("outcome", outcome)], count as f64);
        }
        let mut family = text.durations(
            "postrider_gateway_request_duration_seconds",
            "How long requests to sources took.",
        );
        if let Some(gate) = gate {
            family.took(&[], &gate.took());
        }
    }

    pub(super) fn write_connections(&self, text: &mut Exposition) {
        let places = self.doors.get().map(|doors| &doors.places);
        let places: Vec<_> = places.into_iter().flatten().collect();
        let mut family = text.gauge("postrider_connections", "Clients' connections.");
        for one in &places {
            family.with(&[("listener", one.listener)], one.taken() as f64);
        }
        let mut family = text.gauge(
            "postrider_connections_max",
            "How many there may be: beyond it, clients wait to be accepted.",
        );
        for one in &places {
            family.with(&[("listener", one.listener)], one.of as f64);
        }
    }

    pub(super) fn write_store(&self, text: &mut Exposition) {
        let vitals = self.store.vitals();
        text.gauge(
            "postrider_store_writable",
            "1 while commits succeed, 0 while they don't: /api/v1/health says why.",
        )
        .is(f64::from(u8::from(vitals.trouble.is_none())));
        text.durations(
            "postrider_store_commit_duration_seconds",
            "How long commits took that succeeded.",
        )
        .took(&[], &vitals.commits);
        text.counter(
            "postrider_store_commits_failed_total",
            "Commits that failed.",
        )
        .is(vitals.commits_failed as f64);
        text.counter(
            "postrider_messages_accepted_total",
            "Messages that were made durable by this node, from the API and from sources.",
        )
        .is(vitals.accepted as f64);
        let Fill { taken, of } = vitals.queue;
        text.gauge(
            "postrider_store_queue_bytes",
            "What waits to be written, by its size in memory.",
        )
        .is(taken as f64);
        text.gauge(
            "postrider_store_queue_max_bytes",
            "How much may wait: beyond it, requests wait for room.",
        )
        .is(of as f64);
        let mut used = text.gauge(
            "postrider_store_connections",
            "Connections to PostgreSQL that are in use.",
        );
        if let Some(fill) = vitals.connections {
            used.is(fill.taken as f64);
        }
        let mut most = text.gauge("postrider_store_connections_max", "How many there may be.");
        if let Some(fill) = vitals.connections {
            most.is(fill.of as f64);
        }
    }

    pub(super) fn write_backlog(&self, text: &mut Exposition, found: &Found) {
        let backlog = found.looked.backlog;
        let mut open = text.gauge(
            "postrider_deliveries_open",
            "Deliveries that have not ended, of the whole database: every node says the same.",
        );
        if let Some(backlog) = backlog {
            open.is(backlog.open as f64);
        }
        let mut oldest = text.gauge(
            "postrider_deliveries_oldest_due_seconds",
            "For how long the one that was due first has been due; 0 where none is.",
        );
        if let Some(backlog) = backlog {
            let late = backlog.first_due.map(|due| found.now.since(due));
            oldest.is(late.unwrap_or_default().as_secs_f64());
        }
    }

    pub(super) fn write_attempts(&self, text: &mut Exposition, found: &Found) {
        let (reading, counters) = (found.reading, found.counters);
        let mut family = text.counter(
            "postrider_attempts_total",
            "Attempts that were recorded, by result; cancelled: the delivery ended without one.",
        );
        if let Some(counters) = counters {
            for (result, count) in [
                ("success", counters.succeeded),
                ("failure", counters.failed),
                ("cancelled", counters.cancelled),
            ] {
                family.with(&[("result", result)], count as f64);
            }
        }
        let mut family = text.durations(
            "postrider_attempt_duration_seconds",
            "How long attempts took, by result.",
        );
        if let Some(reading) = reading {
            family.took(&[("result", "success")], &reading.succeeded);
            family.took(&[("result", "failure")], &reading.failed);
        }
        let mut family = text.durations(
            "postrider_delivery_duration_seconds",
            "From when a message was due until its delivery succeeded, over all attempts.",
        );
        if let Some(reading) = reading {
            family.took(&[], &reading.delivered);
        }
        let mut family = text.counter(
            "postrider_deliveries_given_up_total",
            "Deliveries whose last attempt failed, so that none follows.",
        );
        if let Some(reading) = reading {
            family.is(reading.given_up as f64);
        }
        let mut family = text.counter(
            "postrider_endpoints_disabled_total",
            "Endpoints that were disabled because they kept failing, or said that they are gone.",
        );
        if let Some(reading) = reading {
            family.is(reading.disabled as f64);
        }
    }

    pub(super) fn write_lanes(&self, text: &mut Exposition, found: &Found) {
        let counters = found.counters;
        let mut family = text.gauge(
            "postrider_slots_in_use",
            "Slots that attempts and claims hold.",
        );
        if let Some(counters) = counters {
            family.is(counters.in_flight as f64);
        }
        let mut family = text.gauge("postrider_slots_max", "How many slots there are.");
        if counters.is_some() {
            family.is(self.slots as f64);
        }
        let mut family = text.gauge(
            "postrider_deliveries_in_memory",
            "Deliveries that wait in memory for their turn.",
        );
        if let Some(counters) = counters {
            family.is(counters.queued as f64);
        }
        let mut family = text.gauge(
            "postrider_lanes",
            "Endpoints that this node has in memory, by what they do, or what holds them up.",
        );
        let Some(lanes) = found.looked.lanes else {
            return;
        };
        for (state, count) in [
            ("active", lanes.active),
            ("idle", lanes.idle),
            ("resting", lanes.resting),
            ("rate_limited", lanes.rate_limited),
            ("host_full", lanes.host_full),
            ("claims_full", lanes.claims_full),
            ("owner_unknown", lanes.owner_unknown),
        ] {
            family.with(&[("state", state)], count as f64);
        }
    }

    pub(super) fn write_events(&self, text: &mut Exposition) {
        let mut family = text.counter(
            "postrider_security_events_total",
            "Security events, by kind: each that was reported, folded or not.",
        );
        for kind in SecurityKind::ALL {
            let count = self.events.count(*kind) as f64;
            family.with(&[("kind", kind.as_str())], count);
        }
        let mut family = text.counter(
            "postrider_spans_dropped_total",
            "Steps of recorded traces that did not reach the collector.",
        );
        if let Some(recorder) = &self.events.recorder {
            family.is(recorder.dropped() as f64);
        }
    }
}
