//! Spans of time: as people type them (`1h30m`) and as they read them (`350 ms`).

use std::time::Duration;

const UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60 * 1000),
    ("h", 3600 * 1000),
    ("d", 24 * 3600 * 1000),
    ("w", 7 * 24 * 3600 * 1000),
];

/// Reads `500ms`, `90s`, `24h`, `1h30m` and the like.
pub fn parse(text: &str) -> Result<Duration, String> {
    const SHAPE: &str = "give numbers with units ms, s, m, h, d or w, such as 24h or 1h30m";
    if text.starts_with('-') {
        return Err("a span of time cannot be negative".to_owned());
    }
    let mut millis = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(SHAPE)?;
        let (number, behind) = rest.split_at(digits);
        let end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        let number: u64 = number.parse().map_err(|_| SHAPE)?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SHAPE)?;
        let part = number.checked_mul(*factor);
        millis = part.and_then(|part| millis.checked_add(part)).ok_or("that is too long")?;
        rest = next;
    }
    if text.is_empty() { Err(SHAPE.to_owned()) } else { Ok(Duration::from_millis(millis)) }
}

/// A span in the unit that suits it, with no more digits than matter.
pub fn told(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    match seconds {
        s if s < 0.000_95 => format!("{:.2} ms", s * 1e3),
        s if s < 0.009_5 => format!("{:.1} ms", s * 1e3),
        s if s < 0.999_5 => format!("{:.0} ms", s * 1e3),
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * 3600.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} days", s / 86400.0),
    }
}

/// A span to the millisecond, as it could be typed: `365d1h`.
pub fn exact(span: Duration) -> String {
    let mut left = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut typed = String::new();
    for (unit, factor) in UNITS.iter().rev().filter(|(unit, _)| *unit != "w") {
        if left >= *factor {
            typed.push_str(&format!("{}{unit}", left / factor));
            left %= factor;
        }
    }
    if typed.is_empty() { "0ms".to_owned() } else { typed }
}

/// Milliseconds as a number, to the microsecond.
pub fn millis(span: Duration) -> f64 {
    span.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_any_unit_and_combined() {
        for (text, seconds) in [("90s", 90), ("1h30m", 5400), ("2w1d", 15 * 86400), ("24h", 86400)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("1s500ms"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn a_span_without_a_unit_or_number_is_refused() {
        for text in ["", "5", "h", "1h5", "5 m", "5y", "-5s", "99999999999999999999s"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("99999999999999w").is_err());
    }

    #[test]
    fn a_span_is_told_exactly_as_it_can_be_typed() {
        for text in ["365d1h", "9m59s", "1ms", "7d", "23h59m59s999ms"] {
            assert_eq!(exact(parse(text).unwrap()), text);
        }
        assert_eq!(exact(Duration::ZERO), "0ms");
    }

    #[test]
    fn spans_are_told_in_the_unit_that_suits_them() {
        for (span, text) in [
            (Duration::from_micros(312), "0.31 ms"),
            (Duration::from_micros(3210), "3.2 ms"),
            (Duration::from_millis(350), "350 ms"),
            (Duration::from_millis(2340), "2.3 s"),
            (Duration::from_secs(45), "45 s"),
            (Duration::from_secs(5400), "90 min"),
            (Duration::from_secs(86400), "24 h"),
            (Duration::from_secs(7 * 86400), "7 days"),
        ] {
            assert_eq!(told(span), text);
        }
    }
}
