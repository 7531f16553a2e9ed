//! Times and sizes as people read them.

use std::time::Duration;

use relais_model::Timestamp;
use relais_words::Language;

/// A moment on a page: the words, and what stands behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Time {
    /// `3 minutes ago`.
    pub(crate) words: String,
    /// RFC 3339, UTC; for machines and for the hover.
    pub(crate) exact: String,
}

impl Time {
    /// `at`, seen from `now`.
    pub(crate) fn of(language: Language, at: Timestamp, now: Timestamp) -> Self {
        Self { words: relative(language, at, now), exact: exact(at) }
    }
}

/// RFC 3339 in UTC, to the second.
fn exact(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.seconds()).map_or_else(|_| "–".to_owned(), |at| at.to_string())
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 365 * DAY;

fn relative(language: Language, at: Timestamp, now: Timestamp) -> String {
    let seconds = now.seconds() - at.seconds();
    let (far, past) = (seconds.abs(), seconds >= 0);
    let (unit, count) = match far {
        0..45 => return language.say(if past { "time-now" } else { "time-soon" }, []),
        45..5400 => ("minutes", (far + MINUTE / 2) / MINUTE),
        5400..129_600 => ("hours", (far + HOUR / 2) / HOUR),
        129_600..5_184_000 => ("days", (far + DAY / 2) / DAY),
        5_184_000..63_072_000 => ("months", (far + MONTH / 2) / MONTH),
        _ => ("years", (far + YEAR / 2) / YEAR),
    };
    let id = if past { format!("time-{unit}-ago") } else { format!("time-in-{unit}") };
    language.say(&id, [("count", count.into())])
}

/// `1.2 GB`: decimal units, as disks are sold and providers count; three figures at most.
pub(crate) fn size(language: Language, octets: u64) -> String {
    const UNITS: [&str; 6] = ["size-octets", "size-kb", "size-mb", "size-gb", "size-tb", "size-pb"];
    let mut divisor: u64 = 1;
    let mut unit = 0;
    while unit + 1 < UNITS.len() && octets / divisor >= 1000 {
        divisor *= 1000;
        unit += 1;
    }
    let (whole, tenth) = (octets / divisor, octets % divisor * 10 / divisor);
    if unit == 0 {
        return language.say("size-octets", [("number", i64::try_from(octets).unwrap_or_default().into())]);
    }
    let number = if whole >= 100 || tenth == 0 {
        whole.to_string()
    } else {
        format!("{whole}{}{tenth}", if language == Language::French { ',' } else { '.' })
    };
    language.say(UNITS.get(unit).copied().unwrap_or_default(), [("number", number.into())])
}

/// `5 days`, in the largest unit that says it whole; else rounded down, so that `1 h 59 min` is `1 hour`.
pub(crate) fn span(language: Language, span: Duration) -> String {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    let (id, count) = match seconds {
        0..MINUTE => ("span-seconds", seconds),
        MINUTE..HOUR => ("span-minutes", seconds / MINUTE),
        HOUR..DAY => ("span-hours", seconds / HOUR),
        _ => ("span-days", seconds / DAY),
    };
    // 36 hours are no day and a half, nor a day.
    let (id, count) = match seconds % DAY {
        rest if id == "span-days" && rest != 0 && seconds < 4 * DAY => ("span-hours", seconds / HOUR),
        _ => (id, count),
    };
    language.say(id, [("count", count.into())])
}

/// `12,345`; `12 345` in French.
pub(crate) fn number(language: Language, number: u64) -> String {
    let digits = number.to_string();
    let gap = if language == Language::French { '\u{202f}' } else { ',' };
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(gap);
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_words() {
        let now = Timestamp::from_millis(1_795_428_000_000);
        let check = |seconds: i64, expected: &str| {
            let at = Timestamp::from_millis(now.millis() - seconds * 1000);
            assert_eq!(relative(Language::English, at, now), expected, "{seconds}");
        };
        check(0, "just now");
        check(60, "1 minute ago");
        check(3540, "59 minutes ago");
        check(2 * HOUR, "2 hours ago");
        check(3 * DAY, "3 days ago");
        check(90 * DAY, "3 months ago");
        check(800 * DAY, "2 years ago");
        check(-10, "in a moment");
        check(-12 * MINUTE, "in 12 minutes");
    }

    #[test]
    fn sizes_and_numbers_are_short() {
        let check = |octets: u64, english: &str, french: &str| {
            assert_eq!(size(Language::English, octets), english);
            assert_eq!(size(Language::French, octets), french);
        };
        check(0, "0 bytes", "0 octet");
        check(1, "1 byte", "1 octet");
        check(999, "999 bytes", "999 octets");
        check(1000, "1 kB", "1 ko");
        check(1_250_000, "1.2 MB", "1,2 Mo");
        check(123_456_789_012, "123 GB", "123 Go");
        check(u64::MAX, "18446 PB", "18446 Po");
        assert_eq!(number(Language::English, 1_234_567), "1,234,567");
        assert_eq!(number(Language::French, 1234), "1\u{202f}234");
        assert_eq!(number(Language::English, 7), "7");
    }
}
