//! How many pages may be live on one node: the operator's and the portal's each have their own
//! number, and of the portal's one application has a part, so that nobody's customers keep others'
//! pages still.

use app::tokens::sessions::Pages;
use model::id::ApplicationKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The operator's, and as many of the portal's.
const LIVE_MAX: usize = 128;
/// Of the portal's, those of one application.
const LIVE_OF_ONE_MAX: usize = 32;

/// The places that there are.
pub(super) struct Places {
    dashboard: Arc<Semaphore>,
    portal: Arc<Semaphore>,
    /// Of the portal's applications that somebody looks at.
    of_one: Mutex<HashMap<ApplicationKey, Weak<Semaphore>>>,
}

/// A place, for as long as it is kept.
pub(super) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_one: Option<OwnedSemaphorePermit>,
}

impl Default for Places {
    fn default() -> Self {
        let places = || Arc::new(Semaphore::new(LIVE_MAX));
        Self {
            dashboard: places(),
            portal: places(),
            of_one: Mutex::default(),
        }
    }
}

impl Places {
    /// A place on these pages, for a page of this application; `None`: all are taken.
    pub(super) fn take(&self, pages: Pages, application: Option<ApplicationKey>) -> Option<Place> {
        let (all, of_one) = match pages {
            Pages::Dashboard => (&self.dashboard, None),
            Pages::Portal => (&self.portal, application.map(|one| self.of_one(one))),
        };
        let of_one = of_one.map(Semaphore::try_acquire_owned).transpose().ok()?;
        Some(Place {
            _of_one: of_one,
            _of_all: all.clone().try_acquire_owned().ok()?,
        })
    }

    /// An application's own, which are forgotten when nobody has one.
    fn of_one(&self, application: ApplicationKey) -> Arc<Semaphore> {
        let mut of_one = self.of_one.lock().expect("no holder panics");
        of_one.retain(|_, places| places.strong_count() > 0);
        if let Some(places) = of_one.get(&application).and_then(Weak::upgrade) {
            return places;
        }
        let places = Arc::new(Semaphore::new(LIVE_OF_ONE_MAX));
        of_one.insert(application, Arc::downgrade(&places));
        places
    }
}
