//! One measurement: start the parts, warm them up, send, wait until everything has arrived, and
//! look at what it took.

mod flooded;
mod pages;

pub(crate) use flooded::{CONNECTIONS, Good};
pub use pages::{PAGE_WITHIN, PageFigures, Pages, PagesReport, run as run_pages};

use crate::beside::Beside;
use crate::book::{Arrivals, Expected};
use crate::control::Control;
use crate::dial::Place;
use crate::history::History;
use crate::keys::{Keys, Origin};
use crate::load::{Job, Sent};
use crate::options::{Certificates, Receivers, Subjects, shared_secret};
use crate::payload::RUNS;
use crate::plan::{Case, Plan, Server, Way};
use crate::process::Listening;
use crate::receiver::{BEGIN, BOOK, SECURE};
use crate::report::Figures;
use crate::run::{Stage, Step, Watch};
use crate::target::Target;
use crate::tenants::{Made, Tenants};
use crate::usage::{self, Threads, Usage};
use crate::worker::LoadClient;
use crate::{BenchError, EndpointOption, clock};
use serde_json::json;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Between two looks at the receiver's book.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What all measurements share.
pub(crate) struct Bench<'a> {
    plan: &'a Plan,
    watch: Watch<'a>,
    receiver_url: String,
    own_receiver: Option<Listening>,
    receiver: Control,
    numbers: Keys,
    /// What sources have, and their senders.
    secret: String,
    /// What was made in a server that was there before.
    made: Made,
    histories: Vec<History>,
    /// What options need, where they are measured.
    certificates: Option<Certificates>,
    subjects: Option<Subjects>,
}

/// What one pass showed.
struct Pass {
    sent: Sent,
    arrivals: Arrivals,
    expected: Expected,
}

impl Pass {
    /// Deliveries of what was accepted that did not arrive.
    fn lost(&self) -> u64 {
        let accepted = self.expected.accepted(self.sent.refused);
        accepted.saturating_sub(self.arrivals.arrived)
    }
}

impl<'a> Bench<'a> {
    /// Has a receiver ready.
    pub(crate) async fn open(plan: &'a Plan, watch: Watch<'a>) -> Result<Self, BenchError> {
        let certificates = match plan.options.as_slice() {
            [] => None,
            _ => Some(Certificates::make()?),
        };
        let (receiver_url, own_receiver) = match &plan.receiver {
            Some(url) => (url.trim_end_matches('/').to_owned(), None),
            None => {
                let part = own_receiver(plan, certificates.as_ref()).await?;
                (part.url().to_owned(), Some(part))
            }
        };
        Ok(Self {
            receiver: Control::new(Place::parse(&receiver_url)?, None),
            plan,
            watch,
            receiver_url,
            own_receiver,
            numbers: Keys::new(),
            secret: shared_secret()?,
            made: Made::default(),
            histories: Vec::new(),
            certificates,
            subjects: None,
        })
    }

    /// Fills a store for a case, unless there is one. It is kept for all rounds: filling it takes
    /// longer than they do.
    pub(crate) async fn fill(&mut self, case: &Case) -> Result<(), BenchError> {
        let Server::Own { below } = &self.plan.server else {
            return Err(BenchError::StoredElsewhere);
        };
        let stored = case.stored;
        let is_there = |history: &History| history.stored == stored;
        if self.histories.iter().any(is_there) {
            return Ok(());
        }
        let (plan, receiver) = (self.plan, self.receiver_url.clone());
        let (history, target) = History::begin((plan, case), below, &receiver).await?;
        let mut load = LoadClient::start(&plan.program)?;
        let mut job = history.job(plan, &target);
        let step = Step::Filling { stored };
        let pass = self.pass(step, &mut load, &mut job).await?;
        load.stop().await;
        match pass.expected.deliveries() - pass.arrivals.arrived {
            0 => {}
            missing => return Err(BenchError::NotFilled { missing }),
        }
        let history = history.end(plan, target, &receiver).await?;
        let watch = self.watch;
        let told = |arrived| {
            watch(&Stage {
                step,
                arrived,
                expected: stored,
            });
        };
        history.home.multiply(plan, stored, told).await?;
        self.histories.push(history);
        Ok(())
    }

    /// Starts the server that options are measured on, unless it is there.
    pub(crate) async fn introduce(&mut self, case: &Case) -> Result<(), BenchError> {
        if self.subjects.is_some() {
            return Ok(());
        }
        let secure = self
            .own_receiver
            .as_ref()
            .and_then(|part| part.said(SECURE));
        let (Some(secure), Some(certificates)) = (secure, &self.certificates) else {
            return Err(BenchError::OptionsElsewhere);
        };
        let receivers = Receivers {
            plain: &self.receiver_url,
            secure: &secure,
            certificates,
        };
        self.subjects = Some(Subjects::begin((self.plan, case), &receivers).await?);
        Ok(())
    }

    /// Measures a case once: with parts of its own, or an option, with those that stay.
    pub(crate) async fn measure(&mut self, case: &Case) -> Result<Figures, BenchError> {
        match (case.option, self.subjects.take()) {
            (Some(option), Some(subjects)) => {
                let measured = self.measure_option(case, (option, &subjects)).await;
                self.subjects = Some(subjects);
                measured
            }
            _ => self.measure_alone(case).await,
        }
    }

