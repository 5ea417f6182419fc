//! What endpoints can ask for: event types of the catalogue, as whoever asks sees it; or where they
//! are the operator's, what can happen here.

use crate::problem::Answer;
use crate::seat::Seat;
use crate::{Shared, catalogue};
use app::operational::EVENT_TYPES;

/// Event types to choose from.
pub(super) struct Offered {
    /// Each with whether it is deprecated.
    pub(super) types: Vec<(String, bool)>,
    /// Whether these are all.
    pub(super) is_whole: bool,
}

pub(super) async fn offered(rooms: &Shared, seat: &Seat, is_operators: bool) -> Answer<Offered> {
    if is_operators {
        let types = EVENT_TYPES.map(|name| (name.to_owned(), false));
        return Ok(Offered {
            types: types.to_vec(),
            is_whole: true,
        });
    }
    let page = catalogue::offered(rooms, seat).await?;
    let types = page.data.iter();
    Ok(Offered {
        types: types
            .map(|one| (one.name.to_string(), one.deprecated))
            .collect(),
        is_whole: page.done,
    })
}
