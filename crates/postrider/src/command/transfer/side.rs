//! One side of a transfer, as it is named on the command line.

use crate::config::{Database, DatabaseUrl};
use crate::failure::Failure;
use crate::storage::postgres;
use anyhow::anyhow;
use std::path::PathBuf;
use store::transfer::{Source, Target};
use store_postgres::PostgresTransfer;
use store_sqlite::SqliteTransfer;

/// See the file's head.
pub(super) enum Side {
    Directory(PathBuf),
    Database(Database),
}

impl Side {
    /// A URL, if it looks like one; else a directory.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        if !text.contains("://") {
            return Ok(Self::Directory(PathBuf::from(text)));
        }
        let url = DatabaseUrl::parse(text);
        let url = url.map_err(|reason| Failure::Misuse(anyhow!("--{name}: {reason}")))?;
        Ok(Self::Database(Database {
            url,
            direct_url: None,
        }))
    }

    /// Without a password.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Directory(path) => path.display().to_string(),
            Self::Database(database) => database.url.shown().to_owned(),
        }
    }

    /// Opens it, to be moved.
    pub(super) async fn source(&self) -> Result<Box<dyn Source>, Failure> {
        Ok(match self {
            Self::Directory(path) => {
                Box::new(SqliteTransfer::source(path).map_err(Failure::could_not)?)
            }
            Self::Database(database) => {
                let source = PostgresTransfer::source(&postgres(database), &self.shown()).await;
                Box::new(source.map_err(Failure::could_not)?)
            }
        })
    }

    /// Opens it, to be filled.
    pub(super) async fn target(&self) -> Result<Box<dyn Target>, Failure> {
        Ok(match self {
            Self::Directory(path) => {
                Box::new(SqliteTransfer::target(path).map_err(Failure::could_not)?)
            }
            Self::Database(database) => {
                let target = PostgresTransfer::target(&postgres(database), &self.shown()).await;
                Box::new(target.map_err(Failure::could_not)?)
            }
        })
    }
}

/// A password that was typed is there for others to read.
pub(super) fn warn_of_password(name: &str, text: &str) {
    let holds = DatabaseUrl::parse(text).is_ok_and(|url| url.has_password());
    let typed = std::env::args_os().any(|argument| argument.to_string_lossy().ends_with(text));
    if holds && typed {
        eprintln!(
            "postrider: warning: every user of this machine can read the credentials in --{name}: \
             give it as POSTRIDER_TRANSFER_{}",
            name.to_uppercase()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_url_is_one_or_is_refused() {
        let parse = |text| Side::parse("from", text);
        assert!(matches!(parse("./data"), Ok(Side::Directory(_))));
        assert!(matches!(parse("postgres"), Ok(Side::Directory(_))));
        let url = "postgresql://u:sesame@h/db";
        let Ok(side @ Side::Database(_)) = parse(url) else {
            panic!("it is a database's");
        };
        assert_eq!(side.shown(), "postgresql://u:***@h/db");
        for refused in ["mysql://u:sesame@h/db", "postgres://u:sesame/db"] {
            let Err(Failure::Misuse(told)) = parse(refused) else {
                panic!("{refused} is none");
            };
            let told = told.to_string();
            assert!(
                told.starts_with("--from: ") && !told.contains("sesame"),
                "{told}"
            );
        }
    }
}
