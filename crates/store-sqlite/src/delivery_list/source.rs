//! Where a list of deliveries finds what may pass: positions in the order of the list, a few at a
//! time, from one index each, and then from all of them, each position once.
//!
//! Of an application, what was given up is looked up endpoint by endpoint if these are not very
//! many, and what is open as well if it is not too much to be sorted; else the walk passes over
//! what is others'.

use super::application_of;
use crate::columns::direction;
use crate::failure::Failure;
use model::id::{EndpointKey, Key, MessageKey};
use rusqlite::{Connection, params_from_iter};
use std::collections::{BTreeSet, HashSet, VecDeque};
use store::deliveries::{Among, DeliveryPosition, DeliveryQuery, DeliveryScope, DeliveryWindow};
use store::query::EXAMINED_MAX;

/// How many positions a source reads at first, and at the most.
const READ_FIRST: i64 = 8;
const READ_MOST: i64 = 256;

/// Each is a seek for every page. Deleted ones count, and become more and more.
const ENDPOINTS_MAX: usize = 1_000;

/// All sources of a list.
pub(super) struct Sources {
    sources: Vec<Source>,
    /// The next position of each that has one.
    heads: BTreeSet<(DeliveryPosition, usize)>,
    /// The endpoints that the list is about; `None`: all.
    endpoints: Option<HashSet<EndpointKey>>,
}

/// One index.
#[derive(Clone, Copy)]
enum Index {
    /// Open deliveries.
    Open,
    /// What was read already.
    Listed,
    /// Attempts with which a delivery was given up, of all endpoints.
    GivenUp,
    /// The same of one endpoint.
    GivenUpTo(EndpointKey),
    /// All attempts.
    Attempts,
    /// An application's messages, or those of this type, with whatever there is of each.
    Messages,
}

struct Source {
    index: Index,
    /// What it reads next.
    rest: DeliveryWindow,
    read: VecDeque<DeliveryPosition>,
    reads: i64,
    is_over: bool,
}

impl Sources {
    pub(super) fn of(connection: &Connection, query: &DeliveryQuery) -> Result<Self, Failure> {
        let endpoints = endpoints(connection, query)?;
        let all = || Source::new(Index::Open, query.window);
        let sources = match (query.among(), &endpoints) {
            (Among::Messages, None) => vec![all(), Source::new(Index::Attempts, query.window)],
            (Among::Messages, Some(_)) => vec![Source::new(Index::Messages, query.window)],
            (Among::Unfinished { open, given_up }, None) => {
                let given_up = given_up.then(|| Source::new(Index::GivenUp, query.window));
                open.then(all).into_iter().chain(given_up).collect()
            }
            (Among::Unfinished { open, given_up }, Some(endpoints)) => {
                let mut sources = Vec::new();
                if open {
                    let few = few_open(connection, query.window, endpoints)?;
                    sources.push(few.map_or_else(all, |few| Source::listed(few, query.window)));
                }
                let of = |index| Source::new(index, query.window);
                if given_up && endpoints.len() <= ENDPOINTS_MAX {
                    let each = endpoints.iter().copied().map(Index::GivenUpTo);
                    sources.extend(each.map(of));
                } else if given_up {
                    sources.push(of(Index::GivenUp));
                }
                sources
            }
        };
        let mut sources = Self {
            sources,
            heads: BTreeSet::new(),
            endpoints: endpoints.map(HashSet::from_iter),
        };
        for number in 0..sources.sources.len() {
            sources.advance(connection, query, number)?;
        }
        Ok(sources)
    }

    /// Whether the list is about what goes to this endpoint.
    pub(super) fn are_about(&self, endpoint: EndpointKey) -> bool {
        let endpoints = self.endpoints.as_ref();
        endpoints.is_none_or(|endpoints| endpoints.contains(&endpoint))
    }

    /// The next position of them all.
    pub(super) fn next(
        &mut self,
        connection: &Connection,
        query: &DeliveryQuery,
    ) -> Result<Option<DeliveryPosition>, Failure> {
        let Some((position, _)) = self.head(query) else {
            return Ok(None);
        };
        while let Some((same, number)) = self.head(query).filter(|(same, _)| *same == position) {
            self.heads.remove(&(same, number));
            self.advance(connection, query, number)?;
        }
        Ok(Some(position))
    }

