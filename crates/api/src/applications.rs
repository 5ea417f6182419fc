//! Applications: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::{Notes, Rate, SomeText, Word};
use crate::messages::Addressee;
use crate::operation::{Routes, application, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, Field, ListOut, NoContent, SavedOut, Time};
use crate::segments::Segments;
use app::AppError;
use app::applications::{ApplicationInput, ApplicationPatch, ApplicationsInput};
use axum::Json;
use axum::extract::State;
use model::application::{Application, Metadata};
use model::id::ApplicationKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU16;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/app")
        .get(
            organisation("v1.application.list", "Applications, the oldest first"),
            list,
        )
        .post(
            organisation("v1.application.create", "Makes an application"),
            create,
        )
        .and_at("/api/v1/app/{app_id}")
        .get(application("v1.application.get", "An application"), get_one)
        .put(
            organisation(
                "v1.application.update",
                "Writes an application anew, or makes it",
            ),
            put,
        )
        .patch(
            organisation("v1.application.patch", "Changes what is given"),
            patch_one,
        )
        .delete(
            organisation(
                "v1.application.delete",
                "Deletes an application with its endpoints",
            ),
            delete,
        )
}

/// An application as a client writes it, whole. Also embedded in other requests.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApplicationIn {
    #[schemars(with = "SomeText")]
    name: String,
    #[schemars(with = "Option<Word>")]
    uid: Option<String>,
    #[schemars(with = "Option<Rate>")]
    throttle_rate: Option<u16>,
    #[schemars(with = "Option<Rate>")]
    rate_limit: Option<u16>,
    #[schemars(with = "Option<Notes>")]
    metadata: Option<Metadata>,
}

impl From<ApplicationIn> for ApplicationInput {
    fn from(body: ApplicationIn) -> Self {
        Self {
            name: body.name,
            uid: body.uid,
            throttle_rate: body.throttle_rate,
            rate_limit: body.rate_limit,
            metadata: body.metadata.unwrap_or_default(),
        }
    }
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "ApplicationPatch")]
struct ApplicationPatchIn {
    #[schemars(with = "Field<SomeText>")]
    name: Field<String>,
    #[schemars(with = "Field<Option<Word>>")]
    uid: Field<Option<String>>,
    #[schemars(with = "Field<Option<Rate>>")]
    throttle_rate: Field<Option<u16>>,
    #[schemars(with = "Field<Option<Rate>>")]
    rate_limit: Field<Option<u16>>,
    #[schemars(with = "Field<Option<Notes>>")]
    metadata: Field<Option<Metadata>>,
}

impl From<ApplicationPatchIn> for ApplicationPatch {
    fn from(body: ApplicationPatchIn) -> Self {
        Self {
            name: body.name.0,
            uid: body.uid.0,
            throttle_rate: body.throttle_rate.0,
            rate_limit: body.rate_limit.0,
            metadata: body.metadata.0.map(Option::unwrap_or_default),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ApplicationOut {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<u16>,
    throttle_rate: Option<u16>,
    metadata: Metadata,
    created_at: Time,
    updated_at: Time,
}

impl From<Application> for ApplicationOut {
    fn from(application: Application) -> Self {
        let rate = application.rate_limit.map(NonZeroU16::get);
        Self {
            id: application.id.to_string(),
            uid: application.uid.map(|uid| uid.to_string()),
            name: application.name,
            rate_limit: rate,
            throttle_rate: rate,
            metadata: application.metadata,
            created_at: Time(application.created_at),
            updated_at: Time(application.updated_at),
        }
    }
}

struct CreateQuery {
    get_if_exists: bool,
}

impl FromQuery for CreateQuery {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let get_if_exists = query.flag("get_if_exists")?.unwrap_or_default();
        Ok(Self { get_if_exists })
    }
}

impl FromQuery for ApplicationsInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let flag = |name| Ok::<_, AppError>(query.flag(name)?.unwrap_or_default());
        Ok(Self {
            list: query.list::<ApplicationKind>()?,
            exclude_without_endpoints: flag("exclude_apps_with_no_endpoints")?,
            exclude_with_disabled_endpoints: flag("exclude_apps_with_disabled_endpoints")?,
        })
    }
}

async fn list(
    State(api): State<Shared>,
    Query(input): Query<ApplicationsInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<ApplicationOut>>> {
    let page = api.app.applications(&caller, &input).await?;
    Ok(Json(page.map(ApplicationOut::from).into()))
}

async fn create(
    State(api): State<Shared>,
    Query(query): Query<CreateQuery>,
    call: Call<ApplicationIn>,
) -> Answer<SavedOut<Json<ApplicationOut>>> {
    call.caller.require_organisation()?;
    let body = call.json()?;
    let made = api
        .app
        .create_application(&call.caller, body.into(), query.get_if_exists);
    Ok(SavedOut::of(made.await?, Into::into))
}

async fn get_one(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ApplicationOut>> {
    let found = api.app.application(&caller, &path).await?;
    Ok(Json(found.application().clone().into()))
}

async fn put(
    State(api): State<Shared>,
    Addressee(path): Addressee,
    call: Call<ApplicationIn>,
) -> Answer<SavedOut<Json<ApplicationOut>>> {
    call.caller.require_organisation()?;
    let path = path.as_str();
    let found = api.app.find_application(&call.caller, path).await?;
    let body = call.json()?;
    let put = api
        .app
        .put_application(&call.caller, found.as_ref(), body.into())
        .await?;
    Ok(SavedOut::of(put, Into::into))
}

async fn patch_one(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    call: Call<ApplicationPatchIn>,
) -> Answer<Json<ApplicationOut>> {
    let found = api
        .app
        .application_for_organisation(&call.caller, &path)
        .await?;
    let body = call.json()?;
    let patched = api
        .app
        .patch_application(&call.caller, &found, body.into())
        .await?;
    Ok(Json(patched.into()))
}

async fn delete(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    let found = api.app.application_for_organisation(&caller, &path).await?;
    api.app.delete_application(&caller, &found).await?;
    Ok(NoContent)
}
