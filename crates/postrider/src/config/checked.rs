//! The configuration after checking: typed, with defaults. Whatever is wrong is said here, once,
//! before anything is opened or listened on.

use super::audit::AuditConfig;
use super::database::Database;
use super::detection::Detection;
use super::key_choice::KeyChoice;
use super::mail::Mail;
use super::oidc::Oidc;
use super::options::{Options, Waits};
use super::otlp::Otlp;
use super::portal::Portal;
use app::tokens::{ORGANISATION_DEFAULT, ORGANISATION_PREFIX};
use engine::EngineConfig;
use ipnet::IpNet;
use model::address::{AddressPolicy, AllowRule};
use model::duration;
use model::node::Roles;
use model::retry::RetrySchedule;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use transport::EgressProxy;
use webhook::HeaderFamily;

const LOG: &str = "info";
const LISTEN: &str = "127.0.0.1:8071";
const DATA_DIR: &str = "./postrider-data";
const RETENTION_MIN: Duration = Duration::from_secs(3_600);

/// What was wrong, and what would be right.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The configuration file.
    #[error("configuration file {}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was wrong.
        reason: String,
    },
    /// The same, where it is not even known what is in it.
    #[error("configuration file {} can't be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// One option's value.
    #[error("option `{name}`: {reason}")]
    Option {
        /// Which, as in the file.
        name: &'static str,
        /// What was wrong.
        reason: String,
    },
}

/// How to log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Where the listener's certificate and its key are.
#[derive(Clone)]
pub(crate) struct TlsFiles {
    /// The certificate, with those that lead to its root.
    pub(crate) certificate: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
}

/// The whole configuration. Each room gets its own part of it, never this.
pub(crate) struct Checked {
    pub(crate) listen: SocketAddr,
    /// Of the gateway, where it has a listener of its own.
    pub(crate) ingest_listen: Option<SocketAddr>,
    /// Of the operator's pages, where they have a listener of their own.
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Of what monitoring reads, where that has a listener of its own.
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) data_dir: PathBuf,
    /// Instead of the embedded store.
    pub(crate) database: Option<Database>,
    pub(crate) roles: Roles,
    /// What the listener speaks TLS with, unless in clear.
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) keys: KeyChoice,
    pub(crate) policy: AddressPolicy,
    pub(crate) dev: bool,
    pub(crate) body_timeout: Duration,
    pub(crate) drain_timeout: Duration,
    /// Parsed, and as it was given: its text may hold a password.
    pub(crate) egress_proxy: Option<(EgressProxy, url::Url)>,
    pub(crate) trusted_roots: Option<PathBuf>,
    /// What the portal looks like.
    pub(crate) portal: Portal,
    /// The server that alerts by e-mail leave by.
    pub(crate) mail: Option<Mail>,
    /// The identity provider that people may sign in by.
    pub(crate) oidc: Option<Oidc>,
    /// Where metrics and traces are sent.
    pub(crate) otlp: Option<Otlp>,
    pub(crate) retry_schedule: RetrySchedule,
    pub(crate) retry_waits: Vec<u64>,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) disable_after: Duration,
    pub(crate) attempts_in_flight_max: usize,
    pub(crate) attempts_per_host_max: usize,
    pub(crate) header_family: HeaderFamily,
    pub(crate) app: app::Settings,
    pub(crate) audit: AuditConfig,
    pub(crate) accept_foreign_tokens: bool,
    pub(crate) organisation: String,
    pub(crate) log: String,
    pub(crate) log_format: Option<LogFormat>,
    /// Of the file alone.
    pub(crate) detection: Detection,
    /// What is not wrong, and yet hardly meant.
    pub(crate) warnings: Vec<String>,
}

