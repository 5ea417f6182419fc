//! Statements: how they are sent, with the types of what they carry.
//!
//! Every statement names its parameters' types, so that it can be sent without a name, as a pooler
//! that hands out connections by transaction needs it; else it is prepared once per connection.

use crate::failure::Failure;
use crate::trust::Trust;
use bytes::Bytes;
use deadpool_postgres::ClientWrapper;
use futures_util::future::{FutureExt as _, try_join_all};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::{ToSql, Type};

/// A value with the type that it has in the database.
pub(crate) trait Typed: ToSql + Send + Sync {
    /// The type.
    fn kind(&self) -> Type;
}

macro_rules! typed {
    ($($rust:ty => $kind:ident, $array:ident;)*) => {$(
        impl Typed for $rust {
            fn kind(&self) -> Type {
                Type::$kind
            }
        }
        impl Typed for Option<$rust> {
            fn kind(&self) -> Type {
                Type::$kind
            }
        }
        impl Typed for Vec<$rust> {
            fn kind(&self) -> Type {
                Type::$array
            }
        }
        impl Typed for Vec<Option<$rust>> {
            fn kind(&self) -> Type {
                Type::$array
            }
        }
    )*};
}

typed! {
    bool => BOOL, BOOL_ARRAY;
    i16 => INT2, INT2_ARRAY;
    i32 => INT4, INT4_ARRAY;
    i64 => INT8, INT8_ARRAY;
    f64 => FLOAT8, FLOAT8_ARRAY;
    &str => TEXT, TEXT_ARRAY;
    String => TEXT, TEXT_ARRAY;
    &[u8] => BYTEA, BYTEA_ARRAY;
    Vec<u8> => BYTEA, BYTEA_ARRAY;
}

/// The parameters of a statement.
pub(crate) type Params<'p> = Vec<Box<dyn Typed + 'p>>;

/// [`Params`] of these values.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as Box<dyn crate::sql::Typed + '_>),*]
    };
}
pub(crate) use params;

/// How statements are sent on the connections of a pool.
#[derive(Clone)]
pub(crate) struct Manner {
    /// Through a pooler: statements have no names.
    pub(crate) unnamed: bool,
    /// The database is given so long to answer: a little longer than it gives itself.
    pub(crate) limit: Duration,
    /// Lost when it did not, or can't write.
    pub(crate) trust: Arc<Trust>,
    /// When the connection was had from its pool.
    pub(crate) since: Instant,
}

impl Manner {
    /// Waits for an answer.
    pub(crate) async fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.limit, answer).await {
            Ok(answer) => answer.map_err(|error| self.failed(error)),
            Err(_) => {
                self.trust.doubt(self.since);
                Err(Failure::Unavailable(
                    "the database does not answer".to_owned(),
                ))
            }
        }
    }

    /// As [`Self::failed`], where the statement may be the one that renews a lease.
    fn failed_to_write(&self, error: tokio_postgres::Error) -> Failure {
        match error.code() {
            Some(&SqlState::DIVISION_BY_ZERO) => Failure::LeaseLost,
            _ => self.failed(error),
        }
    }

    fn failed(&self, error: tokio_postgres::Error) -> Failure {
        // A standby, or a setting of sessions: another connection may lead elsewhere.
        if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
            self.trust.doubt(self.since);
        }
        error.into()
    }
}

/// A statement to send with others.
pub(crate) struct Statement<'p> {
    pub(crate) text: &'static str,
    pub(crate) params: Params<'p>,
}

/// How a transaction ended that is not known to have committed.
pub(crate) enum Uncommitted {
    /// Nothing was committed.
    Not(Failure),
    /// The commit was sent, and no answer came.
    Unknown(Failure),
}

/// Where statements run: one transaction on one connection, which begins with the first of them.
/// Statements whose futures are polled together are sent together, in the order in which they are
/// first polled. What is not committed when this is dropped is undone.
pub(crate) struct Sql<'c> {
    client: &'c ClientWrapper,
    manner: Manner,
    /// What begins it, until that is sent: with the first statement, and not waited for.
    begin: Mutex<Option<String>>,
    over: AtomicBool,
}

impl<'c> Sql<'c> {
    /// A transaction that these statements begin.
    pub(crate) fn new(client: &'c ClientWrapper, manner: Manner, begin: String) -> Self {
        Self {
            client,
            manner,
            begin: Mutex::new(Some(begin)),
            over: AtomicBool::new(false),
        }
    }

