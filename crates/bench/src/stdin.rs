//! Standard input, by which a part learns that whoever started it is gone.

use tokio::io::{AsyncReadExt as _, stdin};

/// Waits until nobody holds the other end.
pub(crate) async fn closed() {
    let mut rest = [0; 64];
    let mut stdin = stdin();
    while stdin.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}
