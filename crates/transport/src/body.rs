//! Reading a response's body: the first bytes are kept, the rest is not waited for.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming};

use crate::{SendError, Stage};

/// What was read of a body.
pub(crate) struct Kept {
    /// The first bytes.
    pub(crate) bytes: Bytes,
    /// Whether there was more than the limit.
    pub(crate) truncated: bool,
}

/// Reads up to `limit` bytes and finds out whether there are more. `drive` is called before each
/// look at the body, to let its connection read.
pub(crate) async fn read(
    body: &mut Incoming,
    limit: usize,
    mut drive: impl FnMut(&mut Context<'_>),
) -> Result<Kept, SendError> {
    // Copied rather than sliced: a slice would pin the whole buffer that the connection read into.
    let mut kept = Vec::new();
    while let Some(frame) = next(body, &mut drive).await {
        let frame = frame.map_err(|error| SendError::new(Stage::Read, error))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let taken = data.len().min(limit - kept.len());
        kept.extend_from_slice(&data[..taken]);
        if taken < data.len() {
            return Ok(Kept {
                bytes: kept.into(),
                truncated: true,
            });
        }
    }
    Ok(Kept {
        bytes: kept.into(),
        truncated: false,
    })
}

/// Reads on and forgets what comes, up to `limit` bytes. Whether the body ended within them.
pub(crate) async fn drain(
    body: &mut Incoming,
    limit: u64,
    mut drive: impl FnMut(&mut Context<'_>),
) -> bool {
    if body.size_hint().lower() > limit {
        return false;
    }
    let mut left = limit;
    loop {
        match next(body, &mut drive).await {
            None => return true,
            Some(Err(_)) => return false,
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                match left.checked_sub(length) {
                    Some(rest) => left = rest,
                    None => return false,
                }
            }
        }
    }
}

async fn next(
    body: &mut Incoming,
    drive: &mut impl FnMut(&mut Context<'_>),
) -> Option<hyper::Result<Frame<Bytes>>> {
    std::future::poll_fn(|cx| -> Poll<_> {
        drive(cx);
        Pin::new(&mut *body).poll_frame(cx)
    })
    .await
}
