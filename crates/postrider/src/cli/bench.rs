//! What can be typed after `bench`.

use bench::{Company, EndpointOptions, Given, Plan, Server, Way, plan};
use clap::builder::ArgPredicate;
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// So many seeds at a time.
const SEEDS_MAX: u64 = 1_000;

/// `bench`.
#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Measure the server at this URL (http://HOST:PORT) instead of one of the bench's own
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Measure that server beside one of the bench's own, in the same rounds
    #[arg(long, requires = "server")]
    pub(crate) beside: bool,
    /// An admin token of that server: better in POSTRIDER_TOKEN, or `-` for standard input
    #[arg(long, value_name = "T", requires = "server")]
    pub(crate) token: Option<String>,
    /// A process of that server, whose CPU and memory are counted (repeatable)
    #[arg(long, value_name = "PID", requires = "server", value_delimiter = ',')]
    pub(crate) pid: Vec<u32>,
    /// Measure so many nodes on a private PostgreSQL, which must be installed; several numbers are
    /// measured side by side
    #[arg(long, value_name = "N", value_delimiter = ',')]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=64))]
    #[arg(conflicts_with_all = ["server", "restarts", "only_receive"])]
    pub(crate) cluster: Vec<u32>,
    /// Measure what endpoints cost that are given more than a URL (certificates, credentials,
    /// encryption, redaction, signatures), beside those that are not; after `=`, only some of them:
    /// pins,mtls
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "all")]
    #[arg(conflicts_with_all = ["server", "cluster", "receiver", "only_receive", "ways", "stored"])]
    #[arg(conflicts_with_all = ["company", "bystanders", "looks", "restarts"])]
    pub(crate) options: Option<EndpointOptions>,
    /// Measure the receiving gateway: signed requests through a source, verified, stored and
    /// forwarded, beside the relay; then good requests beside a flood of badly signed ones
    #[arg(long)]
    #[arg(conflicts_with_all = ["server", "cluster", "options", "receiver", "only_receive"])]
    #[arg(conflicts_with_all = ["stored", "company", "bystanders", "looks", "restarts"])]
    #[arg(conflicts_with_all = ["batch", "rate"])]
    pub(crate) receive: bool,
    /// How long good requests come without the flood of --receive, and again with it
    #[arg(long, value_name = "S", requires = "receive", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=120))]
    pub(crate) flood_seconds: u64,
    /// Measure what the rules of detection find in made-up traffic: four quiet weeks, and a day
    /// with 20 labelled incidents
    #[arg(long)]
    #[arg(conflicts_with_all = ["server", "cluster", "options", "receive", "receiver", "only_receive"])]
    #[arg(conflicts_with_all = ["stored", "company", "bystanders", "looks", "restarts", "data_dir"])]
    #[arg(conflicts_with_all = ["batch", "rate"])]
    pub(crate) detection: bool,
    /// Measure how long pages take with --messages stored: each is asked for by somebody who is
    /// signed in
    #[arg(long)]
    #[arg(conflicts_with_all = ["server", "options", "receive", "detection", "receiver"])]
    #[arg(conflicts_with_all = ["only_receive", "stored", "company", "looks", "restarts", "batch"])]
    #[arg(conflicts_with_all = ["rate", "ways", "keys", "clients", "rounds"])]
    pub(crate) pages: bool,
    /// The seed that --detection makes its traffic from
    #[arg(
        long,
        value_name = "N",
        requires = "detection",
        conflicts_with = "seeds"
    )]
    pub(crate) seed: Option<u64>,
    /// Several seeds, each measured by itself. What thresholds were set by are 1-5
    #[arg(
        long,
        value_name = "FROM-TO",
        requires = "detection",
        default_value = "6-10"
    )]
    pub(crate) seeds: Seeds,
    /// Messages in each measurement; with --options, 10000 where nothing is said; with --pages,
    /// those that are stored, 1000000 where nothing is said
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    #[arg(default_value_if("options", ArgPredicate::IsPresent, "10000"))]
    #[arg(default_value_if("pages", ArgPredicate::Equals("true".into()), "1000000"))]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) messages: u64,
    /// Clients at a time, each with one request open; several numbers are measured side by side;
    /// with --options, 64 where nothing is said
    #[arg(
        long,
        value_name = "N",
        default_value = "256,64",
        value_delimiter = ','
    )]
    #[arg(default_value_if("options", ArgPredicate::IsPresent, "64"))]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) clients: Vec<u16>,
    /// Bytes of each payload
    #[arg(long, value_name = "BYTES", default_value_t = 1_024)]
    #[arg(value_parser = clap::value_parser!(u32).range(plan::PAYLOAD_MIN as i64..=1 << 24))]
    pub(crate) payload: u32,
    /// Applications that the messages go to in turn
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) applications: u32,
    /// Endpoints that get each message
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) endpoints: u32,
    /// Further endpoints of each application, which want another event type
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) bystanders: u32,
    /// Delivered messages, each with an idempotency key, that the own server's store is filled with
    /// before it is measured; several numbers are measured side by side
    #[arg(long, value_name = "N", default_value = "0", value_delimiter = ',')]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    pub(crate) stored: Vec<u64>,
    /// Whom the server also works for meanwhile: none, hanging:N (in each application N further
    /// endpoints that never answer), backlog:hanging:N:M or backlog:refusing:N:M (another
    /// application with N such endpoints, and M messages that wait for each); several are measured
    /// side by side
    #[arg(
        long,
        value_name = "WHOM",
        default_value = "none",
        value_delimiter = ','
    )]
    pub(crate) company: Vec<Company>,
    /// Read lists and searches meanwhile, and measure them
    #[arg(long)]
    pub(crate) looks: bool,
    /// Kill the own server afterwards and start it again, and once more after a clean end
    #[arg(long, conflicts_with = "server")]
    pub(crate) restarts: bool,
    /// Post batches of N messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) batch: Option<u64>,
    /// Send so many messages a second, whether or not they are answered, instead of as many as are
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rate: Option<u64>,
    /// How long to send at that rate; in place of --messages
    #[arg(long, value_name = "S", requires = "rate", conflicts_with = "messages")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: Option<u64>,
    /// Send idempotency keys as client libraries do, or none
    #[arg(long, value_enum, default_value = "both")]
    #[arg(default_value_if("options", ArgPredicate::IsPresent, "auto"))]
    pub(crate) keys: KeysArg,
    /// Which ways to measure; with --receive, raw,relay,gateway where nothing is said
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "raw,relay,postrider"
    )]
    #[arg(default_value_if("receive", ArgPredicate::Equals("true".into()), "raw,relay,gateway"))]
    pub(crate) ways: Vec<WayArg>,
    /// How often everything is measured; the medians are shown
    #[arg(long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) rounds: u16,
    /// What has not arrived when nothing has for so many seconds is lost
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) patience: u64,
    /// Where the own server's temporary data directory, or that of the private PostgreSQL, is made:
    /// on the disk that matters
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Deliver to the receiver at this URL, which `bench --only-receive` started
    #[arg(long, value_name = "URL")]
    pub(crate) receiver: Option<String>,
    /// Only receive, for a bench that runs elsewhere
    #[arg(long, conflicts_with_all = ["server", "receiver"])]
    pub(crate) only_receive: bool,
    /// Address that --only-receive listens on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Run as a part of a bench
    #[arg(long, hide = true)]
    pub(crate) part: Option<BenchPart>,
    /// The database that a part fills
    #[arg(long, hide = true, value_name = "URL", requires = "part")]
    pub(crate) database: Option<String>,
    /// Where the certificates are that a part shows
    #[arg(long, hide = true, value_name = "DIR", requires = "part")]
    pub(crate) certificates: Option<PathBuf>,
    /// What a part becomes
    #[arg(last = true, hide = true, requires = "part")]
    pub(crate) command: Vec<OsString>,
}

