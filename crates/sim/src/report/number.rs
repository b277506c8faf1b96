//! Numbers as people read them.

/// So many digits that count are shown where nothing asks for more.
const DIGITS: i32 = 4;
/// So many digits a double always holds.
const MOST_DIGITS: i32 = 15;

/// With four digits that count, thousands apart: `12,346`, `0.0123`, `1.2 × 10⁻⁷`.
pub(super) fn told(number: f64) -> String {
    with_digits(number, DIGITS)
}

/// As [`told`], but with as many digits as it takes to look other than `other`, if it is.
pub(super) fn told_apart(number: f64, other: f64) -> String {
    let apart = |digits: &i32| {
        number == other || with_digits(number, *digits) != with_digits(other, *digits)
    };
    with_digits(number, (DIGITS..MOST_DIGITS).find(apart).unwrap_or(MOST_DIGITS))
}

/// As [`told`], with so many places behind the point.
pub(super) fn with_decimals(number: f64, decimals: usize) -> String {
    grouped(&format!("{number:.decimals$}"))
}

/// `12 ms`, or `12` if the unit is empty.
pub(super) fn with_unit(number: &str, unit: &str) -> String {
    if unit.is_empty() { number.to_owned() } else { format!("{number}\u{a0}{unit}") }
}

/// A power of ten, as short as it can be read: `100,000`, `10⁶`, `0.001`.
pub(super) fn with_power(number: f64) -> String {
    if (1e-3..1e6).contains(&number.abs()) { told(number) } else { scientific(number, DIGITS) }
}

fn with_digits(number: f64, digits: i32) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let magnitude = number.abs();
    if number == 0.0 {
        "0".to_owned()
    } else if (1e-4..1e15).contains(&magnitude) {
        let decimals = (digits - 1 - magnitude.log10().floor() as i32).max(0) as usize;
        let shown = format!("{number:.decimals$}");
        let shown = match shown.contains('.') {
            true => shown.trim_end_matches('0').trim_end_matches('.'),
            false => &shown,
        };
        grouped(shown)
    } else {
        scientific(number, digits)
    }
}

fn scientific(number: f64, digits: i32) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let shown = format!("{number:.*e}", (digits - 1) as usize);
    let (mantissa, power) = shown.split_once('e').unwrap_or((&shown, "0"));
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    let raised: String = power.chars().map(superscript).collect();
    match mantissa {
        "1" => format!("10{raised}"),
        "-1" => format!("−10{raised}"),
        _ => format!("{} × 10{raised}", mantissa.replace('-', "−")),
    }
}

fn superscript(c: char) -> char {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    c.to_digit(10).map_or('⁻', |digit| RAISED[digit as usize])
}

/// Commas between thousands, and a minus sign instead of a dash.
fn grouped(plain: &str) -> String {
    let (sign, plain) = plain.strip_prefix('-').map_or(("", plain), |rest| ("−", rest));
    let (whole, fraction) = plain.split_once('.').map_or((plain, None), |(w, f)| (w, Some(f)));
    let mut shown = String::with_capacity(plain.len() + plain.len() / 3 + 3);
    let is_nothing = plain.chars().all(|c| matches!(c, '0' | '.'));
    shown.push_str(if is_nothing { "" } else { sign });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if let Some(fraction) = fraction {
        shown.push('.');
        shown.push_str(fraction);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_count_and_whole_numbers_stay_whole() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (12.345_67, "12.35"),
            (999.96, "1,000"),
            (12_345.678, "12,346"),
            (1_234_567.0, "1,234,567"),
            (0.012_345, "0.01235"),
            (-0.5, "−0.5"),
            (1.2e-7, "1.2 × 10⁻⁷"),
            (-1e300, "−10³⁰⁰"),
            (f64::NAN, "–"),
        ];
        for (number, shown) in cases {
            assert_eq!(told(number), shown);
        }
    }

    #[test]
    fn places_behind_the_point_are_kept_and_nothing_has_no_sign() {
        assert_eq!(with_decimals(1.0, 2), "1.00");
        assert_eq!(with_decimals(-0.001, 1), "0.0");
        assert_eq!(with_decimals(-1_500.0, 0), "−1,500");
    }

    #[test]
    fn two_numbers_that_differ_can_be_told_apart() {
        assert_eq!(told_apart(1.600_01, 1.6), "1.60001");
        assert_eq!(told_apart(1.6, 1.6), "1.6");
        assert_eq!(told_apart(2.0, 1.6), "2");
    }
}
