//! The handlers of endpoints, whoever's they are: an application's, a source's, the operator's. How
//! an owner is found and how its endpoints look, each owner's own file says.

use super::headers::{HeadersIn, HeadersOut};
use super::secrets::{RotateIn, SecretOut};
use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, Created, ListOut, NoContent, SavedOut};
use crate::segments::Segments;
use app::endpoints::{EndpointInput, EndpointView, EndpointsOf, HeadersInput, NewEndpointInput};
use app::{App, AppError, Caller, ListInput, Page, Tenant};
use axum::Json;
use axum::extract::State;
use model::Secret;
use model::id::EndpointKind;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Whose endpoints they are.
pub(crate) trait Owner: 'static {
    /// What the path has open before an endpoint.
    type Path: DeserializeOwned + Send;
    /// The same, and the endpoint.
    type PathTo: DeserializeOwned + Send + Into<(Self::Path, String)>;
    /// An endpoint as it is taken, whole.
    type In: EndpointBody;
    /// An endpoint as it is shown.
    type Out: From<EndpointView> + Send;
    /// What is answered when its secret was replaced.
    type Rotated: Send;

    /// Whose they are, for a caller who may act on them.
    fn find(
        app: &App,
        caller: &Caller,
        path: &Self::Path,
    ) -> impl Future<Output = Result<EndpointsOf, AppError>> + Send;

    /// What is answered when this is the secret from now on.
    fn rotated(secret: &Secret) -> Result<Self::Rotated, AppError>;
}

/// An endpoint as a client writes it.
pub(crate) trait EndpointBody: DeserializeOwned + Into<EndpointInput> + Send {
    /// What is only looked at when it is new; taken out of it.
    fn brought(&mut self) -> Brought;
}

/// What a new endpoint brings.
#[derive(Default)]
pub(crate) struct Brought {
    pub(crate) secret: Option<String>,
    pub(crate) headers: Option<BTreeMap<String, String>>,
}

impl From<Brought> for NewEndpointInput {
    fn from(Brought { secret, headers }: Brought) -> Self {
        Self {
            secret: secret.map(Secret::from),
            headers: headers.map(HeadersInput),
        }
    }
}

/// What is not there is not told apart from what may not be seen.
const NOT_THERE: AppError = AppError::NotFound("Entity not found");

/// The application that they are of.
pub(crate) async fn found<O: Owner>(
    app: &App,
    caller: &Caller,
    path: &O::Path,
) -> Result<Tenant, AppError> {
    let of = O::find(app, caller, path).await?;
    of.application().ok_or(NOT_THERE)
}

pub(crate) struct EndpointsQuery(ListInput);

impl FromQuery for EndpointsQuery {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self(query.list::<EndpointKind>()?))
    }
}

/// A page of them.
pub(crate) async fn list<O: Owner>(
    State(api): State<Shared>,
    Segments(path): Segments<O::Path>,
    Query(EndpointsQuery(input)): Query<EndpointsQuery>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<O::Out>>> {
    let page = match O::find(&api.app, &caller, &path).await?.application() {
        Some(tenant) => api.app.endpoints(&tenant, &input)?,
        None => Page::empty(),
    };
    Ok(Json(page.map(O::Out::from).into()))
}

/// Makes one.
pub(crate) async fn create<O: Owner>(
    State(api): State<Shared>,
    Segments(path): Segments<O::Path>,
    call: Call<O::In>,
) -> Answer<Created<Json<O::Out>>> {
    let of = O::find(&api.app, &call.caller, &path).await?;
    let mut body = call.json()?;
    let new = body.brought().into();
    let made = api.app.create_endpoint(&call.caller, &of, body.into(), new);
    Ok(Created(Json(made.await?.value.into())))
}

/// One of them.
pub(crate) async fn get<O: Owner>(
    State(api): State<Shared>,
    Segments(path): Segments<O::PathTo>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<O::Out>> {
    let (path, endpoint) = path.into();
    let tenant = found::<O>(&api.app, &caller, &path).await?;
    Ok(Json(api.app.endpoint(&tenant, &endpoint)?.into()))
}

/// Writes one anew, or makes it.
pub(crate) async fn put<O: Owner>(
    State(api): State<Shared>,
    Segments(path): Segments<O::PathTo>,
    call: Call<O::In>,
) -> Answer<SavedOut<Json<O::Out>>> {
    let (path, endpoint) = path.into();
    let of = O::find(&api.app, &call.caller, &path).await?;
    let mut body = call.json()?;
    let new = body.brought().into();
    let put = api
        .app
        .put_endpoint(&call.caller, &of, &endpoint, (body.into(), new));
    Ok(SavedOut::of(put.await?, Into::into))
}

/// Deletes one.
pub(crate) async fn delete<O: Owner>(
    State(api): State<Shared>,
    Segments(path): Segments<O::PathTo>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    let (path, endpoint) = path.into();
    let tenant = found::<O>(&api.app, &caller, &path).await?;
    api.app.delete_endpoint(&caller, &tenant, &endpoint).await?;
    Ok(NoContent)
}

/// The headers that its deliveries carry.
pub(crate) async fn get_headers<O: Owner>(
    State(api): State<Shared>,
    Segments(path): Segments<O::PathTo>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<HeadersOut>> {
    let (path, endpoint) = path.into();
    let tenant = found::<O>(&api.app, &caller, &path).await?;
    Ok(Json(api.app.headers(&tenant, &endpoint)?.into()))
}

/// Replaces them.
pub(crate) async fn put_headers<O: Owner>(
    State(api): State<Shared>,
    Segments(path): Segments<O::PathTo>,
    call: Call<HeadersIn>,
) -> Answer<NoContent> {
    let (path, endpoint) = path.into();
    let tenant = found::<O>(&api.app, &call.caller, &path).await?;
    // A body for an endpoint that isn't there is refused for the endpoint.
    api.app.endpoint(&tenant, &endpoint)?;
    let input = HeadersInput(call.json()?.headers);
    let put = api.app.put_headers(&call.caller, &tenant, &endpoint, input);
    put.await?;
    Ok(NoContent)
}

/// What its deliveries are verified with.
pub(crate) async fn get_secret<O: Owner>(
    State(api): State<Shared>,
    Segments(path): Segments<O::PathTo>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<SecretOut>> {
    let (path, endpoint) = path.into();
    let tenant = found::<O>(&api.app, &caller, &path).await?;
    let secret = api.app.secret(&caller, &tenant, &endpoint).await?;
    Ok(Json(SecretOut::of(&secret)?))
}

/// Replaces that.
pub(crate) async fn rotate<O: Owner>(
    State(api): State<Shared>,
    Segments(path): Segments<O::PathTo>,
    call: Call<RotateIn>,
) -> Answer<O::Rotated> {
    let (path, endpoint) = path.into();
    let tenant = found::<O>(&api.app, &call.caller, &path).await?;
    api.app.endpoint(&tenant, &endpoint)?;
    let input = call.json()?.into();
    let rotated = api
        .app
        .rotate_secret(&call.caller, &tenant, &endpoint, input);
    Ok(O::rotated(&rotated.await?)?)
}
