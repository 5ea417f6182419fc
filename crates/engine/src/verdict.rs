//! What an attempt's outcome means: for its delivery, and for its lane.
//!
//! The only reader of statuses and send errors. Pure: what to do about a verdict is `decide`'s.

use crate::encrypt::NoKey;
use crate::lane::How;
use crate::ready::Unsound;
use model::Timestamp;
use model::delivery::EndReason;
use model::protection::Held;
use model::retry::RetryHint;
use transport::{Answer, FetchError, OauthError, SendError, Stage};

/// The status by which a receiver says that it is gone for good.
const GONE: u16 = 410;
/// Statuses that ask for less: too many requests, and a gateway with nobody behind it.
const OVERLOAD: [u16; 4] = [429, 502, 503, 504];

/// What came of an attempt.
#[derive(Debug)]
pub(crate) enum Happened {
    /// The receiver answered, whatever its status.
    Answered(Answer),
    /// The receiver answered a challenge with success, and did not give it back.
    NotEchoed(Answer),
    /// A request was made, or refused by the address policy, and no whole answer came.
    NoAnswer(SendError),
    /// No request could be made of what the store holds.
    Unsound(Unsound),
    /// No request may be made until the endpoint's owner does something about it.
    Held(Held),
    /// No request was made, since it could not be made as it must be. What a tenant may read.
    Withheld(&'static str),
    /// No request was made, since its payload can't be encrypted.
    NoKey(NoKey),
    /// No request was made, since there is no access token for it.
    NoToken(OauthError),
    /// No request was made, and none will be.
    Ended(EndReason),
}

impl From<Result<Answer, SendError>> for Happened {
    fn from(sent: Result<Answer, SendError>) -> Self {
        match sent {
            Ok(answer) => Self::Answered(answer),
            Err(error) => Self::NoAnswer(error),
        }
    }
}

/// What it means for the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done.
    Delivered,
    /// It failed, and another attempt may do better.
    Retry(RetryHint),
    /// It failed for reasons of our own: another attempt may do better, and the endpoint is not to
    /// blame.
    RetryBlameless,
    /// It failed, and the receiver says that no attempt ever will do better.
    GiveUp,
    /// There is nothing to deliver, or nobody to deliver it to.
    Ended(EndReason),
}

/// Judges an outcome. 200 to 299 is success; redirects are failures like any other; only 410 is
/// final.
pub(crate) fn classify(happened: &Happened, now: Timestamp) -> Verdict {
    match happened {
        Happened::Answered(answer) => match answer.status {
            200..=299 => Verdict::Delivered,
            GONE => Verdict::GiveUp,
            _ => Verdict::Retry(RetryHint {
                timed_out: false,
                retry_after: answer.asks_to_wait(now),
            }),
        },
        Happened::NoAnswer(error) => Verdict::Retry(RetryHint {
            timed_out: error.stage() == Stage::Timeout,
            retry_after: None,
        }),
        // Its receiver's keys, or its token server, are its owner's to see to.
        Happened::NoKey(no_key) => Verdict::Retry(asked_elsewhere(no_key.fetch_error())),
        Happened::NoToken(error) => Verdict::Retry(asked_elsewhere(error.fetch_error())),
        Happened::NotEchoed(_) => Verdict::Retry(RetryHint::default()),
        Happened::Unsound(_) | Happened::Held(_) | Happened::Withheld(_) => Verdict::RetryBlameless,
        Happened::Ended(reason) => Verdict::Ended(*reason),
    }
}

/// What an outcome tells of how much the endpoint can take.
pub(crate) fn effect_on_lane(happened: &Happened) -> How {
    match happened {
        Happened::Answered(answer) => match answer.status {
            200..=299 => How::Success,
            status if OVERLOAD.contains(&status) => How::Overload,
            _ => How::Failure,
        },
        Happened::NoAnswer(error) => match error.stage() {
            Stage::Timeout => How::TimedOut,
            Stage::Guard => How::NotSent,
            Stage::Resolve | Stage::Connect | Stage::Tls | Stage::Write | Stage::Read => {
                How::Overload
            }
        },
        Happened::NotEchoed(_) => How::Failure,
        // Each attempt may have waited for it.
        Happened::NoKey(_) | Happened::NoToken(_) => How::Overload,
        Happened::Unsound(_) | Happened::Held(_) | Happened::Withheld(_) | Happened::Ended(_) => {
            How::NotSent
        }
    }
}

