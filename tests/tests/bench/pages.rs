//! `bench --pages`: that every page is asked for and answered beside what is stored, that nothing
//! is left behind, and that what makes no sense with it is refused.

use super::report;
use e2e::command::postrider;
use std::fs;

#[tokio::test]
async fn every_page_is_answered_beside_what_is_stored() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().to_str().expect("a text");
    let arguments = ["bench", "--pages", "--json", "--messages", "300"];
    let arguments = [&arguments[..], &["--data-dir", directory]].concat();
    let ran = postrider(&arguments).await;
    // Whether they were in time depends on the machine.
    let report = report(&ran.stdout);
    assert_eq!(report["stored"], 300);
    let pages = report["pages"].as_array().expect("pages");
    for page in pages {
        let status = page["status"].as_u64().expect("a status");
        assert!((200..400).contains(&status), "{page}");
        assert!(page["latency"]["p99"].is_number(), "{page}");
    }
    for path in ["/dashboard", "/dashboard/settings", "/portal"] {
        assert!(pages.iter().any(|page| page["path"] == path), "{path}");
    }
    let left = fs::read_dir(directory).expect("a directory").count();
    assert_eq!(left, 0, "a data directory was left behind");
}

#[tokio::test]
async fn what_makes_no_sense_with_pages_is_refused() {
    for flag in [
        &["--stored", "5"][..],
        &["--receive"],
        &["--looks"],
        &["--batch", "2"],
    ] {
        let arguments = [&["bench", "--pages"][..], flag].concat();
        let refused = postrider(&arguments).await;
        assert_eq!(refused.status, Some(2), "{flag:?}: {}", refused.stderr);
    }
}
