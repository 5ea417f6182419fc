//! The parts of a path that a route leaves open.

use app::AppError;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Shared;
use crate::problem::Problem;

/// The open parts of the path, percent-decoded: a `String`, or a tuple of them in order.
pub(crate) struct Segments<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for Segments<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, api).await;
        let Path(segments) = path.map_err(|rejection| AppError::BadRequest {
            code: "generic_error",
            detail: rejection.body_text(),
        })?;
        Ok(Self(segments))
    }
}
