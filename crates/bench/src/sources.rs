//! Sources with endpoints, made through a server's API before the gateway is measured. Each has an
//! application of its own.

use crate::BenchError;
use crate::tenants::{APPLICATIONS, Tenants, Wanted};
use http::Uri;
use serde_json::{Value, json};

/// Where sources are made.
const SOURCES: &str = "/ingest/api/v1/source";

/// Sources that were made.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    /// The paths that their requests are posted to.
    pub(crate) inbound: Vec<String>,
    /// Their applications, by their paths.
    pub(crate) applications: Vec<String>,
}

impl Tenants {
    /// Makes so many sources of Standard Webhooks with this secret, each with endpoints.
    pub(crate) async fn sources(
        &self,
        count: u32,
        secret: &str,
        wanted: Wanted,
    ) -> Result<Sources, BenchError> {
        let config = json!({ "secret": secret });
        let source = json!({"name": "bench", "type": "standard-webhooks", "config": config});
        let call = move |_| (SOURCES.to_owned(), source.clone());
        let sources = self.make(count.into(), call).await?;
        let (each, of) = (wanted.numbers.len() as u64, sources.clone());
        let call = move |number: u64| {
            let source = &of[(number / each) as usize];
            (format!("{source}/endpoint"), wanted.endpoint(number % each))
        };
        self.make(each * sources.len() as u64, call).await?;
        let mut control = self.control();
        let mut inbound = Vec::with_capacity(sources.len());
        for source in &sources {
            inbound.push(inbound_path(source, &control.get(source).await?)?);
        }
        let application = |source: &String| source.replacen(SOURCES, APPLICATIONS, 1);
        Ok(Sources {
            inbound,
            applications: sources.iter().map(application).collect(),
        })
    }
}

/// The path of a source's inbound URL.
fn inbound_path(source: &str, shown: &Value) -> Result<String, BenchError> {
    let url = shown["ingestUrl"].as_str().map(str::parse::<Uri>);
    match url {
        Some(Ok(url)) => Ok(url.path().to_owned()),
        _ => Err(BenchError::Strange {
            request: format!("GET {source}"),
            missing: "an inbound URL",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_posted_to_the_path_of_the_inbound_url() {
        let shown = json!({"ingestUrl": "https://hooks.example/in/abc"});
        assert_eq!(inbound_path("/x", &shown).unwrap(), "/in/abc");
        let refused = inbound_path("/x", &json!({})).unwrap_err().to_string();
        assert_eq!(refused, "GET /x was answered without an inbound URL");
    }
}
