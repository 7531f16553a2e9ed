//! What is shown of a message.

use relais_reading::plain::{self, Kind, Paragraph};
use relais_reading::{Attendance, Clean, File, Header, Party, When};
use relais_service::{Answering, Genuine, MeetingView, MessageEntry, MessageView, Of, Text};

use super::list::{List, MailQuery, subject};
use super::shell::Shell;
use crate::kit::{Frame, State, Time};
use crate::path;

/// A message, ready to be shown.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) uid: u32,
    /// Its own path.
    pub(super) href: String,
    pub(super) subject: String,
    pub(super) from: Party,
    /// Who sent it for the author; empty where that is nobody else.
    pub(super) sender: String,
    /// Of `From`, and those to whom it went: what, who.
    pub(super) people: Vec<(String, Vec<Party>)>,
    /// `to Ann, Bob and 3 others`.
    pub(super) recipients: String,
    pub(super) at: Time,
    pub(super) size: String,
    pub(super) labels: Vec<String>,
    pub(super) is_flagged: bool,
    pub(super) is_junk: bool,
    /// The ways to answer: reply, reply to all, pass on, pass on as a file.
    pub(super) reply: String,
    pub(super) reply_all: String,
    pub(super) forward: String,
    pub(super) forward_file: String,
    pub(super) list_name: String,
    pub(super) unsubscribe: Vec<String>,
    /// Where one click takes one off the list; empty where it doesn't.
    pub(super) leave: String,
    /// Whether it is from whom it says.
    pub(super) genuine: Option<State>,
    /// What is to be known before it is read: kind, what, and why.
    pub(super) notices: Vec<Notice>,
    pub(super) pictures: Pictures,
    pub(super) doubtful: Vec<Doubtful>,
    pub(super) invitation: Option<Invitation>,
    pub(super) receipt: Option<Receipt>,
    /// The frame's path; empty where nothing is shown as HTML.
    pub(super) html: String,
    /// Plain text.
    pub(super) paragraphs: Vec<Block>,
    pub(super) files: Vec<FileRow>,
    /// `3 files`.
    pub(super) files_title: String,
    pub(super) all_files: String,
    /// The conversation: those before and behind it, and itself.
    pub(super) conversation: Vec<Entry>,
    /// The way back to the list.
    pub(super) back: String,
    pub(super) above: String,
    pub(super) below: String,
    /// Where it can be moved.
    pub(super) places: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) struct Notice {
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) text: String,
}

/// How it is with pictures of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pictures {
    /// There are none, or it is plain text.
    None,
    /// So many stay away; the way to see them this once.
    Away { says: String, once: String, may_always: bool },
    /// They are shown, and will be again.
    Always,
    /// They are shown this once.
    Once,
}

#[derive(Debug)]
pub(super) struct Doubtful {
    pub(super) says: String,
}

/// A meeting, and how it stands with it.
#[derive(Debug)]
pub(super) struct Invitation {
    pub(super) title: String,
    pub(super) summary: String,
    /// When: how it is shown, and the machine's form where it is a moment.
    pub(super) starts: Clock,
    pub(super) ends: Clock,
    pub(super) repeats: bool,
    pub(super) location: String,
    pub(super) organizer: String,
    /// Who, and what they answered: symbol, person, word.
    pub(super) attendees: Vec<(&'static str, String, String)>,
    /// `12 invited`.
    pub(super) attendees_title: String,
    /// What is to be known before it is answered: kind and sentence.
    pub(super) notes: Vec<State>,
    /// Answers that can be given: the form's word, what it is called, whether it is the one that was given. None: nothing can be answered.
    pub(super) answers: Vec<(&'static str, String, bool)>,
    pub(super) file: String,
}

/// A time of a meeting; both are empty where it has none.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// RFC 3339, for a script that knows where the reader is; empty for days, and times of wherever one is.
    pub(super) machine: String,
    pub(super) words: String,
}

/// Who asks for a receipt, and what is to be known of it.
#[derive(Debug)]
pub(super) struct Receipt {
    pub(super) says: String,
}

/// Lines that belong together.
#[derive(Debug)]
pub(super) struct Block {
    /// `own`, `quote`, `folded` or `signature`.
    pub(super) kind: &'static str,
    pub(super) paragraph: Paragraph,
}

#[derive(Debug)]
pub(super) struct FileRow {
    pub(super) name: String,
    pub(super) size: String,
    pub(super) symbol: &'static str,
    pub(super) href: String,
    /// Empty where it can't be looked at in the browser.
    pub(super) view: String,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) href: String,
    pub(super) author: String,
    pub(super) preview: String,
    pub(super) at: Time,
    pub(super) is_seen: bool,
    pub(super) is_open: bool,
}

