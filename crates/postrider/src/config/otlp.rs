//! The collector that metrics and traces are sent to, by OTLP over HTTP: the one that the operator
//! names, and nobody else's choice.

use super::checked::{ConfigError, wrong};
use super::options::Options;
use model::address::{AddressPolicy, AllowRule};

/// What is said to whoever wants of this build what it hasn't.
const NOT_IN_THIS_BUILD: &str = "this build has no OTLP export: use one with the cargo feature \
     `otlp` (cargo build --release --features otlp), or leave this out";

/// Where telemetry goes, and how much of it.
#[derive(Clone, Debug)]
pub(crate) struct Otlp {
    /// What the paths of metrics and traces are added to. It may hold a password.
    pub(crate) endpoint: url::Url,
    /// Which share of the traces that are begun here is recorded; 0: no trace at all is.
    pub(crate) traces: f64,
}

impl Otlp {
    pub(super) fn from_options(options: &Options) -> Result<Option<Self>, ConfigError> {
        let built_in = cfg!(feature = "otlp");
        let traces = options.otlp_traces.unwrap_or_default();
        let Some(endpoint) = &options.otlp_endpoint else {
            return match options.otlp_traces {
                Some(_) if !built_in => Err(wrong("otlp_traces")(NOT_IN_THIS_BUILD)),
                Some(share) if share > 0.0 => Err(wrong("otlp_endpoint")(
                    "`otlp_traces` is of no use without it: name the collector",
                )),
                _ => Ok(None),
            };
        };
        if !built_in {
            return Err(wrong("otlp_endpoint")(NOT_IN_THIS_BUILD));
        }
        if !(0.0..=1.0).contains(&traces) {
            let reason = "it is a share, from 0 (no traces) to 1 (all that are begun here)";
            return Err(wrong("otlp_traces")(reason));
        }
        let endpoint = endpoint_of(endpoint).map_err(wrong("otlp_endpoint"))?;
        Ok(Some(Self { endpoint, traces }))
    }

    /// What may be called: the collector's port, wherever its name leads, since the operator chose
    /// it. Nothing else is called by this.
    pub(crate) fn policy(&self) -> AddressPolicy {
        let port = self.endpoint.port_or_known_default().unwrap_or_default();
        let rules = match self.endpoint.host() {
            Some(url::Host::Ipv4(address)) => vec![format!("{address}:{port}")],
            Some(url::Host::Ipv6(address)) => vec![format!("[{address}]:{port}")],
            _ => vec![format!("0.0.0.0/0:{port}"), format!("[::/0]:{port}")],
        };
        let rules = rules.iter().map(|rule| rule.parse::<AllowRule>());
        AddressPolicy {
            allow_http: true,
            allow: rules.filter_map(Result::ok).collect(),
            ..AddressPolicy::default()
        }
    }

    /// Where this kind of telemetry goes.
    pub(crate) fn url(&self, signal: &str) -> String {
        let base = self.endpoint.as_str().trim_end_matches('/');
        format!("{base}/v1/{signal}")
    }
}

fn endpoint_of(text: &str) -> Result<url::Url, String> {
    let no_url = "it is an http or https URL without query or fragment, such as \
                  http://127.0.0.1:4318";
    let url = url::Url::parse(text).map_err(|_| no_url)?;
    let is_http = matches!(url.scheme(), "http" | "https");
    if !is_http || url.query().is_some() || url.fragment().is_some() {
        return Err(no_url.into());
    }
    let otlp = Otlp {
        endpoint: url,
        traces: 0.0,
    };
    let checked = otlp.policy().check_url(&otlp.url("metrics"));
    checked.map_err(|refusal| refusal.to_string())?;
    Ok(otlp.endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Option<Otlp>, String> {
        let options: Options = toml::from_str(text).unwrap();
        Otlp::from_options(&options).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_exported_unless_it_is_asked_for() {
        assert!(check("").unwrap().is_none());
    }

    #[cfg(not(feature = "otlp"))]
    #[test]
    fn a_build_without_export_says_which_has_it() {
        for text in [
            "otlp_endpoint = 'http://127.0.0.1:4318'",
            "otlp_traces = 0.5",
        ] {
            let error = check(text).err().unwrap();
            assert!(error.contains("--features otlp"), "{text}: {error}");
        }
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn a_collector_is_a_url_and_traces_are_a_share() {
        for (url, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://[fd00::1]:4318/", "http://[fd00::1]:4318/v1/traces"),
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            (
                "https://otlp.example.com/a/",
                "https://otlp.example.com/a/v1/traces",
            ),
        ] {
            let otlp = check(&format!("otlp_endpoint = '{url}'\notlp_traces = 1"));
            let otlp = otlp.unwrap().expect("it is given");
            assert_eq!((otlp.url("traces").as_str(), otlp.traces), (expected, 1.0));
            let checked = otlp.policy().check_url(expected);
            assert!(checked.is_ok(), "{url}: {checked:?}");
            let elsewhere = otlp.policy().check_url("http://169.254.169.254/");
            assert!(elsewhere.is_err(), "{url}");
        }
        for (text, expected) in [
            ("otlp_traces = 0.5", "`otlp_endpoint`"),
            ("otlp_endpoint = 'collector:4318'", "http or https URL"),
            ("otlp_endpoint = 'http://c:4318/?a=b'", "without query"),
            (
                "otlp_endpoint = 'http://c:4318'\notlp_traces = 1.5",
                "a share",
            ),
            (
                "otlp_endpoint = 'http://c:4318'\notlp_traces = nan",
                "a share",
            ),
        ] {
            let error = check(text).err().unwrap();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
