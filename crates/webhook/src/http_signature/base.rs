//! The signature base (RFC 9421 section 2.5): a line for each covered component, and a last one
//! that says what is covered and how.

use super::fields::{InnerList, Item};
use super::message::Message;

/// A component that can't be signed: named twice, not there, there in a way that is not
/// unambiguous, or with a parameter that is not understood.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Unavailable(pub(super) Item);

/// What is signed.
pub(super) fn signature_base(
    message: &Message<'_>,
    covered: &InnerList,
) -> Result<String, Unavailable> {
    let mut base = String::with_capacity(512);
    for (place, item) in covered.items.iter().enumerate() {
        let unavailable = || Unavailable(item.clone());
        if covered.items[..place]
            .iter()
            .any(|before| same(before, item))
        {
            return Err(unavailable());
        }
        let value = message.component(item).ok_or_else(unavailable)?;
        item.write(&mut base);
        base.push_str(": ");
        base.push_str(&value);
        base.push('\n');
    }
    base.push_str("\"@signature-params\": ");
    covered.write(&mut base);
    Ok(base)
}

fn same(one: &Item, other: &Item) -> bool {
    one.text == other.text && one.parameters.same(&other.parameters)
}
