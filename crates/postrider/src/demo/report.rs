//! The end of the demo: what was sent held against the order system's books.

use super::api::Attempts;
use super::attack::Attack;
use super::plan::{Books, Plan};
use super::posting::Sent;
use super::shop::Shop;

use comfy_table::{Table, presets};
use std::time::Duration;

/// All that was found.
pub(super) struct Findings<'a> {
    pub(super) plan: &'a Plan,
    pub(super) shop: &'a Shop,
    pub(super) sent: &'a [Sent],
    pub(super) attacks: &'a [Attack],
    /// By the platforms' Postrider.
    pub(super) to_gateway: Attempts,
    /// By the gateway.
    pub(super) to_shop: Attempts,
    /// Requests that the gateway recognised.
    pub(super) repeats_at_gateway: u64,
}

/// What all of it comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Verdict {
    lost: usize,
    doubles: u64,
    attacks_through: usize,
    books_agree: bool,
}

impl Verdict {
    fn is_good(self) -> bool {
        self.lost == 0 && self.doubles == 0 && self.attacks_through == 0 && self.books_agree
    }
}

/// Holds what was found against what was sent.
fn judge((taken, doubles): (&[bool], u64), attacks: &[Attack], books: (Books, Books)) -> Verdict {
    Verdict {
        lost: taken.iter().filter(|taken| !**taken).count(),
        doubles,
        attacks_through: attacks
            .iter()
            .filter(|attack| attack.refused.is_none())
            .count(),
        books_agree: books.0 == books.1,
    }
}

/// Prints the tables and the verdict; `true` if nothing was lost and no attack got through.
pub(super) fn print(found: &Findings<'_>) -> bool {
    println!("{}\n", books(found));
    println!("{}\n", deliveries(found));
    println!("{}\n", attacks(found.attacks));
    let taken = found.sent.iter();
    let taken: Vec<_> = taken
        .map(|sent| found.shop.taken_at(&sent.event).is_some())
        .collect();
    let books = (found.plan.books(), found.shop.books());
    let doubles = found.shop.doubles();
    let verdict = judge((&taken, doubles), found.attacks, books);
    println!("lost: {}", verdict.lost);
    if verdict.doubles > 0 {
        println!("let in twice by the gateway: {}", verdict.doubles);
    }
    if verdict.attacks_through > 0 {
        println!("attacks that got through: {}", verdict.attacks_through);
    }
    if !verdict.books_agree {
        println!("the order system's books are not what was sent");
    }
    verdict.is_good()
}

fn books(found: &Findings<'_>) -> Table {
    let (sent, known) = (found.plan.books(), found.shop.books());
    let mut table = table(["orders", "sent", "in the order system"]);
    for (name, sent, known) in [
        ("paid", sent.paid, known.paid),
        (
            "payment failed at first",
            sent.payment_failed,
            known.payment_failed,
        ),
        ("refunded", sent.refunded, known.refunded),
        ("shipped", sent.dispatched, known.dispatched),
        ("delivered", sent.delivered, known.delivered),
        (
            "lost in the post",
            sent.shipment_failed,
            known.shipment_failed,
        ),
    ] {
        table.add_row([name.to_owned(), sent.to_string(), known.to_string()]);
    }
    table
}

fn deliveries(found: &Findings<'_>) -> Table {
    let mut latencies: Vec<Duration> = found
        .sent
        .iter()
        .filter_map(|sent| {
            Some(
                found
                    .shop
                    .taken_at(&sent.event)?
                    .duration_since(sent.posted_at),
            )
        })
        .collect();
    latencies.sort_unstable();
    let (theirs, ours) = (found.to_gateway, found.to_shop);
    let all = |attempts: Attempts| (attempts.succeeded + attempts.failed).to_string();
    let mut table = table(["deliveries", ""]);
    for (name, value) in [
        ("events accepted", found.sent.len().to_string()),
        ("attempts to the gateway", all(theirs)),
        (
            "retries there (attempts after a failure)",
            theirs.failed.to_string(),
        ),
        (
            "repeats that the gateway recognised",
            found.repeats_at_gateway.to_string(),
        ),
        ("attempts to the order system", all(ours)),
        ("retries there", ours.failed.to_string()),
        (
            "repeats that the order system recognised",
            found.shop.repeats().to_string(),
        ),
        (
            "posted to processed, p50",
            millis(percentile(&latencies, 50)),
        ),
        (
            "posted to processed, p99, all trouble included",
            millis(percentile(&latencies, 99)),
        ),
    ] {
        table.add_row([name.to_owned(), value]);
    }
    table
}

fn attacks(attacks: &[Attack]) -> Table {
    let mut table = table(["attack", "refused by"]);
    for attack in attacks {
        table.add_row([
            attack.name,
            attack
                .refused
                .as_deref()
                .unwrap_or("NOBODY: it got through"),
        ]);
    }
    table
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_header(header);
    table
}

/// The value that so many hundredths do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let place = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
    sorted.get(place).copied()
}

fn millis(duration: Option<Duration>) -> String {
    duration.map_or("–".into(), |duration| {
        format!("{:.1} ms", duration.as_secs_f64() * 1e3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_good_only_if_nothing_was_lost_and_no_attack_got_through() {
        let attack = |refused: Option<&str>| Attack {
            name: "a try",
            refused: refused.map(str::to_owned),
        };
        let (refused, through) = ([attack(Some("order system"))], [attack(None)]);
        let (sent, other) = (Plan::new(40).books(), Plan::new(39).books());
        let good = judge((&[true, true], 0), &refused, (sent, sent));
        assert!(good.is_good(), "{good:?}");
        for bad in [
            judge((&[true, false], 0), &refused, (sent, sent)),
            judge((&[true, true], 1), &refused, (sent, sent)),
            judge((&[true, true], 0), &through, (sent, sent)),
            judge((&[true, true], 0), &refused, (sent, other)),
        ] {
            assert!(!bad.is_good(), "{bad:?}");
        }
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let measured: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&measured, 50), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&measured, 99), Some(Duration::from_millis(198)));
        assert_eq!(
            percentile(&measured[..1], 99),
            Some(Duration::from_millis(1))
        );
        assert_eq!(percentile(&[], 50), None);
    }
}
