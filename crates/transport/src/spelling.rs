//! The spelling of header names on HTTP/1.1.
//!
//! Names compare without regard to case, and `http` holds them in lower case; a receiver that was
//! written against `X-Api-Key` may not know this. hyper can send names as they came in, for
//! proxies, but only takes the spelling from a message that it parsed itself. So a message with
//! these names is parsed here, in memory, once for each endpoint.

use std::convert::Infallible;
use std::io::Cursor;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{Extensions, HeaderName, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

/// How some header names are spelled.
#[derive(Debug, Clone)]
pub struct HeaderSpelling(Arc<Extensions>);

impl HeaderSpelling {
    /// Learns the spelling of these names. None where all are in lower case, as names are sent
    /// anyway; what is no header name is left out.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let spelled: Vec<&str> = names
            .into_iter()
            .filter(|name| name.bytes().any(|byte| byte.is_ascii_uppercase()))
            .filter(|name| HeaderName::from_bytes(name.as_bytes()).is_ok())
            .collect();
        if spelled.is_empty() {
            return None;
        }
        learn(&spelled).map(|extensions| Self(Arc::new(extensions)))
    }

    /// What a request carries for its names to be sent so.
    pub(crate) fn extensions(&self) -> Extensions {
        Extensions::clone(&self.0)
    }
}

fn learn(names: &[&str]) -> Option<Extensions> {
    let lines: String = names.iter().map(|name| format!("{name}: x\r\n")).collect();
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\n{lines}\r\n");
    let learnt = Mutex::new(None);
    let service = service_fn(async |request: Request<Incoming>| {
        let (parts, _) = request.into_parts();
        *learnt.lock().unwrap_or_else(PoisonError::into_inner) = Some(parts.extensions);
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let stream = tokio::io::join(Cursor::new(head), tokio::io::sink());
    let mut builder = http1::Builder::new();
    // Half-closed, since behind the message the stream ends.
    builder
        .preserve_header_case(true)
        .half_close(true)
        .max_headers(names.len() + 1);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // The message is in memory, so that one poll reads it and calls the service.
    let _ = served
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    learnt.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unusual_spellings_are_learnt() {
        assert!(HeaderSpelling::of(["x-api-key", "accept"]).is_none());
        assert!(HeaderSpelling::of(["Not A Name"]).is_none());
        assert!(HeaderSpelling::of(["X-Api-KEY"]).is_some());
    }

    #[test]
    fn hundreds_of_names_can_be_learnt() {
        let names: Vec<String> = (0..500).map(|number| format!("X-Name-{number}")).collect();
        assert!(HeaderSpelling::of(names.iter().map(String::as_str)).is_some());
    }
}
