//! Sources for whoever looks at them all the time: without the tokens in their inbound URLs, so
//! that nothing secret is shown, and the audit log has nothing of it. Whoever needs a URL asks for
//! it by [`App::source`].

use super::view::SourceView;
use crate::page::{ListInput, Page};
use crate::{App, AppError, Caller, Tenant};

impl App {
    /// All sources, the oldest first unless asked otherwise, without their tokens.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`].
    pub async fn sources_without_tokens(
        &self,
        caller: &Caller,
        input: &ListInput,
    ) -> Result<Page<SourceView>, AppError> {
        let page = self.page_of_sources(caller, input).await?;
        Ok(page.map(SourceView::without_token))
    }

    /// A source, by id or uid, without its token; and the application that gets its messages, where
    /// that is there by now.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn source_without_token(
        &self,
        caller: &Caller,
        path: &str,
    ) -> Result<(SourceView, Option<Tenant>), AppError> {
        let found = self.source_for(caller, path).await?;
        let view = self.view_of_source(&found.row)?.without_token();
        let application = view.application.map(|id| id.to_string());
        let application = application.unwrap_or_else(|| view.source.id.to_string());
        let application = self.find_application(caller, &application).await?;
        Ok((view, application))
    }
}
