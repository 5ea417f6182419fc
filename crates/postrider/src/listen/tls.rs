//! TLS on the listener: handshakes, which are bounded in time and number, and a certificate that
//! can be exchanged while connections are open. Who comes in is not asked here.

use super::certificate::{Certificate, Nearing};
use crate::config::TlsFiles;
use crate::failure::Failure;
use model::security::{EventSink, SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::{Clock, Timestamp};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes at a time. For the next, the oldest is given up: one that takes its time holds up
/// nobody else.
const HANDSHAKES_MAX: usize = 1_000;
/// How often the certificate's end is looked at.
const WATCH_PERIOD: Duration = Duration::from_secs(3_600);
/// What security events name the listener by.
const LISTENER: &str = "api";

/// What the listener shakes hands with.
#[derive(Clone)]
pub(crate) struct Tls {
    shared: Arc<Shared>,
    asks: bool,
}

struct Shared {
    files: TlsFiles,
    current: RwLock<Certificate>,
    handshakes: Handshakes,
    hangup: Mutex<Option<Signal>>,
}

impl Tls {
    /// Reads the files, which are read again at SIGHUP from now on, where [`Self::watch`] runs.
    pub(crate) fn open(files: TlsFiles) -> Result<Self, Failure> {
        let current = Certificate::read(&files).map_err(Failure::CouldNot)?;
        // Taken over now, so that none ends the process before somebody watches.
        let hangup = signal(SignalKind::hangup()).map_err(Failure::could_not)?;
        let shared = Shared {
            files,
            current: RwLock::new(current),
            handshakes: Handshakes::new(HANDSHAKES_MAX),
            hangup: Mutex::new(Some(hangup)),
        };
        Ok(Self {
            shared: Arc::new(shared),
            asks: false,
        })
    }

    /// The same, which asks whoever connects for a certificate, and takes it if there is none.
    pub(crate) fn asking(&self) -> Self {
        Self {
            asks: true,
            ..self.clone()
        }
    }

    /// Shakes hands with whoever has connected.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let handshake = self.shared.handshakes.begin();
        let config = {
            let current = self.shared.current.read().expect("no holder panics");
            match self.asks {
                true => Arc::clone(&current.asking),
                false => Arc::clone(&current.config),
            }
        };
        let accepting = timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(stream));
        let given_up = || io::Error::new(ErrorKind::TimedOut, "its handshake took too long");
        let accepted = handshake.given_up.run_until_cancelled(accepting).await;
        accepted.and_then(Result::ok).ok_or_else(given_up)?
    }

    /// Reads the files again at each SIGHUP, and says when the certificate's end is near. Goes on
    /// until it is dropped.
    pub(crate) async fn watch(self, clock: Arc<dyn Clock>, events: Arc<dyn EventSink>) {
        let hangup = self.shared.hangup.lock().expect("no holder panics").take();
        let Some(mut hangup) = hangup else { return };
        let mut period = interval(WATCH_PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = None;
        loop {
            tokio::select! {
                _ = period.tick() => {}
                _ = hangup.recv() => {
                    self.read_again().await;
                    told = None;
                }
            }
            let (ends, now) = (self.ends(), clock.now());
            let nearing = Nearing::to(ends, now);
            if nearing.is_some() && nearing != told {
                events.report(nearing_event(ends, now));
            }
            told = nearing;
        }
    }

    async fn read_again(&self) {
        let tls = self.clone();
        let read = tokio::task::spawn_blocking(move || Certificate::read(&tls.shared.files)).await;
        match read.map_err(anyhow::Error::from).flatten() {
            Ok(certificate) => {
                let ends = written(certificate.ends);
                *self.shared.current.write().expect("no holder panics") = certificate;
                tracing::info!("SIGHUP: new connections get the certificate that ends {ends}");
            }
            Err(error) => tracing::error!(
                "SIGHUP: the certificate can't be exchanged, and stays what it was: {error:#}"
            ),
        }
    }

    fn ends(&self) -> Timestamp {
        self.shared.current.read().expect("no holder panics").ends
    }
}

/// What is reported of a certificate that ends soon, or has ended: the sink logs it as a warning.
fn nearing_event(ends: Timestamp, now: Timestamp) -> SecurityEvent {
    let when = if ends <= now { "has ended" } else { "ends" };
    let ends = written(ends);
    SecurityEvent::new(
        SecurityKind::CertificateExpiring,
        Subject::new(SubjectKind::Listener, LISTENER),
        now,
        format!(
            "the certificate of the API's listener {when} at {ends}: put a new one into tls_cert \
             and tls_key, and send SIGHUP"
        ),
    )
}

fn written(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(time.micros());
    time.map_or_else(|_| "never".to_owned(), |time| time.to_string())
}

/// Handshakes under way, oldest first.
struct Handshakes {
    most: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    last: u64,
    given_up: BTreeMap<u64, CancellationToken>,
}

/// One of them, until it is dropped.
struct Handshake {
    number: u64,
    given_up: CancellationToken,
    open: Arc<Mutex<Open>>,
}

impl Handshakes {
    fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    fn begin(&self) -> Handshake {
        let mut open = lock(&self.open);
        while open.given_up.len() >= self.most
            && let Some((_, oldest)) = open.given_up.pop_first()
        {
            oldest.cancel();
        }
        open.last += 1;
        let (number, given_up) = (open.last, CancellationToken::new());
        open.given_up.insert(number, given_up.clone());
        Handshake {
            number,
            given_up,
            open: Arc::clone(&self.open),
        }
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        lock(&self.open).given_up.remove(&self.number);
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().expect("no holder panics")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_handshake_is_given_up_for_one_too_many() {
        let handshakes = Handshakes::new(2);
        let first = handshakes.begin();
        let second = handshakes.begin();
        assert!(!first.given_up.is_cancelled());
        drop(second);
        let third = handshakes.begin();
        assert!(!first.given_up.is_cancelled(), "one has ended");
        let fourth = handshakes.begin();
        assert!(first.given_up.is_cancelled());
        drop(first);
        let fifth = handshakes.begin();
        assert!(third.given_up.is_cancelled() && !fourth.given_up.is_cancelled());
        assert_eq!(lock(&handshakes.open).given_up.len(), 2);
        drop(fifth);
        assert!(!fourth.given_up.is_cancelled());
    }
}
