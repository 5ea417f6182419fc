//! Why something could not be measured.

use crate::EndpointOption;
use http::StatusCode;
use std::io;
use std::time::Duration;

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A URL that can't be used.
    #[error("`{url}` can't be used: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What would be right.
        reason: &'static str,
    },
    /// More than the receiver can tell apart.
    #[error("{deliveries} deliveries are too many: send at most {max} in a measurement")]
    TooMany {
        /// How many.
        deliveries: u64,
        /// The limit.
        max: u64,
    },
    /// Nodes that nobody would send to.
    #[error("{clients} clients can't reach all of {nodes} nodes: give --clients {nodes} or more")]
    TooFewClients {
        /// How many.
        clients: usize,
        /// How many.
        nodes: u32,
    },
    /// A history for a server that the bench does not start.
    #[error("--stored fills the store of the bench's own server: leave --server out, or --stored")]
    StoredElsewhere,
    /// Options for a server that the bench does not start.
    #[error("--options are measured on the bench's own server: leave --server out, or --options")]
    OptionsElsewhere,
    /// What the gateway is not measured with.
    #[error(
        "the gateway is measured on one server of the bench's own, to which {flag} means nothing: \
         leave {flag} out, or the gateway"
    )]
    NotOfTheGateway {
        /// What was asked for.
        flag: &'static str,
    },
    /// A flood for no gateway.
    #[error("a flood is one of the gateway: with --receive, name `gateway` among the --ways")]
    NothingToFlood,
    /// A page about something that the bench makes none of.
    #[error("no page can be asked for at {path}: the bench has no id for {{{name}}}")]
    Unnamed {
        /// The page's path.
        path: String,
        /// What it names.
        name: String,
    },
    /// Certificates or keys could not be made, or not be used.
    #[error("certificates and keys can't be made")]
    Certificates {
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Deliveries that are not as their endpoint's option has them.
    #[error("deliveries to an endpoint with the option `{option}` don't show it")]
    NotShown {
        /// The option.
        option: EndpointOption,
    },
    /// A store could not be filled.
    #[error("{missing} messages that were to fill the store were never delivered")]
    NotFilled {
        /// How many.
        missing: u64,
    },
    /// A process could not be started.
    #[error("{part} can't be started")]
    Start {
        /// Which one.
        part: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A process ended, or said something that makes no sense.
    #[error("{part} ended before it was done:\n{log}")]
    Ended {
        /// Which one.
        part: &'static str,
        /// What it said.
        log: String,
    },
    /// A process was not ready in time.
    #[error("{part} was not ready within {limit:?}")]
    NotReady {
        /// Which one.
        part: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// A request was not answered as it has to be.
    #[error("{request} was answered {status}: {text}")]
    Refused {
        /// What was asked.
        request: String,
        /// The status.
        status: StatusCode,
        /// The beginning of the answer.
        text: String,
    },
    /// An answer that makes no sense.
    #[error("{request} was answered without {missing}")]
    Strange {
        /// What was asked.
        request: String,
        /// What is not in the answer.
        missing: &'static str,
    },
    /// The load client gave up.
    #[error("the load client gave up: {0}")]
    Load(String),
    /// Nobody could be reached, or a connection broke.
    #[error("{address} can't be reached")]
    Connect {
        /// Who.
        address: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// HTTP went wrong.
    #[error("a request failed")]
    Http(#[from] hyper::Error),
    /// An answer that is not what was asked for.
    #[error("an answer can't be read")]
    Json(#[from] serde_json::Error),
    /// Something else of the system's.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        cause: io::Error,
    },
}

impl BenchError {
    /// For `map_err`.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { what, cause }
    }

    /// An answer that says no, with its beginning.
    pub(crate) fn refused(request: impl Into<String>, status: StatusCode, body: &[u8]) -> Self {
        const SHOWN_MAX: usize = 300;
        let text = String::from_utf8_lossy(&body[..body.len().min(SHOWN_MAX)]);
        Self::Refused {
            request: request.into(),
            status,
            text: text.escape_debug().to_string(),
        }
    }
}
