//! Statements: how they are sent, with the types of what they carry.
//!
//! Every statement names its parameters' types, so that it can be sent without a name, as a pooler
//! that hands out connections by transaction needs it; else it is prepared once per connection.

use crate::failure::Failure;
use bytes::Bytes;
use deadpool_postgres::Transaction;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
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
    /// Set when it did not, or can't write: connections that are open may lead nowhere.
    pub(crate) doubted: Arc<AtomicBool>,
}

impl Manner {
    /// Waits for an answer.
    pub(crate) async fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.limit, answer).await {
            Ok(answer) => Ok(answer.inspect_err(|error| {
                // A standby, or a setting of sessions: another connection may lead elsewhere.
                if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
                    self.doubted.store(true, Ordering::Relaxed);
                }
            })?),
            Err(_) => {
                self.doubted.store(true, Ordering::Relaxed);
                Err(Failure::Unavailable(
                    "the database does not answer".to_owned(),
                ))
            }
        }
    }
}

/// Where statements run: one transaction on one connection. Statements whose futures are polled
/// together are sent together, in the order in which they are first polled.
pub(crate) struct Sql<'t> {
    transaction: Transaction<'t>,
    manner: Manner,
}

impl<'t> Sql<'t> {
    /// In this transaction.
    pub(crate) fn new(transaction: Transaction<'t>, manner: Manner) -> Self {
        Self {
            transaction,
            manner,
        }
    }

    /// The rows that a statement gives.
    pub(crate) async fn rows(
        &self,
        statement: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Failure> {
        self.manner.wait(self.send(statement, &params)).await
    }

    async fn send(
        &self,
        statement: &str,
        params: &Params<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let values = params.iter().map(|param| &**param as &(dyn ToSql + Sync));
        let kinds: Vec<Type> = params.iter().map(|param| param.kind()).collect();
        if self.manner.unnamed {
            let typed: Vec<_> = values.zip(kinds).collect();
            return self.transaction.query_typed(statement, &typed).await;
        }
        let prepared = self
            .transaction
            .prepare_typed_cached(statement, &kinds)
            .await?;
        let values: Vec<_> = values.collect();
        self.transaction.query(&prepared, &values).await
    }

    /// The one row that a statement gives, if it gives one.
    pub(crate) async fn row(
        &self,
        statement: &str,
        params: Params<'_>,
    ) -> Result<Option<Row>, Failure> {
        Ok(self.rows(statement, params).await?.into_iter().next())
    }

    /// How many rows a statement wrote: it must end with `RETURNING 1`.
    pub(crate) async fn run(&self, statement: &str, params: Params<'_>) -> Result<usize, Failure> {
        Ok(self.rows(statement, params).await?.len())
    }

    /// Makes everything durable.
    pub(crate) async fn commit(self) -> Result<(), Failure> {
        self.manner.wait(self.transaction.commit()).await
    }

    /// Statements without parameters and without answers.
    pub(crate) async fn batch(&self, statements: &str) -> Result<(), Failure> {
        let sent = self.transaction.batch_execute(statements);
        self.manner.wait(sent).await
    }
}

/// One column of many rows.
pub(crate) fn columns_of<'r, R, T>(rows: &'r [R], of: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Sealed bytes as a parameter.
pub(crate) fn blob(sealed: &Bytes) -> &[u8] {
    sealed
}
