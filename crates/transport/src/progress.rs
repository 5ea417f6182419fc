//! What is noted of a request on its way: how its time is spent, and what its connection shows.
//!
//! It is the sender's, not the steps': what a step noted is there even where time ran out under it.

use std::sync::Arc;
use std::time::Duration;

use model::answer_head::AnswerHead;
use model::chain_seen::ShownChain;
use model::phases::Phases;
use tokio::time::Instant;

use crate::{Handshake, Observed};

/// What a request's time is spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Looking the host's addresses up.
    Resolve,
    /// Reaching one of them.
    Connect,
    /// Shaking hands.
    Tls,
    /// Writing the request, and waiting for the response's head.
    Answer,
    /// Reading the response's body.
    Body,
}

/// One request's notes.
#[derive(Default)]
pub(crate) struct Progress {
    phases: Phases,
    under_way: Option<(Phase, Instant)>,
    /// What the handshake showed, where one was made for this request.
    pub(crate) handshake: Option<Handshake>,
    /// What the connection showed, whoever it was made for.
    pub(crate) chain: Option<Arc<ShownChain>>,
    /// What the response began with, where that is kept.
    pub(crate) head: Option<AnswerHead>,
}

impl Progress {
    /// A phase begins, and the one before ends.
    pub(crate) fn begin(&mut self, phase: Phase) {
        let now = Instant::now();
        self.end_at(now);
        self.under_way = Some((phase, now));
    }

    /// The phase under way ends.
    pub(crate) fn end(&mut self) {
        self.end_at(Instant::now());
    }

    /// The request goes over a connection of this kind.
    pub(crate) fn goes_over(&mut self, reused: bool, http2: bool) {
        self.phases.reused = reused;
        self.phases.http2 = http2;
    }

    /// All that was noted. A phase that is still under way took until now.
    pub(crate) fn told(mut self) -> (Option<Box<Handshake>>, Box<Observed>) {
        self.end();
        let observed = Observed {
            phases: self.phases,
            chain: self.chain,
            head: self.head,
        };
        (self.handshake.map(Box::new), Box::new(observed))
    }

    fn end_at(&mut self, now: Instant) {
        if let Some((phase, begun)) = self.under_way.take() {
            let spent = self.spent_on(phase);
            *spent = Some(spent.unwrap_or_default() + now.duration_since(begun));
        }
    }

    fn spent_on(&mut self, phase: Phase) -> &mut Option<Duration> {
        match phase {
            Phase::Resolve => &mut self.phases.resolve,
            Phase::Connect => &mut self.phases.connect,
            Phase::Tls => &mut self.phases.tls,
            Phase::Answer => &mut self.phases.answer,
            Phase::Body => &mut self.phases.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A_WHILE: Duration = Duration::from_millis(3);

    #[tokio::test(start_paused = true)]
    async fn each_phase_lasts_until_the_next_and_the_last_until_it_is_told() {
        let mut progress = Progress::default();
        for phase in [Phase::Connect, Phase::Resolve, Phase::Connect, Phase::Tls] {
            progress.begin(phase);
            tokio::time::advance(A_WHILE).await;
        }
        let (handshake, observed) = progress.told();
        let expected = Phases {
            resolve: Some(A_WHILE),
            connect: Some(2 * A_WHILE),
            tls: Some(A_WHILE),
            ..Phases::default()
        };
        assert_eq!((handshake, observed.phases), (None, expected));
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_after_the_end_belongs_to_no_phase() {
        let mut progress = Progress::default();
        progress.begin(Phase::Body);
        tokio::time::advance(A_WHILE).await;
        progress.end();
        tokio::time::advance(A_WHILE).await;
        assert_eq!(progress.told().1.phases.body, Some(A_WHILE));
    }
}
