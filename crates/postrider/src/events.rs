//! Where security events go: into the log. A flood of one kind becomes one line a second with a
//! count, so that whoever causes it can't fill the disk.

use model::Timestamp;
use model::security::{EventSink, SecurityEvent, SecurityKind, Severity};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// How long a kind is silent after it was logged.
const SILENCE: Duration = Duration::from_secs(1);

/// Logs security events.
#[derive(Default)]
pub(crate) struct EventLog {
    kinds: Mutex<HashMap<SecurityKind, Recent>>,
}

/// What a kind has done lately.
struct Recent {
    logged_at: Timestamp,
    unlogged: u64,
}

impl EventSink for EventLog {
    fn report(&self, event: SecurityEvent) {
        let Some(unlogged) = self.due(&event) else {
            return;
        };
        let (kind, subject) = (event.kind.as_str(), event.subject.as_deref().unwrap_or("-"));
        let remote = event.remote_address.map(|address| address.to_string());
        let remote = remote.as_deref().unwrap_or("-");
        let description = event.description.as_str();
        match event.kind.severity() {
            Severity::Info => tracing::info!(kind, subject, remote, unlogged, "{description}"),
            Severity::Warning => tracing::warn!(kind, subject, remote, unlogged, "{description}"),
            Severity::Critical => tracing::error!(kind, subject, remote, unlogged, "{description}"),
        }
    }
}

impl EventLog {
    /// How many of its kind were passed over since the last that was logged; `None` if this one is
    /// passed over too.
    fn due(&self, event: &SecurityEvent) -> Option<u64> {
        let mut kinds = self.kinds.lock().expect("no holder panics");
        let Some(recent) = kinds.get_mut(&event.kind) else {
            kinds.insert(
                event.kind,
                Recent {
                    logged_at: event.at,
                    unlogged: 0,
                },
            );
            return Some(0);
        };
        // A clock that was set back must not silence a kind for longer.
        if event.at >= recent.logged_at && event.at.since(recent.logged_at) < SILENCE {
            recent.unlogged += 1;
            return None;
        }
        recent.logged_at = event.at;
        Some(std::mem::take(&mut recent.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_is_one_line_a_second_and_hides_no_other_kind() {
        let log = EventLog::default();
        let at = |kind, millis: i64| {
            let description = String::new();
            let at = Timestamp::from_micros(millis * 1_000);
            log.due(&SecurityEvent {
                kind,
                subject: None,
                remote_address: None,
                at,
                description,
            })
        };
        assert_eq!(at(SecurityKind::AuthenticationFailed, 0), Some(0));
        assert_eq!(at(SecurityKind::AuthenticationFailed, 10), None);
        assert_eq!(at(SecurityKind::AuthenticationFailed, 999), None);
        assert_eq!(at(SecurityKind::SecretRead, 999), Some(0));
        assert_eq!(at(SecurityKind::AuthenticationFailed, 1_000), Some(2));
        assert_eq!(at(SecurityKind::AuthenticationFailed, 500), Some(0));
    }
}
