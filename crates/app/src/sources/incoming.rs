//! What came to a source, and passed all its checks, becomes a message of its application, by the
//! same accept as every other. What tells a replay of it is in the same commit.

use super::OpenSource;
use crate::accept::{Draft, accept};
use crate::applications::ApplicationInput;
use crate::audit::By;
use crate::find::Tenant;
use crate::messages::Durable;
use crate::{App, AppError};
use bytes::Bytes;
use model::hops::Hops;
use model::id::{ApplicationId, MessageId};
use model::message::PayloadForm;
use model::name::Name;
use model::source::Source;
use std::collections::BTreeSet;
use store::accept::ReplayEntry;
use store::rows::ApplicationRef;

/// By whose rule the application is made that gets what comes.
const RULE: By<'static> = By::Rule("source");

/// One event that came to a source and is genuine.
#[derive(Clone)]
pub struct Incoming {
    /// What happened.
    pub event_type: Name,
    /// Its sender's own id of it. Where the application has a message with this event id already,
    /// it is accepted without.
    pub event_id: Option<Name>,
    /// What is sent on, in memory of its own.
    pub payload: Bytes,
    /// What that is.
    pub form: PayloadForm,
    /// How many deliveries it has been through, this one counted.
    pub hops: Hops,
    /// By what a replay of it is told.
    pub replay: ReplayEntry,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameIn {
    /// The message; where it came before, the one that it became then.
    pub message: MessageId,
    /// What was remembered of it then: it was not accepted again.
    pub seen: Option<ReplayEntry>,
}

impl App {
    /// Makes messages of what came, all in one commit: when this returns, they are on disk, and so
    /// is by what replays of them are told.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where the application that the source names is gone;
    /// [`AppError::Unavailable`]: nothing was written, and nothing is known to have come.
    pub async fn accept_incoming(
        &self,
        source: &OpenSource,
        incoming: Vec<Incoming>,
    ) -> Result<Durable<Vec<CameIn>>, AppError> {
        let named = source.config.application;
        let tenant = self.application_of(RULE, &source.source, named).await?;
        let retention = self.settings.retention;
        let drafts = incoming.into_iter().map(|one| Draft {
            event_type: one.event_type,
            event_id: one.event_id,
            channels: BTreeSet::new(),
            tags: BTreeSet::new(),
            deliver_at: None,
            hops: one.hops,
            // Whoever may send to a source is no part of what is traced here.
            trace: None,
            retention,
            form: one.form,
            payload: one.payload,
            only: None,
            idempotency: None,
            replay: Some(one.replay),
            findings: Vec::new(),
        });
        let accepted = accept(self, &tenant, drafts.collect()).await?;
        let came_in = accepted.made.into_iter().map(|receipt| {
            receipt.map(|receipt| CameIn {
                message: receipt.message.id,
                seen: receipt.seen,
            })
        });
        Ok(Durable {
            made: came_in.collect::<Result<_, _>>()?,
            commit: accepted.commit,
        })
    }

    /// The application that gets a source's messages. One of its own is made where it isn't there;
    /// `named` is the one that its configuration names instead.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for one that is named and gone.
    pub(crate) async fn application_of(
        &self,
        by: By<'_>,
        source: &Source,
        named: Option<ApplicationId>,
    ) -> Result<Tenant, AppError> {
        if let Some(id) = named {
            let row = self.registry.find(&ApplicationRef::Id(id)).await?;
            return Tenant::new(self, row.ok_or_else(AppError::not_found)?).await;
        }
        let uid = source.id.to_string();
        let known = uid.parse().map(ApplicationRef::Uid);
        let known = known.map_err(AppError::internal)?;
        if let Some(row) = self.registry.find(&known).await? {
            return Tenant::new(self, row).await;
        }
        let own = ApplicationInput {
            name: source.name.clone(),
            uid: Some(uid),
            ..ApplicationInput::default()
        };
        // In a box, since it is seldom needed, and what is large is moved with all that awaits it.
        let draft = own.judge(&[])?;
        Box::pin(self.application_with_uid_of(by, &draft)).await
    }
}
