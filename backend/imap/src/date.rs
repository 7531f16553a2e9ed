//! Dates of SEARCH and of INTERNALDATE (RFC 9051 §9 `date`, `date-time`).

use relais_model::Timestamp;

use crate::command::reader::{Reader, Refusal};
use crate::response::number;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECONDS_PER_DAY: i64 = 86_400;

/// A day of the calendar, as days since 1970-01-01. SEARCH compares days and disregards time and zone (RFC 9051 §6.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// From year (0 to 9999), month (1 to 12) and day; none where the calendar has no such day.
    pub fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        let exists = (0..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        let days = Self(days_from_civil(year, month, day));
        (exists && days.civil() == (year, month, day)).then_some(days)
    }

    /// The day in UTC of a point in time.
    pub const fn of(timestamp: Timestamp) -> Self {
        Self(timestamp.seconds().div_euclid(SECONDS_PER_DAY))
    }

    /// From days since 1970-01-01; negative before.
    pub const fn from_days(days: i64) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01; negative before.
    pub const fn days(self) -> i64 {
        self.0
    }

    /// Its first moment in UTC.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_seconds(self.0.saturating_mul(SECONDS_PER_DAY))
    }

    /// Year, month, day: the proleptic Gregorian calendar, by the well-known algorithm of eras of 400 years.
    pub const fn civil(self) -> (i64, i64, i64) {
        let days = self.0.saturating_add(719_468);
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        (year_of_era + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
    }
}

const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    year.div_euclid(400) * 146_097 + day_of_era - 719_468
}

/// Writes `"01-Jan-2026 00:00:00 +0000"` with its quotes, in UTC. Years outside 0 to 9999 are written as the nearest.
pub fn write_date_time(out: &mut Vec<u8>, timestamp: Timestamp) {
    let (year, month, day) = Day::of(timestamp).civil();
    let seconds = timestamp.seconds().rem_euclid(SECONDS_PER_DAY);
    out.push(b'"');
    number::padded(out, day, 2);
    out.push(b'-');
    let month = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at));
    out.extend_from_slice(month.map_or("Jan", |name| name).as_bytes());
    out.push(b'-');
    number::padded(out, year.clamp(0, 9999), 4);
    out.push(b' ');
    number::padded(out, seconds / 3600, 2);
    out.push(b':');
    number::padded(out, seconds / 60 % 60, 2);
    out.push(b':');
    number::padded(out, seconds % 60, 2);
    out.extend_from_slice(b" +0000\"");
}

/// Takes a whole `date-time`, with its quotes. For tests and fuzzing.
pub fn parse_date_time(text: &str) -> Result<Timestamp, Refusal> {
    let limits = crate::limits::Limits::default();
    let mut reader = Reader::new(text.as_bytes(), &limits, false);
    let timestamp = reader.date_time()?;
    reader.end().map(|()| timestamp)
}

impl Reader<'_> {
    /// `date` (RFC 9051 §9), quoted or not.
    pub(crate) fn date(&mut self) -> Result<Day, Refusal> {
        let quoted = self.skip(b'"');
        let day = self.day()?;
        if quoted {
            self.expect(b'"')?;
        }
        Ok(day)
    }

    /// `date-time` (RFC 9051 §9).
    pub(crate) fn date_time(&mut self) -> Result<Timestamp, Refusal> {
        self.expect(b'"')?;
        // date-day-fixed is a space and a digit, or two digits.
        self.skip(b' ');
        let day = self.day()?;
        self.expect(b' ')?;
        let hour = self.digits(2..=2)?;
        self.expect(b':')?;
        let minute = self.digits(2..=2)?;
        self.expect(b':')?;
        let second = self.digits(2..=2)?;
        self.expect(b' ')?;
        let is_west = self.skip(b'-');
        if !is_west {
            self.expect(b'+')?;
        }
        let zone = self.digits(4..=4)?;
        self.expect(b'"')?;
        // 60 is a leap second.
        if hour > 23 || minute > 59 || second > 60 || zone % 100 > 59 {
            return Err(self.bad("There is no such time"));
        }
        let offset = (zone / 100 * 60 + zone % 100) * 60;
        let offset = if is_west { -offset } else { offset };
        let seconds = day.days() * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset;
        Ok(Timestamp::from_seconds(seconds))
    }

    /// `1-Feb-2026`.
    fn day(&mut self) -> Result<Day, Refusal> {
        let day = self.digits(1..=2)?;
        self.expect(b'-')?;
        let name = self.letters();
        let month = MONTHS.iter().zip(1..).find(|(month, _)| month.as_bytes().eq_ignore_ascii_case(name));
        let Some((_, month)) = month else { return Err(self.bad("Unknown month")) };
        self.expect(b'-')?;
        let year = self.digits(4..=4)?;
        Day::new(year, month, day).ok_or_else(|| self.bad("There is no such day"))
    }

    fn digits(&mut self, octets: std::ops::RangeInclusive<usize>) -> Result<i64, Refusal> {
        let mut value = 0;
        let mut count = 0;
        while count < *octets.end()
            && let Some(digit) = self.peek().filter(u8::is_ascii_digit)
        {
            value = value * 10 + i64::from(digit - b'0');
            count += 1;
            self.advance();
        }
        if octets.contains(&count) { Ok(value) } else { Err(self.bad("A date is misspelled")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(parse_date_time(text).ok().map(Timestamp::seconds), expected, "{text}");
    }

    #[test]
    fn date_times() {
        check("\"17-Jul-1996 02:44:25 -0700\"", Some(837_596_665));
        check("\" 7-Feb-1994 21:52:25 -0800\"", Some(760_686_745));
        check("\"7-feb-1994 21:52:25 -0800\"", Some(760_686_745));
        check("\"01-Jan-1970 00:00:00 +0000\"", Some(0));
        check("\"29-Feb-2024 00:00:00 +0000\"", Some(1_709_164_800));
        check("\"29-Feb-2023 00:00:00 +0000\"", None);
        check("\"31-Apr-2023 00:00:00 +0000\"", None);
        check("\"01-Jan-1970 24:00:00 +0000\"", None);
        check("\"01-Jan-70 00:00:00 +0000\"", None);
        check("\"01-Jan-1970 00:00:00 GMT\"", None);
    }

    proptest! {
        #[test]
        fn printed_date_times_read_back(seconds in -62_167_219_200i64..253_402_300_799) {
            let mut out = Vec::new();
            write_date_time(&mut out, Timestamp::from_seconds(seconds));
            let text = String::from_utf8(out).unwrap();
            prop_assert_eq!(parse_date_time(&text).unwrap().seconds(), seconds);
        }
    }
}