/// The files that are listed. An invitation without a name is shown above them, with a way to its file.
fn files(view: &MessageView) -> impl Iterator<Item = &File> {
    let shown = view.letter.invitation.as_ref().map(|invitation| invitation.path.as_str());
    view.letter.attachments().filter(move |file| !file.name.is_empty() || shown != Some(file.path.as_str()))
}

impl Open {
    pub(super) fn of(
        frame: &Frame,
        shell: &Shell,
        list: &List,
        view: &MessageView,
        clean: Option<&Clean>,
        shows_pictures: bool,
    ) -> Self {
        let way = |uid: u32| list.query.way(&path::of(&list.href, &uid.to_string()));
        let href = path::of(&list.href, &view.uid.to_string());
        let back = list.query.way(&list.href);
        let pictures = Pictures::of(frame, view, clean, shows_pictures, &list.query, &href);
        let html = clean.map(|_| format!("{href}/frame{}", if shows_pictures { "?pictures=1" } else { "" }));
        let header = &view.letter.header;
        let files: Vec<FileRow> = files(view).map(|file| FileRow::of(frame, file, &href)).collect();
        let write = |how| super::write::way(&Of { mailbox: list.mailbox.clone(), uid: view.uid, how });
        let paragraphs = if clean.is_some() { Vec::new() } else { blocks(view) };
        let in_text = paragraphs.iter().flat_map(|block| block.paragraph.doubtful());
        Self {
            uid: view.uid,
            subject: subject(frame, &header.subject),
            from: header.author(),
            sender: sender(header),
            people: people(frame, header),
            recipients: recipients(frame, header),
            at: frame.time(view.at.0),
            size: frame.size(view.size_octets),
            labels: view.flags.labels.clone(),
            is_flagged: view.flags.is_flagged,
            is_junk: view.is_junk,
            reply: write(Answering::Reply),
            reply_all: write(Answering::ReplyAll),
            forward: write(Answering::Forward),
            forward_file: write(Answering::ForwardFile),
            list_name: header.list.clone().unwrap_or_default(),
            unsubscribe: header.unsubscribe.clone(),
            leave: view.one_click().map(|_| format!("{href}/leave")).unwrap_or_default(),
            genuine: genuine(frame, &view.genuine),
            notices: notices(frame, view),
            pictures,
            doubtful: doubtful(frame, clean.into_iter().flat_map(|clean| &clean.doubtful).chain(in_text)),
            invitation: invitation(frame, view, &href),
            receipt: receipt(frame, view),
            html: html.unwrap_or_default(),
            paragraphs,
            files_title: frame.count("webmail-files-count", files.len() as u64),
            all_files: if files.len() > 1 { format!("{href}/files.zip") } else { String::new() },
            files,
            conversation: view.conversation.iter().map(|entry| Entry::of(frame, entry, view.uid, &way)).collect(),
            above: view.above.map(way).unwrap_or_default(),
            below: view.below.map(way).unwrap_or_default(),
            places: shell.places(),
            back,
            href,
        }
    }
}

impl Pictures {
    fn of(
        frame: &Frame,
        view: &MessageView,
        clean: Option<&Clean>,
        are_shown: bool,
        query: &MailQuery,
        href: &str,
    ) -> Self {
        let away = clean.map_or(0, |clean| clean.pictures_away);
        match (away, are_shown, view.shows_pictures) {
            (0, _, _) => Self::None,
            (_, true, true) => Self::Always,
            (_, true, false) => Self::Once,
            (away, false, _) => {
                let way = query.way(href);
                let once = format!("{way}{}pictures=1", if way.contains('?') { '&' } else { '?' });
                // Junk and forgeries are never believed a second time.
                let may_always = !view.is_junk && view.genuine != Genuine::Forged;
                Self::Away { says: frame.count("webmail-pictures-away", away as u64), once, may_always }
            }
        }
    }
}

