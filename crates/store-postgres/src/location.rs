//! Where the database is, from its URL, and how the way there is protected.
//!
//! TLS verifies the server's certificate and name whenever it is used, and is used for every host
//! that is not this machine, unless `sslmode=disable` says otherwise. `sslmode` and `sslrootcert`
//! are those of libpq, but for its modes that look encrypted and verify nothing: these are refused.

use crate::OpenError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls;

/// How long to wait for the database's answer to a new connection.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long to wait for a host to be reached, before the next one is tried.
const HOST_MAX: Duration = Duration::from_secs(3);

/// A database that can be connected to.
#[derive(Clone)]
pub(crate) struct Location {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
}

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
        Ok(Self { config, tls })
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
        let several = parse("postgres://u@a.example,b.example,c.example/app");
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
