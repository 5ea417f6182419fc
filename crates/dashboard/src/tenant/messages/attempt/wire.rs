//! How an attempt's request went: what its time was spent on, and what its connection showed of the
//! receiver.

use crate::parts::{self, Tone, badge, duration, short, table, time_or};
use app::attempts::AttemptObserved;
use maud::{Markup, html};
use model::Pin;
use model::chain_seen::SeenCertificate;
use model::phases::Phases;
use std::time::Duration;

/// How wide the drawing of all phases is, in units of its own.
const WIDTH: f64 = 200.0;
/// The narrowest that a phase is drawn.
const NARROWEST: f64 = 1.0;

type Row = (&'static str, Duration);

/// What the time was spent on; nothing where that is not known.
pub(super) fn phases(phases: &Phases) -> Markup {
    let rows = named(phases);
    let whole: Duration = rows.iter().map(|(_, took)| *took).sum();
    let mut before = Duration::ZERO;
    let cells = rows.iter().map(|(name, took)| {
        let drawn = bar((before, *took), whole);
        before += *took;
        vec![html! { (name) }, html! { (duration(*took)) }, drawn]
    });
    let cells = cells.collect();
    html! {
        @if !rows.is_empty() {
            h2 { "How its time was spent" }
            p { (connection(phases)) }
            (table("Phases of the request", &["Phase", "Took", "In the whole"], cells, ""))
        }
    }
}

/// Those that there were, in their order.
fn named(phases: &Phases) -> Vec<Row> {
    let all = [
        ("Looking the host up", phases.resolve),
        ("Connecting", phases.connect),
        ("TLS handshake", phases.tls),
        ("Sending, and waiting for an answer", phases.answer),
        ("Reading the answer's body", phases.body),
    ];
    let had = all.into_iter();
    had.filter_map(|(name, took)| Some((name, took?))).collect()
}

fn connection(phases: &Phases) -> &'static str {
    match (phases.answer.is_some(), phases.reused, phases.http2) {
        (false, ..) => "Nothing was sent: it failed in the last of these.",
        (_, true, true) => "Over a kept connection, by HTTP/2.",
        (_, true, false) => "Over a kept connection, by HTTP/1.1.",
        (_, false, true) => "Over a new connection, by HTTP/2.",
        (_, false, false) => "Over a new connection, by HTTP/1.1.",
    }
}

/// Where a phase lies in the whole, for those who see it: the figures stand beside it.
fn bar((before, took): (Duration, Duration), whole: Duration) -> Markup {
    let part = |time: Duration| match whole.is_zero() {
        true => 0.0,
        false => time.as_secs_f64() / whole.as_secs_f64() * WIDTH,
    };
    let width = part(took).max(NARROWEST);
    let x = part(before).min(WIDTH - width);
    let view = format!("0 0 {WIDTH} 8");
    html! {
        svg.phase viewBox=(view) aria-hidden="true" {
            rect.all x="0" y="3" width=(WIDTH) height="2" {}
            rect.own x={ (format!("{x:.1}")) } y="0" width={ (format!("{width:.1}")) } height="8" {}
        }
    }
}

/// What the connection showed, beside the pins that the endpoint has now.
pub(super) fn certificates(observed: &AttemptObserved, pins: Option<&[Pin]>) -> Markup {
    let chain = &observed.certificates;
    let heads: &[&str] = match pins {
        Some(_) => &["Subject", "Issuer", "Ends", "Pin", "Pinned"],
        None => &["Subject", "Issuer", "Ends", "Pin"],
    };
    let rows = chain.iter().map(|one| certificate(one, pins)).collect();
    html! {
        @if !chain.is_empty() {
            h2 { "Certificates" }
            p { (worth(&observed.phases)) }
            (table("What the connection showed, the receiver's own first", heads, rows, ""))
        }
    }
}

/// What can be said of them.
fn worth(phases: &Phases) -> &'static str {
    match phases.tls.is_some() && phases.answer.is_none() {
        true => "The handshake failed: all that is known of these is that they were shown.",
        false => {
            "The connection was verified. With pins, this is the path that was found; without, \
             all that was shown."
        }
    }
}

fn certificate(one: &SeenCertificate, pins: Option<&[Pin]>) -> Vec<Markup> {
    let mut cells = vec![
        short(&one.subject),
        short(&one.issuer),
        time_or(one.not_after, "unknown"),
        parts::id(one.pin),
    ];
    if let Some(pins) = pins {
        cells.push(match pins.contains(&one.pin) {
            true => badge(Tone::Good, "pinned"),
            false => html! { "no" },
        });
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(connect: u64, answer: Option<u64>) -> Phases {
        Phases {
            connect: Some(Duration::from_millis(connect)),
            answer: answer.map(Duration::from_millis),
            ..Phases::default()
        }
    }

    #[test]
    fn phases_are_drawn_one_after_the_other_and_told_in_figures() {
        let page = phases(&spent(30, Some(10))).into_string();
        assert!(
            page.contains("Over a new connection, by HTTP/1.1."),
            "{page}"
        );
        for part in ["30 ms", "10 ms", r#"x="0.0" y="0" width="150.0""#] {
            assert!(page.contains(part), "{page}");
        }
        assert!(page.contains(r#"x="150.0" y="0" width="50.0""#), "{page}");
        assert!(!page.contains("TLS"), "{page}");
    }

    #[test]
    fn a_phase_of_no_time_is_seen_and_lies_inside() {
        let page = phases(&spent(30, Some(0))).into_string();
        assert!(page.contains(r#"x="199.0" y="0" width="1.0""#), "{page}");
        let page = phases(&spent(0, None)).into_string();
        assert!(page.contains("Nothing was sent"), "{page}");
        assert_eq!(phases(&Phases::default()).into_string(), "");
    }

    #[test]
    fn certificates_say_whether_they_are_pinned_where_there_are_pins() {
        let one = |byte: u8| SeenCertificate {
            pin: Pin::new([byte; 32]),
            subject: "CN=<b>".to_owned(),
            issuer: "CN=root".to_owned(),
            not_after: None,
        };
        let mut observed = AttemptObserved {
            certificates: vec![one(1), one(2)],
            ..AttemptObserved::default()
        };
        let page = certificates(&observed, Some(&[Pin::new([2; 32])])).into_string();
        assert_eq!(page.matches(">pinned<").count(), 1, "{page}");
        assert!(page.contains("CN=&lt;b&gt;"), "{page}");
        let page = certificates(&observed, None).into_string();
        assert!(
            !page.contains("inned") && page.contains("was verified"),
            "{page}"
        );
        observed.phases.tls = Some(Duration::ZERO);
        let page = certificates(&observed, None).into_string();
        assert!(page.contains("The handshake failed"), "{page}");
        observed.certificates.clear();
        assert_eq!(certificates(&observed, None).into_string(), "");
    }
}
