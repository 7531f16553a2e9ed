//! Invitations to meetings (iCalendar, RFC 5545, by mail: RFC 6047), as far as they are shown and answered, and the answer (RFC 5546 §3.2.3).
//!
//! Decision 52 says why these lines are ours.

use jiff::Timestamp as Instant;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use relais_model::Timestamp;

use crate::header::{Party, cut};

/// Octets of a calendar that are looked at.
pub const MAX_CALENDAR_OCTETS: usize = 256 * 1024;
/// Lines of it.
const MAX_LINES: usize = 5000;
/// Components in components.
const MAX_DEPTH: usize = 8;
/// People of one meeting.
const MAX_ATTENDEES: usize = 200;
/// Observances of time zones.
const MAX_OBSERVANCES: usize = 64;
/// Lines of time zones that go along with an answer.
const MAX_ZONE_LINES: usize = 1000;
/// Octets of what names a meeting.
const MAX_UID_OCTETS: usize = 1000;
/// Octets of a line that is written (RFC 5545 §3.1).
const LINE_OCTETS: usize = 75;

/// An invitation to a meeting, or what becomes of one (RFC 5546).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invitation {
    /// The part of the message.
    pub path: String,
    /// `request`, `reply`, `cancel` and the like, in lower case.
    pub method: String,
    /// UID: names the meeting for all who take part; empty where it is missing, or longer than anybody's.
    pub uid: String,
    /// RECURRENCE-ID as it is written: which one of those that repeat; empty: all of it.
    pub instance: String,
    /// SEQUENCE: grows when the meeting is changed.
    pub sequence: u32,
    /// SUMMARY of the first event.
    pub summary: String,
    /// LOCATION.
    pub location: String,
    /// DTSTART.
    pub starts: Option<When>,
    /// DTEND, or from DURATION; of whole days the last.
    pub ends: Option<When>,
    /// It repeats (RRULE or RDATE).
    pub repeats: bool,
    /// STATUS says that it won't be.
    pub is_cancelled: bool,
    /// ORGANIZER.
    pub organizer: Party,
    /// ATTENDEE, in their order.
    pub attendees: Vec<Attendee>,
}

/// Who is invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Whoever it is.
    pub party: Party,
    /// PARTSTAT, in lower case: `needs-action` from the start.
    pub status: String,
}

/// When something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// All of a day: `2026-11-27`.
    Day(String),
    /// A moment.
    At(Timestamp),
    /// A time of the day wherever one is, or of a zone that nobody knows: `2026-11-27 09:30`.
    Floating(String),
}

/// What one answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attendance {
    /// One comes.
    Accepted,
    /// Perhaps.
    Tentative,
    /// One doesn't.
    Declined,
}

impl Attendance {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Tentative, Self::Declined];

    /// PARTSTAT's word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Tentative => "tentative",
            Self::Declined => "declined",
        }
    }

    /// By its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attendance| attendance.as_str() == word)
    }
}

impl Invitation {
    /// Reads any text; `method` is what the part's type says. None where it invites nobody to anything.
    pub fn read(text: &str, method: Option<&str>) -> Option<Self> {
        let calendar = Calendar::read(text);
        let method = method.map_or_else(|| calendar.head("METHOD"), |method| Some(method.to_owned()))?;
        let event = calendar.event()?;
        let value = |name: &str| event.iter().find(|line| line.name == name);
        let words = |name: &str| value(name).map(|line| cut(&unescaped(&line.value))).unwrap_or_default();
        let starts = value("DTSTART").and_then(|line| calendar.when(line));
        let uid = value("UID").map(|line| line.value.trim().to_owned()).unwrap_or_default();
        Some(Self {
            path: String::new(),
            method: method.trim().to_ascii_lowercase(),
            uid: if uid.len() > MAX_UID_OCTETS { String::new() } else { uid },
            instance: value("RECURRENCE-ID").map(|line| cut(&line.value)).unwrap_or_default(),
            sequence: value("SEQUENCE").and_then(|line| line.value.trim().parse().ok()).unwrap_or_default(),
            summary: words("SUMMARY"),
            location: words("LOCATION"),
            ends: calendar.ends(&event, starts.as_ref()),
            starts,
            repeats: value("RRULE").or_else(|| value("RDATE")).is_some(),
            is_cancelled: words("STATUS").eq_ignore_ascii_case("CANCELLED"),
            organizer: value("ORGANIZER").map(party).unwrap_or_default(),
            attendees: event
                .iter()
                .filter(|line| line.name == "ATTENDEE")
                .take(MAX_ATTENDEES)
                .map(|line| Attendee {
                    party: party(line),
                    status: line.parameter("PARTSTAT").unwrap_or("needs-action").to_ascii_lowercase(),
                })
                .collect(),
        })
    }
}

