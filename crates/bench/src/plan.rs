//! What is to be measured: the ways, and how much goes along each.

use crate::book::DELIVERIES_MAX;
use crate::company::Company;
use crate::dial::Place;
use crate::payload::PAYLOAD_BYTES_MIN;
use crate::{BenchError, EndpointOption};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// The smallest payload that can be told from others.
pub const PAYLOAD_MIN: usize = PAYLOAD_BYTES_MIN;

/// A way from the load client to the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Way {
    /// Straight.
    Raw,
    /// Through a relay that stores and signs nothing.
    Relay,
    /// Through a server: accepted durably, delivered, recorded.
    Postrider,
    /// The same through the server that is measured beside the bench's own.
    Other,
    /// Signed requests through a server's sources: verified, accepted durably, forwarded, recorded.
    Gateway,
}

/// The server to measure.
#[derive(Debug, Clone)]
pub enum Server {
    /// One that the bench starts for each measurement, on a store of its own.
    Own {
        /// Where its data directory is made, and removed again.
        below: PathBuf,
    },
    /// One that is there.
    Given(Given),
    /// One of the bench's own, and beside it one that is there.
    Both {
        /// As of [`Server::Own`].
        below: PathBuf,
        /// The other one.
        given: Given,
    },
}

/// A server that is there.
#[derive(Debug, Clone)]
pub struct Given {
    /// The base of its URLs.
    pub url: String,
    /// A token for the whole organisation.
    pub token: String,
    /// Its processes, if they can be looked at from here.
    pub processes: Vec<u32>,
}

impl Server {
    /// The one that is there.
    pub(crate) fn given(&self) -> Option<&Given> {
        match self {
            Self::Own { .. } => None,
            Self::Given(given) | Self::Both { given, .. } => Some(given),
        }
    }
}

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// This program, which is started again for each part.
    pub program: PathBuf,
    /// The server.
    pub server: Server,
    /// A receiver that is there; `None`: one of the bench's own.
    pub receiver: Option<String>,
    /// The ways.
    pub ways: Vec<Way>,
    /// Whether requests have idempotency keys: one value, or both.
    pub keys: Vec<bool>,
    /// Numbers of clients.
    pub clients: Vec<usize>,
    /// Numbers of the own server's nodes, on a private PostgreSQL; none: one server with an
    /// embedded store.
    pub nodes: Vec<u32>,
    /// Numbers of delivered messages that the own server's store holds before it is measured.
    pub stored: Vec<u64>,
    /// Whom the server also works for meanwhile.
    pub companies: Vec<Company>,
    /// What endpoints are given, measured beside each other; none: no more than a URL.
    pub options: Vec<EndpointOption>,
    /// How often everything is measured.
    pub rounds: usize,
    /// When nothing has arrived for so long, what has not is lost.
    pub patience: Duration,
    /// Whether lists and searches are read meanwhile.
    pub looks: bool,
    /// How long good requests come beside a flood of badly signed ones, after everything else;
    /// `None`: there is none. With it, receiver and relay get signed requests as well, so that the
    /// gateway's are no other.
    pub flood: Option<Duration>,
    /// Whether the own server is killed, and asked to end, and started again each time.
    pub restarts: bool,
    /// How much is sent.
    pub size: Size,
}

/// How much is sent in each measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// Messages.
    pub messages: u64,
    /// Bytes of each payload.
    pub payload_bytes: usize,
    /// Applications that the messages go to in turn.
    pub applications: u32,
    /// Endpoints that get each message.
    pub endpoints: u32,
    /// Further endpoints of each application, which want another event type.
    pub bystanders: u32,
    /// Messages in a request to the server; `None`: one, and no batch.
    pub batch: Option<u64>,
    /// Messages in a second; `None`: as many as are answered.
    pub rate: Option<u64>,
}

/// One kind of measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// The way.
    pub way: Way,
    /// Clients at a time.
    pub clients: usize,
    /// With idempotency keys.
    pub keys: bool,
    /// Nodes that share a PostgreSQL; none: one server with an embedded store.
    pub nodes: Option<u32>,
    /// Delivered messages in the store, each with an idempotency key; 0: a new, empty store.
    pub stored: u64,
    /// Whom the server also works for meanwhile.
    pub company: Company,
    /// What its endpoints are given; `None`: a URL, and a server of its own.
    pub option: Option<EndpointOption>,
}