impl Checked {
    /// Checks the options and fills in the defaults.
    pub(crate) fn new(options: Options, keys: KeyChoice) -> Result<Self, ConfigError> {
        let default = EngineConfig::default();
        let dev = options.dev.unwrap_or(false);
        let listen = listen("listen", options.listen.as_deref().unwrap_or(LISTEN), dev)?;
        let (retry_schedule, retry_waits) = retries(options.retry_schedule.as_ref())?;
        let at = |name, text: &Option<String>, default: Duration| match text {
            None => Ok(default),
            Some(text) => duration::parse(text).map_err(wrong(name)),
        };
        let body = api::ApiConfig::default().body_timeout;
        let drain = default.drain_timeout;
        Ok(Self {
            listen,
            ingest_listen: ingest_listen(&options, dev)?,
            admin_listen: or_port("admin_listen", &options.admin_listen, dev)?,
            metrics_listen: or_port("metrics_listen", &options.metrics_listen, dev)?,
            trusted_proxies: trusted_proxies(&options)?,
            database: Database::from_options(&options)?,
            roles: roles(&options)?,
            policy: policy(&options, dev)?,
            portal: Portal::from_options(&options)?,
            mail: Mail::from_options(&options, keys.smtp_password.is_given())?,
            oidc: Oidc::from_options(&options, keys.oidc_client_secret.is_given())?,
            otlp: Otlp::from_options(&options)?,
            tls: tls(&options)?,
            egress_proxy: egress_proxy(&options)?,
            retry_schedule,
            retry_waits,
            body_timeout: at("body_timeout", &options.body_timeout, body)?,
            drain_timeout: at("drain_timeout", &options.drain_timeout, drain)?,
            connect_timeout: at(
                "connect_timeout",
                &options.connect_timeout,
                default.limits.connect_timeout,
            )?,
            request_timeout: at(
                "request_timeout",
                &options.request_timeout,
                default.limits.total_timeout,
            )?,
            disable_after: at(
                "disable_after",
                &options.disable_after,
                default.disable_after,
            )?,
            attempts_in_flight_max: at_least_one(
                "attempts_in_flight_max",
                options.attempts_in_flight_max.unwrap_or(default.slots),
            )?,
            attempts_per_host_max: at_least_one(
                "attempts_per_host_max",
                options.attempts_per_host_max.unwrap_or(default.per_host),
            )?,
            header_family: header_family(&options, default.header_family)?,
            app: app_settings(&options)?,
            audit: AuditConfig::from_options(&options)?,
            organisation: organisation(options.organisation.as_deref())?,
            log_format: options.log_format.as_deref().map(log_format).transpose()?,
            log: log(options.log.unwrap_or_else(|| LOG.into()))?,
            data_dir: options.data_dir.unwrap_or_else(|| DATA_DIR.into()),
            keys,
            trusted_roots: options.trusted_roots,
            accept_foreign_tokens: options.accept_foreign_tokens.unwrap_or(false),
            dev,
            detection: Detection::default(),
            warnings: Vec::new(),
        })
    }

    /// Where links point to when nothing was configured.
    pub(crate) fn public_url_or(&self, listening: SocketAddr) -> String {
        self.app
            .public_url
            .clone()
            .unwrap_or_else(|| self.own_url(listening))
    }

    /// The name by which receivers are asked whether they want what is sent: the host that links
    /// point to, where one was configured.
    pub(crate) fn origin(&self) -> Option<String> {
        let url = url::Url::parse(self.app.public_url.as_deref()?).ok()?;
        url.host_str().map(str::to_owned)
    }

    /// What leads to the listener itself.
    pub(crate) fn own_url(&self, listening: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{listening}")
    }
}

pub(super) fn wrong<E: std::fmt::Display>(name: &'static str) -> impl Fn(E) -> ConfigError {
    move |error| ConfigError::Option {
        name,
        reason: error.to_string(),
    }
}

fn listen(name: &'static str, text: &str, dev: bool) -> Result<SocketAddr, ConfigError> {
    let address: SocketAddr = text.parse().map_err(|_| {
        wrong(name)(format!(
            "`{text}` is not an address and a port, such as {LISTEN}"
        ))
    })?;
    if dev && !address.ip().is_loopback() {
        let reason = format!("`dev` listens on loopback only, and {address} is not: leave out one");
        return Err(wrong(name)(reason));
    }
    Ok(address)
}

fn ingest_listen(options: &Options, dev: bool) -> Result<Option<SocketAddr>, ConfigError> {
    let text = options.ingest_listen.as_deref();
    text.map(|text| listen("ingest_listen", text, dev))
        .transpose()
}

fn header_family(options: &Options, default: HeaderFamily) -> Result<HeaderFamily, ConfigError> {
    let family = options.header_family.as_deref().map(str::parse);
    family
        .unwrap_or(Ok(default))
        .map_err(wrong("header_family"))
}