    /// The server's CPU time is told more finely here, since single microseconds are looked for.
    async fn measure_option(
        &mut self,
        case: &Case,
        (option, subjects): (EndpointOption, &Subjects),
    ) -> Result<Figures, BenchError> {
        let size = self.plan.size;
        let mut load = LoadClient::start(&self.plan.program)?;
        let mut job = self.job(case, &subjects.target);
        job.paths = Target::paths(subjects.applications(option), size.batch);
        let step = Step::Measuring(*case);
        let mut measured = None;
        for messages in [size.warm_up(), size.messages] {
            job.messages = messages;
            let before = Threads::of(&subjects.target.processes);
            let pass = self.pass(step, &mut load, &mut job).await?;
            let used = Threads::of(&subjects.target.processes).since(&before);
            measured = Some((pass, used));
        }
        load.stop().await;
        let (pass, used) = measured.expect("there are two passes");
        let connections = pass.arrivals.connections as f64;
        let arrived = pass.arrivals.arrived.max(1) as f64;
        let figures = figures(&pass, Used::NOTHING, Used::NOTHING);
        Ok(Figures {
            cpu_us: used.map(|used| used.as_secs_f64() * 1e6 / arrived),
            connections: Some(connections),
            ..figures
        })
    }

    async fn measure_alone(&mut self, case: &Case) -> Result<Figures, BenchError> {
        let target = self.target(case).await?;
        self.made.add(&target.made);
        let mut load = LoadClient::start(&self.plan.program)?;
        let mut job = self.job(case, &target);
        job.messages = self.plan.size.warm_up();
        let step = Step::Measuring(*case);
        if job.messages > 0 {
            self.pass(step, &mut load, &mut job).await?;
        }
        job.messages = self.plan.size.messages;
        let beside = Beside::begin(self.plan, case, &target).await?;
        self.made.applications.extend(beside.application());
        let harness: Vec<_> = load.process().into_iter().chain(self.process()).collect();
        let used = || Used {
            servers: Usage::of(&target.processes),
            database: target.postmaster.map(usage::of_family),
            harness: Usage::of(&harness),
        };
        let before = used();
        let pass = self.pass(step, &mut load, &mut job).await?;
        let after = used();
        let mut figures = figures(&pass, before, after);
        load.stop().await;
        (figures.list_ms, figures.search_ms) = beside.end(&target).await?;
        let (target, starts) = target.start_again(self.plan).await?;
        (figures.start_after_kill_ms, figures.start_after_end_ms) = starts;
        target.stop().await;
        Ok(figures)
    }

    /// Takes away what was made in a server that was there before, and ends the receiver.
    pub(crate) async fn close(self) -> Result<(), BenchError> {
        if let Some(given) = self.plan.server.given() {
            Tenants::of(given)?.remove(&self.made).await?;
        }
        if let Some(receiver) = self.own_receiver {
            receiver.stop().await;
        }
        for history in self.histories {
            history.home.end().await;
        }
        if let Some(subjects) = self.subjects {
            subjects.end().await;
        }
        Ok(())
    }

    async fn target(&self, case: &Case) -> Result<Target, BenchError> {
        let (plan, receiver) = (self.plan, &self.receiver_url);
        let history = |history: &&History| history.stored == case.stored;
        match (case.way, &plan.server) {
            (Way::Raw, _) => Target::receiver(receiver),
            (Way::Relay, _) => Target::relay(plan, receiver).await,
            (Way::Gateway, Server::Own { below }) => {
                let to = (receiver.as_str(), self.secret.as_str());
                Target::gateway((plan, case), below, to).await
            }
            (Way::Gateway, _) => Err(BenchError::NotOfTheGateway { flag: "--server" }),
            (_, Server::Given(given)) | (Way::Other, Server::Both { given, .. }) => {
                Target::given(plan, given, receiver).await
            }
            (_, Server::Own { below } | Server::Both { below, .. }) => {
                match self.histories.iter().find(history) {
                    Some(history) => Target::filled((plan, case), history).await,
                    None => Target::empty((plan, case), below, receiver).await,
                }
            }
        }
    }

    fn process(&self) -> Option<u32> {
        self.own_receiver.as_ref()?.process()
    }

    fn job(&self, case: &Case, target: &Target) -> Job {
        let size = &self.plan.size;
        let through_a_server = matches!(case.way, Way::Postrider | Way::Other);
        let signed = match case.way {
            Way::Gateway => true,
            Way::Raw | Way::Relay => self.plan.flood.is_some(),
            Way::Postrider | Way::Other => false,
        };
        Job {
            places: target.places.clone(),
            paths: target.paths.clone(),
            token: target.token.clone().filter(|_| through_a_server),
            run: 0,
            messages: 0,
            batch: size.batch.filter(|_| through_a_server),
            payload_bytes: size.payload_bytes,
            clients: case.clients,
            keys: (case.keys && !signed).then_some(Origin::Library),
            secret: signed.then(|| self.secret.clone()),
            counts_refusals: false,
            rate: size.rate,
        }
    }