impl FileRow {
    fn of(frame: &Frame, file: &File, href: &str) -> Self {
        let path = format!("{href}/files/{}", file.path);
        let is_shown = super::files::shown_as(&file.kind).is_some();
        Self {
            name: if file.name.is_empty() { frame.say("webmail-file-unnamed") } else { file.name.clone() },
            size: frame.size(file.octets),
            symbol: match file.kind.split('/').next() {
                Some("image") => "picture",
                Some("message") => "mail",
                _ => "file",
            },
            view: if is_shown { format!("{path}?view=1") } else { String::new() },
            href: path,
        }
    }
}

impl Entry {
    fn of(frame: &Frame, entry: &MessageEntry, open: u32, way: &impl Fn(u32) -> String) -> Self {
        Self {
            href: way(entry.uid),
            author: if entry.author.is_empty() { frame.say("webmail-nobody") } else { entry.author.clone() },
            preview: entry.preview.clone(),
            at: frame.time(entry.at.0),
            is_seen: entry.is_seen,
            is_open: entry.uid == open,
        }
    }
}

/// RFC 5322 §3.6.2: said where it is another.
fn sender(header: &Header) -> String {
    let author = header.author().address;
    header.sender.as_ref().filter(|sender| sender.address != author).map(Party::written).unwrap_or_default()
}

fn people(frame: &Frame, header: &Header) -> Vec<(String, Vec<Party>)> {
    let fields = [
        ("webmail-from", &header.from),
        ("webmail-reply-to", &header.reply_to),
        ("webmail-to", &header.to),
        ("webmail-cc", &header.cc),
        ("webmail-bcc", &header.bcc),
    ];
    fields
        .into_iter()
        .filter(|(_, people)| !people.is_empty())
        .map(|(id, people)| (frame.say(id), people.clone()))
        .collect()
}

fn recipients(frame: &Frame, header: &Header) -> String {
    let all: Vec<&str> = header.to.iter().chain(&header.cc).map(Party::shown).collect();
    match all.as_slice() {
        [] => frame.say("webmail-to-nobody"),
        [before @ .., last] if before.len() < 3 => {
            let names = [before, &[*last]].concat().join(", ");
            frame.tell(&Text::new("webmail-to-some").with("names", names))
        }
        all => {
            let names = all.get(..2).unwrap_or_default().join(", ");
            frame.tell(&Text::new("webmail-to-many").with("names", names).with("count", all.len() - 2))
        }
    }
}

fn genuine(frame: &Frame, genuine: &Genuine) -> Option<State> {
    match genuine {
        Genuine::Proven(domain) => {
            let text = frame.tell(&Text::new("webmail-genuine").with("domain", domain.as_str()));
            Some(State { kind: "ok", text })
        }
        Genuine::Forged => Some(frame.state("warn", "webmail-not-genuine")),
        Genuine::Unknown => None,
    }
}

fn notices(frame: &Frame, view: &MessageView) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut add = |kind, title: String, text: String| notices.push(Notice { kind, title, text });
    if view.is_junk {
        let findings = view.verdict.iter().flat_map(|verdict| &verdict.findings);
        let reasons = findings.filter(|finding| finding.decides || finding.points > 0.0).take(5);
        let reasons: Vec<_> = reasons.map(|finding| frame.tell(&finding.says)).collect();
        let text = if reasons.is_empty() { frame.say("webmail-junk-why-unknown") } else { reasons.join(" ") };
        add("warn", frame.say("webmail-junk-why"), text);
    }
    if view.genuine == Genuine::Forged {
        add("warn", frame.say("webmail-not-genuine"), frame.say("webmail-not-genuine-why"));
    }
    if let Some(seal) = view.letter.seal {
        let id = format!("webmail-seal-{}", seal.as_str());
        add("info", frame.say(&id), frame.say(&format!("{id}-why")));
    }
    if view.letter.is_cut {
        add("info", frame.say("webmail-cut"), frame.say("webmail-cut-why"));
    }
    notices
}

/// Of the first few links that should be looked at twice.
fn doubtful<'a>(frame: &Frame, links: impl Iterator<Item = &'a relais_reading::Doubtful>) -> Vec<Doubtful> {
    let says = |link: &relais_reading::Doubtful| {
        let id = format!("webmail-doubt-{}", link.doubt.as_str());
        let text = Text::named(id).with("words", link.words.as_str()).with("host", link.host.as_str());
        Doubtful { says: frame.tell(&text) }
    };
    links.take(5).map(says).collect()
}

