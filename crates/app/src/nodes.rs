//! Who does the work: the nodes that share the store, for whoever runs them.

use crate::{App, AppError, Caller};
use model::node::Node;

impl App {
    /// All nodes, by ascending slot. They are few: there are no pages.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for an application.
    pub async fn nodes(&self, caller: &Caller) -> Result<Vec<Node>, AppError> {
        caller.require_organisation()?;
        Ok(self.store.nodes().await?)
    }
}
