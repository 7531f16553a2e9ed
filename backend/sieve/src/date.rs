//! Parts of a date (RFC 5260 §4.2).

use relais_message::{HeaderDate, civil_from_days, parse_date};
use relais_model::Timestamp;

use crate::program::DatePart;

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `+hhmm` or `-hhmm`, in minutes east of UTC.
pub(crate) fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// The date in a field's value: in Received and the like it stands behind the last semicolon (RFC 5260 §4).
pub(crate) fn of_field(value: &[u8]) -> Option<HeaderDate> {
    let behind = memchr::memrchr(b';', value).and_then(|at| value.get(at + 1..));
    behind.and_then(parse_date).or_else(|| parse_date(value))
}

/// One part of a moment in a zone, as RFC 5260 §4.2 writes it.
pub(crate) fn part(at: Timestamp, zone_minutes: i32, part: DatePart) -> String {
    let seconds = at.seconds().saturating_add(i64::from(zone_minutes) * 60);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let weekday = (days + 4).rem_euclid(7);
    let sign = if zone_minutes < 0 { '-' } else { '+' };
    let (zone_hours, zone_rest) = (zone_minutes.abs() / 60, zone_minutes.abs() % 60);
    match part {
        DatePart::Year => format!("{year:04}"),
        DatePart::Month => format!("{month:02}"),
        DatePart::Day => format!("{day:02}"),
        DatePart::Date => format!("{year:04}-{month:02}-{day:02}"),
        // RFC 5260 §4.2: the modified Julian day, whose zero is 1858-11-17.
        DatePart::Julian => (days + 40_587).to_string(),
        DatePart::Hour => format!("{hour:02}"),
        DatePart::Minute => format!("{minute:02}"),
        DatePart::Second => format!("{second:02}"),
        DatePart::Time => format!("{hour:02}:{minute:02}:{second:02}"),
        DatePart::Iso8601 => format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{zone_hours:02}:{zone_rest:02}"
        ),
        DatePart::Std11 => {
            let name = |names: &[&'static str], index: i64| {
                usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or_default()
            };
            let (weekday, month) = (name(&WEEKDAYS, weekday), name(&MONTHS, month - 1));
            format!(
                "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} {sign}{zone_hours:02}{zone_rest:02}"
            )
        }
        DatePart::Zone => format!("{sign}{zone_hours:02}{zone_rest:02}"),
        DatePart::Weekday => weekday.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_written() {
        // Sat, 24 Mar 2007 23:00:00 UTC.
        let at = Timestamp::from_seconds(1_174_777_200);
        for (which, expected) in [
            (DatePart::Year, "2007"),
            (DatePart::Month, "03"),
            (DatePart::Day, "25"),
            (DatePart::Date, "2007-03-25"),
            (DatePart::Julian, "54184"),
            (DatePart::Hour, "01"),
            (DatePart::Time, "01:00:00"),
            (DatePart::Iso8601, "2007-03-25T01:00:00+02:00"),
            (DatePart::Std11, "Sun, 25 Mar 2007 01:00:00 +0200"),
            (DatePart::Zone, "+0200"),
            (DatePart::Weekday, "0"),
        ] {
            assert_eq!(part(at, 120, which), expected, "{which:?}");
        }
        assert_eq!(part(at, -210, DatePart::Zone), "-0330");
    }

    #[test]
    fn zones_are_read() {
        for (text, expected) in
            [("+0100", Some(60)), ("-0330", Some(-210)), ("0100", None), ("+1", None), ("+2500", None)]
        {
            assert_eq!(offset(text), expected, "{text}");
        }
    }
}