    /// How many endpoints get each message.
    fn endpoints(&self, step: Step) -> u64 {
        match step {
            Step::Filling { .. } => 1,
            Step::Measuring(case) if case.way == Way::Raw => 1,
            Step::Measuring(_) | Step::Flooding { .. } | Step::Pages { .. } => {
                self.plan.size.endpoints.into()
            }
        }
    }

    /// Sends what a job says, and waits until all has arrived or no more does.
    async fn pass(
        &mut self,
        step: Step,
        load: &mut LoadClient,
        job: &mut Job,
    ) -> Result<Pass, BenchError> {
        job.run = self.numbers.draw() % RUNS;
        let expected = Expected {
            run: job.run,
            messages: job.messages,
            endpoints: self.endpoints(step),
        };
        self.receiver.post(BEGIN, &json!(expected)).await?;
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sending = pin!(load.send(job));
        let mut sent = None;
        let mut since = (0, Instant::now());
        loop {
            tokio::select! {
                outcome = &mut sending, if sent.is_none() => sent = Some(outcome?),
                _ = looks.tick() => {}
            }
            let arrivals: Arrivals = self.receiver.get(BOOK).await?;
            (self.watch)(&Stage {
                step,
                arrived: arrivals.arrived,
                expected: expected.deliveries(),
            });
            shown(step, &arrivals)?;
            if arrivals.arrived > since.0 {
                since = (arrivals.arrived, Instant::now());
            }
            let refused = sent.as_ref().map_or(0, |sent: &Sent| sent.refused);
            let over = arrivals.arrived >= expected.accepted(refused)
                || since.1.elapsed() >= self.plan.patience;
            if let (Some(sent), true) = (&sent, over) {
                return Ok(Pass {
                    sent: sent.clone(),
                    arrivals,
                    expected,
                });
            }
        }
    }
}

/// What processes had used: those in the middle, and client and receiver.
struct Used {
    servers: Option<Usage>,
    /// None: there is none.
    database: Option<Option<Duration>>,
    harness: Option<Usage>,
}

impl Used {
    const NOTHING: Self = Self {
        servers: None,
        database: None,
        harness: None,
    };
}

/// Whether all deliveries so far show their endpoint's option.
fn shown(step: Step, arrivals: &Arrivals) -> Result<(), BenchError> {
    let option = match step {
        Step::Measuring(case) => case.option,
        Step::Filling { .. } | Step::Flooding { .. } | Step::Pages { .. } => None,
    };
    match option.filter(|_| arrivals.unlike > 0) {
        Some(option) => Err(BenchError::NotShown { option }),
        None => Ok(()),
    }
}

/// A receiver of the bench's own; with certificates, over TLS as well.
async fn own_receiver(
    plan: &Plan,
    certificates: Option<&Certificates>,
) -> Result<Listening, BenchError> {
    let mut arguments = vec!["bench", "--part", "receiver"];
    let directory = certificates.map(|made| made.directory().to_string_lossy().into_owned());
    if let Some(directory) = &directory {
        arguments.extend(["--certificates", directory]);
    }
    Listening::start(&plan.program, "the receiver", &arguments).await
}

fn figures(pass: &Pass, before: Used, after: Used) -> Figures {
    let Pass {
        sent,
        arrivals,
        expected,
    } = pass;
    let clock_is_shared = arrivals.machine.is_some() && arrivals.machine == clock::machine();
    let began_us = match clock_is_shared {
        true => sent.began_us,
        false => arrivals.first_us,
    };
    let per_second = |count: u64, us: u64| count as f64 * 1e6 / us.max(1) as f64;
    let cpu_us = |before: Option<Duration>, after: Option<Duration>| {
        let used = after?.saturating_sub(before?);
        Some(used.as_secs_f64() * 1e6 / arrivals.arrived.max(1) as f64)
    };
    let cpu = |usage: Option<Usage>| usage.map(|usage| usage.cpu);
    let servers = cpu_us(cpu(before.servers), cpu(after.servers));
    let database = before.database.zip(after.database);
    let database = database.map(|(before, after)| cpu_us(before, after));
    Figures {
        messages_per_second: per_second(expected.messages, sent.ended_us - sent.began_us),
        deliveries_per_second: per_second(
            arrivals.arrived,
            arrivals.last_us.saturating_sub(began_us),
        ),
        accept_ms: sent.accept,
        commit_ms: sent.commit,
        end_to_end_ms: arrivals.latency.filter(|_| clock_is_shared),
        cpu_us: match database {
            None => servers,
            Some(database) => servers.zip(database).map(|(one, other)| one + other),
        },
        nodes_cpu_us: database.and(servers),
        database_cpu_us: database.flatten(),
        harness_cpu_us: cpu_us(cpu(before.harness), cpu(after.harness)),
        peak_mib: after.servers.map(|usage| usage.peak_kib as f64 / 1_024.0),
        lost: pass.lost(),
        repeated: arrivals.repeated,
        ..Figures::default()
    }
}
