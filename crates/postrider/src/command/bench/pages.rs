//! `postrider bench --pages`: how long each page takes beside very many messages. Which pages there
//! are is asked of the room that has them, so that none is left out.

use super::table::figures_to_the_right;
use super::{failure, one_thread, progress, show};
use crate::cli::BenchArgs;
use crate::command::say;
use crate::failure::Failure;
use bench::{PAGE_WITHIN, Pages, PagesReport, Plan, Stage, run_pages};
use comfy_table::{Table, presets};
use dashboard::{DASHBOARD, PORTAL};
use http::Method;

const SIGN_IN: &str = "/dashboard/sign-in";

/// Measures and prints; [`Failure::No`] if a page was not there in time.
pub(super) fn run(args: &BenchArgs, plan: &Plan) -> Result<(), Failure> {
    let pages = Pages {
        paths: paths(),
        sign_in: SIGN_IN,
        portal: PORTAL,
    };
    let bar = progress();
    let watch = |stage: &Stage| show(&bar, stage);
    let measuring = run_pages(plan, (args.messages, &pages), &watch);
    let report = one_thread()?.block_on(measuring);
    bar.finish_and_clear();
    let report = report.map_err(failure)?;
    if args.json {
        say(serde_json::to_string(&report).map_err(Failure::could_not)?)?;
    } else {
        say(table(&report))?;
    }
    match report.pages.iter().all(|page| page.is_good()) {
        true => Ok(()),
        false => Err(Failure::No),
    }
}

/// All that is looked at. Who signs in elsewhere is led there: that is no page. And there are no
/// files of what the bench's receiver answers, which is nothing, nor of a logo that nobody chose.
fn paths() -> Vec<String> {
    let elsewhere = format!("{SIGN_IN}/");
    let is_file = |path: &String| path.ends_with("/response") || path.ends_with("/logo");
    let declared = dashboard::declared().into_iter();
    let looked_at = declared.filter(|one| one.method == Method::GET);
    let mut paths: Vec<String> = looked_at
        .map(|one| one.path.to_owned())
        .filter(|path| !path.starts_with(&elsewhere) && !is_file(path))
        .collect();
    paths.sort_unstable();
    debug_assert!(paths.iter().any(|path| path == DASHBOARD));
    paths
}

/// A row for each page, and what is to be said of all.
fn table(report: &PagesReport) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "page",
        "status",
        "KiB",
        "median ms",
        "p99 ms",
        "max ms",
        "in time",
    ]);
    for page in &report.pages {
        table.add_row([
            page.path.clone(),
            page.status.to_string(),
            format!("{:.1}", page.bytes as f64 / 1_024.0),
            format!("{:.1}", page.latency.p50),
            format!("{:.1}", page.latency.p99),
            format!("{:.1}", page.latency.max),
            if page.is_good() { "yes" } else { "NO" }.to_owned(),
        ]);
    }
    figures_to_the_right(&mut table);
    let late = report.pages.iter().filter(|page| !page.is_good()).count();
    format!(
        "{table}\n{} messages stored; {} of {} pages within {} ms, 99 of 100 times",
        report.stored,
        report.pages.len() - late,
        report.pages.len(),
        PAGE_WITHIN.as_millis(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_asked_for_and_nothing_that_is_done() {
        let paths = paths();
        for page in [DASHBOARD, PORTAL, "/dashboard/settings", SIGN_IN] {
            assert!(paths.iter().any(|path| path == page), "{page}: {paths:?}");
        }
        assert!(!paths.iter().any(|path| path.ends_with("/sign-out")));
    }
}
