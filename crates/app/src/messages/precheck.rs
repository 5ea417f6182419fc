//! Asking before sending: would anybody get such a message?

use super::draft::channels;
use crate::endpoints::may_get;
use crate::find::Tenant;
use crate::rules::Judge;
use crate::{App, AppError};

/// A message that might be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrecheckInput {
    /// What would have happened.
    pub event_type: String,
    /// Where it would be heard.
    pub channels: Option<Vec<String>>,
}

impl App {
    /// Whether any endpoint would get a message of this type and with these channels.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub fn precheck(&self, tenant: &Tenant, input: &PrecheckInput) -> Result<bool, AppError> {
        let mut judge = Judge::new(&[]);
        let event_type = judge.name("eventType", &input.event_type);
        let channels = channels(&mut judge, input.channels.as_deref());
        judge.finish()?;
        let event_type = event_type.expect("a broken rule was told");
        let mut endpoints = tenant.row().endpoints.iter();
        Ok(endpoints.any(|row| {
            row.endpoint.wants(&event_type, &channels) && may_get(tenant.policy(), row, &event_type)
        }))
    }
}