/// The answer of `attendee` (as the invitation writes their address) to the invitation `text`, with CRLF line ends. None where it can't be
/// answered: it has no UID or organizer, or names nobody so.
pub fn reply(text: &str, attendee: &str, answer: Attendance, now: Timestamp) -> Option<String> {
    let calendar = Calendar::read(text);
    let event = calendar.event()?;
    let line = |name: &str| event.iter().find(|line| line.name == name);
    let is_they = |line: &&Line| line.name == "ATTENDEE" && address(&line.value).eq_ignore_ascii_case(attendee);
    let me = event.iter().find(is_they)?;
    let (uid, organizer) = (line("UID")?, line("ORGANIZER")?);
    let mut out = String::new();
    let mut put = |text: &str| fold(&mut out, text);
    for text in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Relais//Webmail//EN", "METHOD:REPLY"] {
        put(text);
    }
    calendar.zones.iter().for_each(|line| put(line));
    put("BEGIN:VEVENT");
    put(&uid.raw);
    let stamp = Instant::from_second(now.seconds()).ok()?.strftime("%Y%m%dT%H%M%SZ").to_string();
    put(&format!("DTSTAMP:{stamp}"));
    put(&organizer.raw);
    let name = me.parameter("CN").map(|name| format!(";CN=\"{}\"", name.replace('"', ""))).unwrap_or_default();
    put(&format!("ATTENDEE;PARTSTAT={}{name}:{}", answer.as_str().to_ascii_uppercase(), me.value.trim()));
    for copied in ["SEQUENCE", "RECURRENCE-ID", "DTSTART", "DTEND", "SUMMARY"] {
        if let Some(line) = line(copied) {
            put(&line.raw);
        }
    }
    put("END:VEVENT");
    put("END:VCALENDAR");
    Some(out).filter(|out| out.len() <= MAX_CALENDAR_OCTETS)
}

/// RFC 5545 §3.1: folded at 75 octets, within no letter.
fn fold(out: &mut String, text: &str) {
    let (mut rest, mut room) = (text, LINE_OCTETS);
    loop {
        let end = rest.floor_char_boundary(room.min(rest.len()));
        let (piece, left) = rest.split_at(end);
        out.push_str(piece);
        out.push_str("\r\n");
        if left.is_empty() {
            return;
        }
        out.push(' ');
        (rest, room) = (left, LINE_OCTETS - 1);
    }
}

/// A content line (RFC 5545 §3.1), unfolded.
#[derive(Debug, Clone, Default)]
struct Line {
    /// In upper case.
    name: String,
    /// Names in upper case.
    parameters: Vec<(String, String)>,
    value: String,
    /// As it was written.
    raw: String,
}

