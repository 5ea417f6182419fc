//! What stands in a JSON body that some providers keep beside, or in the place of, headers.

use serde_json::Value;

use crate::is_valid_id;

/// The text or the number of this member, if it can be an id. Full stops lead from a member to one
/// that is in it.
pub(super) fn id(body: &[u8], member: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut path = member.split('.');
    let id = match path.try_fold(&body, |value, name| value.get(name))? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    is_valid_id(&id).then_some(id)
}

/// The text to which this path leads.
pub(super) fn text(body: &[u8], path: &[&str]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut path = path.iter();
    let found = path.try_fold(&body, |value, name| value.get(name))?;
    found.as_str().map(str::to_owned)
}