/// Some seeds, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) RangeInclusive<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) if first <= last && last - first < SEEDS_MAX => first..=last,
            _ => {
                return Err(format!(
                    "write one number or two, the smaller first, as 6-10: at most {SEEDS_MAX} seeds"
                ));
            }
        };
        Ok(Self(range))
    }
}

/// What the bench starts its own program again for.
#[derive(ValueEnum, Clone, Copy)]
pub(crate) enum BenchPart {
    /// The load client.
    Load,
    /// The receiver.
    Receiver,
    /// The relay.
    Relay,
    /// The flooder.
    Flood,
    /// Receivers that never answer.
    Hanging,
    /// What holds a private PostgreSQL.
    Database,
    /// What fills it.
    Fill,
    /// One of its nodes.
    Node,
}

/// With idempotency keys or without.
#[derive(ValueEnum, Clone, Copy)]
pub(crate) enum KeysArg {
    /// With a key of its own for each request.
    Auto,
    /// Without.
    None,
    /// One after the other.
    Both,
}

/// The ways.
#[derive(ValueEnum, Clone, Copy)]
pub(crate) enum WayArg {
    /// Straight to the receiver.
    Raw,
    /// Through a relay that stores and signs nothing.
    Relay,
    /// Through the server.
    Postrider,
    /// Signed requests through the server's sources.
    Gateway,
}

