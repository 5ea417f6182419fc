//! How a use case changes what is configured: read, decide, write the whole row back, and begin
//! again if somebody else was faster.
//!
//! A change is carried through even if whoever asked for it goes away, so that between a commit and
//! the moment when this node has forgotten what was before, nothing can be left out.

use crate::App;
use crate::audit::Unaudited;
use crate::error::AppError;
use crate::idempotency;
use model::audit::AuditDraft;
use model::id::ApplicationKey;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use store::StoreError;
use store::access::POLICY;
use store::change::{Change, ChangeError, ChangeRequest, Changed};
use store::idempotency::IdempotencyKey;
use tokio::runtime::Handle;

/// How often a change is begun again before its caller is told to try later. Each time, somebody
/// else's change was done.
const ATTEMPTS_MAX: usize = 64;

impl App {
    /// Does one change, for whoever `entry` says. When this returns, no attempt starts on this node
    /// by what was before. `application` names whose configuration it is; event types are nobody's.
    pub(crate) async fn change(
        &self,
        entry: AuditDraft,
        application: Option<ApplicationKey>,
        change: Change,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Changed, ChangeError> {
        let request = audited(entry, change, idempotency);
        self.do_request(application, request).await
    }

    /// The same for what nobody asked for, and the audit log has nothing of: `_why` says why.
    pub(crate) async fn change_unaudited(
        &self,
        _why: Unaudited,
        application: Option<ApplicationKey>,
        change: Change,
    ) -> Result<Changed, ChangeError> {
        let request = ChangeRequest {
            change,
            idempotency: None,
            audit: None,
        };
        self.do_request(application, request).await
    }

    async fn do_request(
        &self,
        application: Option<ApplicationKey>,
        request: ChangeRequest,
    ) -> Result<Changed, ChangeError> {
        let app = self.clone();
        let change = &request.change;
        let is_of_types = matches!(
            change,
            Change::PutEventType { .. } | Change::ExpungeEventType(_) | Change::PutEnvironment(_)
        );
        let is_of_schedules = matches!(
            change,
            Change::PutRetrySchedule(_) | Change::ExpungeEventType(_) | Change::PutEnvironment(_)
        );
        let is_of_redactions = is_of_types || matches!(change, Change::PutRedaction(_));
        let is_of_policy = matches!(change, Change::SwapSetting { name: POLICY, .. });
        carried_through(async move {
            let changed = app.store.change(request).await;
            // Also after a failure: a stale revision means that what is in memory is old, and a
            // commit whose outcome is unknown may have happened.
            if let Some(application) = application {
                app.registry.forget(application);
                app.lanes.changed(application);
            }
            if is_of_types {
                app.environment.forget_event_types();
            }
            if is_of_schedules {
                app.registry.forget_schedules();
            }
            if is_of_redactions {
                app.registry.forget_redactions();
            }
            if is_of_policy {
                app.registry.forget_policy();
            }
            changed
        })
        .await
    }
}

/// A change that somebody asked for, with its entry in the audit log.
pub(crate) fn audited(
    entry: AuditDraft,
    change: Change,
    idempotency: Option<IdempotencyKey>,
) -> ChangeRequest {
    ChangeRequest {
        change,
        idempotency,
        audit: Some(entry),
    }
}

/// Runs a future to its end, even if the caller is dropped in the meantime: then it goes on by
/// itself. A panic in it is the caller's.
pub(crate) async fn carried_through<T, F>(future: F) -> T
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut carried = Carried(Some(Box::pin(future)));
    std::future::poll_fn(|context| carried.poll(context)).await
}

/// A future that outlives whoever waits for it. Not a task from the start: it seldom needs to be.
struct Carried<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send> + Send + 'static> Carried<F> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<F::Output> {
        // Taken out meanwhile, so that what panicked is not polled again.
        let mut future = self.0.take().expect("it is not polled after its end");
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(future);
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Carried<F> {
    fn drop(&mut self) {
        // Without a runtime the process is at its end, and nobody carries anything through.
        if let (Some(future), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(future);
        }
    }
}

