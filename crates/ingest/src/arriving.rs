//! A request while it arrives: its head, where it comes from, and its body, which is read up to a
//! bound of bytes and time, and given up otherwise.

use crate::refused::Refused;
use crate::{PREFIX, Shared};
use app::sources::OpenSource;
use app::sources::checks::{Arrived, Request};
use axum::body::HttpBody;
use axum::{BoxError, http};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use model::hops::{HOPS_HEADER, Hops};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// The longest header lines of a request, all together, in bytes.
const HEADER_BYTES_MAX: usize = 32 * 1024;
/// The most header lines.
const HEADERS_MAX: usize = 100;
/// How much of a body that is not wanted is read, so that its sender reads the answer rather than
/// that the connection broke; and how long that may take.
const LEFTOVER_BYTES_MAX: usize = 256 * 1024;
const LEFTOVER_TIMEOUT: Duration = Duration::from_secs(1);

/// Who sends, as whoever serves the gateway knows it. It does not print.
#[derive(Clone, Default)]
pub struct Peer {
    /// Where the request comes from; never a trusted proxy.
    pub address: Option<IpAddr>,
    /// What the client showed of itself within TLS, and was proved to have the key of: its own
    /// certificate first, each in DER.
    pub certificates: Arc<[Vec<u8>]>,
    /// What proxies say of where it comes from contradicts itself.
    pub is_contradictory: bool,
}

/// See the file's head.
pub(crate) struct Arriving<B> {
    pub(crate) peer: Peer,
    pub(crate) head: http::request::Parts,
    /// Known once it was found.
    pub(crate) source: Option<Arc<OpenSource>>,
    /// Empty until it was read.
    pub(crate) body: Bytes,
    unread: Option<B>,
    /// What it holds of what all may hold.
    held: Option<OwnedSemaphorePermit>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted<'p> {
    /// The source with this token.
    Source(&'p str),
    /// Its public keys.
    Keys(&'p str),
}

impl<B> Arriving<B>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin,
{
    pub(crate) fn new(peer: Peer, request: http::Request<B>) -> Self {
        let (head, body) = request.into_parts();
        Self {
            peer,
            head,
            source: None,
            body: Bytes::new(),
            unread: Some(body).filter(|body| !body.is_end_stream()),
            held: None,
        }
    }

    /// What the path asks for.
    pub(crate) fn wanted(&self) -> Result<Wanted<'_>, Refused> {
        let path = self.head.uri.path().strip_prefix(PREFIX);
        let path = path.ok_or_else(Refused::not_here)?;
        match path.split_once('/') {
            None if !path.is_empty() => Ok(Wanted::Source(path)),
            Some((token, "jwks.json")) => Ok(Wanted::Keys(token)),
            _ => Err(Refused::not_here()),
        }
    }

    /// That the head is not longer than an honest sender's.
    pub(crate) fn check_head(&self) -> Result<(), Refused> {
        if self.peer.is_contradictory {
            return Err(Refused::contradictory());
        }
        let headers = self.head.headers.iter();
        let bytes: usize = headers
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        match bytes > HEADER_BYTES_MAX || self.head.headers.len() > HEADERS_MAX {
            true => Err(Refused::head_too_large()),
            false => Ok(()),
        }
    }

    /// How many deliveries it has been through.
    pub(crate) fn hops(&self) -> Result<Hops, Refused> {
        let mut values = self.head.headers.get_all(HOPS_HEADER).iter();
        let Some(value) = values.next() else {
            return Ok(Hops::NONE);
        };
        let text = value.to_str().ok().filter(|_| values.next().is_none());
        let hops = text.and_then(|text| text.parse().ok());
        let hops: Hops = hops.ok_or_else(|| Refused::malformed("`webhook-hops` is no count"))?;
        match hops.is_spent() {
            true => Err(Refused::loops()),
            false => Ok(hops),
        }
    }

    /// Reads the body to its end.
    pub(crate) async fn read(&mut self, gate: &Shared) -> Result<(), Refused> {
        let bytes_max = gate.app.settings.payload_bytes_max;
        let Some(unread) = &self.unread else {
            return Ok(());
        };
        // What says beforehand that it is too long is not read at all.
        if unread.size_hint().lower() > bytes_max as u64 {
            return Err(Refused::too_large(bytes_max));
        }
        let reading = tokio::time::timeout(gate.body_timeout, self.read_to_end(gate, bytes_max));
        reading.await.unwrap_or_else(|_| Err(Refused::too_slow()))
    }

    async fn read_to_end(&mut self, gate: &Shared, bytes_max: usize) -> Result<(), Refused> {
        let mut joined = BytesMut::new();
        let broken_off = || Refused::malformed("the body broke off before its end");
        while let Some(unread) = &mut self.unread {
            let Some(frame) = unread.frame().await else {
                self.unread = None;
                break;
            };
            let Ok(data) = frame.map_err(|_| broken_off())?.into_data() else {
                continue;
            };
            let length = self.body.len() + joined.len() + data.len();
            if length > bytes_max {
                return Err(Refused::too_large(bytes_max));
            }
            gate.limits.hold(&mut self.held, length)?;
            // Mostly it comes in one piece.
            if self.body.is_empty() && joined.is_empty() {
                self.body = data;
            } else {
                joined.extend_from_slice(&std::mem::take(&mut self.body));
                joined.extend_from_slice(&data);
            }
        }
        if !joined.is_empty() {
            self.body = joined.freeze();
        }
        Ok(())
    }

    /// Reads what is left and throws it away, where that is little, and has come already where it
    /// is to be done `at_once`. Tells whether the connection can go on: another would cost more.
    pub(crate) async fn read_out(&mut self, at_once: bool) -> bool {
        let Some(mut unread) = self.unread.take() else {
            return true;
        };
        if self.head.version >= http::Version::HTTP_2 {
            return true; // only the request's stream ends
        }
        let rest = async {
            let mut bytes = 0;
            while let Some(frame) = unread.frame().await {
                let Ok(frame) = frame else { return false };
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > LEFTOVER_BYTES_MAX {
                    return false;
                }
            }
            true
        };
        let patience = match at_once {
            true => Duration::ZERO,
            false => LEFTOVER_TIMEOUT,
        };
        let rest = tokio::time::timeout(patience, rest).await;
        rest.unwrap_or(false)
    }

    /// Whether the body was read to its end.
    pub(crate) fn is_read(&self) -> bool {
        self.unread.is_none()
    }

    /// The URL as its sender has it: what this server is called comes from its configuration, never
    /// from the request.
    pub(crate) fn url(&self, gate: &Shared) -> String {
        let base = gate.app.settings.public_url.as_deref().unwrap_or_default();
        let path = self.head.uri.path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        [base.trim_end_matches('/'), path].concat()
    }

    /// Gives the request, as verifying wants it, to somebody.
    pub(crate) fn lend<T>(&self, gate: &Shared, to: impl FnOnce(&Arrived<'_>) -> T) -> T {
        let headers = self.head.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        to(&Arrived {
            request: Request {
                method: self.head.method.as_str(),
                url: &self.url(gate),
                headers: &headers,
                body: &self.body,
            },
            address: self.peer.address,
            certificates: &self.peer.certificates,
        })
    }
}
