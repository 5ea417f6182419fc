//! What a handler of axum asks for behind a [`ReceiverLayer`](crate::layer::ReceiverLayer): the
//! event, read as its type. It verifies nothing itself, and hands out nothing that wasn't.

use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::layer::answer;
use crate::{Event, Rejection, Webhook};

impl<S, T> FromRequestParts<S> for Webhook<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Rejection> {
        let about = parts.extensions.get::<Arc<Event>>();
        let about = about.ok_or(Rejection::Unverified)?.clone();
        let event = about.read()?;
        Ok(Self { event, about })
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        answer(self)
    }
}
