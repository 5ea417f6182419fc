//! What is asked of the writer, and the answers on their way back.

use crate::accept;
use crate::failure::Failure;
use crate::sweep::Wanted;
use crate::work::Step;
use store::StoreError;
use store::accept::{Accept, AcceptError, Accepted};
use store::change::{ChangeError, ChangeRequest, Changed};
use store::record::{Outcome, Recorded};
use store::work::{Advanced, Slice, Swept};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Something to write, with what it holds of the room for requests.
pub(crate) struct Request {
    pub(crate) asked: Asked,
    pub(crate) _room: OwnedSemaphorePermit,
}

/// What is to be written, and who waits for it.
pub(crate) enum Asked {
    Accept(
        Vec<Accept>,
        oneshot::Sender<Vec<Result<Accepted, AcceptError>>>,
    ),
    Record(Box<Outcome>, oneshot::Sender<Result<Recorded, StoreError>>),
    Change(
        Box<ChangeRequest>,
        oneshot::Sender<Result<Changed, ChangeError>>,
    ),
    Work(oneshot::Sender<Result<Slice, StoreError>>),
    Advance(Box<Step>, oneshot::Sender<Result<Advanced, StoreError>>),
    /// Answered with nothing while another node does it.
    Sweep(Wanted, oneshot::Sender<Result<Option<Swept>, StoreError>>),
    Setting(
        (String, Vec<u8>),
        oneshot::Sender<Result<Vec<u8>, StoreError>>,
    ),
}

/// What came of one of them.
pub(crate) enum Answer {
    Accepted(Vec<Result<Accepted, AcceptError>>),
    Recorded(Recorded),
    Changed(Box<Result<Changed, ChangeError>>),
    Worked(Slice),
    Advanced(Advanced),
    Swept(Option<Swept>),
    Set(Vec<u8>),
}

impl Request {
    /// Whether it waits until it can be written, however long that takes.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.asked, Asked::Record(..))
    }

    /// Tells whoever waits. What an outcome holds is let go of first. A receiver that is gone
    /// wanted no answer.
    pub(crate) fn answer(self, answer: Answer) {
        match (self.asked, answer) {
            (Asked::Accept(_, reply), Answer::Accepted(answers)) => drop(reply.send(answers)),
            (Asked::Record(outcome, reply), Answer::Recorded(recorded)) => {
                drop(outcome);
                drop(reply.send(Ok(recorded)));
            }
            (Asked::Change(_, reply), Answer::Changed(changed)) => drop(reply.send(*changed)),
            (Asked::Work(reply), Answer::Worked(slice)) => drop(reply.send(Ok(slice))),
            (Asked::Advance(_, reply), Answer::Advanced(answer)) => drop(reply.send(Ok(answer))),
            (Asked::Sweep(_, reply), Answer::Swept(swept)) => drop(reply.send(Ok(swept))),
            (Asked::Setting(_, reply), Answer::Set(value)) => drop(reply.send(Ok(value))),
            _ => unreachable!("each is answered in its own kind"),
        }
    }

    /// Tells whoever waits that nothing was written.
    pub(crate) fn refuse(self, failure: &Failure) {
        let error = failure.to_store_error();
        match self.asked {
            Asked::Accept(items, reply) => {
                drop(reply.send(accept::refuse(items.len(), failure)));
            }
            Asked::Record(_, reply) => drop(reply.send(Err(error))),
            Asked::Change(_, reply) => drop(reply.send(Err(error.into()))),
            Asked::Work(reply) => drop(reply.send(Err(error))),
            Asked::Advance(_, reply) => drop(reply.send(Err(error))),
            Asked::Sweep(_, reply) => drop(reply.send(Err(error))),
            Asked::Setting(_, reply) => drop(reply.send(Err(error))),
        }
    }
}
