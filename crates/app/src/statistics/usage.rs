//! Usage over all applications, which may be many: how many attempts each had, and which event
//! types each asks for. Both are background work whose result is its data, written in the form in
//! which the API's clients know it.
//!
//! Here is how it is asked for; `slice` does it.

mod slice;

use super::attempts::{SPAN_DAYS, slots};
use crate::rules::Judge;
use crate::tasks::{Task, TaskKind};
use crate::{App, AppError, Caller, Violation};
use bytes::Bytes;
use model::Timestamp;
use model::audit::AuditAction;
use model::name::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use store::work::{OutsideKind, OutsideWork, Work};

/// The most applications that one request names.
pub const NAMED_MAX: usize = 1_000;

/// Whose attempts are to be counted, and between which times.
#[derive(Debug, Clone)]
pub struct UsageInput {
    /// Recorded at or after.
    pub since: Timestamp,
    /// Recorded before.
    pub until: Timestamp,
    /// Of these applications, by id or uid; `None`: of all.
    pub applications: Option<Vec<String>>,
}

/// What is to be counted, as its row has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Arguments {
    /// From this slot on.
    first: i64,
    /// Before this one.
    end: i64,
    /// Of the applications with these keys; `None`: of all.
    named: Option<Vec<i64>>,
}

impl App {
    /// Begins to count the attempts of applications, of all of them or of some. Gives back the
    /// names that no application has, too.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`] for times that
    /// can't be counted between, and for names of which no application has one.
    pub async fn count_usage(
        &self,
        caller: &Caller,
        input: UsageInput,
    ) -> Result<(Task, Vec<Name>), AppError> {
        caller.require_organisation()?;
        let request = self
            .task_request(caller, TaskKind::ApplicationStats)
            .await?;
        check(&input)?;
        let (named, unresolved) = self.resolve(caller, input.applications.as_deref()).await?;
        let key = match request {
            Ok(key) => key,
            Err(begun) => return Ok((begun, unresolved)),
        };
        if named.as_ref().is_some_and(Vec::is_empty) {
            let text = "no application has one of these ids or uids";
            return Err(Violation::body(&["appIds"], text).into());
        }
        let slots = slots(input.since, input.until, self.clock.now());
        let arguments = Arguments {
            first: slots.start,
            end: slots.end,
            named,
        };
        let work = arguments.work(OutsideKind::ApplicationStats)?;
        let entry = self
            .entry_at_installation(caller, AuditAction::StatisticsAggregated)
            .saying("attempts of applications");
        let task = self.begin_task(entry, (None, work), key).await?;
        Ok((task, unresolved))
    }

    /// Begins to find out which event types applications ask for.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn aggregate_event_types(&self, caller: &Caller) -> Result<Task, AppError> {
        caller.require_organisation()?;
        let work = Arguments::default().work(OutsideKind::EventTypeAggregate)?;
        let entry = self
            .entry_at_installation(caller, AuditAction::StatisticsAggregated)
            .saying("event types that applications ask for");
        self.begin_task(entry, (None, work), None).await
    }

    /// The keys of those that are there, and the names of those that are not.
    async fn resolve(
        &self,
        caller: &Caller,
        texts: Option<&[String]>,
    ) -> Result<(Option<Vec<i64>>, Vec<Name>), AppError> {
        let Some(texts) = texts else {
            return Ok((None, Vec::new()));
        };
        let mut judge = Judge::new(&[]);
        let names = judge.names("appIds", texts, NAMED_MAX);
        judge.finish()?;
        let (mut keys, mut unresolved) = (BTreeSet::new(), Vec::new());
        for name in names.into_iter().flatten() {
            match self.find_application(caller, name.as_str()).await? {
                Some(tenant) => drop(keys.insert(tenant.key().integer())),
                None => unresolved.push(name),
            }
        }
        Ok((Some(keys.into_iter().collect()), unresolved))
    }
}

impl Arguments {
    fn work(&self, kind: OutsideKind) -> Result<Work, AppError> {
        let arguments = serde_json::to_vec(self).map_err(AppError::internal)?;
        Ok(Work::Outside(OutsideWork {
            kind,
            arguments: Bytes::from(arguments),
        }))
    }
}

fn check(input: &UsageInput) -> Result<(), AppError> {
    let longest = Duration::from_secs(u64::from(SPAN_DAYS) * 86_400) + super::GRACE;
    let text = if input.since > input.until {
        "must not be after `until`".to_owned()
    } else if input.until.since(input.since) > longest {
        format!("must be at most {SPAN_DAYS} days before `until`")
    } else {
        return Ok(());
    };
    Err(Violation::body(&["since"], text).into())
}
