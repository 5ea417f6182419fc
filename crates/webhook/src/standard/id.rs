//! Which message ids may be signed. The content is `id.timestamp.body` with nothing escaped, so an
//! id with a full stop could be cut in another place and pass for another message.

/// The longest id that is taken for one, in bytes, so that what remembers ids is bounded.
pub const ID_BYTES_MAX: usize = 256;

/// Whether `id` can be signed unambiguously and carried in a header: 1 to [`ID_BYTES_MAX`] visible
/// ASCII characters, none of them a full stop.
pub fn is_valid_id(id: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_visible_and_without_full_stops() {
        let longest = "m".repeat(ID_BYTES_MAX);
        for id in [
            "m",
            "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
            "a/b:c=d~e",
            &longest,
        ] {
            assert!(is_valid_id(id), "{id}");
        }
        let too_long = "m".repeat(ID_BYTES_MAX + 1);
        for id in [
            "", ".", "msg.1", "msg 1", "msg\n", "msg\0", "mßg", &too_long,
        ] {
            assert!(!is_valid_id(id), "{id}");
        }
    }
}
