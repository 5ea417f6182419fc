//! Who reads much, or has much sent again, on any day: reports, customers who look, people who
//! help them.

use super::{any_time, working_time};
use crate::vigil::draw::Draw;
use crate::vigil::plan::Planned;
use crate::vigil::{BEGINS_AT, DAY, HOUR, MINUTE, What};

/// What is read at once.
const PAGE: u64 = 250;

pub(super) fn of_day((begin, draw): (i64, &mut Draw), to: &mut Planned) {
    let night = begin + 2 * HOUR + draw.whole(0, 20 * MINUTE);
    let rows = draw.sized(6_000.0, 20_000.0) as u64;
    export(to, "key_report", (night, 25 * MINUTE), rows);
    if (begin - BEGINS_AT).rem_euclid(7 * DAY) == 0 {
        let rows = draw.sized(30_000.0, 60_000.0) as u64;
        export(to, "key_weekly", (begin + 5 * HOUR, 50 * MINUTE), rows);
    }
    for _ in 0..draw.poisson(8.0) {
        let by = format!("app_{}", draw.whole(1, 30));
        let rows = draw.sized(50.0, 1_500.0) as u64;
        let length = draw.whole(1, 20) * MINUTE;
        export(to, &by, (working_time(draw, begin), length), rows);
    }
    if draw.is(0.5) {
        let rows = draw.sized(1_000.0, 6_000.0) as u64;
        export(
            to,
            "key_support",
            (working_time(draw, begin), 30 * MINUTE),
            rows,
        );
    }
    for _ in 0..draw.poisson(1.0) {
        let by = format!("app_{}", draw.whole(1, 30));
        let count = draw.sized(10.0, 1_500.0) as u64;
        to.happens(working_time(draw, begin), again(&by, count));
    }
}

pub(super) fn of_month(draw: &mut Draw, to: &mut Planned) {
    for _ in 0..3 {
        let count = draw.sized(2_000.0, 6_000.0) as u64;
        to.happens(any_time(draw), again("key_support", count));
    }
}

/// Page after page.
pub(in crate::vigil) fn export(to: &mut Planned, by: &str, (begin, length): (i64, i64), rows: u64) {
    let pages = rows.div_ceil(PAGE);
    for page in 0..pages {
        let what = What::Bulk {
            by: by.to_owned(),
            replay: false,
            count: PAGE.min(rows - page * PAGE),
        };
        to.happens(begin + length * page as i64 / pages as i64, what);
    }
}

pub(in crate::vigil) fn again(by: &str, count: u64) -> What {
    What::Bulk {
        by: by.to_owned(),
        replay: true,
        count,
    }
}