fn invitation(frame: &Frame, view: &MessageView, href: &str) -> Option<Invitation> {
    let meeting = view.meeting.as_ref()?;
    let invitation = &meeting.invitation;
    let id = match invitation.method.as_str() {
        "cancel" => "webmail-invitation-cancel",
        "reply" => "webmail-invitation-reply",
        "request" if invitation.sequence > 0 => "webmail-invitation-update",
        _ => "webmail-invitation",
    };
    let answers = |answer: Attendance| {
        let is_given = !meeting.is_answer_old && meeting.answered.is_some_and(|(given, _)| given == answer);
        (answer.as_str(), frame.say(&format!("webmail-meeting-{}", answer.as_str())), is_given)
    };
    let attendees = invitation.attendees.iter().map(|attendee| {
        let (symbol, word) = match attendee.status.as_str() {
            "accepted" => ("check", "accepted"),
            "declined" => ("cross", "declined"),
            "tentative" => ("info", "tentative"),
            _ => ("clock", "waits"),
        };
        (symbol, attendee.party.shown().to_owned(), frame.say(&format!("webmail-attendee-{word}")))
    });
    Some(Invitation {
        title: frame.say(id),
        summary: if invitation.summary.is_empty() {
            frame.say("outcome-no-subject")
        } else {
            invitation.summary.clone()
        },
        starts: clock(invitation.starts.as_ref()),
        ends: clock(invitation.ends.as_ref()),
        repeats: invitation.repeats,
        location: invitation.location.clone(),
        organizer: invitation.organizer.written(),
        attendees_title: frame.count("webmail-attendees", invitation.attendees.len() as u64),
        attendees: attendees.collect(),
        notes: meeting_notes(frame, meeting),
        answers: if meeting.may_answer() { Attendance::ALL.map(answers).to_vec() } else { Vec::new() },
        file: format!("{href}/files/{}", invitation.path),
    })
}

fn meeting_notes(frame: &Frame, meeting: &MeetingView) -> Vec<State> {
    let is_request = meeting.invitation.method == "request";
    let mut notes = Vec::new();
    if meeting.is_by_another {
        notes.push(frame.state("warn", "webmail-meeting-by-another"));
    }
    if meeting.is_cancelled && is_request {
        notes.push(frame.state("warn", "webmail-meeting-cancelled"));
    } else if meeting.is_outdated {
        notes.push(frame.state("warn", "webmail-meeting-outdated"));
    }
    if let Some((answer, at)) = meeting.answered.filter(|_| is_request) {
        let id = format!("webmail-meeting-you-{}", answer.as_str());
        let text = frame.tell(&Text::named(id).with("when", frame.time(at.0).words));
        notes.push(State { kind: "info", text });
        if meeting.is_answer_old {
            notes.push(frame.state("info", "webmail-meeting-answer-old"));
        }
    } else if is_request && meeting.invited.is_none() {
        notes.push(frame.state("info", "webmail-meeting-not-invited"));
    }
    notes
}

/// In UTC, as it is read everywhere; a script says it as it is where the reader is.
fn clock(when: Option<&When>) -> Clock {
    match when {
        Some(When::At(at)) => {
            let Ok(at) = jiff::Timestamp::from_second(at.seconds()) else { return Clock::default() };
            Clock { machine: at.to_string(), words: at.strftime("%Y-%m-%d %H:%M UTC").to_string() }
        }
        Some(When::Day(words) | When::Floating(words)) => Clock { machine: String::new(), words: words.clone() },
        None => Clock::default(),
    }
}

fn receipt(frame: &Frame, view: &MessageView) -> Option<Receipt> {
    let question = view.receipt.as_ref()?;
    let who = question.to.iter().map(Party::written).collect::<Vec<_>>().join(", ");
    let id = if question.is_elsewhere { "webmail-receipt-elsewhere" } else { "webmail-receipt" };
    let text = Text::new(id).with("who", view.letter.header.author().shown().to_owned()).with("to", who);
    Some(Receipt { says: frame.tell(&text) })
}

fn blocks(view: &MessageView) -> Vec<Block> {
    let text =
        view.letter.passages.iter().filter_map(|passage| passage.plain.as_deref()).collect::<Vec<_>>().join("\n");
    let block = |paragraph: Paragraph| Block {
        kind: match paragraph.kind {
            Kind::Own => "own",
            Kind::Quote => "quote",
            Kind::Folded => "folded",
            Kind::Signature => "signature",
        },
        paragraph,
    };
    plain::paragraphs(&text).into_iter().map(block).collect()
}

