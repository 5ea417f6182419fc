//! All channels, and what is under way to them: one alert at a time on each, tried a few times.

use super::desk::{Desk, Letter};
use super::tally::Heard;
use super::telling::Telling;
use super::words::note;
use crate::keeper::Fold;
use app::App;
use app::environment::alerts::sender::{AlertError, AlertSender, Note};
use model::alerts::{Alerts, Channel, Destination};
use model::operational::{Happened, OperationalEvent, SecurityTold};
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long is waited before each repetition.
const WAITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(25),
];
/// However long a channel asks to be left alone, it is asked again.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// So many alerts wait for their turn on one channel; more of them join its digest.
const OUTBOX_MAX: usize = 64;
/// How long the settings may take to be read. After that, those are taken that were read before.
const READING_MAX: Duration = Duration::from_secs(2);
/// How long the last alerts may take.
const CLOSING_MAX: Duration = Duration::from_secs(2);

/// See the file's head.
pub(super) struct Office<'a> {
    node: String,
    app: &'a App,
    begun: Instant,
    telling: Telling,
    counters: Vec<Counter>,
    /// The number of the next counter.
    next: u64,
    sending: JoinSet<Sent>,
    /// What has ended and was not looked at.
    ended: Vec<Sent>,
    /// Whether the settings could not be read.
    fails: bool,
}

/// A channel, and what is to leave by it.
struct Counter {
    number: u64,
    desk: Desk,
    outbox: VecDeque<Letter>,
    is_busy: bool,
    /// Whether the last one was not taken.
    fails: bool,
}

/// What became of an alert.
struct Sent {
    counter: u64,
    letter: Letter,
    outcome: Result<(), AlertError>,
}

impl<'a> Office<'a> {
    pub(super) fn new(node: String, app: &'a App) -> Self {
        Self {
            node,
            app,
            begun: Instant::now(),
            telling: Telling::default(),
            counters: Vec::new(),
            next: 0,
            sending: JoinSet::new(),
            ended: Vec::new(),
            fails: false,
        }
    }

