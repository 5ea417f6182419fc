//! How the process is doing, as far as its users are concerned.

use crate::App;
use store::Condition;

/// Which parts work. Deliveries wait in the database, and the cache is this process's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Whether commits succeed.
    pub database: bool,
    /// Whether messages can be queued.
    pub queue: bool,
    /// Whether the cache can be used.
    pub cache: bool,
}

impl Health {
    /// Whether everything works.
    pub fn is_good(&self) -> bool {
        self.database && self.queue && self.cache
    }
}

impl App {
    /// Needs no permission: load balancers ask.
    pub fn health(&self) -> Health {
        let writable = *self.store.condition().borrow() == Condition::Writable;
        Health {
            database: writable,
            queue: writable,
            cache: true,
        }
    }
}
