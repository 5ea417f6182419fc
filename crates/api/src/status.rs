//! How messages stand and how attempts ended, as numbers and words of the wire.

use crate::query::Pairs;
use app::AppError;
use app::status::Status;
use serde::Serialize;

/// The two fields that say it.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusOut {
    status: u8,
    status_text: &'static str,
}

impl From<Status> for StatusOut {
    fn from(status: Status) -> Self {
        match status {
            Status::Success => Self {
                status: 0,
                status_text: "success",
            },
            Status::Pending => Self {
                status: 1,
                status_text: "pending",
            },
            Status::Fail => Self {
                status: 2,
                status_text: "fail",
            },
            Status::Sending => Self {
                status: 3,
                status_text: "sending",
            },
            Status::Cancelled => Self {
                status: 4,
                status_text: "canceled",
            },
        }
    }
}

/// A list's filter by status, and whether all words are told apart.
pub(crate) struct StatusFilter {
    pub(crate) status: Option<Status>,
    pub(crate) expanded: bool,
}

impl StatusFilter {
    pub(crate) fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let expanded = query.flag("expanded_statuses")?.unwrap_or_default();
        let status = query.read("status", |text| match text {
            "0" => Ok(Status::Success),
            "1" => Ok(Status::Pending),
            "2" => Ok(Status::Fail),
            "3" => Ok(Status::Sending),
            "4" if expanded => Ok(Status::Cancelled),
            other => Err(format!(
                "expected one of {}, not `{other}`",
                known(expanded)
            )),
        })?;
        Ok(Self { status, expanded })
    }
}

fn known(expanded: bool) -> &'static str {
    if expanded {
        "0, 1, 2, 3, 4"
    } else {
        "0, 1, 2, 3"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_the_numbers_that_are_shown() {
        for status in [
            Status::Success,
            Status::Pending,
            Status::Fail,
            Status::Sending,
            Status::Cancelled,
        ] {
            let number = StatusOut::from(status).status;
            let query = Pairs::parse(&format!("status={number}&expanded_statuses=true"));
            let filter = StatusFilter::from_query(&query).unwrap();
            assert_eq!((filter.status, filter.expanded), (Some(status), true));
        }
        for wrong in [
            "status=4",
            "status=-1",
            "status=x",
            "status=",
            "status=5&expanded_statuses=true",
        ] {
            let refused = StatusFilter::from_query(&Pairs::parse(wrong));
            assert!(
                matches!(refused.err(), Some(AppError::BadRequest { .. })),
                "{wrong}"
            );
        }
    }
}
