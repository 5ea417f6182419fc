//! What an answer says about the time that it took: `Server-Timing`, as the W3C has it.
//!
//! Only the commit is told: whoever measures a server sees the rest of the time from outside.

use crate::describe::Content;
use app::messages::Durable;
use axum::response::{IntoResponseParts, ResponseParts};
use http::{HeaderName, HeaderValue};
use schemars::{Schema, SchemaGenerator};
use std::convert::Infallible;
use std::time::Duration;

const NAME: HeaderName = HeaderName::from_static("server-timing");

/// How long the store took until what was sent was durable.
pub(super) struct ServerTiming {
    commit: Duration,
}

impl ServerTiming {
    pub(super) fn of<T>(sent: &Durable<T>) -> Self {
        Self {
            commit: sent.commit,
        }
    }
}

impl<B: Content> Content for (ServerTiming, B) {
    fn schema(schemas: &mut SchemaGenerator) -> Option<Schema> {
        B::schema(schemas)
    }
}

impl IntoResponseParts for ServerTiming {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        let millis = self.commit.as_secs_f64() * 1e3;
        let value = HeaderValue::try_from(format!("commit;dur={millis:.3}"));
        let value = value.expect("digits are good in a header");
        parts.headers_mut().insert(NAME, value);
        Ok(parts)
    }
}
