//! Where receivers fetch the payloads of thin events: no token is needed but the one in the path,
//! which is a secret as long as it is good, and is written into no log.

use crate::Shared;
use crate::authentication::Origin;
use crate::describe::{Describer, Empty, Output};
use crate::operation::{Routes, public};
use crate::problem::Refusal;
use crate::render::Answer;
use crate::segments::Segments;
use app::AppError;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_DISPOSITION;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/payload/{ticket}").get(
        public(
            "v1.payload.get",
            "The payload of a thin event, by the URL in it, as a delivery would bring it",
        ),
        get,
    )
}

/// A payload with the headers of a delivery. What it is, its sender said.
struct PayloadOut(Response);

impl IntoResponse for PayloadOut {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Output for PayloadOut {
    fn describe(describer: &mut Describer) {
        describer.answer::<Empty>(200);
        describer.answer::<Json<Refusal>>(404);
    }
}

async fn get(
    State(api): State<Shared>,
    Segments(ticket): Segments<String>,
    Origin(remote_address): Origin,
) -> Answer<PayloadOut> {
    let fetched = api.app.fetch_payload(&ticket, remote_address).await?;
    let mut headers = HeaderMap::new();
    // Whatever its sender says that it is, no browser shows it.
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    for (name, value) in fetched.headers {
        let name = HeaderName::try_from(name).map_err(unwritable)?;
        headers.insert(name, HeaderValue::try_from(value).map_err(unwritable)?);
    }
    Ok(PayloadOut((headers, fetched.body).into_response()))
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::Internal(Box::new(error))
}
