//! A transfer from its beginning, or from where it was broken off, to its end: table by table,
//! chunk by chunk; then all is read anew on both sides; then the target is a store.

use super::{
    Chunk, Difference, Found, Keys, Row, Source, State, TABLES, Table, Tally, Target,
    TransferError, Value,
};

/// The most rows of a chunk.
const CHUNK_ROWS: usize = 1_000;

/// A transfer under way.
pub struct Transfer<'s> {
    source: &'s mut dyn Source,
    target: &'s mut dyn Target,
    state: State,
    resumed: bool,
    rows_max: usize,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// In which table.
    pub table: &'static str,
    /// With how many rows.
    pub rows: usize,
}

impl<'s> Transfer<'s> {
    /// Begins one, or goes on with one that was broken off. Refuses a target that holds anything
    /// else, and leaves it as it is.
    pub async fn begin(
        source: &'s mut dyn Source,
        target: &'s mut dyn Target,
    ) -> Result<Self, TransferError> {
        let recognised = recognise(source).await?;
        let (state, resumed) = match target.found().await? {
            Found::Something => return Err(TransferError::NotEmpty),
            Found::Unfinished(state) if state.source == recognised => (state, true),
            Found::Unfinished(_) => return Err(TransferError::OtherSource),
            Found::Nothing => {
                let state = State {
                    source: recognised,
                    table: 0,
                    cursor: None,
                    keys: Keys::default(),
                };
                target.write(&TABLES[0], Vec::new(), &state).await?;
                (state, false)
            }
        };
        Ok(Self {
            source,
            target,
            state,
            resumed,
            rows_max: CHUNK_ROWS,
        })
    }

    /// Whether it goes on with one that was broken off.
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// Moves so many rows at a time at the most.
    pub fn chunks_of(mut self, rows_max: usize) -> Self {
        self.rows_max = rows_max;
        self
    }

    /// How many rows there are in all, and how many of them the target has.
    pub async fn counts(&mut self) -> Result<(u64, u64), TransferError> {
        let (mut all, mut there) = (0, 0);
        for table in TABLES {
            all += self.source.count(table).await?;
            there += self.target.count(table).await?;
        }
        Ok((all, there))
    }

    /// Moves one chunk; `None`: all were moved.
    pub async fn step(&mut self) -> Result<Option<Step>, TransferError> {
        let Some(table) = TABLES.get(self.state.table) else {
            return Ok(None);
        };
        let after = self.state.cursor.as_ref();
        let Chunk { rows, next } = self.source.read(table, after, self.rows_max).await?;
        let mut state = self.state.clone();
        for key in rows.iter().filter_map(|row| key_of(table, row)) {
            state.keys.add(key);
        }
        state.table += usize::from(next.is_none());
        state.cursor = next;
        let step = Step {
            table: table.name,
            rows: rows.len(),
        };
        self.target.write(table, rows, &state).await?;
        self.state = state;
        Ok(Some(step))
    }

    /// Reads a table anew on both sides; `read` is told how many rows were read each time.
    pub async fn compare(
        &mut self,
        table: &'static Table,
        read: &mut (dyn FnMut(usize) + Send),
    ) -> Result<Result<Tally, Difference>, TransferError> {
        let source = tally(self.source, table, read).await?;
        let target = tally(self.target, table, read).await?;
        Ok(match source == target {
            true => Ok(source),
            false => Err(Difference {
                table: table.name,
                source,
                target,
            }),
        })
    }

    /// All was moved, and is the same on both sides: makes the target a store.
    pub async fn finish(self) -> Result<(), TransferError> {
        let keys = self.source.keys().await?.and(self.state.keys);
        self.target.finish(keys).await
    }
}

/// What a source is recognised by when a transfer goes on: it holds the same settings, one of which
/// no other store has, and has given no key since.
async fn recognise(source: &mut dyn Source) -> Result<String, TransferError> {
    let settings = tally(source, &TABLES[0], &mut |_| {}).await?;
    let last = source.keys().await?.last;
    Ok(format!("{:016x} {last}", settings.checksum))
}

async fn tally<S: Source + ?Sized>(
    source: &mut S,
    table: &Table,
    read: &mut (dyn FnMut(usize) + Send),
) -> Result<Tally, TransferError> {
    let (mut tally, mut after) = (Tally::default(), None);
    loop {
        let Chunk { rows, next } = source.read(table, after.as_ref(), CHUNK_ROWS).await?;
        rows.iter().for_each(|row| tally.add(row));
        read(rows.len());
        match next {
            None => return Ok(tally),
            next => after = next,
        }
    }
}

fn key_of(table: &Table, row: &Row) -> Option<i64> {
    match row.get(table.key?) {
        Some(Value::Integer(key)) => Some(*key),
        _ => None,
    }
}
