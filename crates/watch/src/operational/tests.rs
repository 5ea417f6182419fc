//! What waits, what is told, and what is not.

use super::*;
use model::Timestamp;
use model::id::{TaskId, TaskKey};
use model::operational::Happened;
use std::sync::Arc;
use store::StoreError;
use tokio::sync::mpsc;

/// Answers as it is told to, and passes on what it was given.
struct Scripted {
    answers: Mutex<VecDeque<Result<Told, AppError>>>,
    given: mpsc::UnboundedSender<Vec<OperationalEvent>>,
}

impl Teller for Scripted {
    async fn tell(&self, events: &[OperationalEvent]) -> Result<Told, AppError> {
        self.given.send(events.to_vec()).unwrap();
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or(Ok(Told::Messages(events.len())))
    }
}

struct World {
    outbox: Arc<Outbox>,
    given: mpsc::UnboundedReceiver<Vec<OperationalEvent>>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

impl World {
    fn new(answers: impl IntoIterator<Item = Result<Told, AppError>>) -> Self {
        let (given, received) = mpsc::unbounded_channel();
        let teller = Scripted {
            answers: Mutex::new(answers.into_iter().collect()),
            given,
        };
        let (outbox, stop) = (Arc::new(Outbox::default()), CancellationToken::new());
        let (own, until) = (outbox.clone(), stop.clone());
        let running = tokio::spawn(async move { own.run(&teller, until).await });
        Self {
            outbox,
            given: received,
            stop,
            running,
        }
    }

    async fn next(&mut self) -> Vec<OperationalEvent> {
        self.given.recv().await.expect("it goes on")
    }
}

fn event(number: i64) -> OperationalEvent {
    OperationalEvent {
        at: Timestamp::MIN,
        what: Happened::TaskFinished(TaskId::new(TaskKey::from_integer(number), [0; 12])),
    }
}

fn unavailable() -> AppError {
    AppError::Unavailable(StoreError::Unavailable {
        reason: "the disk is full".to_owned(),
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_reported_is_told_at_once_and_once() {
    let mut world = World::new([]);
    world.outbox.report(event(1));
    assert_eq!(world.next().await, [event(1)]);
    world.outbox.report(event(2));
    assert_eq!(world.next().await, [event(2)]);
}

#[tokio::test(start_paused = true)]
async fn while_nothing_can_be_written_it_waits_and_is_told_in_order() {
    let mut world = World::new([Err(unavailable()), Err(unavailable())]);
    world.outbox.report(event(1));
    assert_eq!(world.next().await, [event(1)]);
    world.outbox.report(event(2));
    assert_eq!(world.next().await, [event(1), event(2)]);
    assert_eq!(world.next().await, [event(1), event(2)]);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_told_nothing_waits_and_who_comes_later_hears_of_what_happens_then() {
    let mut world = World::new([Ok(Told::Nobody)]);
    world.outbox.report(event(1));
    assert_eq!(world.next().await, [event(1)]);
    tokio::task::yield_now().await;
    world.outbox.report(event(2));
    assert_eq!(world.next().await, [event(2)]);
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_is_counted_and_keeps_nothing_waiting() {
    let outbox = Outbox::default();
    let max = i64::try_from(WAITING_MAX).unwrap();
    for number in 0..max + 3 {
        outbox.report(event(number));
    }
    let (events, dropped) = {
        let waiting = outbox.lock();
        (waiting.events.len(), waiting.dropped)
    };
    assert_eq!((events, dropped), (WAITING_MAX, 3));
    outbox.done(WAITING_MAX);
    assert_eq!(outbox.lock().dropped, 0, "it was said");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_told_before_it_ends() {
    let mut world = World::new([]);
    let many = i64::try_from(2 * BATCH_MAX).unwrap();
    world.stop.cancel();
    for number in 0..many {
        world.outbox.report(event(number));
    }
    world.running.await.unwrap();
    let mut told = Vec::new();
    while let Some(batch) = world.given.recv().await {
        told.extend(batch);
    }
    let all: Vec<_> = (0..many).map(event).collect();
    assert_eq!(told, all);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_keeps_nothing_behind_it_from_being_told() {
    let mut world = World::new([Err(AppError::NotFound("no"))]);
    world.outbox.report(event(1));
    assert_eq!(world.next().await, [event(1)]);
    world.outbox.report(event(2));
    assert_eq!(world.next().await, [event(2)]);
}
