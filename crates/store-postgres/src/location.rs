//! Where the database is, from its URL, and how the way there is protected.
//!
//! TLS verifies the server's certificate and name whenever it is used, and is used for every host
//! that is not this machine, unless `sslmode=disable` says otherwise. `sslmode` and `sslrootcert`
//! are those of libpq, but for its modes that look encrypted and verify nothing: these are refused.

use crate::OpenError;
use crate::trust::Trust;
use deadpool_postgres::Connect;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::IpAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls;

/// How long to wait for the database's answer to a new connection.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long to wait for a host to answer, before the next one is tried.
const HOST_MAX: Duration = Duration::from_secs(3);

/// A database that can be connected to.
#[derive(Clone)]
pub(crate) struct Location {
    pub(crate) config: Config,
    tls: MakeRustlsConnect,
    /// Which of the hosts is asked first.
    pub(crate) trust: Arc<Trust>,
}

/// A connection that has come about, and what carries it.
type Connected = (Client, Connection<Socket, Encrypted>);
type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

impl Location {
    /// From a URL.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let (url, mode, root) = take_tls(url);
        let mut config =
            Config::from_str(&url).map_err(|error| OpenError::Url(error.to_string()))?;
        config.connect_timeout(HOST_MAX);
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(2 * CONNECT_MAX);
        config.application_name("postrider");
        if hosts(&config) > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            // One of them is the primary, whichever that is at the moment.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let encrypted = match mode.as_deref() {
            None => !is_all_here(&config),
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            Some(other) => {
                return Err(OpenError::Url(format!(
                    "sslmode={other} does not verify whom it talks to: use verify-full, or disable"
                )));
            }
        };
        config.ssl_mode(match encrypted {
            true => SslMode::Require,
            false => SslMode::Disable,
        });
        let tls = MakeRustlsConnect::new(tls_config(encrypted, root.as_deref())?);
        let trust = Arc::new(Trust::new(hosts(&config)));
        Ok(Self { config, tls, trust })
    }

    /// Connects to the first host that is as it should be, beginning with the one that last was,
    /// unless it was passed over since. A host that takes connections and says nothing must not
    /// keep the next from being tried.
    pub(crate) async fn connect(&self) -> Result<Connected, Error> {
        let mut hosts: Vec<usize> = self.trust.hosts().collect();
        let last = hosts.pop().unwrap_or_default();
        for host in hosts {
            let connecting = tokio::time::timeout(HOST_MAX, self.connect_to(host));
            if let Ok(Ok(connected)) = connecting.await {
                self.trust.found(host);
                return Ok(connected);
            }
        }
        let connected = self.connect_to(last).await?;
        self.trust.found(last);
        Ok(connected)
    }

    async fn connect_to(&self, host: usize) -> Result<Connected, Error> {
        let one = one_of(&self.config, host);
        one.connect(self.tls.clone()).await
    }

    /// How long a connection may take to come about: long enough for the last of the hosts, when
    /// all before it are dead.
    pub(crate) fn patience(&self) -> Duration {
        let others = hosts(&self.config).saturating_sub(1);
        CONNECT_MAX + HOST_MAX * u32::try_from(others).unwrap_or(u32::MAX)
    }
}

fn hosts(config: &Config) -> usize {
    config.get_hosts().len().max(config.get_hostaddrs().len())
}

impl Connect for Location {
    fn connect(&self, _: &Config) -> Connecting<'_> {
        Box::pin(async move {
            let (client, connection) = Location::connect(self).await?;
            let carried = async move {
                // Whoever uses it is told as well.
                let _ = connection.await;
            };
            Ok((client, tokio::spawn(carried)))
        })
    }
}

type Connecting<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

/// The same with one of its hosts only.
fn one_of(all: &Config, host: usize) -> Config {
    let mut one = Config::new();
    if let Some(name) = all.get_hosts().get(host) {
        match name {
            Host::Tcp(name) => one.host(name),
            Host::Unix(path) => one.host_path(path),
        };
    }
    if let Some(address) = all.get_hostaddrs().get(host) {
        one.hostaddr(*address);
    }
    let ports = all.get_ports();
    if let Some(port) = ports.get(host).or(ports.first()) {
        one.port(*port);
    }
    all.get_user().map(|user| one.user(user));
    all.get_password().map(|password| one.password(password));
    all.get_dbname().map(|name| one.dbname(name));
    all.get_options().map(|options| one.options(options));
    all.get_application_name()
        .map(|name| one.application_name(name));
    all.get_connect_timeout()
        .map(|time| one.connect_timeout(*time));
    all.get_tcp_user_timeout()
        .map(|time| one.tcp_user_timeout(*time));
    all.get_keepalives_interval()
        .map(|time| one.keepalives_interval(time));
    all.get_keepalives_retries()
        .map(|count| one.keepalives_retries(count));
    one.keepalives(all.get_keepalives())
        .keepalives_idle(all.get_keepalives_idle())
        .ssl_mode(all.get_ssl_mode())
        .ssl_negotiation(all.get_ssl_negotiation())
        .target_session_attrs(all.get_target_session_attrs())
        .channel_binding(all.get_channel_binding())
        .load_balance_hosts(all.get_load_balance_hosts());
    one
}

