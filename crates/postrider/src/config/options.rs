//! The options as they are given: each can come from a flag, from the environment
//! (`POSTRIDER_…`), or from the configuration file; nothing is checked or defaulted here.

use clap::Args;
use serde::Deserialize;
use std::num::ParseIntError;
use std::path::PathBuf;
use std::str::FromStr;

/// Declares the options once; flag, variable and key of the file follow from the field's name, and
/// so does the list that unknown keys are held against.
macro_rules! options {
    ($($(#[doc = $doc:literal])* $([$($arg:tt)*])? $name:ident: $kind:ty, $env:literal;)*) => {
        /// Every option that `serve` knows, unset where nobody gave it.
        #[derive(Args, Deserialize, Default, Clone)]
        #[serde(default)]
        pub(crate) struct Options {
            $($(#[doc = $doc])*
            // Help is read over shoulders and copied into tickets: it shows no variable's value.
            #[arg(long, env = $env, hide_env_values = true, $($($arg)*)?)]
            pub(crate) $name: Option<$kind>,)*
        }

        impl Options {
            /// The names of all options, as in the file.
            pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];

            /// How the file has to write the value of an option; `None` if there is none of this
            /// name.
            pub(crate) fn written_as(name: &str) -> Option<&'static str> {
                let all = [$((stringify!($name), <$kind as Written>::WRITTEN_AS)),*];
                all.into_iter().find(|(one, _)| *one == name).map(|(_, words)| words)
            }

            /// These options, and where they are unset those of `other`.
            pub(crate) fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name)),* }
            }
        }
    };
}