/// Whoever else had to be asked first may want to be asked later.
fn asked_elsewhere(error: Option<&FetchError>) -> RetryHint {
    RetryHint {
        timed_out: false,
        retry_after: error.and_then(FetchError::asks_to_wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::io::{Error, ErrorKind};
    use std::time::Duration;
    use transport::TimeLimit;

    fn answer(status: u16, retry_after: Option<&str>) -> Happened {
        Happened::Answered(Answer {
            status,
            retry_after: retry_after.map(str::to_owned),
            allowed: None,
            body: Bytes::new(),
            truncated: false,
            headers_after: Duration::ZERO,
            date: None,
            handshake: None,
            observed: Box::default(),
        })
    }

    fn retry(timed_out: bool, retry_after: Option<u64>) -> Verdict {
        Verdict::Retry(RetryHint {
            timed_out,
            retry_after: retry_after.map(Duration::from_secs),
        })
    }

    #[test]
    fn statuses_decide_alone() {
        let cases = [
            (200, Verdict::Delivered, How::Success),
            (204, Verdict::Delivered, How::Success),
            (299, Verdict::Delivered, How::Success),
            (100, retry(false, None), How::Failure),
            (199, retry(false, None), How::Failure),
            (301, retry(false, None), How::Failure),
            (308, retry(false, None), How::Failure),
            (400, retry(false, None), How::Failure),
            (404, retry(false, None), How::Failure),
            (410, Verdict::GiveUp, How::Failure),
            (429, retry(false, None), How::Overload),
            (500, retry(false, None), How::Failure),
            (503, retry(false, None), How::Overload),
            (999, retry(false, None), How::Failure),
        ];
        for (status, verdict, how) in cases {
            let happened = answer(status, None);
            assert_eq!(
                classify(&happened, Timestamp::default()),
                verdict,
                "{status}"
            );
            assert_eq!(effect_on_lane(&happened), how, "{status}");
        }
    }

    #[test]
    fn a_failing_receiver_says_how_long_to_wait() {
        let now = Timestamp::default();
        assert_eq!(
            classify(&answer(503, Some("7")), now),
            retry(false, Some(7))
        );
        assert_eq!(
            classify(&answer(400, Some("7")), now),
            retry(false, Some(7))
        );
        assert_eq!(
            classify(&answer(503, Some("soon")), now),
            retry(false, None)
        );
        assert_eq!(classify(&answer(200, Some("7")), now), Verdict::Delivered);
    }

    #[test]
    fn only_our_own_limits_are_time_outs() {
        let total = SendError::timed_out(TimeLimit::Total, Duration::from_secs(30));
        let connect = SendError::timed_out(TimeLimit::Connect, Duration::from_secs(10));
        let refused = |stage| SendError::new(stage, Error::from(ErrorKind::TimedOut));
        let cases = [
            (total, true, How::TimedOut),
            (connect, true, How::TimedOut),
            (refused(Stage::Guard), false, How::NotSent),
            (refused(Stage::Resolve), false, How::Overload),
            (refused(Stage::Connect), false, How::Overload),
            (refused(Stage::Tls), false, How::Overload),
            (refused(Stage::Read), false, How::Overload),
        ];
        for (error, timed_out, how) in cases {
            let happened = Happened::NoAnswer(error);
            assert_eq!(
                classify(&happened, Timestamp::default()),
                retry(timed_out, None)
            );
            assert_eq!(effect_on_lane(&happened), how);
        }
    }

    #[test]
    fn what_was_never_sent_says_nothing_of_the_endpoint() {
        let ended = Happened::Ended(EndReason::PayloadGone);
        let verdict = Verdict::Ended(EndReason::PayloadGone);
        assert_eq!(classify(&ended, Timestamp::default()), verdict);
        assert_eq!(effect_on_lane(&ended), How::NotSent);
        let unsound = Happened::Unsound(Unsound::Text("signing secret"));
        assert_eq!(
            classify(&unsound, Timestamp::default()),
            Verdict::RetryBlameless
        );
        assert_eq!(effect_on_lane(&unsound), How::NotSent);
    }
}
