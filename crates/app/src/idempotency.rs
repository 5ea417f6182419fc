//! Idempotency keys: a request that is sent again, because its sender saw no answer, is answered
//! again and not done again.
//!
//! A key is remembered by token subject, operation and key, in the transaction that does the work.
//! What was made is remembered, not the answer: it is rendered again from what is there now. The
//! same key with another body is an error, and so is a repeated request whose answer held a secret.

use crate::error::AppError;
use crate::{App, Caller};
use aws_lc_rs::digest::{self, SHA256};
use model::id::{Id, Key};
use store::idempotency::{AUTO_KEY_LIFE, IdempotencyKey, KEY_LIFE, Made, Prior};

/// What a request is answered with if it succeeds, kept so that its repetition says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Success {
    /// It was done.
    Done = 200,
    /// Something was made.
    Created = 201,
    /// Something will be done.
    Accepted = 202,
}

/// A request as far as its idempotency key is concerned.
#[derive(Debug)]
pub(crate) enum Request {
    /// It is to be done, and remembered by this key, if it came with one.
    New(Option<IdempotencyKey>),
    /// It was done before, and made this.
    Repeated(Made),
}

impl App {
    /// Looks up whether this request was done before. To be called after the permission check.
    ///
    /// # Errors
    /// The key was used before with another body.
    pub(crate) async fn request(
        &self,
        caller: &Caller,
        success: Success,
    ) -> Result<Request, AppError> {
        let Some(key) = key(caller, success) else {
            return Ok(Request::New(None));
        };
        match self.store.prior(&[key.fingerprint]).await? {
            None => Ok(Request::New(Some(key))),
            Some(prior) => made_by(&key, &prior).map(Request::Repeated),
        }
    }

    /// The same for a request whose answer holds a secret: it is not repeated.
    pub(crate) async fn request_once(
        &self,
        caller: &Caller,
        success: Success,
    ) -> Result<Option<IdempotencyKey>, AppError> {
        match self.request(caller, success).await? {
            Request::New(key) => Ok(key),
            Request::Repeated(_) => Err(secret_not_repeated()),
        }
    }
}

impl Request {
    /// The key to do it with, or what it made.
    pub(crate) fn key_or_made(self) -> Result<Option<IdempotencyKey>, Made> {
        match self {
            Self::New(key) => Ok(key),
            Self::Repeated(made) => Err(made),
        }
    }
}

/// The id of what was made, whose kind the operation knows.
pub(crate) fn id_of<K>(made: Made) -> Id<K> {
    Id::new(Key::from_integer(made.key), made.tail)
}

/// What a request with a key that was used with another body is refused with.
pub(crate) fn key_reused() -> AppError {
    AppError::conflict(
        "this idempotency-key was used before with another body; use a new key for a new request",
    )
}

/// What a repeated request is refused with when its answer held a secret.
pub(crate) fn secret_not_repeated() -> AppError {
    AppError::conflict(
        "this request was done before under the same idempotency-key, and its answer, which holds \
         a secret, is not repeated",
    )
}

/// What a repeated request is refused with when what it made is gone by now.
pub(crate) fn made_is_gone() -> AppError {
    AppError::conflict(
        "this request was done before under the same idempotency-key, and what it made has been \
         deleted since",
    )
}

/// The key that a request came with, for those whose transaction looks it up.
pub(crate) fn key(caller: &Caller, success: Success) -> Option<IdempotencyKey> {
    let request = caller.idempotency.as_ref()?;
    let life = if request.is_of_one_call() {
        AUTO_KEY_LIFE
    } else {
        KEY_LIFE
    };
    Some(IdempotencyKey {
        fingerprint: fingerprint([&caller.subject, &request.operation, &request.key]),
        body: half(&request.body),
        life,
        status: success as u16,
    })
}

/// Each part with its length before it, so that no two requests look alike.
fn fingerprint(parts: [&str; 3]) -> [u8; 16] {
    let mut context = digest::Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    half(context.finish().as_ref())
}

fn half(hash: &[u8]) -> [u8; 16] {
    *hash.first_chunk().expect("SHA-256 has 32 bytes")
}

/// What the first request with this key made.
///
/// # Errors
/// It had another body.
pub(crate) fn made_by(key: &IdempotencyKey, prior: &Prior) -> Result<Made, AppError> {
    if prior.body == key.body {
        Ok(prior.made)
    } else {
        Err(key_reused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::{RequestKey, Who};
    use model::hops::Hops;

    fn caller(subject: &str, operation: &str, key: &str) -> Caller {
        Caller {
            who: Who::Organisation,
            subject: subject.to_owned(),
            remote_address: None,
            idempotency: Some(RequestKey {
                operation: operation.to_owned(),
                key: key.to_owned(),
                body: [7; 32],
            }),
            hops: Hops::NONE,
            trace: None,
            shown: None,
        }
    }

    #[test]
    fn subject_operation_and_key_each_tell_requests_apart() {
        let of = |s, o, k| {
            key(&caller(s, o, k), Success::Created)
                .expect("a key")
                .fingerprint
        };
        let first = of("org_1", "POST /app", "k");
        assert_eq!(first, of("org_1", "POST /app", "k"));
        for other in [
            of("org_2", "POST /app", "k"),
            of("org_1", "POST /app/a/msg", "k"),
            of("org_1", "POST /app", "l"),
            of("org_1P", "OST /app", "k"),
            of("org_1", "POST /ap", "pk"),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn keys_of_one_call_live_for_an_hour() {
        let life = |k| {
            key(&caller("org_1", "POST /app", k), Success::Created)
                .expect("a key")
                .life
        };
        assert_eq!(life("auto_5b1"), AUTO_KEY_LIFE);
        assert_eq!(life("order-17"), KEY_LIFE);
    }

    #[test]
    fn another_body_under_the_same_key_is_a_conflict() {
        let key = key(&caller("org_1", "POST /app", "k"), Success::Created).expect("a key");
        let mut prior = Prior {
            status: 201,
            body: key.body,
            made: Made::default(),
        };
        assert_eq!(made_by(&key, &prior).ok(), Some(Made::default()));
        prior.body[0] ^= 1;
        assert!(matches!(
            made_by(&key, &prior),
            Err(AppError::Conflict { .. })
        ));
    }
}