/// What is not for everybody: a port alone is for whoever is on this machine.
fn or_port(
    name: &'static str,
    text: &Option<String>,
    dev: bool,
) -> Result<Option<SocketAddr>, ConfigError> {
    let address = |text: &String| match text.parse::<u16>() {
        Ok(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => listen(name, text, dev),
    };
    text.as_ref().map(address).transpose()
}

/// Networks, or single addresses.
fn trusted_proxies(options: &Options) -> Result<Vec<IpNet>, ConfigError> {
    let texts = options.trusted_proxy.iter().flatten();
    let parse = |text: &String| {
        let text = text.trim();
        let network = text.parse().ok();
        let network = network.or_else(|| text.parse().ok().map(|one: IpAddr| one.into()));
        network.ok_or_else(|| {
            wrong("trusted_proxy")(format!(
                "`{text}` is not a network or an address, such as 10.0.0.0/8"
            ))
        })
    };
    texts.map(parse).collect()
}

/// Roles are shared out between nodes: one that has none beside it does everything.
fn roles(options: &Options) -> Result<Roles, ConfigError> {
    let Some(words) = &options.role else {
        return Ok(Roles::default());
    };
    let roles = Roles::of_words(words.iter().map(|word| word.trim())).map_err(wrong("role"))?;
    if options.database_url.is_none() && roles != Roles::default() {
        return Err(wrong("role")(
            "a node with the embedded store is the only one, and has to do both, api and \
             deliver: leave this out, or name a database that several share as `database_url`",
        ));
    }
    Ok(roles)
}

/// A certificate is of no use without its key, nor the other way round.
fn tls(options: &Options) -> Result<Option<TlsFiles>, ConfigError> {
    let missing = |name, other| {
        let reason = format!("`{other}` is set, and of no use without it: name the file as well");
        Err(wrong(name)(reason))
    };
    match (&options.tls_cert, &options.tls_key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
        })),
        (Some(_), None) => missing("tls_key", "tls_cert"),
        (None, Some(_)) => missing("tls_cert", "tls_key"),
    }
}

fn policy(options: &Options, dev: bool) -> Result<AddressPolicy, ConfigError> {
    let mut policy = if dev {
        AddressPolicy::development()
    } else {
        AddressPolicy::default()
    };
    policy.allow_http |= options.allow_http.unwrap_or(false);
    for rule in options.allow_destination.iter().flatten() {
        policy.allow.push(
            rule.parse::<AllowRule>()
                .map_err(wrong("allow_destination"))?,
        );
    }
    Ok(policy)
}

/// The schedule, and its waits in seconds, which it does not tell again.
fn retries(given: Option<&Waits>) -> Result<(RetrySchedule, Vec<u64>), ConfigError> {
    let standard = || vec![5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
    let seconds = given.map_or_else(standard, |waits| waits.0.clone());
    let waits = seconds.iter().copied().map(Duration::from_secs).collect();
    let schedule = RetrySchedule::new(waits).map_err(wrong("retry_schedule"))?;
    Ok((schedule, seconds))
}

fn public_url(text: &str) -> Result<String, ConfigError> {
    let fail = || wrong("public_url")(format!("`{text}` is not an http or https URL"));
    let url = url::Url::parse(text).map_err(|_| fail())?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        return Err(fail());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn egress_proxy(options: &Options) -> Result<Option<(EgressProxy, url::Url)>, ConfigError> {
    let Some(text) = &options.egress_proxy else {
        return Ok(None);
    };
    let proxy = text.parse().map_err(wrong("egress_proxy"))?;
    // What is shown again is the text as it was understood, less its credentials.
    let url = url::Url::parse(text).map_err(wrong("egress_proxy"))?;
    Ok(Some((proxy, url)))
}

/// Whether a URL holds a name or a password.
pub(super) fn has_credentials(url: &url::Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The library takes a word that is no level for a target whose logs are all wanted, and so would
/// silently log nothing for a misspelt level.
fn log(text: String) -> Result<String, ConfigError> {
    let is_word = |part: &&str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let mut words = text.split(',').filter(is_word);
    let levels = words.all(|word| word.is_empty() || word.parse::<LevelFilter>().is_ok());
    if levels && EnvFilter::builder().parse(&text).is_ok() {
        return Ok(text);
    }
    Err(wrong("log")(format!(
        "`{text}` is no filter: write a level (error, warn, info, debug, trace or off), or \
         directives such as info,engine=debug"
    )))
}

fn log_format(text: &str) -> Result<LogFormat, ConfigError> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(wrong("log_format")(format!(
            "`{text}` is none of text, json"
        ))),
    }
}

fn organisation(given: Option<&str>) -> Result<String, ConfigError> {
    let text = given.unwrap_or(ORGANISATION_DEFAULT);
    match text.strip_prefix(ORGANISATION_PREFIX) {
        Some(rest) if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Ok(text.to_owned())
        }
        _ => Err(wrong("organisation")(format!(
            "`{text}` is not org_ and letters or digits"
        ))),
    }
}

fn at_least_one(name: &'static str, number: usize) -> Result<usize, ConfigError> {
    if number == 0 {
        Err(wrong(name)("it must be at least 1"))
    } else {
        Ok(number)
    }
}

fn requests_per_second_max(options: &Options) -> Result<Option<NonZeroU32>, ConfigError> {
    let Some(most) = options.requests_per_second_max else {
        return Ok(None);
    };
    let most = u32::try_from(most).ok().and_then(NonZeroU32::new);
    let wrong = || wrong("requests_per_second_max")("it must be from 1 to 4294967295");
    most.map(Some).ok_or_else(wrong)
}