/// Does `attempt`, which reads, decides and writes, until what it read was still current when it
/// wrote.
pub(crate) async fn until_current<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, ChangeRefused>
where
    F: Future<Output = Result<T, ChangeRefused>>,
{
    for _ in 1..ATTEMPTS_MAX {
        match attempt().await {
            Err(ChangeRefused::Store(ChangeError::Stale)) => {}
            outcome => return outcome,
        }
    }
    attempt().await
}

/// What a use case wrote, and whether it is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved<T> {
    /// As it is now.
    pub value: T,
    /// It was not there before.
    pub created: bool,
}

impl<T> Saved<T> {
    /// Something new.
    pub(crate) fn created(value: T) -> Self {
        Self {
            value,
            created: true,
        }
    }

    /// Something that was there.
    pub(crate) fn changed(value: T) -> Self {
        Self {
            value,
            created: false,
        }
    }
}

/// Why an attempt at a change came to nothing: a rule of the use case, or the store.
#[derive(Debug)]
pub(crate) enum ChangeRefused {
    /// A rule.
    Rule(AppError),
    /// The store.
    Store(ChangeError),
}

impl ChangeRefused {
    /// What the caller is told, where `taken` is for a uid or name that another row has.
    pub(crate) fn explain(self, taken: impl FnOnce() -> AppError) -> AppError {
        match self {
            Self::Store(ChangeError::Taken) => taken(),
            other => other.into(),
        }
    }
}

impl From<AppError> for ChangeRefused {
    fn from(error: AppError) -> Self {
        Self::Rule(error)
    }
}

impl From<ChangeError> for ChangeRefused {
    fn from(error: ChangeError) -> Self {
        Self::Store(error)
    }
}

impl From<ChangeRefused> for AppError {
    fn from(refused: ChangeRefused) -> Self {
        match refused {
            ChangeRefused::Rule(error) => error,
            ChangeRefused::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for AppError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Stale => {
                Self::conflict("others keep changing the same thing at the same time; try again")
            }
            ChangeError::Missing => Self::not_found(),
            ChangeError::Taken | ChangeError::TooMany => Self::conflict("A conflict has occurred"),
            ChangeError::KeyReused => idempotency::key_reused(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

/// What a store answered that does not fit the change that it was given.
pub(crate) fn unexpected(changed: &Changed) -> AppError {
    AppError::internal(StoreError::Corrupt {
        reason: format!("a change was answered with something else: {changed:?}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn a_change_begins_again_while_others_are_faster() {
        let tries = Cell::new(0);
        let outcome = until_current(|| async {
            tries.set(tries.get() + 1);
            if tries.get() < 3 {
                return Err(ChangeError::Stale.into());
            }
            Ok(tries.get())
        });
        assert_eq!(outcome.await.ok(), Some(3));
    }

    #[tokio::test]
    async fn a_change_that_is_always_stale_ends_as_a_conflict() {
        let tries = Cell::new(0);
        let outcome: Result<(), ChangeRefused> = until_current(|| async {
            tries.set(tries.get() + 1);
            Err(ChangeError::Stale.into())
        })
        .await;
        let error = AppError::from(outcome.expect_err("it never was current"));
        assert!(matches!(error, AppError::Conflict { .. }), "{error}");
        assert_eq!(tries.get(), ATTEMPTS_MAX);
    }

    #[tokio::test]
    async fn what_is_carried_through_ends_although_its_caller_went_away() {
        let (tell, told) = tokio::sync::oneshot::channel();
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let caller = tokio::spawn(carried_through(async move {
            wait.await.expect("it is told to go on");
            tell.send(()).expect("the test is there");
        }));
        tokio::task::yield_now().await;
        caller.abort();
        assert!(caller.await.is_err());
        go.send(()).expect("it still waits");
        told.await.expect("it came to its end");
    }
}
