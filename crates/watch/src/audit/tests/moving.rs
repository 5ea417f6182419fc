//! Tests of an export that takes long: the log goes on meanwhile, and nothing of the store is held
//! while something is written.

use super::{Kept, entry, futures, public_key};
use crate::audit::{ExportError, Report, export, verify_export};
use async_trait::async_trait;
use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use store::StoreError;
use store::audit::{AuditLog, AuditStates};

/// A log that others write to.
#[derive(Clone)]
struct Shared(Arc<Mutex<Kept>>);

impl Shared {
    fn log(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("nobody panics with it")
    }
}

#[async_trait]
impl AuditStates for Shared {
    async fn now(&mut self) -> Result<Box<dyn AuditLog + '_>, StoreError> {
        let log = self.log();
        log.held.store(true, Ordering::Relaxed);
        Ok(Box::new(log.clone()))
    }
}

/// Something is done to the log when a line of this number is written.
struct Out {
    log: Shared,
    lines: usize,
    text: Vec<u8>,
    meanwhile: fn(&mut Kept, usize),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.log.log();
        let is_held = log.held.load(Ordering::Relaxed);
        assert!(!is_held, "whoever reads these lines may take their time");
        for _ in bytes.iter().filter(|byte| **byte == b'\n') {
            self.lines += 1;
            (self.meanwhile)(&mut log, self.lines);
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn exported(log: Kept, meanwhile: fn(&mut Kept, usize)) -> Result<Report, ExportError> {
    let mut log = Shared(Arc::new(Mutex::new(log)));
    let mut out = Out {
        log: log.clone(),
        lines: 0,
        text: Vec::new(),
        meanwhile,
    };
    futures(export(&mut log, public_key(), &mut out))?;
    let report = verify_export(&out.text[..], public_key(), &[])?;
    assert_eq!(report.findings, []);
    Ok(report)
}

#[test]
fn what_is_sealed_while_the_log_is_exported_is_exported_whole() {
    let report = exported(Kept::sealed(&[300, 300, 3]), |log, line| {
        if line < 700 {
            log.seal();
            log.entries.push(entry(log.entries.len()));
        }
    });
    let report = report.expect("nothing was cut");
    assert!(report.head > 603, "{report:?}");
    assert_eq!(report.waiting, 1);
}

#[test]
fn what_waited_and_was_sealed_since_waits_in_an_export() {
    let mut log = Kept::sealed(&[2]);
    log.entries.extend((3..700).map(entry));
    let report = exported(log, |log, line| {
        // The first page of what waits is being written, and there is a second.
        if line == 10 {
            log.seal();
        }
    });
    let report = report.expect("nothing was cut");
    assert_eq!((report.head, report.waiting), (2, 698));
}

#[test]
fn what_is_cut_before_it_was_exported_is_said_and_not_left_out() {
    let sizes = [400, 400, 400];
    let report = exported(Kept::sealed(&sizes), |log, line| {
        if line == 10 {
            log.cut();
        }
    });
    let report = report.expect("what went had been read");
    assert_eq!((report.first, report.head), (1, 1_200));
    let report = exported(Kept::sealed(&sizes), |log, line| {
        if line == 10 {
            log.cut();
            log.cut();
        }
    });
    assert!(matches!(report, Err(ExportError::Cut)), "{report:?}");
    let mut before = Kept::sealed(&sizes);
    before.cut();
    let report = exported(before, |_, _| {}).expect("what went before is no matter");
    assert_eq!((report.first, report.head), (401, 1_200));
}
