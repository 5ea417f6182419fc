//! The handlers of all parts of an endpoint that are shown, replaced and taken away as a whole.
//! What they look like, and which use cases they belong to, each part's own file says.

use crate::authentication::Authenticated;
use crate::body::Call;
use crate::render::{Answer, NoContent};
use crate::segments::Segments;
use crate::{Api, Shared};
use app::endpoints::RemovablePart;
use app::{App, AppError, Caller, Tenant};
use axum::Json;
use axum::extract::State;
use serde::de::DeserializeOwned;

/// A part of an endpoint.
pub(super) trait Part {
    /// As it is taken.
    type In: DeserializeOwned;
    /// As it is shown.
    type Out;

    /// Shows it.
    fn get(at: At<'_>) -> impl Future<Output = Result<Self::Out, AppError>> + Send;

    /// Replaces it.
    fn put(at: At<'_>, body: Self::In) -> impl Future<Output = Result<(), AppError>> + Send;

    /// Takes it away.
    fn delete(at: At<'_>) -> impl Future<Output = Result<(), AppError>> + Send;
}

/// Whose part it is, and who asks.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Caller,
    pub(super) tenant: &'a Tenant,
    /// The endpoint, as the path names it.
    pub(super) endpoint: &'a str,
}

impl<'a> At<'a> {
    fn new(api: &'a Api, caller: &'a Caller, tenant: &'a Tenant, endpoint: &'a str) -> Self {
        Self {
            app: &api.app,
            caller,
            tenant,
            endpoint,
        }
    }

    /// Takes a part away that needs no more than that.
    pub(super) async fn remove(self, part: RemovablePart) -> Result<(), AppError> {
        let Self {
            app,
            caller,
            tenant,
            endpoint,
        } = self;
        app.remove_part(caller, tenant, endpoint, part).await
    }
}

/// Shows a part.
pub(super) async fn get<P: Part>(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<P::Out>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    let at = At::new(&api, &caller, &tenant, &endpoint_id);
    Ok(Json(P::get(at).await?))
}

/// Replaces a part.
pub(super) async fn put<P: Part>(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call<P::In>,
) -> Answer<NoContent> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    // A body for an endpoint that isn't there is refused for the endpoint.
    api.app.endpoint(&tenant, &endpoint_id)?;
    let at = At::new(&api, &call.caller, &tenant, &endpoint_id);
    P::put(at, call.json()?).await?;
    Ok(NoContent)
}

/// Takes a part away.
pub(super) async fn delete<P: Part>(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    let tenant = api.app.application(&caller, &app_id).await?;
    let at = At::new(&api, &caller, &tenant, &endpoint_id);
    P::delete(at).await?;
    Ok(NoContent)
}
