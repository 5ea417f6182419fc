//! A slice of a count over applications: the next of them, whose results stand behind those of the
//! slices before. Nothing is written but the result, so that a slice that is done again does no
//! harm.

use super::Arguments;
use crate::outside::Next;
use crate::{App, AppError};
use model::id::ApplicationKey;
use model::name::Name;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use store::rows::{ApplicationRef, ApplicationRow};
use store::tally::TallyQuery;
use store::work::{OutsideKind, OutsideWork, TakenWork, WorkEnd, WorkStep};

/// The most applications that one slice comes to.
const APPLICATIONS_MAX: usize = 1_000;
/// The largest result. Whoever wants more can ask for some applications after the other.
const DATA_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Why a count has failed whose result is larger.
const TOO_LARGE: &str = "There are too many applications for one result: name some of them.";
/// Why one has failed whose arguments make no sense.
const UNREADABLE: &str = "What is to be counted can't be read any more.";

impl App {
    /// Counts for the next applications; whether it is worth asking again at once.
    pub(crate) async fn usage_slice(
        &self,
        taken: &TakenWork,
        outside: &OutsideWork,
    ) -> Result<bool, AppError> {
        let Ok(arguments) = serde_json::from_slice::<Arguments>(&outside.arguments) else {
            return self.end_usage(taken, UNREADABLE).await;
        };
        let next = self.next_of_usage(taken, &arguments).await?;
        if next.rows.is_empty() && !next.is_end {
            return Ok(false);
        }
        let mut entries = Vec::with_capacity(next.rows.len());
        for row in &next.rows {
            entries.extend(match outside.kind {
                OutsideKind::EventTypeAggregate => self.event_types_of(row).await?,
                _ => self.attempts_of(row, &arguments).await?,
            });
        }
        let data = added(taken.row.data.as_deref(), list_name(outside.kind), entries);
        if data.len() > DATA_BYTES_MAX {
            return self.end_usage(taken, TOO_LARGE).await;
        }
        let step = WorkStep {
            cursor: next.cursor,
            done: next.rows.len() as u64,
            data: Some(data),
            end: next.is_end.then_some(WorkEnd::Finished),
            ..WorkStep::default()
        };
        self.advance_work(taken, step).await?;
        Ok(true)
    }

    async fn end_usage(&self, taken: &TakenWork, why: &str) -> Result<bool, AppError> {
        let step = WorkStep {
            cursor: taken.cursor,
            data: Some("{}".to_owned()),
            end: Some(WorkEnd::Failed(why.to_owned())),
            ..WorkStep::default()
        };
        self.advance_work(taken, step).await?;
        Ok(true)
    }

    async fn next_of_usage(
        &self,
        taken: &TakenWork,
        arguments: &Arguments,
    ) -> Result<Next, AppError> {
        let Some(named) = &arguments.named else {
            return self.next_applications(taken, APPLICATIONS_MAX).await;
        };
        // There are few: one slice has them all.
        let mut rows = Vec::with_capacity(named.len());
        for key in named {
            let key = ApplicationRef::Key(ApplicationKey::from_integer(*key));
            rows.extend(self.store.registry(&key).await?.map(|row| row.application));
        }
        Ok(Next {
            rows,
            cursor: taken.cursor,
            is_end: true,
        })
    }

    /// How many attempts an application had. One that had none is left out, unless it was named.
    async fn attempts_of(
        &self,
        row: &ApplicationRow,
        arguments: &Arguments,
    ) -> Result<Option<Value>, AppError> {
        let application = &row.application;
        let query = TallyQuery {
            application: Some(application.id.key()),
            slots: arguments.first..arguments.end,
            event_types: None,
        };
        let tallies = self.store.tally_by_type(&query).await?;
        let attempts: u64 = tallies
            .iter()
            .map(|(_, tally)| tally.success + tally.failure)
            .sum();
        let is_told = attempts > 0 || arguments.named.is_some();
        Ok(is_told.then(|| {
            json!({
                "appId": application.id.to_string(),
                "appUid": application.uid.as_ref().map(Name::as_str),
                "messageDestinations": attempts,
            })
        }))
    }

    /// Which event types an application's endpoints ask for. One without endpoints is left out.
    async fn event_types_of(&self, row: &ApplicationRow) -> Result<Option<Value>, AppError> {
        let id = row.application.id;
        // Not from the registry: it keeps what is in use, and this comes to all.
        let found = self.store.registry(&ApplicationRef::Key(id.key())).await?;
        let Some(found) = found.filter(|found| !found.endpoints.is_empty()) else {
            return Ok(None);
        };
        let asked_for = found.endpoints.iter().map(|row| &row.endpoint.event_types);
        let (mut names, mut everything) = (BTreeSet::new(), false);
        for types in asked_for {
            match types {
                Some(types) => names.extend(types.iter().map(Name::as_str)),
                None => everything = true,
            }
        }
        Ok(Some(json!({
            "appId": id.to_string(),
            "explicitlySubscribedEventTypes": names,
            "hasCatchAllEndpoint": everything,
        })))
    }
}

/// What clients know the list in the result by.
fn list_name(kind: OutsideKind) -> &'static str {
    match kind {
        OutsideKind::EventTypeAggregate => "event_types",
        _ => "appStats",
    }
}

/// A result so far with further entries behind it.
fn added(data: Option<&str>, list: &str, entries: Vec<Value>) -> String {
    let data = data.and_then(|text| serde_json::from_str(text).ok());
    let mut data: Map<String, Value> = data.unwrap_or_default();
    let before = data.entry(list).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(before) = before {
        before.extend(entries);
    }
    Value::Object(data).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_behind_those_of_the_slices_before() {
        let first = added(None, "appStats", vec![json!(1), json!(2)]);
        assert_eq!(first, r#"{"appStats":[1,2]}"#);
        let second = added(Some(&first), "appStats", vec![json!(3)]);
        assert_eq!(second, r#"{"appStats":[1,2,3]}"#);
        assert_eq!(added(None, "event_types", vec![]), r#"{"event_types":[]}"#);
    }
}
