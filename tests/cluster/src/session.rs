//! Somebody else's sessions in the database, which do nothing but take up room.

use std::path::Path;

use e2e::within;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::database::DATABASE;

/// Version 3.0 of PostgreSQL's protocol.
const PROTOCOL: i32 = 3 << 16;
/// More than any server here has.
const SESSIONS_MAX: usize = 1_000;

/// One session. It ends when it is dropped.
pub struct Session(UnixStream);

impl Session {
    /// Opens one, unless the server has none left.
    ///
    /// # Panics
    /// When nobody listens, or nobody answers.
    pub async fn open(socket: &Path, account: &str) -> Option<Self> {
        let stream = UnixStream::connect(socket).await;
        let mut session = Self(stream.expect("the server runs"));
        let parameters = format!("user\0{account}\0database\0{DATABASE}\0\0");
        let mut startup = PROTOCOL.to_be_bytes().to_vec();
        startup.extend(parameters.as_bytes());
        session.send(None, &startup).await;
        session.is_answered().await.then_some(session)
    }

    /// Opens all that the server has left for this account.
    pub async fn take_all(socket: &Path, account: &str) -> Vec<Self> {
        let mut all = Vec::new();
        while let Some(one) = Self::open(socket, account).await {
            all.push(one);
            assert!(all.len() < SESSIONS_MAX, "the server has no limit");
        }
        all
    }

    /// Begins a transaction, and leaves it open.
    ///
    /// # Panics
    /// When it can't.
    pub async fn begin(&mut self) {
        self.send(Some(b'Q'), b"BEGIN\0").await;
        assert!(self.is_answered().await, "a transaction can be begun");
    }

    async fn send(&mut self, kind: Option<u8>, body: &[u8]) {
        let length = i32::try_from(body.len() + 4).expect("it is short");
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend(length.to_be_bytes());
        message.extend(body);
        let sent = self.0.write_all(&message).await;
        sent.expect("the server reads it");
    }

    /// Whether the server is ready for what comes next, rather than refusing.
    async fn is_answered(&mut self) -> bool {
        loop {
            let answer = within("the database's answer", self.answer()).await;
            match answer {
                Some(b'Z') => return true,
                Some(b'E') | None => return false,
                Some(_) => {}
            }
        }
    }

    /// The kind of the next message. None: the session has ended.
    async fn answer(&mut self) -> Option<u8> {
        let kind = self.0.read_u8().await.ok()?;
        let length = self.0.read_i32().await.ok()?;
        let rest = usize::try_from(length - 4).expect("it counts itself");
        self.0.read_exact(&mut vec![0; rest]).await.ok()?;
        Some(kind)
    }
}
