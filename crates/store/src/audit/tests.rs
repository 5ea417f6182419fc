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