    /// Returns when there is something to do beside what arrives. May be dropped before.
    pub(super) async fn wait(&mut self) {
        let digests = self.counters.iter().filter_map(|one| one.desk.due_at());
        let due_at = digests.chain(self.telling.due_at()).min();
        let begun = self.begun;
        let due = async move {
            match due_at {
                Some(at) => tokio::time::sleep_until(begun + at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            Some(ended) = self.sending.join_next() => self.ended.extend(ended.ok()),
            () = due => {}
        }
    }

    /// Does what there is to do.
    pub(super) async fn turn(&mut self, folds: Vec<Fold>) {
        let now = self.begun.elapsed();
        self.look_at_what_ended(now);
        let is_due = |one: &Counter| one.desk.due_at().is_some_and(|at| at <= now);
        if !folds.is_empty() || self.counters.iter().any(is_due) {
            self.read_settings().await;
        }
        let told = self.telling.over(now);
        self.tell(told);
        for fold in folds {
            for counter in &mut self.counters {
                let letter = counter.desk.take(heard(&fold), now);
                counter.put(letter, now);
            }
            let told = self.telling.take(fold, now);
            self.tell(told);
        }
        for counter in &mut self.counters {
            let letter = counter.desk.due(now);
            counter.put(letter, now);
        }
        self.send_next();
    }

    /// Reads who is to be told. While that can't be read, it is as it was.
    pub(super) async fn read_settings(&mut self) {
        let read = tokio::time::timeout(READING_MAX, self.app.alerts_in_force()).await;
        let error = match read {
            Ok(Ok(alerts)) => {
                self.adopt(alerts);
                self.fails = false;
                return;
            }
            Ok(Err(error)) => model::Chain(&error).to_string(),
            Err(_) => format!("the store did not answer within {READING_MAX:?}"),
        };
        if !std::mem::replace(&mut self.fails, true) {
            tracing::warn!("who is to be alerted can't be read, and is as it was: {error}");
        }
    }

    /// Sends all that is left, once.
    pub(super) async fn close(mut self) {
        let now = self.begun.elapsed();
        let told = self.telling.rest();
        self.tell(told);
        let mut last = JoinSet::new();
        for counter in &mut self.counters {
            let rest = counter.desk.rest(now);
            for letter in counter.outbox.drain(..).chain(rest) {
                let to = counter.desk.channel().to.clone();
                let (sender, note) = (self.app.alerting.clone(), note(&letter, &self.node));
                last.spawn(async move { sender.send(&to, &note).await });
            }
        }
        let ended = async {
            while last.join_next().await.is_some() {}
            while self.sending.join_next().await.is_some() {}
        };
        if tokio::time::timeout(CLOSING_MAX, ended).await.is_err() {
            tracing::warn!("the last alerts may not have arrived: the process ends");
        }
    }

    /// Channels that are there already go on where they are.
    fn adopt(&mut self, alerts: Alerts) {
        let Alerts { channels, pace } = alerts;
        let mut before = std::mem::take(&mut self.counters);
        for channel in channels {
            let place = before.iter().position(|one| *one.desk.channel() == channel);
            let mut counter = match place {
                Some(place) => before.swap_remove(place),
                None => Counter::new(self.next, Desk::new(channel, pace)),
            };
            self.next += 1;
            counter.desk.keep_pace(pace);
            self.counters.push(counter);
        }
    }

    fn look_at_what_ended(&mut self, now: Duration) {
        for sent in std::mem::take(&mut self.ended) {
            let mut counters = self.counters.iter_mut();
            // The channel may be gone by now.
            if let Some(counter) = counters.find(|one| one.number == sent.counter) {
                counter.take_back(sent, now);
            }
        }
    }

    fn send_next(&mut self) {
        for counter in &mut self.counters {
            if counter.is_busy {
                continue;
            }
            let Some(letter) = counter.outbox.pop_front() else {
                continue;
            };
            counter.is_busy = true;
            let (number, to) = (counter.number, counter.desk.channel().to.clone());
            let (sender, note) = (self.app.alerting.clone(), note(&letter, &self.node));
            self.sending.spawn(async move {
                Sent {
                    outcome: try_a_few_times(sender, to, note).await,
                    counter: number,
                    letter,
                }
            });
        }
    }

    fn tell(&self, told: Vec<SecurityTold>) {
        for told in told {
            self.app.operational.report(OperationalEvent {
                at: self.app.clock.now(),
                what: Happened::Security(told),
            });
        }
    }
}

impl Counter {
    fn new(number: u64, desk: Desk) -> Self {
        Self {
            number,
            desk,
            outbox: VecDeque::new(),
            is_busy: false,
            fails: false,
        }
    }

    fn put(&mut self, letter: Option<Letter>, now: Duration) {
        match letter {
            Some(letter) if self.outbox.len() < OUTBOX_MAX => self.outbox.push_back(letter),
            Some(letter) => self.desk.returned(letter, now),
            None => {}
        }
    }

    fn take_back(&mut self, sent: Sent, now: Duration) {
        self.is_busy = false;
        let Channel { to, .. } = self.desk.channel();
        match sent.outcome {
            Ok(()) => self.fails = false,
            Err(error) => {
                if !self.fails {
                    let channel = to.word();
                    tracing::warn!(
                        channel,
                        "an alert did not arrive, and is told later: {error}"
                    );
                }
                self.fails = true;
                self.desk.returned(sent.letter, now);
            }
        }
    }
}

/// Tries again where that may help.
async fn try_a_few_times(
    sender: Arc<dyn AlertSender>,
    to: Destination,
    note: Note,
) -> Result<(), AlertError> {
    for wait in WAITS {
        match sender.send(&to, &note).await {
            Err(error) if error.may_pass => {
                let asked = error.wait.unwrap_or_default().min(WAIT_MAX);
                tokio::time::sleep(wait.max(asked)).await;
            }
            ended => return ended,
        }
    }
    sender.send(&to, &note).await
}

fn heard(Fold { event, .. }: &Fold) -> Heard {
    Heard {
        kind: event.kind,
        severity: event.severity,
        subject: event.subject.clone(),
        remote_address: event.remote_address,
        count: event.count,
        first_seen: event.first_seen,
        last_seen: event.last_seen,
        description: event.description.clone(),
    }
}
