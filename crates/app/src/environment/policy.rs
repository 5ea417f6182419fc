//! What the operator demands of endpoints. It holds for every attempt from the moment when this
//! returns, also of messages that were accepted before; on other nodes within a second. An endpoint
//! that lacks something of it gets nothing, and says why.

use crate::change::unexpected;
use crate::rules::Judge;
use crate::{App, AppError, Caller, Violation};
use model::audit::AuditAction;
use model::policy::{Demand, Demands, EVENT_TYPES_MAX, Policy};
use std::collections::BTreeMap;
use store::access::POLICY;
use store::change::{Change, Changed, SettingsChange};

/// What is to be demanded, parsed and not yet judged.
#[derive(Debug, Clone, Default)]
pub struct PolicyInput {
    /// Of all endpoints.
    pub require: Vec<Demand>,
    /// For messages of these event types, besides; they need not be there.
    pub event_types: BTreeMap<String, Vec<Demand>>,
}

impl App {
    /// What is demanded of endpoints.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn policy(&self, caller: &Caller) -> Result<Policy, AppError> {
        caller.require_organisation()?;
        let written = self.store.setting(POLICY).await?;
        let policy = written.map(|written| Policy::from_stored(&written));
        let policy = policy.transpose().map_err(AppError::internal)?;
        Ok(policy.unwrap_or_default())
    }

    /// Writes it anew.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`];
    /// [`AppError::Conflict`] where somebody else writes it at the same time.
    pub async fn set_policy(&self, caller: &Caller, input: PolicyInput) -> Result<(), AppError> {
        caller.require_organisation()?;
        let policy = input.judge()?;
        let entry = self
            .entry_at_installation(caller, AuditAction::EnvironmentPolicySet)
            .saying(told(&policy));
        let after = policy.to_stored();
        let before = self.store.setting(POLICY).await?;
        let change = Change::SwapSetting {
            name: POLICY,
            values: SettingsChange { before, after },
        };
        match self.change(entry, None, change, None).await? {
            Changed::Setting => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

/// What the audit log has of it.
fn told(policy: &Policy) -> String {
    let everywhere = match policy.require.is_empty() {
        true => "nothing".to_owned(),
        false => policy.require.to_string(),
    };
    match policy.event_types.len() {
        0 => everywhere,
        count => format!("{everywhere}; more for {count} event types"),
    }
}

impl PolicyInput {
    fn judge(self) -> Result<Policy, AppError> {
        if self.event_types.len() > EVENT_TYPES_MAX {
            let text = format!("must name at most {EVENT_TYPES_MAX} event types");
            return Err(Violation::body(&["eventTypes"], text).into());
        }
        let mut judge = Judge::new(&["eventTypes"]);
        let mut event_types = BTreeMap::new();
        for (name, demands) in self.event_types {
            if let Some(name) = judge.name(&name, &name) {
                event_types.insert(name, Demands::from_iter(demands));
            }
        }
        judge.finish()?;
        Ok(Policy {
            require: self.require.into_iter().collect(),
            event_types,
        })
    }
}
