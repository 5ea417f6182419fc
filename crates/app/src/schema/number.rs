//! Numbers by their value, however they are written: `1`, `1.0` and `1e0` are the same.

use serde_json::Number;
use std::cmp::Ordering;

/// Floats from here on are compared as floats.
const WHOLE_MAX: f64 = 1e30;

/// By value.
pub(super) fn compare(one: &Number, other: &Number) -> Ordering {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        // A whole number beside a fraction: where it is too large for a float to tell it from its
        // neighbours, it is far from every fraction.
        _ => float(one).total_cmp(&float(other)),
    }
}

/// A number without a fraction.
pub(super) fn whole(number: &Number) -> Option<i128> {
    if let Some(signed) = number.as_i64() {
        return Some(signed.into());
    }
    if let Some(unsigned) = number.as_u64() {
        return Some(unsigned.into());
    }
    let float = float(number);
    (float.fract() == 0.0 && float.abs() < WHOLE_MAX).then_some(float as i128)
}

/// Whether it has no fraction.
pub(super) fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || float(number).fract() == 0.0
}

/// A number of things: whole, and not below zero. One that is too large is more than there can be.
pub(super) fn count(number: &Number) -> Option<u64> {
    let counts = is_whole(number) && compare(number, &0.into()) != Ordering::Less;
    let whole = || whole(number).and_then(|whole| u64::try_from(whole).ok());
    counts.then(|| whole().unwrap_or(u64::MAX))
}

/// Whether one is a multiple of the other, by the decimals that they are written with.
pub(super) fn is_multiple(number: &Number, of: &Number) -> bool {
    let (Some(number), Some(of)) = (Decimal::new(number), Decimal::new(of)) else {
        return false;
    };
    if number.digits == 0 || of.digits == 0 {
        return number.digits == 0;
    }
    if number.exponent < of.exponent {
        // Neither ends in a zero.
        return false;
    }
    // The rest of digits with that many zeros behind them, in as many steps as the number of zeros
    // has bits. Each factor is below 2^64.
    let divisor = u128::from(of.digits);
    let (mut rest, mut power) = (u128::from(number.digits) % divisor, 10 % divisor);
    let mut zeros = number.exponent.abs_diff(of.exponent);
    while zeros > 0 {
        if zeros % 2 == 1 {
            rest = rest * power % divisor;
        }
        power = power * power % divisor;
        zeros /= 2;
    }
    rest == 0
}

/// Without its sign: `digits` times ten to the `exponent`, where the digits don't end in a zero.
struct Decimal {
    /// At most 20 of them, whatever the number.
    digits: u64,
    exponent: i32,
}

impl Decimal {
    fn new(number: &Number) -> Option<Self> {
        let text = number.to_string();
        let text = text.trim_start_matches('-');
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let shift = i32::try_from(fraction.len()).ok()?;
        let mut decimal = Self {
            digits: format!("{whole}{fraction}").parse().ok()?,
            exponent: exponent.parse::<i32>().ok()? - shift,
        };
        while decimal.digits != 0 && decimal.digits.is_multiple_of(10) {
            decimal.digits /= 10;
            decimal.exponent += 1;
        }
        Some(decimal)
    }
}

fn float(number: &Number) -> f64 {
    // Every number that was parsed is one; zero has no sign here.
    number.as_f64().unwrap_or(f64::INFINITY) + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).expect("tests use numbers")
    }

    #[test]
    fn numbers_are_compared_by_value() {
        for (one, other, expected) in [
            ("1", "1.0", Ordering::Equal),
            ("0", "-0.0", Ordering::Equal),
            ("-1", "1e0", Ordering::Less),
            ("1.5", "1", Ordering::Greater),
            (
                "18446744073709551615",
                "18446744073709551614",
                Ordering::Greater,
            ),
            ("9007199254740993", "9007199254740992.0", Ordering::Greater),
            ("18446744073709551615", "1e300", Ordering::Less),
            (
                "-9223372036854775808",
                "-9223372036854775808.0",
                Ordering::Equal,
            ),
        ] {
            let (one, other) = (number(one), number(other));
            assert_eq!(compare(&one, &other), expected, "{one} {other}");
            assert_eq!(compare(&other, &one), expected.reverse(), "{other} {one}");
        }
    }

    #[test]
    fn multiples_go_by_the_decimals_that_are_written() {
        for (one, other, expected) in [
            ("10", "5", true),
            ("7", "5", false),
            ("0", "5", true),
            ("-10", "5", true),
            ("4.5", "1.5", true),
            ("0.0075", "0.0001", true),
            ("0.00751", "0.0001", false),
            ("1.1", "0.1", true),
            ("19.99", "0.01", true),
            ("3", "0.01", true),
            ("1e308", "0.5", true),
            ("1e308", "3", false),
            ("1e308", "5e-7", true),
            ("1e308", "3e-7", false),
            ("1.7976931348623157e308", "18446744073709551615", false),
            ("1e300", "1.8446744073709552e19", false),
            ("18446744073709551615", "0.3", true),
            ("1", "1e308", false),
            ("1e-7", "1e-7", true),
            ("18446744073709551615", "5", true),
            ("18446744073709551614", "5", false),
        ] {
            assert_eq!(
                is_multiple(&number(one), &number(other)),
                expected,
                "{one} {other}"
            );
        }
    }
}
