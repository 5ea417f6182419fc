//! Whom a server also works for while it is measured: endpoints that never answer, in the measured
//! applications or in another one with a backlog. They arrive after the warm-up, all at once, so
//! that the first second with them is measured too.

use crate::plan::Plan;
use crate::process::Listening;
use crate::tenants::Tenants;
use crate::{BenchError, dial::Place};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::str::FromStr;
use std::time::Duration;

/// Messages in a request that makes a backlog.
const BATCH: u64 = 100;
/// Between two looks at how large a backlog has become.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Who else is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// Nobody.
    Nobody,
    /// In each application so many further endpoints, that get the same messages and never answer.
    Hanging(u32),
    /// Another application with messages that wait.
    Backlog {
        /// How its endpoints don't answer.
        dead: Dead,
        /// So many endpoints.
        endpoints: u32,
        /// So many messages to each of them, made before anything is measured.
        messages: u64,
    },
}

/// How an endpoint doesn't answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dead {
    /// It takes connections and requests, and that is all.
    Hanging,
    /// It refuses connections.
    Refusing,
}

/// Company while it is there.
pub(crate) struct Present {
    /// The application with the backlog, by its path.
    pub(crate) application: Option<String>,
    /// What it made, by path: the application, or else its endpoints.
    made: Vec<String>,
    hanging: Option<Listening>,
}

impl Present {
    /// Takes away what it made. What waits for it in the server ends in its own time.
    pub(crate) async fn leave(self, tenants: &Tenants) -> Result<(), BenchError> {
        tenants.delete(&self.made).await?;
        if let Some(hanging) = self.hanging {
            hanging.stop().await;
        }
        Ok(())
    }
}

impl Company {
    /// Brings it into a server that has these applications.
    pub(crate) async fn arrive(
        self,
        plan: &Plan,
        tenants: &Tenants,
        applications: &[String],
    ) -> Result<Present, BenchError> {
        let hosts = match self {
            Self::Nobody => 0,
            Self::Hanging(each) => each * applications.len() as u32,
            Self::Backlog { endpoints, .. } => endpoints,
        };
        let hanging = match self {
            Self::Hanging(_)
            | Self::Backlog {
                dead: Dead::Hanging,
                ..
            } => Some(hanging(plan, hosts).await?),
            _ => None,
        };
        let port = match &hanging {
            Some(part) => Place::parse(part.url())?.port(),
            None => unused_port().map_err(BenchError::io("no port is free"))?,
        };
        let (application, made) = match self {
            Self::Nobody => (None, Vec::new()),
            Self::Hanging(_) => {
                let endpoints = tenants.dead_endpoints(applications, (hosts, port)).await?;
                (None, endpoints)
            }
            Self::Backlog { messages, .. } => {
                let made = tenants.applications(1).await?;
                let endpoints = tenants.dead_endpoints(&made, (hosts, port)).await?;
                fill(tenants, (&made[0], &endpoints), (plan, messages)).await?;
                (made.first().cloned(), made)
            }
        };
        Ok(Present {
            application,
            made,
            hanging,
        })
    }
}

/// A port that nobody listens on.
fn unused_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

async fn hanging(plan: &Plan, hosts: u32) -> Result<Listening, BenchError> {
    let hosts = hosts.to_string();
    let arguments = ["bench", "--part", "hanging", "--endpoints", &hosts];
    Listening::start(&plan.program, "what never answers", &arguments).await
}

/// Sends so many messages to an application, and waits until each endpoint has them all.
async fn fill(
    tenants: &Tenants,
    (application, endpoints): (&str, &[String]),
    (plan, messages): (&Plan, u64),
) -> Result<(), BenchError> {
    let mut control = tenants.control();
    let payload = json!({ "text": "x".repeat(plan.size.payload_bytes.saturating_sub(11)) });
    let message = json!({ "eventType": "bench.waits", "payload": payload });
    let path = format!("{application}/msg/batch");
    let mut left = messages;
    while left > 0 {
        let batch = vec![&message; left.min(BATCH) as usize];
        control.post(&path, &json!({ "messages": batch })).await?;
        left = left.saturating_sub(BATCH);
    }
    for endpoint in endpoints {
        while known(&control.get(&format!("{endpoint}/stats")).await?) < messages {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(())
}

/// How many deliveries an endpoint's statistics know of.
fn known(statistics: &Value) -> u64 {
    let counts = ["pending", "sending", "fail", "success"];
    counts
        .map(|name| statistics[name].as_u64().unwrap_or(0))
        .iter()
        .sum()
}

impl FromStr for Company {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse()
                .ok()
                .filter(|number| (1..=100_000).contains(number))
        };
        let parts: Vec<_> = text.split(':').collect();
        let parsed = match parts[..] {
            ["none"] => Some(Self::Nobody),
            ["hanging", each] => number(each).map(Self::Hanging),
            ["backlog", dead, endpoints, messages] => {
                let dead = match dead {
                    "hanging" => Some(Dead::Hanging),
                    "refusing" => Some(Dead::Refusing),
                    _ => None,
                };
                let numbers = dead.zip(number(endpoints)).zip(messages.parse().ok());
                numbers.map(|((dead, endpoints), messages)| Self::Backlog {
                    dead,
                    endpoints,
                    messages,
                })
            }
            _ => None,
        };
        parsed.ok_or_else(|| {
            "write none, hanging:ENDPOINTS, or backlog:hanging:ENDPOINTS:MESSAGES, or \
             backlog:refusing:ENDPOINTS:MESSAGES"
                .to_owned()
        })
    }
}

impl fmt::Display for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("none"),
            Self::Hanging(each) => write!(f, "hanging:{each}"),
            Self::Backlog {
                dead,
                endpoints,
                messages,
            } => {
                let dead = match dead {
                    Dead::Hanging => "hanging",
                    Dead::Refusing => "refusing",
                };
                write!(f, "backlog:{dead}:{endpoints}:{messages}")
            }
        }
    }
}

impl Serialize for Company {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_is_written_as_it_is_read() {
        for text in [
            "none",
            "hanging:5",
            "backlog:hanging:500:2000",
            "backlog:refusing:1:100000",
        ] {
            let company: Company = text.parse().expect(text);
            assert_eq!(company.to_string(), text);
        }
        for wrong in [
            "",
            "hanging",
            "hanging:0",
            "hanging:x",
            "backlog:slow:1:1",
            "backlog:hanging:1",
        ] {
            assert!(wrong.parse::<Company>().is_err(), "{wrong}");
        }
    }
}