fn app_settings(options: &Options) -> Result<app::Settings, ConfigError> {
    let default = app::Settings::default();
    let default_signature = match options.default_signature.as_deref() {
        None => default.default_signature,
        Some("hmac") => app::DefaultSignature::Hmac,
        Some("ed25519") => app::DefaultSignature::Ed25519,
        Some(text) => {
            let reason = format!("`{text}` is none of hmac, ed25519");
            return Err(wrong("default_signature")(reason));
        }
    };
    let retention = match &options.retention {
        None => default.retention,
        Some(text) => duration::parse(text).map_err(wrong("retention"))?,
    };
    if retention < RETENTION_MIN {
        return Err(wrong("retention")("it must be at least 1h"));
    }
    let count =
        |name, given: Option<usize>, otherwise| at_least_one(name, given.unwrap_or(otherwise));
    Ok(app::Settings {
        endpoints_max: count(
            "endpoints_max",
            options.endpoints_max,
            default.endpoints_max,
        )?,
        payload_bytes_max: count(
            "payload_bytes_max",
            options.payload_bytes_max,
            default.payload_bytes_max,
        )?,
        batch_messages_max: count(
            "batch_messages_max",
            options.batch_messages_max,
            default.batch_messages_max,
        )?,
        deliveries_max: count(
            "deliveries_max",
            options.deliveries_max,
            default.deliveries_max,
        )?,
        encrypt_payloads: options.encrypt_payloads.unwrap_or(default.encrypt_payloads),
        default_signature,
        requests_per_second_max: requests_per_second_max(options)?,
        retention,
        header_family: match options.header_family.as_deref() {
            None => default.header_family,
            Some(text) => text.parse().map_err(wrong("header_family"))?,
        },
        user_agent: default.user_agent,
        public_url: options.public_url.as_deref().map(public_url).transpose()?,
        attempt_wait: default.attempt_wait,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: Options) -> Result<Checked, String> {
        Checked::new(options, KeyChoice::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_safe() {
        let checked = check(Options::default()).unwrap();
        assert!(checked.listen.ip().is_loopback());
        assert!(!checked.policy.allow_http && checked.policy.allow.is_empty());
        assert!(checked.app.encrypt_payloads && !checked.accept_foreign_tokens && !checked.dev);
        assert_eq!(checked.retry_schedule, RetrySchedule::default());
    }

    #[test]
    fn dev_refuses_to_listen_on_anything_but_loopback() {
        let dev = |listen: &str| Options {
            dev: Some(true),
            listen: Some(listen.into()),
            ..Options::default()
        };
        assert!(check(dev("0.0.0.0:8071")).is_err_and(|error| error.contains("loopback")));
        assert!(check(dev("[::1]:0")).unwrap().policy.allow_http);
    }

    #[test]
    fn logs_can_be_filtered_by_level_and_by_part() {
        for text in [
            "",
            "off",
            "WARN",
            "info,engine=debug",
            "engine=5,store::writer=trace",
        ] {
            let options = Options {
                log: Some(text.into()),
                ..Options::default()
            };
            assert_eq!(check(options).unwrap().log, text);
        }
    }

    #[test]
    fn wrong_values_name_their_option_and_what_would_be_right() {
        let cases = [
            ("listen = 'localhost'", "`listen`"),
            ("header_family = 'x'", "`header_family`"),
            ("default_signature = 'rsa'", "hmac, ed25519"),
            ("drain_timeout = 'soon'", "`drain_timeout`"),
            ("retention = '5s'", "at least 1h"),
            ("audit_retention = '5h'", "at least 1d"),
            ("public_url = 'ftp://x'", "`public_url`"),
            ("egress_proxy = 'user:sesame@x'", "`egress_proxy`"),
            ("organisation = 'acme'", "org_"),
            ("endpoints_max = 0", "`endpoints_max`"),
            ("requests_per_second_max = 0", "`requests_per_second_max`"),
            ("retry_schedule = [1099511627776]", "604800"),
            ("allow_destination = ['x']", "CIDR[:PORT]"),
            ("log = 'engine=loud'", "info,engine=debug"),
            ("log = 'inof'", "info,engine=debug"),
            ("log_format = 'xml'", "text, json"),
            ("role = ['apo']", "api, deliver"),
            ("role = []", "at least one"),
            ("role = ['deliver']", "`database_url`"),
            ("ingest_listen = 'x'", "`ingest_listen`"),
            ("metrics_listen = '70000'", "`metrics_listen`"),
            ("admin_listen = 'pages'", "`admin_listen`"),
            ("trusted_proxy = ['x']", "`trusted_proxy`"),
            ("tls_cert = 'x'", "`tls_key`"),
            ("tls_key = 'x'", "`tls_cert`"),
        ];
        for (text, expected) in cases {
            let error = check(toml::from_str(text).unwrap()).err().unwrap();
            assert!(
                error.contains(expected) && !error.contains("sesame"),
                "{error}"
            );
        }
    }
}
