//! How the process is doing, as far as its users are concerned.

use crate::App;
use model::Timestamp;
use store::Condition;

/// What is wrong with each part. Deliveries wait in the database, and the cache is this process's
/// memory, with which nothing can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Why commits don't succeed.
    pub database: Option<Ill>,
    /// Why messages can't be queued, or are not taken from the queue.
    pub queue: Option<Ill>,
    /// Why the cache can't be used.
    pub cache: Option<Ill>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ill {
    /// A sentence for people, which holds nothing that is not for everybody.
    pub reason: String,
    /// Since when, as far as that is known.
    pub since: Option<Timestamp>,
}

impl Health {
    /// Whether everything works.
    pub fn is_good(&self) -> bool {
        self.database.is_none() && self.queue.is_none() && self.cache.is_none()
    }
}

impl App {
    /// Needs no permission: load balancers ask.
    pub fn health(&self) -> Health {
        let database = self.why_nothing_is_committed();
        let unlooked = |since| Ill {
            reason:
                "due deliveries are not looked for, though they should be each minute: see the \
                     log, and restart this node if it says nothing"
                    .to_owned(),
            since: Some(since),
        };
        Health {
            queue: database
                .clone()
                .or_else(|| self.lanes.overdue().map(unlooked)),
            database,
            cache: None,
        }
    }

    fn why_nothing_is_committed(&self) -> Option<Ill> {
        if *self.store.condition().borrow() == Condition::Writable {
            return None;
        }
        let trouble = self.store.vitals().trouble;
        let reason = trouble.map_or_else(
            || "nothing can be committed: see the log".to_owned(),
            |trouble| trouble.cause.to_string(),
        );
        Some(Ill {
            reason,
            since: trouble.map(|trouble| trouble.since),
        })
    }
}