impl BenchArgs {
    /// What is to be measured, by `program` as its parts; what the own servers store is made below
    /// a directory.
    pub(crate) fn plan(&self, program: PathBuf, below: PathBuf, token: Option<String>) -> Plan {
        Plan {
            program,
            server: self.servers(below, token),
            receiver: self.receiver.clone(),
            ways: self.ways(),
            keys: match self.keys {
                KeysArg::Auto => vec![true],
                KeysArg::None => vec![false],
                KeysArg::Both => vec![true, false],
            },
            clients: self.clients.iter().map(|&clients| clients.into()).collect(),
            nodes: BTreeSet::from_iter(self.cluster.iter().copied())
                .into_iter()
                .collect(),
            stored: BTreeSet::from_iter(self.stored.iter().copied())
                .into_iter()
                .collect(),
            companies: self.company.clone(),
            options: match &self.options {
                Some(options) => options.list().to_vec(),
                None => Vec::new(),
            },
            rounds: self.rounds.into(),
            patience: Duration::from_secs(self.patience),
            looks: self.looks,
            flood: self
                .receive
                .then_some(Duration::from_secs(self.flood_seconds)),
            restarts: self.restarts,
            size: self.size(),
        }
    }

    /// Options are those of a server's endpoints.
    fn ways(&self) -> Vec<Way> {
        match self.options {
            Some(_) => vec![Way::Postrider],
            None => self.ways.iter().map(|way| way.way()).collect(),
        }
    }

    /// The seeds of made-up traffic.
    pub(crate) fn seeds(&self) -> RangeInclusive<u64> {
        self.seed
            .map_or_else(|| self.seeds.0.clone(), |one| one..=one)
    }

    /// Why these flags make no sense together.
    pub(crate) fn contradiction(&self) -> Option<&'static str> {
        let own = self.server.is_none() || self.beside;
        (self.data_dir.is_some() && !own).then_some(
            "--data-dir is for the bench's own server: leave --server out, or add --beside",
        )
    }

    fn servers(&self, below: PathBuf, token: Option<String>) -> Server {
        let (Some(url), Some(token)) = (self.server.clone(), token) else {
            return Server::Own { below };
        };
        let processes = self.pid.clone();
        let given = Given {
            url,
            token,
            processes,
        };
        if self.beside {
            Server::Both { below, given }
        } else {
            Server::Given(given)
        }
    }

    /// Whole batches only.
    fn size(&self) -> plan::Size {
        let messages = match (self.rate, self.seconds) {
            (Some(rate), Some(seconds)) => rate * seconds,
            _ => self.messages,
        };
        plan::Size {
            messages: messages.next_multiple_of(self.batch.unwrap_or(1)),
            payload_bytes: self.payload as usize,
            applications: self.applications,
            endpoints: self.endpoints,
            bystanders: self.bystanders,
            batch: self.batch,
            rate: self.rate,
        }
    }
}

impl WayArg {
    fn way(self) -> Way {
        match self {
            Self::Raw => Way::Raw,
            Self::Relay => Way::Relay,
            Self::Postrider => Way::Postrider,
            Self::Gateway => Way::Gateway,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_one_or_from_one_to_another() {
        for (text, expected) in [
            ("6-10", Some(6..=10)),
            ("7", Some(7..=7)),
            ("10-6", None),
            ("1-1001", None),
            ("1-1000", Some(1..=1_000)),
            ("-", None),
            ("a-b", None),
        ] {
            let seeds = text.parse::<Seeds>().ok().map(|seeds| seeds.0);
            assert_eq!(seeds, expected, "{text}");
        }
    }
}
