//! Whoever follows the messages of all applications reads along the index that is made for it, and
//! no further than asked, however much there is.

use crate::claims::open;
use crate::harness::Place;
use crate::{FOLLOWS, Filled, fill, log, server};
use model::id::MessageKey;
use store::Store as _;
use store::query::{AllMessagesQuery, MessageFilter, Window};

/// Pages of the index and of rows, and what is read of the catalogue for a first plan.
const PAGES_MAX: u64 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn all_applications_are_followed_along_an_index() {
    fill(20_000, 50).await;
    let store = open(&Filled::base()).await;
    let query = AllMessagesQuery {
        window: Window {
            above: MessageKey::MIN,
            below: MessageKey::MAX,
            ascending: true,
            limit: 10,
        },
        filter: MessageFilter::default(),
        with_payload: false,
    };
    // What fills the table is nothing that the store would write: here it is only looked for.
    let _ = store.all_messages(&query).await;

    let runs = log::runs(server());
    let mut asked = 0;
    for run in runs.iter().filter(|run| run.statement.starts_with(FOLLOWS)) {
        let plan = run.plan.to_string();
        assert!(plan.contains("_expr_idx"), "{plan}");
        assert!(!plan.contains(r#""Node Type":"Sort""#), "{plan}");
        assert!(run.buffers() < PAGES_MAX, "{plan}");
        asked += 1;
    }
    assert!(asked > 0, "the store is to ask so");
}