#[cfg(test)]
pub(super) mod samples {
    use relais_model::Timestamp;
    use relais_reading::{Attendee, Letter};
    use relais_service::{MessageFinding, MessageFlags, MessageVerdict, Moment, ReceiptView};

    use super::*;

    /// A message with all that one can have.
    pub(crate) fn open(frame: &Frame, shell: &Shell, list: &List) -> Open {
        let raw = "From: Ann <ann@x.example>\r\nSender: list@x.example\r\nTo: a@b.example, c@d.example, e@f.example, g@h.example\r\n\
            Cc: i@j.example\r\nSubject: Lunch\r\nList-Id: Eaters <eaters.x.example>\r\nList-Unsubscribe: <https://x.example/off>\r\n\
            List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
            Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee https://x.example/ or http://192.0.2.1/\r\n> Who?\r\n-- \r\nAnn\r\n\
            --b\r\nContent-Type: image/png; name=a.png\r\nContent-Disposition: attachment\r\n\r\nx\r\n\
            --b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Lunch\r\n\
            DTSTART:20261127T120000Z\r\nLOCATION:Here\r\nORGANIZER:mailto:ann@x.example\r\nEND:VEVENT\r\n--b--\r\n";
        let at = Moment(Timestamp::from_millis(1_795_428_000_000));
        let finding = |says| MessageFinding { part: "spam".to_owned(), points: 3.0, decides: true, says };
        let entry =
            |uid| MessageEntry { uid, author: "Ann".to_owned(), preview: "Hello".to_owned(), at, is_seen: uid > 1 };
        let (is_plain, is_junk) = (!list.is_trash, list.is_junk);
        let letter =
            Letter { seal: Some(relais_reading::Seal::PgpSigned), is_cut: true, ..Letter::read(raw.as_bytes()) };
        let party = |address: &str| Party { name: String::new(), address: address.to_owned() };
        let attendee = |status: &str| Attendee { party: party("bob@y.example"), status: status.to_owned() };
        let attendees = ["accepted", "declined", "tentative", "needs-action"].map(attendee).to_vec();
        let is_sure = list.is_trash;
        let view = MessageView {
            uid: 1,
            meeting: letter.invitation.clone().map(|invitation| MeetingView {
                invitation: relais_reading::Invitation { attendees, repeats: true, sequence: 1, ..invitation },
                invited: Some(party("bob@y.example")).filter(|_| is_sure || list.is_junk),
                answered: (is_sure || list.is_junk).then_some((Attendance::Tentative, at)),
                is_answer_old: list.is_junk,
                is_outdated: list.is_junk,
                is_cancelled: false,
                is_by_another: list.is_junk,
            }),
            receipt: Some(ReceiptView { to: vec![party("ann@x.example")], is_elsewhere: list.is_trash }),
            letter,
            flags: MessageFlags { labels: vec!["work".to_owned()], ..MessageFlags::default() },
            at,
            size_octets: 12_345,
            is_junk,
            genuine: if is_junk { Genuine::Forged } else { Genuine::Proven("x.example".to_owned()) },
            verdict: Some(MessageVerdict {
                done: "junk",
                score: Some(6.0),
                findings: vec![finding(Text::new("auth-dmarc-nothing-passed"))],
            }),
            shows_pictures: false,
            conversation: vec![entry(1), entry(2)],
            above: None,
            below: Some(2),
        };
        let doubts = [
            relais_reading::Doubt::Elsewhere,
            relais_reading::Doubt::LookAlike,
            relais_reading::Doubt::Disguised,
            relais_reading::Doubt::Numeric,
        ];
        let doubtful = doubts.map(|doubt| relais_reading::Doubtful {
            host: "evil.example".to_owned(),
            words: "bank.example".to_owned(),
            doubt,
        });
        let clean = Clean { html: "<p>x</p>".to_owned(), pictures_away: 3, doubtful: doubtful.to_vec() };
        Open::of(frame, shell, list, &view, (!is_plain || is_junk).then_some(&clean), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_meetings_are_read_everywhere() {
        let shown = |when| {
            let clock = clock(Some(&when));
            (clock.machine, clock.words)
        };
        let at = When::At(relais_model::Timestamp::from_seconds(1_795_780_800));
        assert_eq!(shown(at), ("2026-11-27T12:00:00Z".to_owned(), "2026-11-27 12:00 UTC".to_owned()));
        assert_eq!(shown(When::Day("2026-11-27".to_owned())), (String::new(), "2026-11-27".to_owned()));
    }
}