impl Line {
    fn read(raw: &str) -> Option<Self> {
        // A blank before it would make it the end of the line before, where it is written again.
        let raw = raw.trim_start();
        let mut is_quoted = false;
        let mut cuts = raw.char_indices().filter(|(_, character)| {
            is_quoted ^= *character == '"';
            !is_quoted && matches!(character, ';' | ':')
        });
        let (mut pieces, mut from) = (Vec::new(), 0);
        let colon = loop {
            let (at, character) = cuts.next()?;
            pieces.push(raw.get(from..at)?);
            from = at + 1;
            if character == ':' {
                break at;
            }
        };
        let (name, parameters) = pieces.split_first()?;
        let parameter = |text: &&str| {
            let (name, value) = text.split_once('=')?;
            Some((name.to_ascii_uppercase(), value.trim_matches('"').to_owned()))
        };
        Some(Self {
            name: name.trim().to_ascii_uppercase(),
            parameters: parameters.iter().filter_map(parameter).collect(),
            value: raw.get(colon + 1..)?.to_owned(),
            raw: raw.to_owned(),
        })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is read of a calendar.
#[derive(Debug, Default)]
struct Calendar {
    /// Of the calendar itself.
    head: Vec<Line>,
    events: Vec<Vec<Line>>,
    /// All lines of its time zones, as they were written; of whole ones alone.
    zones: Vec<String>,
    observances: Vec<Observance>,
}

impl Calendar {
    fn read(text: &str) -> Self {
        let text = text.get(..text.floor_char_boundary(MAX_CALENDAR_OCTETS)).unwrap_or_default();
        let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
        let mut calendar = Self::default();
        let mut within: Vec<String> = Vec::new();
        let (mut zone, mut zone_lines) = (String::new(), Vec::new());
        let mut observed: Vec<Line> = Vec::new();
        // A control within a line ends nothing.
        let lines = unfolded.split('\n').map(|line| line.chars().filter(|one| !one.is_control()).collect::<String>());
        for line in lines.take(MAX_LINES).filter_map(|raw| Line::read(&raw)) {
            let component = line.value.trim().to_ascii_uppercase();
            if line.name == "BEGIN" {
                match component.as_str() {
                    "VEVENT" => calendar.events.push(Vec::new()),
                    "STANDARD" | "DAYLIGHT" => observed.clear(),
                    _ => {}
                }
                within.push(component.clone());
                if within.len() > MAX_DEPTH {
                    return calendar;
                }
            }
            let names: Vec<&str> = within.iter().map(String::as_str).collect();
            match names.get(1) {
                Some(&"VTIMEZONE") => zone_lines.push(line.raw.clone()),
                _ => zone_lines.clear(),
            }
            match names.as_slice() {
                ["VCALENDAR"] => calendar.head.push(line.clone()),
                ["VCALENDAR", "VEVENT"] => {
                    if let Some(event) = calendar.events.last_mut() {
                        event.push(line.clone());
                    }
                }
                ["VCALENDAR", "VTIMEZONE"] if line.name == "TZID" => zone.clone_from(&line.value),
                ["VCALENDAR", "VTIMEZONE", _] => observed.push(line.clone()),
                _ => {}
            }
            if line.name == "END" {
                if matches!(component.as_str(), "STANDARD" | "DAYLIGHT") && calendar.observances.len() < MAX_OBSERVANCES
                {
                    calendar.observances.extend(Observance::read(&zone, &observed));
                }
                let is_whole = within.len() == 2 && component == "VTIMEZONE";
                if is_whole && calendar.zones.len() + zone_lines.len() <= MAX_ZONE_LINES {
                    calendar.zones.append(&mut zone_lines);
                }
                within.pop();
            }
        }
        calendar
    }

    fn head(&self, name: &str) -> Option<String> {
        self.head.iter().find(|line| line.name == name).map(|line| line.value.clone())
    }

    /// The meeting itself; where there are only some of those that repeat, the first of them.
    fn event(&self) -> Option<Vec<Line>> {
        let is_one_of_many = |event: &&Vec<Line>| event.iter().any(|line| line.name == "RECURRENCE-ID");
        self.events.iter().find(|event| !is_one_of_many(event)).or_else(|| self.events.first()).cloned()
    }

    fn when(&self, line: &Line) -> Option<When> {
        let text = line.value.trim();
        let Some(time) = civil(text) else {
            return text.parse::<jiff::civil::Date>().ok().map(|day| When::Day(day.to_string()));
        };
        let at = |instant: Instant| When::At(Timestamp::from_seconds(instant.as_second()));
        if text.ends_with(['Z', 'z']) {
            return TimeZone::UTC.to_timestamp(time).ok().map(at);
        }
        let zone = line.parameter("TZID").unwrap_or_default();
        let instant = known(zone).and_then(|zone| zone.to_timestamp(time).ok()).or_else(|| self.observed(zone, time));
        Some(instant.map_or_else(|| When::Floating(time.strftime("%Y-%m-%d %H:%M").to_string()), at))
    }

    /// In a zone that the calendar itself describes, as Outlook's do (RFC 5545 §3.6.5).
    fn observed(&self, zone: &str, time: DateTime) -> Option<Instant> {
        let mut of_zone = self.observances.iter().filter(|observance| observance.zone == zone).peekable();
        let first = *of_zone.peek()?;
        let in_force = of_zone.filter_map(|one| Some((one.onset_before(time)?, one))).max_by_key(|(onset, _)| *onset);
        let offset = in_force.map_or(first.offset, |(_, observance)| observance.offset);
        offset.to_timestamp(time).ok()
    }

    fn ends(&self, event: &[Line], starts: Option<&When>) -> Option<When> {
        let line = |name: &str| event.iter().find(|line| line.name == name);
        if let Some(end) = line("DTEND") {
            return match self.when(end)? {
                // RFC 5545 §3.6.1: the day after the last.
                When::Day(day) => {
                    let last = day.parse::<jiff::civil::Date>().ok()?.yesterday().ok()?.to_string();
                    Some(When::Day(last)).filter(|last| Some(last) != starts)
                }
                end => Some(end),
            };
        }
        let duration: jiff::Span = line("DURATION")?.value.trim().parse().ok()?;
        let When::At(starts) = starts? else { return None };
        let hours = i64::from(duration.get_weeks()) * 168
            + i64::from(duration.get_days()) * 24
            + i64::from(duration.get_hours());
        let seconds = hours.checked_mul(3600)?.checked_add(duration.get_minutes().checked_mul(60)?)?;
        let seconds = u64::try_from(seconds.checked_add(duration.get_seconds())?).ok()?;
        (seconds > 0).then(|| When::At(starts.plus(std::time::Duration::from_secs(seconds))))
    }
}

/// `20261127T093000`, with or without a `Z`.
fn civil(text: &str) -> Option<DateTime> {
    text.get(8..9).filter(|part| part.eq_ignore_ascii_case("T"))?;
    text.trim_end_matches(['Z', 'z']).parse().ok()
}

/// A zone by its name in the world's list; some programs write folders before it.
fn known(zone: &str) -> Option<TimeZone> {
    let zone = zone.trim_matches('/');
    let tail = || zone.match_indices('/').map(|(at, _)| at).rev().nth(1).and_then(|at| zone.get(at + 1..));
    if zone.is_empty() {
        return None;
    }
    TimeZone::get(zone).ok().or_else(|| TimeZone::get(tail()?).ok())
}

/// From when on which time of a zone holds.
#[derive(Debug)]
struct Observance {
    zone: String,
    begins: DateTime,
    offset: Offset,
    /// Each year again: month, which one, which day of the week.
    yearly: Option<(i8, i8, Weekday)>,
}

impl Observance {
    fn read(zone: &str, lines: &[Line]) -> Option<Self> {
        let value = |name: &str| lines.iter().find(|line| line.name == name).map(|line| line.value.trim());
        Some(Self {
            zone: zone.to_owned(),
            begins: civil(value("DTSTART")?)?,
            offset: offset(value("TZOFFSETTO")?)?,
            yearly: value("RRULE").and_then(yearly),
        })
    }

    /// When it began last before `time`.
    fn onset_before(&self, time: DateTime) -> Option<DateTime> {
        let Some((month, nth, weekday)) = self.yearly else { return (self.begins <= time).then_some(self.begins) };
        let onset = |year: i16| {
            let first = jiff::civil::Date::new(year, month, 1).ok()?;
            Some(first.nth_weekday_of_month(nth, weekday).ok()?.to_datetime(self.begins.time()))
        };
        let last = [time.year(), time.year() - 1].into_iter().filter_map(onset).find(|onset| *onset <= time)?;
        (last >= self.begins || self.begins <= time).then_some(last.max(self.begins))
    }
}

/// `+0100`, `-023000`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = text.split_at_checked(1)?;
    let number = |from: usize| digits.get(from..from + 2).and_then(|two| two.parse::<i32>().ok());
    let seconds = number(0)? * 3600 + number(2)? * 60 + number(4).unwrap_or(0);
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// `FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU`: what zones are described with.
fn yearly(rule: &str) -> Option<(i8, i8, Weekday)> {
    let part = |name: &str| {
        let mut parts = rule.split(';').filter_map(|part| part.split_once('='));
        parts.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let day = part("BYDAY")?;
    let (nth, name) = day.split_at_checked(day.len().checked_sub(2)?)?;
    let weekday = match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    let is_yearly = part("FREQ")?.eq_ignore_ascii_case("YEARLY");
    let nth = nth.trim_start_matches('+').parse().ok().filter(|nth| (-5..=5).contains(nth) && *nth != 0)?;
    Some((part("BYMONTH")?.parse().ok()?, nth, weekday)).filter(|_| is_yearly)
}

/// Whoever a line names.
fn party(line: &Line) -> Party {
    Party { name: cut(line.parameter("CN").unwrap_or_default()), address: cut(address(&line.value)) }
}

/// Of a `mailto:` address what is behind it.
fn address(value: &str) -> &str {
    let value = value.trim();
    let is_mail = value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    if is_mail { value.get(7..).unwrap_or_default() } else { value }
}

/// RFC 5545 §3.3.11.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, if character == '\\' { characters.next() } else { None }) {
            ('\\', Some('n' | 'N')) => plain.push(' '),
            ('\\', Some(escaped)) => plain.push(escaped),
            (character, _) => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Outlook writes it: a zone that only the calendar describes, an alarm, folded lines.
    const MEETING: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\n\
        DTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n\
        BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\n\
        END:DAYLIGHT\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1@x.example\r\nSEQUENCE:2\r\nSUMMARY;LANGUAGE=fr:Lunch\\, with\r\n  Jo\\; soon\r\n\
        ORGANIZER;CN=\"Lee; Ann: boss\":MAILTO:ann@x.example\r\nATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:Bob@y.example\r\n\
        ATTENDEE;PARTSTAT=DECLINED:mailto:carl@z.example\r\nDTSTART;TZID=\"W. Europe Standard Time\":20261127T120000\r\n\
        DURATION:PT1H30M\r\nRRULE:FREQ=WEEKLY\r\nLOCATION:Café\r\nBEGIN:VALARM\r\nSUMMARY:Alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn instant(text: &str) -> When {
        When::At(Timestamp::from_seconds(text.parse::<Instant>().unwrap().as_second()))
    }

    #[test]
    fn a_meeting_is_read() {
        let meeting = Invitation::read(MEETING, None).unwrap();
        assert_eq!((meeting.method.as_str(), meeting.uid.as_str(), meeting.sequence), ("request", "1@x.example", 2));
        assert_eq!((meeting.summary.as_str(), meeting.location.as_str()), ("Lunch, with Jo; soon", "Café"));
        assert_eq!(meeting.organizer, Party { name: "Lee; Ann: boss".to_owned(), address: "ann@x.example".to_owned() });
        let people: Vec<_> = meeting.attendees.iter().map(|one| (one.party.written(), one.status.as_str())).collect();
        assert_eq!(
            people,
            [("Bob <Bob@y.example>".to_owned(), "needs-action"), ("carl@z.example".to_owned(), "declined")]
        );
        assert_eq!(meeting.starts, Some(instant("2026-11-27T11:00:00Z")));
        assert_eq!(meeting.ends, Some(instant("2026-11-27T12:30:00Z")));
        assert!(meeting.repeats && !meeting.is_cancelled && meeting.instance.is_empty());
    }

    #[test]
    fn times_are_read_in_their_zone() {
        let check = |line: &str, expected: Option<When>| {
            let text = MEETING.replace("DTSTART;TZID=\"W. Europe Standard Time\":20261127T120000", line);
            assert_eq!(Invitation::read(&text, None).unwrap().starts, expected, "{line}");
        };
        check("DTSTART:20261127T120000Z", Some(instant("2026-11-27T12:00:00Z")));
        check("DTSTART;TZID=Europe/Paris:20260701T120000", Some(instant("2026-07-01T10:00:00Z")));
        check("DTSTART;TZID=/example.org/x/America/New_York:20260701T120000", Some(instant("2026-07-01T16:00:00Z")));
        check("DTSTART;TZID=W. Europe Standard Time:20260701T120000", Some(instant("2026-07-01T10:00:00Z")));
        check("DTSTART;TZID=W. Europe Standard Time:20260301T120000", Some(instant("2026-03-01T11:00:00Z")));
        check("DTSTART;TZID=Nowhere:20261127T093000", Some(When::Floating("2026-11-27 09:30".to_owned())));
        check("DTSTART;VALUE=DATE:20261127", Some(When::Day("2026-11-27".to_owned())));
        check("DTSTART:soon", None);
        check("DTSTART:20269999T120000Z", None);
    }

    #[test]
    fn whole_days_end_on_the_last() {
        let ends = |starts: &str, ends: &str| {
            let text = format!(
                "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:{starts}\nDTEND;VALUE=DATE:{ends}\nEND:VEVENT\n"
            );
            Invitation::read(&text, None).unwrap().ends
        };
        assert_eq!(ends("20261127", "20261128"), None, "one day");
        assert_eq!(ends("20261127", "20261201"), Some(When::Day("2026-11-30".to_owned())));
    }

    #[test]
    fn an_answer_is_from_who_was_invited_and_about_the_same_meeting() {
        let now = Timestamp::from_seconds(1_767_225_600);
        let answer = reply(MEETING, "bob@y.example", Attendance::Tentative, now).unwrap();
        let read = Invitation::read(&answer, None).unwrap();
        assert_eq!((read.method.as_str(), read.uid.as_str(), read.sequence), ("reply", "1@x.example", 2));
        assert_eq!(read.organizer.address, "ann@x.example");
        let people: Vec<_> = read.attendees.iter().map(|one| (one.party.written(), one.status.as_str())).collect();
        assert_eq!(people, [("Bob <Bob@y.example>".to_owned(), "tentative")], "nobody else is told of");
        assert_eq!(read.starts, Some(instant("2026-11-27T11:00:00Z")), "its zone goes along");
        assert!(answer.contains("\r\nDTSTAMP:20260101T000000Z\r\n") && !answer.contains("VALARM"), "{answer}");
        assert!(answer.split("\r\n").all(|line| line.len() <= LINE_OCTETS), "{answer}");
        assert_eq!(reply(MEETING, "dora@y.example", Attendance::Accepted, now), None);
        let nameless = MEETING.replace("UID:", "X-UID:");
        assert_eq!(reply(&nameless, "bob@y.example", Attendance::Accepted, now), None);
    }

    #[test]
    fn what_invites_nobody_is_no_invitation() {
        for text in [
            "",
            "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\n",
        ] {
            assert_eq!(Invitation::read(text, None), None, "{text}");
        }
    }

    proptest! {
        /// Whatever strangers write: it is read, and an answer to it is read as what it is.
        #[test]
        fn any_text_is_read(cut in 0..MEETING.len(), put in "\\PC{0,20}", from in 0..MEETING.len()) {
            let mut text = MEETING.to_owned();
            let (from, cut) = (text.floor_char_boundary(from.min(cut)), text.floor_char_boundary(cut.max(from)));
            text.replace_range(from..cut, &put);
            let _read = Invitation::read(&text, None);
            if let Some(answer) = reply(&text, "bob@y.example", Attendance::Accepted, Timestamp::from_seconds(0)) {
                prop_assert_eq!(Invitation::read(&answer, None).unwrap().method, "reply");
            }
        }
    }
}
