//! What stands in a JSON body that some providers keep beside, or in the place of, headers.

use serde_json::Value;

use crate::is_valid_id;

/// The text or the number of this member, if it can be an id.
pub(super) fn id(body: &[u8], member: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let id = match body.get(member)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    is_valid_id(&id).then_some(id)
}
