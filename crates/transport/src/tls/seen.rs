//! What one handshake shows, noted beside its verification.
//!
//! A verifier can't tell its caller anything but yes or no, and has to be the same for all
//! connections of a profile, or no session is taken up again. So what it sees goes to whoever's
//! handshake this task is making.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::CertificateDer;

use super::pins::Handshake;

tokio::task_local! {
    static SEEN: Arc<Seen>;
}

/// What was seen of one handshake.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    presented: Vec<CertificateDer<'static>>,
    verified: Option<Handshake>,
}

impl Seen {
    /// Makes a handshake, and notes what it shows.
    pub(crate) async fn during<T>(handshake: impl Future<Output = T>) -> (T, Arc<Self>) {
        let seen = Arc::<Self>::default();
        let made = SEEN.scope(seen.clone(), handshake).await;
        (made, seen)
    }

    /// What was verified, where pins are compared.
    pub(crate) fn verified(&self) -> Option<Handshake> {
        self.noted(|noted| noted.verified.take())
    }

    /// What was presented, verified or not; nothing where a session was taken up again.
    pub(crate) fn presented(&self) -> Vec<CertificateDer<'static>> {
        self.noted(|noted| std::mem::take(&mut noted.presented))
    }

    /// What was just verified on this task, by a path that was looked at.
    pub(crate) fn note_verified(handshake: Handshake) {
        // Where nobody wants to know, there is nothing to note it in.
        let _ = SEEN.try_with(|seen| seen.noted(|noted| noted.verified = Some(handshake)));
    }

    /// What is presented on this task.
    pub(crate) fn note_presented(own: &CertificateDer<'_>, along: &[CertificateDer<'_>]) {
        let _ = SEEN.try_with(|seen| {
            let all = std::iter::once(own).chain(along);
            let all = all.map(|one| one.clone().into_owned()).collect();
            seen.noted(|noted| noted.presented = all);
        });
    }

    fn noted<T>(&self, with: impl FnOnce(&mut Noted) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