    /// The rows that a statement gives.
    pub(crate) async fn rows(
        &self,
        statement: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Failure> {
        let answer = async {
            let (values, kinds) = values(&params);
            match self.prepare(statement, &params).await? {
                Some(prepared) => self.client.query(&prepared, &values).await,
                None => {
                    let typed: Vec<_> = values.into_iter().zip(kinds).collect();
                    self.client.query_typed(statement, &typed).await
                }
            }
        };
        self.manner.wait(self.begun(answer)).await
    }

    /// The one row that a statement gives, if it gives one.
    pub(crate) async fn row(
        &self,
        statement: &str,
        params: Params<'_>,
    ) -> Result<Option<Row>, Failure> {
        Ok(self.rows(statement, params).await?.into_iter().next())
    }

    /// How many rows a statement wrote, or found.
    pub(crate) async fn run(&self, statement: &str, params: Params<'_>) -> Result<usize, Failure> {
        let prepared = self.prepare(statement, &params);
        let answer = async { self.execute(statement, &prepared.await?, &params).await };
        let rows = self.manner.wait(self.begun(answer)).await?;
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    /// Begins the transaction, and waits for it: before a statement that must not be carried out
    /// without one.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        self.manner.wait(self.begun(async { Ok(()) })).await
    }

    /// Carries out statements that are sent together, in their order.
    pub(crate) async fn run_all(&self, statements: Vec<Statement<'_>>) -> Result<(), Failure> {
        let prepared = self.prepare_all(&statements).await?;
        let each = statements.iter().zip(&prepared);
        let sent = each.map(|(one, prepared)| self.execute(one.text, prepared, &one.params));
        // The first failure is the one that says why: what follows it in a transaction only says
        // that there was one.
        let answers = try_join_all(sent);
        self.manner.wait(self.begun(answers)).await.map(drop)
    }

    /// Makes everything durable.
    pub(crate) async fn commit(self) -> Result<(), Failure> {
        self.over.store(true, Ordering::Relaxed);
        if self.unsent().is_some() {
            return Ok(());
        }
        self.manner.wait(self.client.batch_execute("COMMIT")).await
    }

    /// Carries out the last statements and makes everything durable, with one message to the
    /// database: where one of them fails, the commit that follows it undoes all. So a statement
    /// must fail where what it did is not what it had to do.
    pub(crate) async fn commit_with(
        self,
        statements: Vec<Statement<'_>>,
    ) -> Result<(), Uncommitted> {
        let prepared = self.prepare_all(&statements).await;
        let prepared = prepared.map_err(Uncommitted::Not)?;
        let client = self.client;
        let sent = statements
            .iter()
            .zip(&prepared)
            .map(|(one, prepared)| self.execute(one.text, prepared, &one.params));
        let mut written = pin!(try_join_all(sent));
        // This sends them. One that could not even be sent must not be left out.
        let sent = poll_fn(|context| Poll::Ready(written.as_mut().poll(context))).await;
        if let Poll::Ready(Err(error)) = sent {
            return Err(Uncommitted::Not(self.manner.failed_to_write(error)));
        }
        let committed = client.batch_execute("COMMIT");
        let answers = async { tokio::join!(biased; written, committed) };
        self.over.store(true, Ordering::Relaxed);
        let waited = self.manner.wait(async { Ok(answers.await) }).await;
        match waited {
            Ok((Ok(_), Ok(()))) => Ok(()),
            Ok((Err(error), _)) if was_refused(&error) => {
                Err(Uncommitted::Not(self.manner.failed_to_write(error)))
            }
            Ok((Err(error), _) | (_, Err(error))) => {
                Err(Uncommitted::Unknown(self.manner.failed(error)))
            }
            Err(failure) => Err(Uncommitted::Unknown(failure)),
        }
    }

    /// Sends what begins the transaction before anything else, and does not wait for it alone.
    async fn begun<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, tokio_postgres::Error> {
        let Some(begin) = self.unsent() else {
            return answer.await;
        };
        let (begun, answer) = tokio::join!(biased; self.client.batch_execute(&begin), answer);
        begun?;
        answer
    }

    fn unsent(&self) -> Option<String> {
        let mut begin = self.begin.lock().expect("nothing panics while it holds it");
        begin.take()
    }

    /// Nothing where statements have no names.
    async fn prepare(
        &self,
        statement: &str,
        params: &Params<'_>,
    ) -> Result<Option<tokio_postgres::Statement>, tokio_postgres::Error> {
        if self.manner.unnamed {
            return Ok(None);
        }
        let (_, kinds) = values(params);
        let prepared = self.client.prepare_typed_cached(statement, &kinds).await;
        prepared.map(Some)
    }

    async fn prepare_all(
        &self,
        statements: &[Statement<'_>],
    ) -> Result<Vec<Option<tokio_postgres::Statement>>, Failure> {
        let each = statements
            .iter()
            .map(|one| self.prepare(one.text, &one.params));
        self.manner.wait(self.begun(try_join_all(each))).await
    }

    async fn execute(
        &self,
        statement: &str,
        prepared: &Option<tokio_postgres::Statement>,
        params: &Params<'_>,
    ) -> Result<u64, tokio_postgres::Error> {
        let (values, kinds) = values(params);
        match prepared {
            Some(prepared) => self.client.execute(prepared, &values).await,
            None => {
                let typed: Vec<_> = values.into_iter().zip(kinds).collect();
                self.client.execute_typed(statement, &typed).await
            }
        }
    }
}

impl Drop for Sql<'_> {
    fn drop(&mut self) {
        let begun = self.unsent().is_none();
        if begun && !self.over.load(Ordering::Relaxed) {
            // To be polled once is to be sent: whoever has the connection next comes behind it.
            let _ = self.client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

/// Whether the database said no to a statement, so that it does not come to the commit behind it.
/// What ends the session, or comes of a pooler that lost its own, does not say so.
fn was_refused(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|said| {
        said.parsed_severity() == Some(Severity::Error) && !said.code().code().starts_with("08")
    })
}

/// What is sent of parameters, and its types.
fn values<'v>(params: &'v Params<'_>) -> (Vec<&'v (dyn ToSql + Sync)>, Vec<Type>) {
    let values = params.iter().map(|param| &**param as &(dyn ToSql + Sync));
    (
        values.collect(),
        params.iter().map(|param| param.kind()).collect(),
    )
}

/// One column of many rows.
pub(crate) fn columns_of<'r, R, T>(rows: &'r [R], of: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Sealed bytes as a parameter.
pub(crate) fn blob(sealed: &Bytes) -> &[u8] {
    sealed
}