/// Whether it leads nowhere but to this machine. An address goes before the name of its host.
fn is_all_here(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    match addresses.is_empty() {
        true => config.get_hosts().iter().all(is_this_machine),
        false => addresses.iter().all(IpAddr::is_loopback),
    }
}

/// The URL without what only this file understands, `sslmode`, and `sslrootcert`.
fn take_tls(url: &str) -> (String, Option<String>, Option<String>) {
    let Some((base, query)) = url.split_once('?') else {
        return (url.to_owned(), None, None);
    };
    let (mut mode, mut root, mut rest) = (None, None, Vec::new());
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => root = Some(value.to_owned()),
            _ => rest.push(pair),
        }
    }
    (format!("{base}?{}", rest.join("&")), mode, root)
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let address = name.parse::<IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn tls_config(encrypted: bool, root: Option<&str>) -> Result<rustls::ClientConfig, OpenError> {
    let mut roots = rustls::RootCertStore::empty();
    if let Some(path) = root {
        let unusable =
            |error: String| OpenError::Url(format!("sslrootcert={path} can't be used: {error}"));
        let certificates =
            CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| unusable(error.to_string()))?;
        }
    } else if encrypted {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Database(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> Result<SslMode, String> {
        let parsed = Location::parse(url).map_err(|error| error.to_string())?;
        Ok(parsed.config.get_ssl_mode())
    }

    #[test]
    fn the_way_to_another_machine_is_encrypted_unless_the_url_says_otherwise() {
        for (url, expected) in [
            ("postgres://u:p@db.example/app", SslMode::Require),
            ("postgres://u@10.0.0.1,10.0.0.2/app", SslMode::Require),
            ("postgres://u@127.0.0.1,10.0.0.2/app", SslMode::Require),
            (
                "postgres://u@db.example/app?sslmode=verify-full",
                SslMode::Require,
            ),
            (
                "postgres://u@db.example/app?sslmode=disable",
                SslMode::Disable,
            ),
            ("postgres://u@localhost:5432/app", SslMode::Disable),
            ("postgres://u@[::1]/app", SslMode::Disable),
            ("postgres:///app?host=/run/postgresql", SslMode::Disable),
            (
                "postgres://u@localhost/app?hostaddr=10.0.0.5",
                SslMode::Require,
            ),
            (
                "postgres://u@localhost/app?sslmode=require",
                SslMode::Require,
            ),
        ] {
            assert_eq!(mode(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn of_several_hosts_the_one_that_takes_writes_is_found_though_others_are_dead() {
        let parse = |url| Location::parse(url).expect("it is one");
        let several = parse("postgres://u:p@a.example,b.example:7,c.example/app?options=-c%20a");
        let one = one_of(&several.config, 1);
        assert_eq!(one.get_hosts(), [Host::Tcp("b.example".to_owned())]);
        assert_eq!((one.get_ports(), one.get_user()), (&[7][..], Some("u")));
        assert_eq!(one.get_options(), several.config.get_options());
        assert_eq!(one.get_ssl_mode(), SslMode::Require);
        assert_eq!(
            one.get_target_session_attrs(),
            TargetSessionAttrs::ReadWrite
        );
        let writes = several.config.get_target_session_attrs();
        assert_eq!(writes, TargetSessionAttrs::ReadWrite);
        let for_each = several.config.get_connect_timeout().copied();
        let dead = for_each.expect("there is one") * 2;
        assert!(several.patience() > dead + HOST_MAX);
        let one = parse("postgres://u@a.example/app");
        let any = one.config.get_target_session_attrs();
        assert_eq!(
            (any, one.patience()),
            (TargetSessionAttrs::Any, CONNECT_MAX)
        );
    }

    #[test]
    fn modes_that_verify_nobody_are_refused() {
        for refused in ["prefer", "allow", "verify-ca"] {
            let url = format!("postgres://u:secret@db.example/app?sslmode={refused}");
            let told = mode(&url).expect_err("it is refused");
            assert!(told.contains("verify-full"), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn a_url_that_is_none_is_told_without_what_it_holds() {
        for url in ["mysql://u:secret@h/db", "postgres://u:secret@h:port/db", ""] {
            if let Err(told) = mode(url) {
                assert!(!told.contains("secret"), "{told}");
            }
        }
    }
}
