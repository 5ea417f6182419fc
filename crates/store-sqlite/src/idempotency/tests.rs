//! The index in memory, the runs on disk, and the filter between them.

use super::*;

#[test]
fn a_filter_knows_its_keys_and_few_others() {
    let prefix = |number: i64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
    let mut filter = Filter::with_room_for(10_000);
    (0..10_000).for_each(|number| filter.insert(prefix(number)));
    assert!((0..10_000).all(|number| filter.may_hold(prefix(number))));
    let wrong = (10_000..110_000).filter(|number| filter.may_hold(prefix(*number)));
    let wrong = wrong.count();
    assert!(wrong < 500, "{wrong} of 100,000");
}
