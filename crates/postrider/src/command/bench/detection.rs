//! `postrider bench --detection`: made-up traffic with labelled incidents, and what the rules of
//! detection find in it. It is as fast as it can be: only the story's clock runs.

use crate::cli::BenchArgs;
use crate::command::say;
use crate::failure::Failure;
use bench::vigil::{Detected, Fired, Outcome, Place, Record, Story, What, Why};
use comfy_table::{CellAlignment, Table, presets};
use model::id::{ApplicationId, ApplicationKey};
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::{Timestamp, name::Name};
use std::time::Duration;
use watch::detect::{Bulk, Config, Detection, Finding, Observation, Traffic};

const MINUTE: i64 = 60;

/// Measures and prints; [`Failure::No`] if less was found, or more false alarms were given, than is
/// demanded.
pub(super) fn run(args: &BenchArgs) -> Result<(), Failure> {
    let config = Config::default();
    let outcomes = args.seeds().map(|seed| measure(seed, &config));
    let detected = Detected::of(outcomes.collect());
    if args.json {
        say(serde_json::to_string(&detected).map_err(Failure::could_not)?)?;
    } else {
        say(shown(&detected))?;
    }
    match detected.is_enough() {
        true => Ok(()),
        false => Err(Failure::No),
    }
}

/// A row for each rule, and a line for each seed.
fn shown(detected: &Detected) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "rule",
        "found",
        "also",
        "false, quiet weeks",
        "false, last day",
        "false a day",
        "median",
        "longest",
    ]);
    let all = ("all".to_owned(), detected.all);
    let rules = detected
        .rules
        .iter()
        .map(|(rule, one)| (rule.clone(), *one));
    for (name, one) in rules.chain([all]) {
        table.add_row([
            name,
            format!("{} of {}", one.found, one.labelled),
            one.also.to_string(),
            one.false_quiet.to_string(),
            one.false_last_day.to_string(),
            format!("{:.2}", one.false_per_day),
            took(one.seconds_median),
            took(one.seconds_max),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = table.to_string();
    for outcome in &detected.seeds {
        let all = outcome.all;
        text.push_str(&format!(
            "\nseed {}: {} of {} found, {:.2} false alarms a day over {} days",
            outcome.seed, all.found, all.labelled, all.false_per_day, detected.days
        ));
    }
    text
}

/// How long it took.
fn took(seconds: Option<i64>) -> String {
    match seconds {
        None => "–".to_owned(),
        Some(seconds @ ..MINUTE) => format!("{seconds} s"),
        Some(seconds) => format!("{} min", seconds / MINUTE),
    }
}

/// What the rules find in a seed's story.
fn measure(seed: u64, config: &Config) -> Outcome {
    let mut story = Story::new(seed);
    let mut watched = Watched {
        detection: Detection::new(config.clone()),
        minute: i64::MIN,
        fired: Vec::new(),
    };
    for day in &mut story {
        day.into_iter().for_each(|record| watched.take(record));
    }
    Outcome::of(seed, story.incidents(), &watched.fired)
}

struct Watched {
    detection: Detection,
    minute: i64,
    fired: Vec<Fired>,
}

impl Watched {
    fn take(&mut self, record: Record) {
        let minute = record.at.div_euclid(MINUTE);
        if self.minute == i64::MIN {
            self.minute = minute;
        }
        while self.minute < minute {
            self.minute += 1;
            let now = Timestamp::from_seconds(self.minute * MINUTE);
            let found = self.detection.pass(now);
            self.keep(found);
        }
        let found = self.detection.observe(observation(record));
        self.keep(found);
    }

    fn keep(&mut self, found: Vec<Finding>) {
        self.fired.extend(found.into_iter().map(fired));
    }
}

/// As the server would be told it. What there was in a minute is told when it is over.
fn observation(Record { at, what }: Record) -> Observation {
    let at = Timestamp::from_seconds(at);
    match what {
        What::Refused { why, place, from } => {
            let event = SecurityEvent::new(kind(why), subject(place), at, "refused");
            Observation::Event(event.from_address(Some(from)))
        }
        What::Minute { of, total, failed } => Observation::Traffic(Traffic {
            of: subject(of),
            at: at.minus(Duration::from_secs(60)),
            total,
            failed,
        }),
        What::CameIn {
            source,
            event_type,
            from,
        } => Observation::CameIn {
            source: subject(Place::Source(source)),
            event_type: event_type.parse::<Name>().ok(),
            address: from,
            at,
        },
        What::Destination {
            endpoint,
            application,
            host,
            changed,
        } => Observation::Destination {
            endpoint: Subject::new(SubjectKind::Endpoint, endpoint),
            application: key(application),
            host,
            changed,
            at,
        },
        What::SecretRead {
            endpoint,
            application,
            by,
        } => Observation::SecretRead {
            endpoint: Subject::new(SubjectKind::Endpoint, endpoint),
            application: Some(key(application)),
            by,
            at,
        },
        What::Bulk { by, replay, count } => Observation::Bulk {
            by,
            application: None,
            what: if replay { Bulk::Replay } else { Bulk::Export },
            count,
            at,
        },
    }
}

fn kind(why: Why) -> SecurityKind {
    match why {
        Why::Token => SecurityKind::AuthenticationFailed,
        Why::Revoked => SecurityKind::RevokedKeyUsed,
        Why::Signature => SecurityKind::IngestSignatureInvalid,
        Why::Credentials => SecurityKind::IngestCredentialsInvalid,
        Why::Replayed => SecurityKind::IngestReplayed,
        Why::Stale => SecurityKind::IngestTimestampStale,
    }
}

fn key(application: u32) -> ApplicationKey {
    ApplicationKey::from_integer(application.into())
}

fn subject(place: Place) -> Subject {
    match place {
        Place::Api => Subject::new(SubjectKind::Organisation, "org"),
        Place::Source(number) => Subject::new(SubjectKind::Source, number),
        Place::Application(number) => {
            let id = ApplicationId::new(key(number), [0; 12]);
            Subject::new(SubjectKind::Application, id)
        }
    }
}

fn fired(finding: Finding) -> Fired {
    let of = &finding.subject;
    let place = match of.kind {
        SubjectKind::Organisation => Some(Place::Api),
        SubjectKind::Source => of.id.parse().ok().map(Place::Source),
        _ => None,
    };
    let application = finding.application.map(ApplicationKey::integer);
    let application = application.and_then(|key| u32::try_from(key).ok());
    Fired {
        rule: finding.rule.to_owned(),
        at: finding.at.seconds(),
        places: place
            .into_iter()
            .chain(application.map(Place::Application))
            .collect(),
        address: finding.remote_address,
        text: finding.explanation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seed: u64) {
        let outcome = measure(seed, &Config::default());
        assert!(outcome.is_enough(), "{outcome:#?}");
    }

    #[test]
    fn enough_is_found_with_few_false_alarms() {
        check(1);
    }

    #[test]
    fn enough_is_found_with_few_false_alarms_in_another_story() {
        check(2);
    }

    #[test]
    fn every_labelled_incident_is_for_a_rule_that_there_is() {
        let names: Vec<_> = watch::detect::config::RULES
            .iter()
            .map(|rule| rule.name)
            .collect();
        let mut labelled: Vec<_> = (1..=3)
            .flat_map(|seed| Story::new(seed).incidents().to_vec())
            .map(|incident| incident.rule)
            .collect();
        labelled.sort_unstable();
        labelled.dedup();
        let mut expected = names;
        expected.sort_unstable();
        assert_eq!(labelled, expected);
    }
}
