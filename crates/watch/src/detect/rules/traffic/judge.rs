//! What of one source or application is far from usual. Pure, but for what was told of it.

use super::busy::{Busy, High};
use crate::detect::course::{HOUR, Moment};
use crate::detect::hours::{SPANS, chance};
use crate::detect::told::{many, time};
use crate::detect::{Config, Finding};
use model::id::ApplicationId;
use model::security::{Subject, SubjectKind};

/// Much more than usual in this hour, as soon as it is, or in the last sixty minutes.
pub(super) fn high(
    moment: &Moment,
    config: &Config,
    (of, busy): (&Subject, &mut Busy),
) -> Option<Finding> {
    let config = &config.volume_spike;
    let is_much = |(_, now, high): &(i64, u64, High)| {
        let limit = config.percent_of_most as f64 / 100.0 * high.most + chance(high.most);
        let now = *now as f64;
        now > limit && now >= high.usual + config.more_than_usual as f64
    };
    let hours = busy.highs().filter(|_| config.enabled)?;
    let (since, now, high) = hours.into_iter().find(is_much)?;
    let is_new = busy.told_high.tell(moment.now, config.cool_down_seconds);
    let usual = match high.is_by_week {
        true => format!(
            "{:.0} in this hour of the week, at most {:.0}",
            high.usual, high.most
        ),
        false => format!("at most {:.0} in any hour", high.most),
    };
    let text = format!(
        "much more than usual; usual: {usual}; now: {}, since {}",
        things(of, now),
        time(since),
    );
    is_new.then(|| found("volume-spike", moment, of, text))
}

/// Nearly nothing, for so long that it can't be chance.
pub(super) fn low(
    moment: &Moment,
    config: &Config,
    (of, busy): (&Subject, &mut Busy),
    is_new_hour: bool,
) -> Option<Finding> {
    let config = &config.silence;
    let low = busy.low().filter(|_| config.enabled)?;
    let is_silent = |(span, (least, there_was)): &(usize, (f64, u64))| {
        let nearly_nothing = least * config.percent as f64 / 100.0;
        let is_due = *span == 1 || is_new_hour;
        is_due
            && busy.is_watched_for(moment, *span as i64 * HOUR)
            && *least >= config.expected as f64
            && *there_was as f64 <= nearly_nothing
    };
    let (span, (least, there_was)) = SPANS.into_iter().zip(low).find(is_silent)?;
    let is_new = busy.told_low.tell(moment.now, config.cool_down_seconds);
    let text = format!(
        "nearly nothing; usual in {}: at least {least:.0}; now: {}, since {}",
        many(span as u64, "hour"),
        things(of, there_was),
        time(busy.last_at().max(moment.now - span as i64 * HOUR)),
    );
    is_new.then(|| found("silence", moment, of, text))
}

/// Much more fails than usual, in the last hour or, where there is little, in the last day.
pub(super) fn failing(
    moment: &Moment,
    config: &Config,
    (of, busy): (&Subject, &mut Busy),
) -> Option<Finding> {
    let config = &config.failure_rate;
    let (usual, most) = busy.failing().filter(|_| config.enabled)?;
    let is_failing = |(_, (total, failed)): &(u64, (u64, u64))| {
        let (all, failed) = (*total as f64, *failed as f64);
        let expected = config.times_usual as f64 * most * all;
        failed >= config.failures as f64
            && failed > expected + chance(expected)
            && failed / all >= most + config.percent_more as f64 / 100.0
    };
    let spans = [(1, busy.last_hour()), (24, busy.last_day())];
    let (hours, (total, failed)) = spans.into_iter().find(is_failing)?;
    let is_new = busy.told_failing.tell(moment.now, config.cool_down_seconds);
    let text = format!(
        "much more fails than usual; usual: {:.1} %, at most {:.1} %; now: {failed} of {} within {}, \
         since {}",
        usual * 100.0,
        most * 100.0,
        things(of, total),
        many(hours, "hour"),
        time(moment.now - hours as i64 * HOUR),
    );
    is_new.then(|| found("failure-rate", moment, of, text))
}

fn things(of: &Subject, count: u64) -> String {
    let what = match of.kind {
        SubjectKind::Application => "attempt",
        _ => "request",
    };
    many(count, what)
}

fn found(rule: &'static str, moment: &Moment, of: &Subject, explanation: String) -> Finding {
    let application = Some(&of.id).filter(|_| of.kind == SubjectKind::Application);
    Finding {
        rule,
        subject: of.clone(),
        application: application.and_then(|id| Some(id.parse::<ApplicationId>().ok()?.key())),
        remote_address: None,
        at: moment.at(),
        explanation,
    }
}
