//! How a message stands with an endpoint, and how an attempt ended, in the words that people see:
//! in answers and as filters of lists.
//!
//! Cancelled ones count as failed unless one asks for all words (`expanded`), since clients of old
//! know only the first four.

use model::attempt::AttemptResult;
use store::query::ResultFilter;
use store::rows::Standing;

/// The words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It was delivered.
    Success,
    /// No attempt has been made yet, and one will be.
    Pending,
    /// It failed, and will not be tried again; or it was cancelled, unless that is told apart.
    Fail,
    /// The last attempt failed, and it will be tried again.
    Sending,
    /// It ended without an attempt having had the last word.
    Cancelled,
}

impl Status {
    pub(crate) fn of_standing(standing: Standing, expanded: bool) -> Self {
        match standing {
            Standing::Delivered => Self::Success,
            Standing::Pending => Self::Pending,
            Standing::Retrying => Self::Sending,
            Standing::Failed => Self::Fail,
            Standing::Cancelled if expanded => Self::Cancelled,
            Standing::Cancelled => Self::Fail,
        }
    }

    pub(crate) fn of_result(result: AttemptResult, expanded: bool) -> Self {
        match result {
            AttemptResult::Success => Self::Success,
            AttemptResult::Failure => Self::Fail,
            AttemptResult::Cancelled(_) if expanded => Self::Cancelled,
            AttemptResult::Cancelled(_) => Self::Fail,
        }
    }

    /// The standings that are called by this word.
    pub(crate) fn standings(self, expanded: bool) -> Vec<Standing> {
        match self {
            Self::Success => vec![Standing::Delivered],
            Self::Pending => vec![Standing::Pending],
            Self::Sending => vec![Standing::Retrying],
            Self::Fail if expanded => vec![Standing::Failed],
            Self::Fail => vec![Standing::Failed, Standing::Cancelled],
            Self::Cancelled if expanded => vec![Standing::Cancelled],
            Self::Cancelled => Vec::new(),
        }
    }

    /// The attempts that are called by this word. One that is recorded is over: none is pending.
    pub(crate) fn results(self, expanded: bool) -> ResultFilter {
        match self {
            Self::Success => ResultFilter::Success,
            Self::Fail if expanded => ResultFilter::Failure,
            Self::Fail => ResultFilter::FailureOrCancelled,
            Self::Cancelled if expanded => ResultFilter::Cancelled,
            Self::Pending | Self::Sending | Self::Cancelled => ResultFilter::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::delivery::EndReason;

    const STANDINGS: [Standing; 5] = [
        Standing::Delivered,
        Standing::Pending,
        Standing::Retrying,
        Standing::Failed,
        Standing::Cancelled,
    ];
    const STATUSES: [Status; 5] = [
        Status::Success,
        Status::Pending,
        Status::Fail,
        Status::Sending,
        Status::Cancelled,
    ];

    #[test]
    fn a_filter_finds_exactly_what_is_shown_under_its_word() {
        for expanded in [false, true] {
            for standing in STANDINGS {
                for status in STATUSES {
                    let shown = Status::of_standing(standing, expanded) == status;
                    let found = status.standings(expanded).contains(&standing);
                    assert_eq!(shown, found, "{standing:?} {status:?} {expanded}");
                }
            }
        }
    }

    #[test]
    fn an_attempts_filter_finds_exactly_what_is_shown_under_its_word() {
        let results = [
            AttemptResult::Success,
            AttemptResult::Failure,
            AttemptResult::Cancelled(EndReason::PayloadGone),
        ];
        let passes = |filter, result| match filter {
            ResultFilter::Success => result == AttemptResult::Success,
            ResultFilter::Failure => result == AttemptResult::Failure,
            ResultFilter::Cancelled => matches!(result, AttemptResult::Cancelled(_)),
            ResultFilter::FailureOrCancelled => result != AttemptResult::Success,
            ResultFilter::Nothing => false,
        };
        for expanded in [false, true] {
            for result in results {
                for status in STATUSES {
                    let shown = Status::of_result(result, expanded) == status;
                    let found = passes(status.results(expanded), result);
                    assert_eq!(shown, found, "{result:?} {status:?} {expanded}");
                }
            }
        }
    }
}
