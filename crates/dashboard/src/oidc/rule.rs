//! What somebody may do by what the identity provider says of them: a pure rule. Whoever it gives
//! no role to has none.

use model::role::Role;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Which role whom gets: by the values of a claim, by verified e-mail addresses, or by both, and
/// always the greatest of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleRule {
    /// The claim: its name, or where it is inside of another a JSON pointer, such as
    /// `/realm_access/roles`.
    pub claim: String,
    /// Values that give a role, letter by letter.
    pub values: BTreeMap<Role, BTreeSet<String>>,
    /// Addresses that give a role, in lower case.
    pub emails: BTreeMap<Role, BTreeSet<String>>,
}

impl RoleRule {
    /// Whether nobody gets a role by it.
    pub fn is_empty(&self) -> bool {
        let mut lists = self.values.values().chain(self.emails.values());
        lists.all(BTreeSet::is_empty)
    }

    /// The greatest role that somebody gets by these claims, and by this address of which the
    /// provider says that it was verified.
    pub fn role(&self, claims: &Map<String, Value>, email: Option<&str>) -> Option<Role> {
        let values = self.claimed(claims);
        let email = email.map(str::to_ascii_lowercase);
        Role::ALL.into_iter().rev().find(|role| {
            let by_value = self.values.get(role);
            let by_value = by_value.is_some_and(|own| values.iter().any(|one| own.contains(*one)));
            let by_email = self.emails.get(role).zip(email.as_ref());
            by_value || by_email.is_some_and(|(own, email)| own.contains(email))
        })
    }

    /// The claim's values: a text is one, and a list has each of its texts.
    fn claimed<'c>(&self, claims: &'c Map<String, Value>) -> Vec<&'c str> {
        let found = match self.claim.strip_prefix('/') {
            None => claims.get(&self.claim),
            Some(path) => {
                let (first, rest) = match path.split_once('/') {
                    Some((first, rest)) => (first, format!("/{rest}")),
                    None => (path, String::new()),
                };
                let first = first.replace("~1", "/").replace("~0", "~");
                claims.get(&first).and_then(|value| value.pointer(&rest))
            }
        };
        match found {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lists(lists: &[(Role, &[&str])]) -> BTreeMap<Role, BTreeSet<String>> {
        let lists = lists.iter().map(|(role, own)| {
            let own = own.iter().map(|one| (*one).to_owned());
            (*role, own.collect())
        });
        lists.collect()
    }

    fn rule(claim: &str) -> RoleRule {
        RoleRule {
            claim: claim.to_owned(),
            values: lists(&[
                (Role::Viewer, &["staff"]),
                (Role::Operator, &["on-call", "ops"]),
                (Role::Admin, &["platform"]),
            ]),
            emails: lists(&[(Role::Admin, &["ada@example.com"])]),
        }
    }

    #[test]
    fn the_greatest_role_of_claim_and_address_wins() {
        let ada = Some("Ada@Example.com");
        for (claims, email, expected) in [
            (json!({}), None, None),
            (json!({"groups": ["staff"]}), None, Some(Role::Viewer)),
            (json!({"groups": "ops"}), None, Some(Role::Operator)),
            (
                json!({"groups": ["staff", "platform", "ops"]}),
                None,
                Some(Role::Admin),
            ),
            (json!({"groups": ["staff"]}), ada, Some(Role::Admin)),
            (json!({}), ada, Some(Role::Admin)),
            (json!({}), Some("eve@example.com"), None),
            // Letter by letter, whole, and of texts alone.
            (json!({"groups": ["Staff", "staff ", "sta"]}), None, None),
            (json!({"groups": {"staff": true}}), None, None),
            (json!({"groups": [["staff"], 1, null]}), None, None),
            (json!({"group": ["staff"]}), None, None),
            (json!({"groups": "staff ops"}), None, None),
        ] {
            let map = claims.as_object().unwrap();
            assert_eq!(rule("groups").role(map, email), expected, "{claims}");
        }
    }

    #[test]
    fn a_claim_may_be_inside_of_another_or_have_any_name() {
        let claims = json!({
            "realm_access": {"roles": ["ops"]}, "a/b": "staff",
            "https://example.com/roles": ["platform"],
        });
        let claims = claims.as_object().unwrap();
        for (claim, expected) in [
            ("/realm_access/roles", Some(Role::Operator)),
            ("/realm_access/roles/0", Some(Role::Operator)),
            ("/realm_access", None),
            ("/nothing/roles", None),
            ("https://example.com/roles", Some(Role::Admin)),
            ("/a~1b", Some(Role::Viewer)),
            ("a/b", Some(Role::Viewer)),
            ("/", None),
        ] {
            assert_eq!(rule(claim).role(claims, None), expected, "{claim}");
        }
    }

    #[test]
    fn a_rule_without_lists_gives_nobody_a_role() {
        assert!(RoleRule::default().is_empty());
        let empty = RoleRule {
            values: lists(&[(Role::Admin, &[])]),
            ..RoleRule::default()
        };
        assert!(empty.is_empty() && !rule("groups").is_empty());
        let claims = json!({"": "", "groups": ""});
        let role = empty.role(claims.as_object().unwrap(), Some(""));
        assert_eq!(role, None);
    }
}
