//! Single calls with JSON, beside what is measured: to a server's API, and to the receiver.

use crate::BenchError;
use crate::dial::{Connection, Place};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A client that makes one call at a time.
pub(crate) struct Control {
    place: Place,
    token: Option<String>,
    connection: Option<Connection>,
}

impl Control {
    /// Of this server; with a token if it asks for one.
    pub(crate) fn new(place: Place, token: Option<String>) -> Self {
        Self {
            place,
            token,
            connection: None,
        }
    }

    /// Reads something.
    pub(crate) async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, BenchError> {
        let body = self.call(Method::GET, path, Bytes::new()).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Makes something.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Result<Value, BenchError> {
        let body = self.call(Method::POST, path, body.to_string().into());
        let body = body.await?;
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Sets something.
    pub(crate) async fn put(&mut self, path: &str, body: &Value) -> Result<(), BenchError> {
        let body = body.to_string().into();
        self.call(Method::PUT, path, body).await?;
        Ok(())
    }

    /// Deletes something.
    pub(crate) async fn delete(&mut self, path: &str) -> Result<(), BenchError> {
        self.call(Method::DELETE, path, Bytes::new()).await?;
        Ok(())
    }

    async fn call(&mut self, method: Method, path: &str, body: Bytes) -> Result<Bytes, BenchError> {
        let mut connection = match self.connection.take().filter(|one| !one.is_closed()) {
            Some(connection) => connection,
            None => self.place.connect().await?,
        };
        connection.ready().await?;
        let asked = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.place.to_string())
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body)).map_err(|_| BenchError::Url {
            url: asked.clone(),
            reason: "it or the token has characters that no request can have",
        })?;
        let response = connection.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        self.connection = Some(connection);
        if status.is_success() || status == StatusCode::NO_CONTENT {
            Ok(body)
        } else {
            Err(BenchError::refused(asked, status, &body))
        }
    }
}
