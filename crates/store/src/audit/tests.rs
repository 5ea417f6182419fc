//! Tests of what entries say.

use super::*;
use model::audit::ActorKind;
use proptest::prelude::*;

fn entry(subject: &str, credential: Option<String>, detail: &str) -> AuditEntry {
    AuditEntry {
        id: AuditId::new(Key::from_integer(7), [3; 12]),
        at: Timestamp::from_micros(1_764_430_000_123_456),
        actor: Actor {
            kind: ActorKind::Token,
            subject: subject.to_owned(),
            credential,
            remote_address: "2001:db8::1".parse().ok(),
        },
        action: AuditAction::ApplicationUpdated,
        subject: Subject::new(SubjectKind::Application, "app_1"),
        application: Some(ApplicationId::new(Key::from_integer(9), [4; 12])),
        detail: detail.to_owned(),
    }
}

#[test]
fn an_entry_is_this_text() {
    let entry = entry("org_x", None, "a \"name\"");
    let (id, application) = (entry.id, entry.application.unwrap());
    let expected = format!(
        concat!(
            r#"{{"id":"{}","timeMicros":1764430000123456,"actor":{{"kind":"token","#,
            r#""subject":"org_x","credential":null,"remoteAddress":"2001:db8::1"}},"#,
            r#""action":"application.updated","subject":{{"kind":"application","id":"app_1"}},"#,
            r#""application":"{}","detail":"a \"name\""}}"#
        ),
        id, application
    );
    assert_eq!(entry.text(), expected);
    assert_eq!(
        AuditEntry::read(&expected.replace("updated", "shaken")),
        None
    );
    assert_eq!(AuditEntry::read("{}"), None);
}

#[test]
fn a_column_that_says_something_else_than_the_text_is_found() {
    let entry = entry("org_x", None, "");
    let kept = KeptEntry {
        id: entry.id,
        text: entry.text(),
        listed: entry.listed(),
        link: None,
    };
    assert_eq!(kept.contradiction(), None);
    let newer = KeptEntry {
        text: kept.text.replace("updated", "shaken"),
        listed: Listed {
            action: "application.shaken".to_owned(),
            ..kept.listed.clone()
        },
        ..kept.clone()
    };
    assert_eq!(newer.contradiction(), None, "of a newer program");
    let changed = |change: &dyn Fn(&mut KeptEntry)| {
        let mut changed = kept.clone();
        change(&mut changed);
        changed.contradiction()
    };
    let other = AuditId::new(Key::from_integer(8), [3; 12]);
    assert_eq!(changed(&|kept| kept.id = other), Some("id"));
    assert_eq!(
        changed(&|kept| kept.listed.application = Key::MIN),
        Some("application")
    );
    assert_eq!(changed(&|kept| kept.listed.action.clear()), Some("action"));
    assert_eq!(changed(&|kept| kept.listed.actor.push('y')), Some("actor"));
    assert_eq!(
        changed(&|kept| kept.listed.subject.push('y')),
        Some("subject")
    );
    assert_eq!(changed(&|kept| kept.text.clear()), Some("entry"));
}

#[test]
fn a_checkpoint_is_read_back_from_its_line() {
    let signed = SignedCheckpoint {
        checkpoint: Checkpoint {
            position: u64::MAX,
            hash: [0xa0; 32],
            count: 3,
            start: 1,
            at: Timestamp::from_micros(1_764_430_000_123_456),
            signature: [0x0b; 64],
        },
        public_key: [0xff; 32],
    };
    let line = signed.line();
    assert_eq!(SignedCheckpoint::read(&line), Some(signed));
    for damaged in [
        line.replace("a0a0", "a0"),
        line.replace("ff", "fg"),
        String::new(),
    ] {
        assert_eq!(SignedCheckpoint::read(&damaged), None, "{damaged}");
    }
}

proptest! {
    #[test]
    fn an_entry_is_read_back_from_its_text(
        subject in any::<String>(),
        credential in any::<Option<String>>(),
        detail in any::<String>(),
    ) {
        let mut entry = entry(&subject, credential, &detail);
        prop_assert_eq!(AuditEntry::read(&entry.text()), Some(entry.clone()));
        (entry.application, entry.actor.remote_address) = (None, None);
        prop_assert_eq!(AuditEntry::read(&entry.text()), Some(entry));
    }
}

#[test]
fn what_a_command_left_is_taken_in_byte_for_byte_but_for_its_id() {
    let entry = entry("org_x", None, "aud_");
    let left = AuditEntry {
        id: AuditId::new(Key::MIN, [3; 12]),
        ..entry.clone()
    };
    let taken = KeptEntry::taken_in(&left.text(), entry.id);
    assert_eq!(taken, entry.kept());
    let newer = left.text().replace("updated", "shaken");
    let taken = KeptEntry::taken_in(&newer, entry.id);
    assert_eq!(taken.text, entry.text().replace("updated", "shaken"));
    assert_eq!((taken.id, taken.contradiction()), (entry.id, None));
    let none = KeptEntry::taken_in("none", entry.id);
    assert_eq!(
        none.contradiction(),
        Some("entry"),
        "somebody else wrote it"
    );
}
