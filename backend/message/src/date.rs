//! Dates of a header (RFC 5322 §3.3, §4.3): liberal in, strict out.

use relais_model::Timestamp;

use crate::lexer::Lexer;

const MILLIS_PER_DAY: i64 = 86_400_000;
const MILLIS_PER_MINUTE: i64 = 60_000;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A date as a header wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeaderDate {
    /// The moment meant.
    pub at: Timestamp,
    /// The day written, in days since 1970-01-01, whatever the zone: what SENTON compares (RFC 9051 §6.4.4).
    pub day: i64,
    /// The zone written, in minutes east of UTC; zero where none is.
    pub zone_minutes: i64,
}

/// Reads a Date field's value, folded or not. The weekday is not looked at; an absent zone, or one whose offset nobody
/// knows, is UTC (RFC 5322 §4.3).
pub fn parse_date(value: &[u8]) -> Option<HeaderDate> {
    let words = words(value);
    let mut words = words.iter().map(String::as_str).peekable();
    // `Sat`, `Sat,` or nothing; but `24` stands for itself.
    words.next_if(|word| word.starts_with(|first: char| first.is_ascii_alphabetic()) && month(word).is_none());
    let first = words.next()?;
    // `24 Mar 2007`, and asctime's `Mar 24`, whose year comes last.
    let (day, month) = match month(first) {
        Some(month) => (words.next()?, month),
        None => (first, month(words.next()?)?),
    };
    let third = words.next()?;
    let (year, time) =
        if third.contains(':') { (words.next()?, third) } else { (third, words.next().unwrap_or("0:0")) };
    let days = days_from_civil(year_of(year)?, month, day.parse().ok().filter(|day| (1..=31).contains(day))?);
    let zone_minutes = words.next().map_or(0, zone_minutes);
    let millis = days * MILLIS_PER_DAY + time_of(time)? - zone_minutes * MILLIS_PER_MINUTE;
    Some(HeaderDate { at: Timestamp::from_millis(millis), day: days, zone_minutes })
}

/// Splits at blanks, commas, comments, and hyphens between day, month and year (`24-Mar-2007`).
fn words(value: &[u8]) -> Vec<String> {
    let mut lexer = Lexer::new(value);
    let mut words: Vec<String> = Vec::new();
    // What follows the zone says nothing.
    while words.len() < 8 {
        lexer.skip_cfws(&mut Vec::new());
        if lexer.take(b',') {
            continue;
        }
        if lexer.peek().is_none() {
            break;
        }
        let word = lexer.until(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | b'(' | b','));
        let word = String::from_utf8_lossy(word);
        let is_date = word.matches('-').count() == 2;
        words.extend(if is_date { word.split('-').map(str::to_owned).collect() } else { vec![word.into_owned()] });
    }
    words
}

/// 1 to 12.
fn month(word: &str) -> Option<i64> {
    let start = word.get(..3)?;
    let index = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(start))?;
    i64::try_from(index + 1).ok()
}

/// RFC 5322 §4.3: two digits are 1950 to 2049, three are years since 1900.
fn year_of(word: &str) -> Option<i64> {
    let year = word.parse::<u16>().map(i64::from).ok()?;
    Some(match (word.len(), year) {
        (..=2, ..=49) => year + 2000,
        (..=3, _) => year + 1900,
        _ => year,
    })
}

/// Milliseconds since midnight; a leap second counts as the one before it.
fn time_of(word: &str) -> Option<i64> {
    let mut numbers = word.split(':').map(|digits| digits.parse::<u8>().map(i64::from).ok());
    let (hour, minute) = (numbers.next()??, numbers.next()??);
    let second = numbers.next().unwrap_or(Some(0))?;
    let is_time = hour < 24 && minute < 60 && second <= 60;
    is_time.then(|| ((hour * 60 + minute) * 60 + second.min(59)) * 1000)
}