impl Plan {
    /// Everything that each round measures, in this order. Keys, a store and company mean nothing
    /// to the first two ways and to the gateway: those are measured once, with keys, so that all
    /// requests are alike.
    pub fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for &clients in &self.clients {
            for way in self.ways() {
                let plain = Case::plain(way, clients);
                match way {
                    Way::Postrider | Way::Other => cases.extend(self.variants(plain)),
                    Way::Raw | Way::Relay | Way::Gateway => cases.push(plain),
                }
            }
        }
        cases
    }

    fn variants(&self, plain: Case) -> impl Iterator<Item = Case> {
        let nodes: Vec<_> = match self.nodes.as_slice() {
            [] => vec![None],
            nodes => nodes.iter().copied().map(Some).collect(),
        };
        let nodes = nodes.into_iter().map(move |nodes| Case { nodes, ..plain });
        let keys = nodes.flat_map(|case| {
            let keys = self.keys.iter();
            keys.map(move |&keys| Case { keys, ..case })
        });
        // Only the own server's store can be filled.
        let stored: &[u64] = match plain.way {
            Way::Postrider => &self.stored,
            _ => &[0],
        };
        let stored = keys.flat_map(move |case| {
            let stored = stored.iter();
            stored.map(move |&stored| Case { stored, ..case })
        });
        let companies = stored.flat_map(|case| {
            let companies = self.companies.iter();
            companies.map(move |&company| Case { company, ..case })
        });
        let options: Vec<_> = match self.options.as_slice() {
            [] => vec![None],
            options => options.iter().copied().map(Some).collect(),
        };
        companies.flat_map(move |case| {
            let options = options.clone().into_iter();
            options.map(move |option| Case { option, ..case })
        })
    }

    /// The ways, and beside the own server the other one.
    fn ways(&self) -> Vec<Way> {
        let other = matches!(self.server, Server::Both { .. }).then_some(Way::Other);
        let with_other = |&way| {
            let other = other.filter(|_| way == Way::Postrider);
            std::iter::once(way).chain(other)
        };
        self.ways.iter().flat_map(with_other).collect()
    }

    /// Whether it can be measured at all.
    ///
    /// # Errors
    /// A URL that can't be used; more deliveries than the receiver can tell apart; a history for a
    /// server that the bench does not start; fewer clients than nodes.
    pub fn check(&self) -> Result<(), BenchError> {
        let history = self.stored.iter().any(|&stored| stored > 0);
        if let Some(given) = self.server.given() {
            Place::parse(&given.url)?;
            if history {
                return Err(BenchError::StoredElsewhere);
            }
        }
        if let Some(url) = &self.receiver {
            Place::parse(url)?;
        }
        let fewest = self.clients.iter().copied().min().unwrap_or_default();
        if let Some(&nodes) = self.nodes.iter().find(|&&nodes| nodes as usize > fewest) {
            return Err(BenchError::TooFewClients {
                clients: fewest,
                nodes,
            });
        }
        self.check_gateway()?;
        if !self.options.is_empty() && (self.server.given().is_some() || self.receiver.is_some()) {
            return Err(BenchError::OptionsElsewhere);
        }
        let max = DELIVERIES_MAX;
        match self
            .size
            .messages
            .saturating_mul(self.size.endpoints.into())
        {
            0..=DELIVERIES_MAX => Ok(()),
            deliveries => Err(BenchError::TooMany { deliveries, max }),
        }
    }

    /// Sources are made on one server, which knows of them at once, and their endpoints want
    /// everything.
    fn check_gateway(&self) -> Result<(), BenchError> {
        if !self.ways.contains(&Way::Gateway) {
            return match self.flood {
                Some(_) => Err(BenchError::NothingToFlood),
                None => Ok(()),
            };
        }
        let without = |flag| Err(BenchError::NotOfTheGateway { flag });
        match self {
            Self { server, .. } if server.given().is_some() => without("--server"),
            Self { nodes, .. } if !nodes.is_empty() => without("--cluster"),
            Self { size, .. } if size.bystanders > 0 => without("--bystanders"),
            _ => Ok(()),
        }
    }
}

impl Case {
    /// A way with so many clients, and nothing special.
    pub(crate) fn plain(way: Way, clients: usize) -> Self {
        Self {
            way,
            clients,
            keys: true,
            nodes: None,
            stored: 0,
            company: Company::Nobody,
            option: None,
        }
    }
}

impl Size {
    /// The most messages that warm up what is measured.
    const WARM_UP_MAX: u64 = 5_000;