    fn head(&self, query: &DeliveryQuery) -> Option<(DeliveryPosition, usize)> {
        let head = match query.window.ascending {
            true => self.heads.first(),
            false => self.heads.last(),
        };
        head.copied()
    }

    fn advance(
        &mut self,
        connection: &Connection,
        query: &DeliveryQuery,
        number: usize,
    ) -> Result<(), Failure> {
        if let Some(position) = self.sources[number].next(connection, query)? {
            self.heads.insert((position, number));
        }
        Ok(())
    }
}

impl Source {
    fn new(index: Index, window: DeliveryWindow) -> Self {
        Self {
            index,
            rest: window,
            read: VecDeque::new(),
            reads: READ_FIRST,
            is_over: false,
        }
    }

    fn listed(positions: Vec<DeliveryPosition>, window: DeliveryWindow) -> Self {
        Self {
            read: positions.into(),
            is_over: true,
            ..Self::new(Index::Listed, window)
        }
    }

    fn next(
        &mut self,
        connection: &Connection,
        query: &DeliveryQuery,
    ) -> Result<Option<DeliveryPosition>, Failure> {
        self.fill(connection, query)?;
        Ok(self.read.pop_front())
    }

    /// Reads on, until there is something or nothing is left.
    fn fill(&mut self, connection: &Connection, query: &DeliveryQuery) -> Result<(), Failure> {
        while self.read.is_empty() && !self.is_over {
            let part = DeliveryQuery {
                window: self.rest,
                ..query.clone()
            };
            let (read, to) = match self.index {
                Index::Messages => of_messages(connection, &part, self.reads)?,
                index => of_index(connection, (index, &part), self.reads)?,
            };
            self.is_over = to.is_none();
            self.rest = self.rest.behind(to);
            self.read = read;
            self.reads = (2 * self.reads).min(READ_MOST);
        }
        Ok(())
    }
}

/// The endpoints that a list is about, deleted ones too; `None`: all.
fn endpoints(
    connection: &Connection,
    query: &DeliveryQuery,
) -> Result<Option<Vec<EndpointKey>>, Failure> {
    let application = match query.scope {
        DeliveryScope::All => return Ok(None),
        DeliveryScope::Endpoint(lane) => return Ok(Some(vec![lane.endpoint])),
        DeliveryScope::Application(application) => application,
    };
    let mut select = connection
        .prepare_cached("SELECT id FROM endpoint INDEXED BY endpoint_all WHERE application = ?1")?;
    let keys = select.query_map([application.integer()], |row| row.get(0))?;
    let keys: Vec<i64> = keys.collect::<Result<_, _>>()?;
    Ok(Some(keys.into_iter().map(Key::from_integer).collect()))
}

/// What is open to endpoints, in the order of the list; `None`: too much to be sorted.
fn few_open(
    connection: &Connection,
    window: DeliveryWindow,
    endpoints: &[EndpointKey],
) -> Result<Option<Vec<DeliveryPosition>>, Failure> {
    let mut count = connection
        .prepare_cached("SELECT pending + retrying FROM open_count WHERE endpoint = ?1")?;
    let mut open: i64 = 0;
    for endpoint in endpoints {
        let mut rows = count.query([endpoint.integer()])?;
        if let Some(row) = rows.next()? {
            open = open.saturating_add(row.get(0)?);
        }
    }
    if open > EXAMINED_MAX as i64 {
        return Ok(None);
    }
    let mut select =
        connection.prepare_cached("SELECT message FROM delivery WHERE endpoint = ?1")?;
    let mut positions = Vec::new();
    for endpoint in endpoints {
        let mut rows = select.query([endpoint.integer()])?;
        while let Some(row) = rows.next()? {
            positions.push(DeliveryPosition {
                message: Key::from_integer(row.get(0)?),
                endpoint: *endpoint,
            });
        }
    }
    positions.retain(|position| window.holds(*position));
    window.arrange(&mut positions);
    Ok(Some(positions))
}

