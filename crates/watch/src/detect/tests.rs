//! Each rule by what it should find and what it should not; and that nothing that is told to
//! detection breaks it.

mod anything;
mod counts;
mod hours;
mod learnt;
mod news;

use super::*;
use model::id::ApplicationId;
use model::security::{SecurityKind, SubjectKind};

/// A Monday.
const MONDAY: i64 = 1_767_571_200;
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn source() -> Subject {
    Subject::new(SubjectKind::Source, "src_1")
}

fn application(number: i64) -> Subject {
    let id = ApplicationId::new(ApplicationKey::from_integer(number), [0; 12]);
    Subject::new(SubjectKind::Application, id)
}

fn refused(kind: SecurityKind, from: &str, seconds: i64) -> Observation {
    let event = SecurityEvent::new(kind, source(), at(seconds), "refused");
    Observation::Event(event.from_address(Some(address(from))))
}

fn destination(application: i64, host: &str, (changed, seconds): (bool, i64)) -> Observation {
    Observation::Destination {
        endpoint: Subject::new(SubjectKind::Endpoint, format!("ep_{application}")),
        application: ApplicationKey::from_integer(application),
        host: host.to_owned(),
        changed,
        at: at(seconds),
    }
}

fn secret_read(endpoint: &str, by: &str, seconds: i64) -> Observation {
    Observation::SecretRead {
        endpoint: Subject::new(SubjectKind::Endpoint, endpoint),
        application: Some(ApplicationKey::from_integer(1)),
        by: by.to_owned(),
        at: at(seconds),
    }
}

fn bulk(what: Bulk, count: u64, seconds: i64) -> Observation {
    Observation::Bulk {
        by: "key_1".to_owned(),
        application: None,
        what,
        count,
        at: at(seconds),
    }
}

fn came_in(event_type: &str, from: &str, seconds: i64) -> Observation {
    Observation::CameIn {
        source: source(),
        event_type: Some(event_type.parse().unwrap()),
        address: address(from),
        at: at(seconds),
    }
}

fn rules(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule).collect()
}

fn observe_all(
    detection: &mut Detection,
    observations: impl IntoIterator<Item = Observation>,
) -> Vec<Finding> {
    let observations = observations.into_iter();
    observations
        .flat_map(|observation| detection.observe(observation))
        .collect()
}
