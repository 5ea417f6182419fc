//! The entry that a command leaves for the audit log when it changes the store beside the servers.
//! It is in the commit of that change; putting it into the log is the servers'.
//!
//! Who used the command is only what the system says: that somebody was who they said when they
//! logged in there, is not for this to know.

use crate::config::Checked;
use crate::system::{SystemClock, SystemEntropy};
use model::Clock as _;
use model::audit::{Actor, AuditAction, AuditDraft};
use model::entropy::random;
use model::security::{Subject, SubjectKind};
use rustix::process::getuid;
use std::fs;
use store::audit::AuditEntry;

/// The users that a machine knows by itself, a line each.
const USERS: &str = "/etc/passwd";

/// Of what is done to the whole installation, now, by whoever runs this.
pub(super) fn entry(config: &Checked, action: AuditAction, detail: String) -> AuditEntry {
    let installation = Subject::new(SubjectKind::Organisation, &config.organisation);
    let users = fs::read_to_string(USERS).unwrap_or_default();
    let actor = Actor::command(&user(getuid().as_raw(), &users));
    let draft = AuditDraft::new(SystemClock::new().now(), actor, action, installation);
    AuditEntry::left(random(&SystemEntropy), &draft.saying(detail))
}

/// The name of a user; its number, where the machine has no name for it by itself.
fn user(uid: u32, users: &str) -> String {
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_as_the_machine_names_it_or_by_its_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\n# 7\n:x:8:8::/:\nana:x:1000:5:1001:/:/bin/sh\n";
        for (uid, name) in [
            (0, "root"),
            (1000, "ana"),
            (5, "uid 5"),
            (8, "uid 8"),
            (1001, "uid 1001"),
        ] {
            assert_eq!(user(uid, users), name);
        }
    }
}