/// Positions, and how far they were read; `None`: there were none.
type Read = (VecDeque<DeliveryPosition>, Option<DeliveryPosition>);

/// The next positions of an index.
fn of_index(
    connection: &Connection,
    (index, query): (Index, &DeliveryQuery),
    limit: i64,
) -> Result<Read, Failure> {
    let DeliveryWindow { above, below, .. } = query.window;
    let mut values = vec![
        above.message.integer(),
        above.endpoint.integer(),
        below.message.integer(),
        below.endpoint.integer(),
        limit,
    ];
    let (table, scope) = match index {
        Index::Attempts => ("attempt INDEXED BY attempt_message", ""),
        Index::GivenUp => ("attempt INDEXED BY attempt_given_up", "given_up = 1 AND"),
        Index::GivenUpTo(endpoint) => {
            values.push(endpoint.integer());
            (
                "attempt INDEXED BY attempt_given_up_endpoint",
                "given_up = 1 AND endpoint = ?6 AND",
            )
        }
        Index::Open | Index::Listed | Index::Messages => {
            ("delivery INDEXED BY delivery_message", "")
        }
    };
    let direction = direction(query.window.ascending);
    let mut select = connection.prepare_cached(&format!(
        "SELECT DISTINCT message, endpoint FROM {table}
         WHERE {scope} (message, endpoint) > (?1, ?2) AND (message, endpoint) < (?3, ?4)
         ORDER BY message {direction}, endpoint {direction} LIMIT ?5"
    ))?;
    let mut rows = select.query(params_from_iter(values))?;
    let mut found = VecDeque::new();
    while let Some(row) = rows.next()? {
        found.push_back(DeliveryPosition {
            message: Key::from_integer(row.get(0)?),
            endpoint: Key::from_integer(row.get(1)?),
        });
    }
    let to = found.back().copied();
    Ok((found, to))
}

/// What there is of an application's next messages. A message that has nothing for the list is one
/// row to look at all the same: there may be many. But not one that was looked at before.
fn of_messages(
    connection: &Connection,
    query: &DeliveryQuery,
    limit: i64,
) -> Result<Read, Failure> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT id, event_type FROM message INDEXED BY message_application
         WHERE application = ?1 AND id > ?2 AND id < ?3 ORDER BY id {} LIMIT ?4",
        direction(query.window.ascending)
    ))?;
    let (above, below) = query.messages();
    let application = application_of(query).map_or(0, Key::integer);
    let mut rows = select.query([application, above.integer(), below.integer(), limit])?;
    let (mut found, mut to) = (VecDeque::new(), None);
    while let Some(row) = rows.next()? {
        let message = MessageKey::from_integer(row.get(0)?);
        let event_type = row.get_ref(1)?.as_str().unwrap_or_default();
        let wanted = query.event_type.as_ref();
        let mut positions = Vec::new();
        if wanted.is_none_or(|wanted| wanted.as_str() == event_type) {
            positions = of_message(connection, query, message)?;
            positions.retain(|position| query.window.holds(*position));
            query.window.arrange(&mut positions);
        }
        let end = query.window.end_of(message);
        if positions.is_empty() && !query.window.begins_in(message) {
            positions.push(end);
        }
        found.extend(positions);
        to = Some(end);
    }
    Ok((found, to))
}

fn of_message(
    connection: &Connection,
    query: &DeliveryQuery,
    message: MessageKey,
) -> Result<Vec<DeliveryPosition>, Failure> {
    let position = |endpoint| DeliveryPosition { message, endpoint };
    if let DeliveryScope::Endpoint(lane) = query.scope {
        return Ok(vec![position(lane.endpoint)]);
    }
    let mut positions = Vec::new();
    for sql in [
        "SELECT DISTINCT endpoint FROM attempt INDEXED BY attempt_message WHERE message = ?1",
        "SELECT DISTINCT endpoint FROM delivery INDEXED BY delivery_message WHERE message = ?1",
    ] {
        let mut select = connection.prepare_cached(sql)?;
        let mut rows = select.query([message.integer()])?;
        while let Some(row) = rows.next()? {
            positions.push(position(Key::from_integer(row.get(0)?)));
        }
    }
    Ok(positions)
}
