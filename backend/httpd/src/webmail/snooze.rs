//! Until when messages are out of the way: times that people say, where they are.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan as _, ZonedDateTime};
use relais_model::Timestamp;
use relais_service::{Failure, Text};

/// A day begins so, for who reads mail.
const MORNING: i8 = 8;
/// Hours until "later today".
const LATER: i64 = 3;

/// When `act` brings a message back; none: it is another act. `zone` is the reader's (`Europe/Paris`); one that nobody knows is UTC.
pub(super) fn until(act: &str, typed: &str, zone: &str, now: Timestamp) -> Option<Result<Timestamp, Failure>> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let now = Instant::from_second(now.seconds()).ok()?.to_zoned_datetime(zone);
    let at = match act {
        "snooze-later" => now.checked_add(LATER.hours()).ok(),
        "snooze-tomorrow" => now.tomorrow().ok().and_then(|day| morning(&day)),
        "snooze-week" => now.nth_weekday(1, Weekday::Monday).ok().and_then(|day| morning(&day)),
        "snooze-until" => {
            typed.parse::<DateTime>().ok().and_then(|at| at.to_zoned_datetime(now.time_zone().clone()).ok())
        }
        _ => return None,
    };
    let at = at.map(|at| Timestamp::from_seconds(at.timestamp().as_second()));
    Some(at.ok_or_else(|| Failure::unfit("until", Text::new("mail-later-bad-time"))))
}

fn morning(day: &ZonedDateTime) -> Option<ZonedDateTime> {
    day.date().at(MORNING, 0, 0, 0).to_zoned_datetime(day.time_zone().clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_where_the_reader_is() {
        let check = |act: &str, typed: &str, zone: &str, expected: Option<&str>| {
            // A Thursday, an hour before midnight in Paris; clocks are put back there on Sunday.
            let now = Timestamp::from_seconds("2026-10-22T21:00:00Z".parse::<Instant>().unwrap().as_second());
            let at = until(act, typed, zone, now).and_then(Result::ok);
            let at = at.map(|at| Instant::from_second(at.seconds()).unwrap().to_string());
            assert_eq!(at.as_deref(), expected, "{act} {typed} {zone}");
        };
        check("snooze-later", "", "Europe/Paris", Some("2026-10-23T00:00:00Z"));
        check("snooze-tomorrow", "", "Europe/Paris", Some("2026-10-23T06:00:00Z"));
        check("snooze-tomorrow", "", "Asia/Tokyo", Some("2026-10-23T23:00:00Z"));
        check("snooze-week", "", "Europe/Paris", Some("2026-10-26T07:00:00Z"));
        check("snooze-week", "", "Nowhere/At all", Some("2026-10-26T08:00:00Z"));
        check("snooze-until", "2026-12-01T09:30", "America/New_York", Some("2026-12-01T14:30:00Z"));
        check("snooze-until", "soon", "", None);
        check("archive", "", "", None);
    }
}
