//! The sender: what was accepted reaches its endpoints, at least once, whatever fails in between.
//!
//! The persons:
//! - An open **delivery** is a row in the store that says when its next attempt is due. It is the
//!   only place where the state of a delivery lives. There is no second queue: a retry is a due
//!   time on that row, and first try, retry, resend and replay take the same way.
//! - A **lane** is an endpoint's share of the engine: how many attempts it may have in flight, what
//!   waits in memory, how fast it may go. One lane's trouble stays in that lane.
//! - The **roster** knows all lanes and whose turn it is. It is the only state of the engine that
//!   matters, and holds nothing that the store could not tell again.
//! - An **attempt** is `attempt::run_attempt`: prepare, seal, send, classify, decide, record.
//!
//! At least once: an attempt that was sent and whose outcome is not on disk is made again after a
//! crash. A slot is held until the outcome is on disk, so that no more can be repeated than was in
//! flight. Receivers tell repeats by `webhook-id`, which never changes between attempts.
//!
//! A delivery in memory comes with a hold. The hold saves work, it does not make anything correct:
//! it keeps the delivery from being claimed twice at a time on this node, and lets go when dropped,
//! also by a panic. It does not keep a delivery from being sent twice: a lost outcome, or a node
//! whose lease ran out, does that, and the store sorts out whose outcome counts. Likewise nothing
//! that is handed over from memory, noted as due or told by `store::Lanes` is needed for
//! correctness: forgotten, it is found by looking through the store, at the start and twice a
//! minute. So is what other nodes leave for anybody, where they share the store: every second then.
//!
//! After a change (an endpoint deleted, disabled, edited) is acknowledged, no attempt begins by
//! what was before. While the store can't commit, no attempt begins at all: its outcome could not
//! be recorded, and it would be sent again.
//!
//! Absences: the engine names no database, opens no socket, reads no clock, draws no randomness but
//! through `model::Clock` and `model::Entropy`, and has no global state. On one thread, with
//! paused time, the same parts give the same run.
//!
//! Map, in the order of a delivery's way:
//! - `engine`: what an engine is made of, and how it runs. `config`: every bound. `errand`:
//!   orders carried out.
//! - `roster`: whose turn it is, by the policies `lane` (admission), `fair` (shares), `host`
//!   (destination hosts), `line` (who waits there), `rate` (rate limits), `due` (due times).
//! - `claim`: what is due, from the store.
//! - `attempt`: the life of an attempt, with `prepare`, `first_use` (pins), `ready` (endpoints in
//!   memory), `connecting` (how connections are verified), `compose` (bodies, with `redact` and
//!   `encrypt`), `seal` (headers), `signature` (schemes), `authenticate` (credentials), `verdict`
//!   and `retry_after` (what an answer means), `decide` and `health` (what becomes of delivery and
//!   endpoint), `health_book`, `report`, `tell` and `traced` (who hears of it), `peers` (what is
//!   learned of receivers).
//! - `fetching`: payloads that receivers fetch, made as an attempt's are, on nodes too that make
//!   none. `background`, `shutdown`, `observe`, `meter` (what is
//!   counted for whoever watches).

mod attempt;
mod attempt_time;
mod authenticate;
mod background;
mod challenge;
mod claim;
mod compose;
mod config;
mod connecting;
mod decide;
mod due;
mod encrypt;
mod engine;
mod errand;
mod fair;
mod fetching;
mod first_use;
mod health;
mod health_book;
mod host;
mod lane;
mod line;
mod meter;
mod observe;
mod observed;
mod peers;
mod prepare;
mod rate;
mod ready;
mod redact;
mod report;
mod roster;
mod seal;
mod shutdown;
mod signature;
mod tell;
mod traced;
mod verdict;

pub use config::{EngineConfig, Retention, SURVEY_SHARED_EVERY};
pub use engine::{Engine, EngineParts};
pub use fetching::Fetcher;
pub use lane::LaneLimits;
pub use meter::{LaneCounts, Reading};
pub use observe::{Counters, Happening};
pub use shutdown::Drained;