/// Minutes east of UTC.
fn zone_minutes(zone: &str) -> i64 {
    let hours = match zone.to_ascii_uppercase().as_str() {
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        // Not in RFC 5322, but written.
        "CET" | "MET" | "BST" => 1,
        "CEST" | "MEST" | "EET" => 2,
        "EEST" => 3,
        numeric => return numeric_zone(numeric).unwrap_or(0),
    };
    hours * 60
}

/// `+0200`, `-0330`, `+02:00`.
fn numeric_zone(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = zone.get(1..)?.replace(':', "");
    let number = digits.parse::<u16>().map(i64::from).ok().filter(|_| digits.len() == 4)?;
    Some(sign * (number / 100 * 60 + number % 100))
}

/// Days since 1970-01-01 in the Gregorian calendar, by eras of 400 years that begin in March.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day; the other way round.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

/// `Sat, 24 Mar 2007 21:00:00 +0000` (RFC 5322 §3.3): always UTC.
pub fn format_date(at: Timestamp) -> String {
    let seconds = at.seconds();
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let name = |names: &[&'static str], index: i64| {
        usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or_default()
    };
    let (weekday, month) = (name(&WEEKDAYS, days.rem_euclid(7)), name(&MONTHS, month - 1));
    format!("{weekday}, {day} {month} {year:04} {:02}:{:02}:{:02} +0000", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moment in UTC as [`format_date`] writes it.
    #[track_caller]
    fn check(value: &str, expected: Option<&str>) {
        assert_eq!(parse_date(value.as_bytes()).map(|date| format_date(date.at)).as_deref(), expected, "{value}");
    }

    /// RFC 5322 §3.3, §4.3, §A.5, §A.6.2.
    #[test]
    fn dates_are_read() {
        check("Sat, 24 Mar 2007 23:00:00 +0200", Some("Sat, 24 Mar 2007 21:00:00 +0000"));
        check("Fri, 21 Nov 1997 09:55:06 -0600", Some("Fri, 21 Nov 1997 15:55:06 +0000"));
        check("1 Jan 2020 00:00 GMT", Some("Wed, 1 Jan 2020 00:00:00 +0000"));
        check(
            "Thu,\r\n      13\r\n        Feb\r\n  1969\r\n 23:32\r\n -0330 (Newfoundland Time)",
            Some("Fri, 14 Feb 1969 03:02:00 +0000"),
        );
        check("21 Nov 97 09:55:06 GMT", Some("Fri, 21 Nov 1997 09:55:06 +0000"));
        check("21 Nov 03 09:55:06 EST", Some("Fri, 21 Nov 2003 14:55:06 +0000"));
        check("Mon Mar 24 2008 10:00:00 +0000", Some("Mon, 24 Mar 2008 10:00:00 +0000"));
        check("Mon Mar 24 10:00:00 2008", Some("Mon, 24 Mar 2008 10:00:00 +0000"));
        check("24-Mar-2007 23:00:60 PDT", Some("Sun, 25 Mar 2007 06:00:59 +0000"));
        check("29 Feb 2000 12:00:00 Q", Some("Tue, 29 Feb 2000 12:00:00 +0000"));
        check("1 January 2021 1:2:3 +01:00", Some("Fri, 1 Jan 2021 00:02:03 +0000"));
        for bad in ["", "yesterday", "32 Jan 2020 00:00:00 +0000", "1 Foo 2020 00:00", "1 Jan 2020 24:00:00", "1 Jan"] {
            check(bad, None);
        }
    }

    /// RFC 9051 §6.4.4: SENTON disregards time and zone.
    #[test]
    fn the_day_is_the_one_written() {
        let day = |value: &str| parse_date(value.as_bytes()).unwrap().day;
        assert_eq!(day("Sun, 25 Mar 2007 00:00:00 +0200"), day("25 Mar 2007 23:59:59 -0900"));
        assert_eq!(day("2 Jan 1970 00:00 +1200"), 1);
    }

    #[test]
    fn days_go_both_ways() {
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