options! {
    /// Address to listen on
    [value_name = "ADDR"] listen: String, "POSTRIDER_LISTEN";
    /// Address that incoming webhooks arrive at, instead of the API's own
    [value_name = "ADDR"] ingest_listen: String, "POSTRIDER_INGEST_LISTEN";
    /// Address of the operator's pages, instead of the API's own; a port alone is on loopback
    [value_name = "ADDR"] admin_listen: String, "POSTRIDER_ADMIN_LISTEN";
    /// Address that monitoring reads /metrics at, without a token; a port alone is on loopback
    [value_name = "ADDR"] metrics_listen: String, "POSTRIDER_METRICS_LISTEN";
    /// Proxies that are believed when they say on whose behalf they send (repeatable)
    [value_name = "CIDR", value_delimiter = ','] trusted_proxy: Vec<String>, "POSTRIDER_TRUSTED_PROXY";
    /// Directory of the embedded store and the keys, made at the first start
    [value_name = "DIR"] data_dir: PathBuf, "POSTRIDER_DATA_DIR";
    /// PostgreSQL database that several nodes share, instead of the embedded store
    [value_name = "URL"] database_url: String, "POSTRIDER_DATABASE_URL";
    /// The same database without the pooler that --database-url leads to
    [value_name = "URL"] database_direct_url: String, "POSTRIDER_DATABASE_DIRECT_URL";
    /// What this node does, if others share the database: api, deliver, or both
    [value_name = "ROLE", value_delimiter = ','] role: Vec<String>, "POSTRIDER_ROLE";
    /// Base of every link that Postrider hands out, such as <https://hooks.example.com>
    [value_name = "URL"] public_url: String, "POSTRIDER_PUBLIC_URL";
    /// PEM file with the certificate of the API's own listener, and its chain: it speaks HTTPS then
    [value_name = "FILE"] tls_cert: PathBuf, "POSTRIDER_TLS_CERT";
    /// PEM file with the key of that certificate
    [value_name = "FILE"] tls_key: PathBuf, "POSTRIDER_TLS_KEY";
    /// File with the master key (base64 of 32 bytes) instead of the one in the data directory
    [value_name = "FILE"] master_key_file: PathBuf, "POSTRIDER_MASTER_KEY_FILE";
    /// Program, with its arguments, that prints the master key; run without a shell
    [value_name = "COMMAND"] master_key_command: String, "POSTRIDER_MASTER_KEY_COMMAND";
    /// File with the other master key, while one gives way to another
    [value_name = "FILE"] previous_master_key_file: PathBuf, "POSTRIDER_PREVIOUS_MASTER_KEY_FILE";
    /// Program that prints the other master key
    [value_name = "COMMAND"] previous_master_key_command: String, "POSTRIDER_PREVIOUS_MASTER_KEY_COMMAND";
    /// File with the key that tokens are signed with instead of the one in the data directory
    [value_name = "FILE"] token_key_file: PathBuf, "POSTRIDER_TOKEN_KEY_FILE";
    /// Deliver to http URLs too
    [num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL"]
    allow_http: bool, "POSTRIDER_ALLOW_HTTP";
    /// Deliver to these addresses although they are not public (repeatable)
    [value_name = "CIDR[:PORT]", value_delimiter = ','] allow_destination: Vec<String>, "POSTRIDER_ALLOW_DESTINATION";
    /// For development on this machine: http and loopback allowed, prints a token
    [num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL"]
    dev: bool, "POSTRIDER_DEV";
    /// How long the body of a request may take to arrive
    [value_name = "DURATION"] body_timeout: String, "POSTRIDER_BODY_TIMEOUT";
    /// How long what is in flight may take to end at shutdown
    [value_name = "DURATION"] drain_timeout: String, "POSTRIDER_DRAIN_TIMEOUT";
    /// HTTP proxy (CONNECT) that deliveries go through
    [value_name = "URL"] egress_proxy: String, "POSTRIDER_EGRESS_PROXY";
    /// PEM file of certificate authorities to trust beside the system's
    [value_name = "FILE"] trusted_roots: PathBuf, "POSTRIDER_TRUSTED_ROOTS";
    /// Name that the portal's pages bear
    [value_name = "NAME"] portal_name: String, "POSTRIDER_PORTAL_NAME";
    /// Colours of the portal's links on light and on dark pages, such as #1d4ed8,#93b4ff
    [value_name = "COLOUR", value_delimiter = ','] portal_colours: Vec<String>, "POSTRIDER_PORTAL_COLOURS";
    /// Image that the portal's pages show beside their name: PNG, JPEG or WebP
    [value_name = "FILE"] portal_logo: PathBuf, "POSTRIDER_PORTAL_LOGO";
    /// Origins whose pages may have the portal in a frame (repeatable)
    [value_name = "ORIGIN", value_delimiter = ','] portal_frame_ancestors: Vec<String>, "POSTRIDER_PORTAL_FRAME_ANCESTORS";
    /// Mail server for alerts: smtps://USER@HOST:PORT, or smtp:// for STARTTLS
    [value_name = "URL"] smtp_url: String, "POSTRIDER_SMTP_URL";
    /// Address that alerts by e-mail come from
    [value_name = "ADDRESS"] smtp_from: String, "POSTRIDER_SMTP_FROM";
    /// File with the password of the mail server's user
    [value_name = "FILE"] smtp_password_file: PathBuf, "POSTRIDER_SMTP_PASSWORD_FILE";
    /// Speak to the mail server of an smtp:// URL in clear, without a user
    [num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL"]
    smtp_insecure: bool, "POSTRIDER_SMTP_INSECURE";
    /// Identity provider that people sign in to the pages by (OpenID Connect), as it calls itself
    [value_name = "URL"] oidc_issuer: String, "POSTRIDER_OIDC_ISSUER";
    /// What this server is called there
    [value_name = "ID"] oidc_client_id: String, "POSTRIDER_OIDC_CLIENT_ID";
    /// File with the secret by which it is known there; without one it is a public client
    [value_name = "FILE"] oidc_client_secret_file: PathBuf, "POSTRIDER_OIDC_CLIENT_SECRET_FILE";
    /// What is asked for beside `openid` (repeatable)
    [value_name = "SCOPE", value_delimiter = ','] oidc_scope: Vec<String>, "POSTRIDER_OIDC_SCOPE";
    /// Hosts of the provider's beside the issuer's own (repeatable)
    [value_name = "HOST[:PORT]", value_delimiter = ','] oidc_host: Vec<String>, "POSTRIDER_OIDC_HOST";
    /// Where the provider sends people back to, if not below the public URL
    [value_name = "URL"] oidc_redirect_url: String, "POSTRIDER_OIDC_REDIRECT_URL";
    /// Collector that metrics and traces are sent to, by OTLP over HTTP (with the feature `otlp`)
    [value_name = "URL"] otlp_endpoint: String, "POSTRIDER_OTLP_ENDPOINT";
    /// Which share of traces is recorded and sent there, from 0 to 1
    [value_name = "RATIO"] otlp_traces: f64, "POSTRIDER_OTLP_TRACES";
    /// Waits between attempts in seconds, comma-separated; empty: one try
    [value_name = "SECONDS"] retry_schedule: Waits, "POSTRIDER_RETRY_SCHEDULE";
    /// Time to connect to an endpoint
    [value_name = "DURATION"] connect_timeout: String, "POSTRIDER_CONNECT_TIMEOUT";
    /// Time for a whole attempt, the response's body included
    [value_name = "DURATION"] request_timeout: String, "POSTRIDER_REQUEST_TIMEOUT";
    /// Disable an endpoint that has been failing for this long
    [value_name = "DURATION"] disable_after: String, "POSTRIDER_DISABLE_AFTER";
    /// Attempts in flight over all endpoints
    [value_name = "N"] attempts_in_flight_max: usize, "POSTRIDER_ATTEMPTS_IN_FLIGHT_MAX";
    /// Attempts in flight to one host over all applications
    [value_name = "N"] attempts_per_host_max: usize, "POSTRIDER_ATTEMPTS_PER_HOST_MAX";
    /// Names of the signature headers: webhook, svix or both
    [value_name = "FAMILY"] header_family: String, "POSTRIDER_HEADER_FAMILY";
    /// Kind of generated signing secrets: hmac or ed25519
    [value_name = "KIND"] default_signature: String, "POSTRIDER_DEFAULT_SIGNATURE";
    /// Seal payloads, and what receivers answer, in the store
    [num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL"]
    encrypt_payloads: bool, "POSTRIDER_ENCRYPT_PAYLOADS";
    /// How long messages and attempts are kept
    [value_name = "DURATION"] retention: String, "POSTRIDER_RETENTION";
    /// How long the audit log is kept
    [value_name = "DURATION"] audit_retention: String, "POSTRIDER_AUDIT_RETENTION";
    /// File that signed checkpoints of the audit log are appended to
    [value_name = "FILE"] audit_checkpoint_file: PathBuf, "POSTRIDER_AUDIT_CHECKPOINT_FILE";
    /// The largest payload, in bytes
    [value_name = "BYTES"] payload_bytes_max: usize, "POSTRIDER_PAYLOAD_BYTES_MAX";
    /// The most endpoints of an application
    [value_name = "N"] endpoints_max: usize, "POSTRIDER_ENDPOINTS_MAX";
    /// The most messages in one batch request
    [value_name = "N"] batch_messages_max: usize, "POSTRIDER_BATCH_MESSAGES_MAX";
    /// The most deliveries that one accept transaction carries
    [value_name = "N"] deliveries_max: usize, "POSTRIDER_DELIVERIES_MAX";
    /// The most requests of one token in a second; unlimited unless given
    [value_name = "N"] requests_per_second_max: usize, "POSTRIDER_REQUESTS_PER_SECOND_MAX";
    /// Accept tokens of a reference server: without issuer, audience or expiry, of any organisation
    [num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL"]
    accept_foreign_tokens: bool, "POSTRIDER_ACCEPT_FOREIGN_TOKENS";
    /// The organisation's id in tokens
    [value_name = "ORG"] organisation: String, "POSTRIDER_ORGANISATION";
    /// What to log: a level, or directives such as info,engine=debug
    [value_name = "FILTER"] log: String, "POSTRIDER_LOG";
    /// How to log: text or json
    [value_name = "FORMAT"] log_format: String, "POSTRIDER_LOG_FORMAT";
}

/// What an option's value looks like in the file, in words.
pub(crate) trait Written {
    const WRITTEN_AS: &str;
}

impl Written for String {
    const WRITTEN_AS: &str = "a string in quotes";
}

impl Written for PathBuf {
    const WRITTEN_AS: &str = "a string in quotes";
}

impl Written for bool {
    const WRITTEN_AS: &str = "true or false, without quotes";
}

impl Written for usize {
    const WRITTEN_AS: &str = "a whole number of 0 or more, without quotes";
}

impl Written for f64 {
    const WRITTEN_AS: &str = "a number, without quotes";
}

impl Written for Vec<String> {
    const WRITTEN_AS: &str = "an array of strings, each in quotes";
}

impl Written for Waits {
    const WRITTEN_AS: &str = "an array of whole numbers, such as [5, 300]";
}

/// Waits in seconds: `5,300,1800`, or in the file a list. An empty text is a list of none.
#[derive(Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(transparent)]
pub(crate) struct Waits(pub(crate) Vec<u64>);

impl FromStr for Waits {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let waits = text
            .split(',')
            .map(str::trim)
            .filter(|_| !text.trim().is_empty());
        waits.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        word: Option<String>,
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn a_flag_that_is_true_or_false_leaves_the_next_word_alone() {
        let dev = |line: &str| {
            let words = ["x"].into_iter().chain(line.split(' '));
            let line = Line::try_parse_from(words).unwrap();
            (line.options.dev, line.word)
        };
        assert_eq!(dev("--dev"), (Some(true), None));
        assert_eq!(dev("--dev word"), (Some(true), Some("word".into())));
        assert_eq!(dev("--dev=false word"), (Some(false), Some("word".into())));
        assert_eq!(dev("word --dev=true"), (Some(true), Some("word".into())));
        assert_eq!(dev("word"), (None, Some("word".into())));
    }

    #[test]
    fn no_waits_are_a_schedule_too() {
        let cases = [
            ("", vec![]),
            (" ", vec![]),
            ("5", vec![5]),
            ("5, 300", vec![5, 300]),
        ];
        for (text, waits) in cases {
            assert_eq!(text.parse(), Ok(Waits(waits)), "{text:?}");
        }
        for text in [",", "5,", "-1", "5s", "5;6"] {
            assert!(text.parse::<Waits>().is_err(), "{text:?}");
        }
    }
}