    /// Messages that go before, and are not counted: connections are made, lanes grow.
    pub(crate) fn warm_up(&self) -> u64 {
        let batch = self.batch.unwrap_or(1);
        (self.messages / 10)
            .min(Self::WARM_UP_MAX)
            .next_multiple_of(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(server: Server) -> Plan {
        Plan {
            program: PathBuf::new(),
            server,
            receiver: None,
            ways: vec![Way::Relay, Way::Postrider],
            keys: vec![true, false],
            clients: vec![256, 64],
            nodes: Vec::new(),
            stored: vec![0, 9],
            companies: vec![Company::Nobody],
            options: Vec::new(),
            looks: false,
            flood: None,
            restarts: false,
            rounds: 3,
            patience: Duration::ZERO,
            size: Size {
                messages: 105,
                payload_bytes: 1_024,
                applications: 1,
                endpoints: 1,
                bystanders: 0,
                batch: Some(7),
                rate: None,
            },
        }
    }

    #[test]
    fn another_server_is_measured_after_the_own_one_and_has_no_history() {
        let given = Given {
            url: "http://127.0.0.1:1".to_owned(),
            token: "t".to_owned(),
            processes: Vec::new(),
        };
        let below = PathBuf::new();
        let mut plan = plan(Server::Both { below, given });
        assert!(matches!(plan.check(), Err(BenchError::StoredElsewhere)));
        plan.stored = vec![0];
        plan.keys = vec![true];
        plan.clients = vec![1];
        let ways: Vec<_> = plan.cases().iter().map(|case| case.way).collect();
        assert_eq!(ways, [Way::Relay, Way::Postrider, Way::Other]);
        assert!(plan.check().is_ok());
    }

    #[test]
    fn the_ways_without_keys_are_measured_once_for_each_number_of_clients() {
        let plan = plan(Server::Own {
            below: PathBuf::new(),
        });
        let cases = plan.cases();
        let shown = |c: &Case| (c.way, c.clients, c.keys, c.stored);
        let shown: Vec<_> = cases.iter().map(shown).collect();
        let expected = [256, 64].map(|clients| {
            [
                (Way::Relay, clients, true, 0),
                (Way::Postrider, clients, true, 0),
                (Way::Postrider, clients, true, 9),
                (Way::Postrider, clients, false, 0),
                (Way::Postrider, clients, false, 9),
            ]
        });
        assert_eq!(shown, expected.concat());
        assert_eq!(plan.size.warm_up(), 14);
    }

    #[test]
    fn options_are_measured_on_the_own_server_alone() {
        let below = PathBuf::new();
        let mut plan = plan(Server::Own { below });
        (plan.ways, plan.keys, plan.clients) = (vec![Way::Postrider], vec![true], vec![2]);
        plan.stored = vec![0];
        plan.options = vec![EndpointOption::Plain, EndpointOption::Tls];
        let options: Vec<_> = plan.cases().iter().map(|case| case.option).collect();
        let expected = [EndpointOption::Plain, EndpointOption::Tls].map(Some);
        assert_eq!(options, expected);
        assert!(plan.check().is_ok());
        plan.receiver = Some("http://127.0.0.1:1".to_owned());
        assert!(matches!(plan.check(), Err(BenchError::OptionsElsewhere)));
    }

    #[test]
    fn the_gateway_is_measured_once_for_each_number_of_clients_and_on_one_server() {
        let below = PathBuf::new();
        let mut plan = plan(Server::Own { below });
        plan.flood = Some(Duration::from_secs(1));
        assert!(matches!(plan.check(), Err(BenchError::NothingToFlood)));
        plan.ways = vec![Way::Raw, Way::Gateway];
        let cases = plan.cases();
        let shown: Vec<_> = cases.iter().map(|case| (case.way, case.clients)).collect();
        let expected = [256, 64].map(|clients| [(Way::Raw, clients), (Way::Gateway, clients)]);
        assert_eq!(shown, expected.concat());
        assert!(plan.check().is_ok());
        plan.nodes = vec![1];
        let refused = plan.check().unwrap_err().to_string();
        assert!(refused.contains("--cluster"), "{refused}");
    }

    #[test]
    fn every_number_of_nodes_is_measured_with_as_many_clients_at_the_least() {
        let mut plan = plan(Server::Own {
            below: PathBuf::new(),
        });
        plan.nodes = vec![1, 4];
        plan.clients = vec![4];
        plan.keys = vec![true];
        let cases = plan.cases();
        let shown: Vec<_> = cases.iter().map(|case| (case.nodes, case.stored)).collect();
        let expected = [
            (None, 0),
            (Some(1), 0),
            (Some(1), 9),
            (Some(4), 0),
            (Some(4), 9),
        ];
        assert_eq!(shown, expected);
        assert!(plan.check().is_ok());
        plan.clients = vec![64, 3];
        let refused = plan.check();
        let expected = BenchError::TooFewClients {
            clients: 3,
            nodes: 4,
        };
        assert_eq!(refused.unwrap_err().to_string(), expected.to_string());
    }
}
