//! Picks security headers out of a received request. Names match without regard to case; a name
//! that is there twice is refused, whatever its values.

use crate::Refused;

/// The values of the headers called `names` (given in lower case), in one pass.
pub(crate) fn pick<'h, const N: usize>(
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    names: [&'static str; N],
) -> Result<[Option<&'h [u8]>; N], Refused> {
    let mut values = [None; N];
    for (name, value) in headers {
        let Some(place) = names
            .iter()
            .position(|wanted| name.eq_ignore_ascii_case(wanted))
        else {
            continue;
        };
        if values[place].replace(value).is_some() {
            return Err(Refused::DuplicateHeader(names[place]));
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_any_case_and_others_are_passed_over() {
        let headers: [(&str, &[u8]); 3] = [("X-One", b"1"), ("x-three", b"3"), ("x-three", b"3")];
        assert_eq!(
            pick(headers, ["x-one", "x-two"]),
            Ok([Some(&b"1"[..]), None])
        );
    }

    #[test]
    fn the_same_value_twice_is_refused_too() {
        let headers: [(&str, &[u8]); 2] = [("x-one", b"1"), ("X-ONE", b"1")];
        assert_eq!(
            pick(headers, ["x-one"]),
            Err(Refused::DuplicateHeader("x-one"))
        );
    }
}
