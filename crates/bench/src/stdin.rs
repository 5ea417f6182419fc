//! Standard input and output of a part: by the one it is told what to do, and learns that whoever
//! started it is gone; on the other it answers, in lines of JSON.

use crate::BenchError;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines, Stdin, Stdout, stdin};

/// Waits until nobody holds the other end.
pub(crate) async fn closed() {
    let mut rest = [0; 64];
    let mut stdin = stdin();
    while stdin.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

/// The next line; `None` when nobody is there any more.
pub(crate) async fn next(
    lines: &mut Lines<BufReader<Stdin>>,
) -> Result<Option<String>, BenchError> {
    let line = lines.next_line().await;
    line.map_err(BenchError::io("no job can be read"))
}

/// Answers.
pub(crate) async fn tell(output: &mut Stdout, answer: &impl Serialize) -> Result<(), BenchError> {
    let mut line = serde_json::to_string(answer)?;
    line.push('\n');
    let told = output.write_all(line.as_bytes()).await;
    let told = told.and(output.flush().await);
    told.map_err(BenchError::io("how it went can't be told"))
}
