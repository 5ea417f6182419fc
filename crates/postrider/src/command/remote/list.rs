//! Lists, page by page. With `--all` they are printed as they come, so that a long one needs no
//! more memory than a page, or, as tables, than so many rows.

use super::super::escape::plain;
use super::super::table::table;
use super::super::{Column, escaped, say};
use crate::cli::RemoteArgs;
use crate::client::{Client, ClientError, Request};
use crate::failure::Failure;
use crate::resources::Shows;
use anyhow::Context as _;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io::{Write, stdout};

/// How many rows a table has at the most; then another begins.
const TABLE_ROWS_MAX: usize = 10_000;

/// A page, as the API gives it.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) iterator: Option<String>,
    #[serde(rename = "prevIterator")]
    pub(super) prev_iterator: Option<String>,
    pub(super) done: bool,
}

/// Asks for a list, and shows it.
pub(super) async fn run(
    client: &Client,
    args: &RemoteArgs,
    request: Request,
) -> Result<(), Failure> {
    let pages = Pages {
        client,
        request,
        goes_on: args.all,
    };
    match (args.json, args.operation.shows) {
        (true, _) if !args.all => {
            let body = client.call(&pages.request).await?;
            let _: Page<&RawValue> = pages.read(&body)?;
            let text: &RawValue = serde_json::from_slice(&body).map_err(Failure::could_not)?;
            say(plain(text.get()))
        }
        (false, Shows::Rows { columns, .. }) => pages.tables(columns).await,
        _ => pages.json().await,
    }
}

pub(super) struct Pages<'a> {
    client: &'a Client,
    pub(super) request: Request,
    /// Whether more than one is wanted.
    goes_on: bool,
}

impl<'a> Pages<'a> {
    /// All pages of a list.
    pub(super) fn to_the_end(client: &'a Client, request: Request) -> Self {
        Self {
            client,
            request,
            goes_on: true,
        }
    }

    /// One list of the pages' rows, as one page would be.
    async fn json(mut self) -> Result<(), Failure> {
        print("{\"data\":[")?;
        let mut is_first = true;
        let mut iterator = None;
        loop {
            let body = self.client.call(&self.request).await?;
            let page: Page<&RawValue> = self.read(&body)?;
            for row in &page.data {
                let comma = if is_first { "" } else { "," };
                print(&format!("{comma}{}", plain(row.get())))?;
                is_first = false;
            }
            iterator = page.iterator.clone().or(iterator);
            if !self.turn(&page)? {
                break;
            }
        }
        let iterator = Value::from(iterator).to_string();
        let end = format!("],\"iterator\":{},\"done\":true}}", plain(&iterator));
        say(end)
    }

    async fn tables(mut self, columns: &[Column]) -> Result<(), Failure> {
        let mut rows: Vec<Value> = Vec::new();
        let mut shown = false;
        let more = loop {
            let body = self.client.call(&self.request).await?;
            let mut page: Page<Value> = self.read(&body)?;
            rows.append(&mut page.data);
            let more = page.iterator.clone().filter(|_| !page.done);
            if !self.turn(&page)? {
                break more;
            }
            if rows.len() >= TABLE_ROWS_MAX {
                say(table(columns, &rows))?;
                rows.clear();
                shown = true;
            }
        };
        if !rows.is_empty() {
            say(table(columns, &rows))?;
        } else if !shown {
            say("none")?;
        }
        if let Some(iterator) = more {
            let iterator = escaped(&iterator);
            eprintln!("postrider: there is more: --all, or go on with --iterator {iterator}");
        }
        Ok(())
    }

    pub(super) fn read<'b, T: Deserialize<'b>>(
        &self,
        body: &'b Bytes,
    ) -> Result<Page<T>, ClientError> {
        serde_json::from_slice(body).map_err(|_| self.client.strange("its answer is no list"))
    }

    /// Turns to the next page; `false` if there is none, or none is wanted.
    pub(super) fn turn<T>(&mut self, page: &Page<T>) -> Result<bool, ClientError> {
        if page.done || !self.goes_on {
            return Ok(false);
        }
        let no_end = || {
            self.client
                .strange("its list has no end, and does not go on")
        };
        let iterator = page.iterator.as_ref().ok_or_else(no_end)?;
        let query = &mut self.request.query;
        let last = query.iter().position(|(name, _)| name == "iterator");
        if let Some(last) = last {
            let (_, last) = query.remove(last);
            if last == *iterator {
                return Err(no_end());
            }
        }
        query.push(("iterator".to_owned(), iterator.clone()));
        Ok(true)
    }
}

/// Prints a part of something.
fn print(text: &str) -> Result<(), Failure> {
    stdout()
        .write_all(text.as_bytes())
        .context("the result can't be written to standard output")
        .map_err(Failure::CouldNot)
}
