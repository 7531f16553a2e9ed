//! The index over a store, on both engines: right against a scan, whatever is lost, damaged, late or gone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests, not their helpers"
)]

mod house;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use relais_finding::{Finder, Places, Sought};
use relais_message::{
    Needle, Structure, fields, header_octets, matches_body, matches_header, matches_text, searchable,
};
use relais_model::{Flag, Random as _, SystemFlag, UidSet};
use relais_store::View;
use relais_testkit::SeededRandom;
use relais_testkit::postgres::Database;

use crate::house::House;

fn on_both<F: Future<Output = ()>>(test: impl Fn(House) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        test(House::open(None).await).await;
        if let Some(database) = Database::fresh() {
            test(House::open(Some(database)).await).await;
        }
    });
}

impl House {
    async fn view(&self) -> Arc<View> {
        self.store.view(self.inbox).await.unwrap().unwrap()
    }

    /// A finder whose index is up to date.
    async fn finder(&self) -> Finder {
        let finder = Finder::new(self.store.clone());
        finder.keeper(self.folder()).catch_up().await.unwrap();
        finder
    }

    async fn raws(&self) -> Vec<(u32, Vec<u8>)> {
        let all = self.view().await.read(|rows| rows.as_slice().to_vec());
        let mut raws = Vec::new();
        for row in all {
            raws.push((row.uid, self.store.raw(row.message()).await.unwrap().unwrap()));
        }
        raws
    }

    async fn check(&self) {
        assert_eq!(self.store.check().await.unwrap(), Vec::<String>::new());
    }
}

/// Mail of many kinds, from a seed: charsets, encodings, HTML, files, scripts, long words.
fn mail(number: u32, random: &SeededRandom) -> String {
    let words = [
        "meeting",
        "Rechnung",
        "Grüße",
        "naïve",
        "café",
        "日本語のメール",
        "привет",
        "x",
        "3.14",
        "foo_bar",
        "don't",
        "https://host.example/path?query=1&other=2",
        "Straße",
        "l'été",
        "ภาษาไทย",
        "0123456789",
        "co-operate",
        "ΣΑΣ",
        "ﬁnal",
        "Ｗｉｄｅ",
        "½kg",
        "e\u{301}tude",
        "ガガ",
        "한국어",
    ];
    let pick = |count: usize| {
        let mut text = String::new();
        for _ in 0..count {
            let number = random.below(1 << 40);
            let word = words[usize::try_from(number % words.len() as u64).unwrap()];
            text.push_str(word);
            text.push_str([" ", "  ", "\r\n", ", ", "-"][usize::try_from(number / 64 % 5).unwrap()]);
            if number.is_multiple_of(11) {
                text.push_str(&"aB9".repeat(usize::try_from(number % 50).unwrap()));
                text.push(' ');
            }
        }
        text
    };
    let encode = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    let subject = format!("=?utf-8?B?{}?= number {number}", encode(&pick(3).replace("\r\n", " ")));
    let head = format!(
        "From: \"Ann (of {number})\" <ann{number}@x.example>\r\nTo: =?utf-8?q?J=C3=B6rg?= <joerg@y.example>\r\n\
         Cc: team@z.example\r\nSubject: {subject}\r\nX-Tag: tag{number} common\r\n"
    );
    let body = pick(40);
    match number % 6 {
        0 => format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}"),
        1 => format!(
            "{head}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            encode(&body)
        ),
        2 => format!(
            "{head}Content-Type: text/html; charset=utf-8\r\n\r\n<style>b{{x:y}}</style><p title=\"hidden{number}\">{body}<b>bo</b>ld &eacute;t&eacute; 3<5 <!-- note --></p>"
        ),
        3 => format!(
            "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{body}\r\n--b\r\n\
             Content-Type: application/json; name=\"data{number}.json\"\r\n\r\n{{\"answer\": \"inside{number}\"}}\r\n--b\r\n\
             Content-Type: message/rfc822\r\n\r\nSubject: inner{number}\r\n\r\ndeep {body}\r\n--b--\r\n"
        ),
        4 => format!("{head}\r\nplain ascii of message {number}\r\n"),
        _ => format!(
            "{head}Content-Type: text/plain; charset=shift_jis\r\nContent-Transfer-Encoding: 8bit\r\n\r\nabc {number}"
        ),
    }
}

fn mails(numbers: std::ops::Range<u32>) -> Vec<String> {
    let random = SeededRandom::new(5);
    numbers.map(|number| mail(number, &random)).collect()
}

/// Pieces of texts, cut anywhere, and some that stand nowhere.
fn needles(raws: &[(u32, Vec<u8>)]) -> Vec<String> {
    let random = SeededRandom::new(9);
    let number = |below: usize| usize::try_from(random.below(below as u64)).unwrap();
    let mut needles: Vec<String> = [
        "meeting",
        "EETIN",
        "grüße",
        "日本",
        "本語",
        "日",
        "語の",
        "ไทย",
        "nowhere",
        "a",
        "_",
        "t'",
        "common",
        "ann1",
        "joerg@y",
        "été",
        "hidden2",
        "note",
    ]
    .map(str::to_owned)
    .to_vec();
    for _ in 0..150 {
        let (_, raw) = &raws[number(raws.len())];
        let structure = Structure::read(raw);
        let mut texts = Vec::new();
        relais_message::each_searched(raw, &structure, &mut |searched| match searched {
            relais_message::Searched::Text { text, .. } => texts.push(text.into_owned()),
            relais_message::Searched::Field { field, .. } => texts.push(searchable(&field)),
            relais_message::Searched::File(_) => {}
        });
        let text: Vec<char> = texts[number(texts.len())].chars().collect();
        let from = number(text.len());
        let needle: String = text.iter().skip(from).take(1 + number(30)).collect();
        needles.push(needle);
    }
    needles.retain(|needle| !needle.is_empty());
    needles
}

/// Whether a message holds the words, by reading it.
type Scan<'a> = &'a dyn Fn(&[u8]) -> bool;

#[test]
fn it_finds_what_a_scan_finds() {
    on_both(|house| async move {
        house.append(&mails(0..240)).await;
        let (finder, view, raws) = (house.finder().await, house.view().await, house.raws().await);
        let all: UidSet = view.read(|rows| rows.iter().filter_map(relais_store::Row::uid).collect());
        let (mut told, mut read) = (0, 0);
        for text in needles(&raws) {
            let needle = Needle::new(&text);
            let header = |raw: &[u8], name: &str| matches_header(&raw[..header_octets(raw)], name, &needle);
            let body = |raw: &[u8]| matches_body(raw, &Structure::read(raw), &needle);
            let whole = |raw: &[u8]| matches_text(raw, &Structure::read(raw), &needle);
            let cases: [(Places, Scan<'_>); 7] = [
                (Places::BODY, &body),
                (Places::TEXT, &whole),
                (Places::SUBJECT, &|raw| header(raw, "Subject")),
                (Places::FROM, &|raw| header(raw, "From")),
                (Places::TO, &|raw| header(raw, "To")),
                (Places::CC, &|raw| header(raw, "Cc")),
                (Places::FIELDS, &|raw| header(raw, "X-Tag")),
            ];
            for (places, scan) in cases {
                let parted = finder.narrow(places, &text).await.part(&view, &all);
                for (uid, raw) in &raws {
                    let uid = relais_model::Uid::new(*uid).unwrap();
                    let (is_found, is_doubtful) = (parted.found.contains(uid), parted.to_read.contains(uid));
                    let holds = scan(raw);
                    assert!(
                        is_doubtful || is_found == holds,
                        "{text:?} in {places:?}, message {}: {holds}",
                        uid.value()
                    );
                    told += usize::from(!is_doubtful);
                    read += usize::from(is_doubtful);
                }
            }
        }
        assert!(told > read * 3, "{told} told, {read} to be read");
        house.check().await;
    });
}

#[test]
fn people_find_what_they_mean() {
    on_both(|house| async move {
        house.append(&mails(0..60)).await;
        let (finder, view, raws) = (house.finder().await, house.view().await, house.raws().await);
        let all: UidSet = view.read(|rows| rows.iter().filter_map(relais_store::Row::uid).collect());
        for text in [
            "meetings",
            "cafe",
            "Grusse",
            "ete",
            "inside3",
            "data9",
            "日本語",
            "meeting Rechnung",
            "naive cafe",
            "eting ete",
            "3.14 foo_bar",
            "日本語のメール x",
            "joerg@y",
            "from ann1",
            "number 3",
            "joerg",
            "bold",
            "strasse",
            "hidden2",
            "meetin,",
            "(été)",
            "?!",
        ] {
            let sought = Sought::new(Places::SEEN, text);
            let (mut scored, liked) = (0, finder.like(Places::SEEN, text).await);
            let parted = liked.part(&view, &all, &mut |_, score| scored += usize::from(score > 0));
            for (uid, raw) in &raws {
                let uid = relais_model::Uid::new(*uid).unwrap();
                let is_told = parted.found.contains(uid) || parted.to_read.contains(uid) && sought.is_in(raw);
                assert_eq!(is_told, sought.is_in(raw), "{text} in message {}", uid.value());
            }
            assert!(scored as u64 >= parted.found.count(), "{text}");
        }
        house.check().await;
    });
}

/// Words in a row: people are told by the index alone; for IMAP, which asks what is between them, those are read that may hold it. Six files
/// became one before.
#[test]
fn words_in_a_row_are_known_by_their_positions() {
    let html = "Content-Type: text/html\r\n\r\n";
    let mails = [
        "Subject: 0\r\n\r\nthe mailing list is open".to_owned(),
        "Subject: 1\r\n\r\nlist mailing".to_owned(),
        "Subject: 2\r\n\r\nmailing for the list".to_owned(),
        "Subject: 3\r\n\r\nof Mailing,\r\nlist".to_owned(),
        format!("Subject: 4\r\n{html}<b>mailing</b> <i>lists</i>"),
        format!("Subject: 5\r\n{html}the mailing&nbsp;list"),
        "Subject: mailing\r\n\r\nlist".to_owned(),
        "Subject: Re: mailing list\r\n\r\n7".to_owned(),
        format!("Subject: 8\r\n{html}<p title=\"mailing list\">8</p>"),
        "Subject: 9\r\n\r\nremailing listed".to_owned(),
        "Subject: 10\r\nX-Tag: mailing list\r\n\r\n10".to_owned(),
        "Subject: 11\r\n\r\nun caf\u{e9} noir, un caf\u{e9} bleu".to_owned(),
    ];
    on_both(|house| {
        let mails = mails.clone();
        async move {
            for two in mails.chunks(2) {
                house.append(two).await;
                drop(house.finder().await);
            }
            let (finder, view, raws) = (house.finder().await, house.view().await, house.raws().await);
            assert_eq!(finder.standing().await.unwrap().files, 1);
            let all: UidSet = view.read(|rows| rows.iter().filter_map(relais_store::Row::uid).collect());
            let numbers = |set: &UidSet| -> Vec<usize> {
                let is_in = |uid: u32| relais_model::Uid::new(uid).is_some_and(|uid| set.contains(uid));
                (0..).zip(&raws).filter(|(_, (uid, _))| is_in(*uid)).map(|(number, _)| number).collect()
            };
            let liked: [(Places, &str, &[usize]); 7] = [
                (Places::SEEN, "mailing list", &[0, 3, 4, 5, 7, 9]),
                (Places::SEEN_BODY, "mailing list", &[0, 3, 4, 5, 9]),
                (Places::SEEN_SUBJECT, "mailing list", &[7]),
                (Places::SEEN, "the mailing list", &[0, 5]),
                (Places::SEEN, "mailing list is", &[0]),
                (Places::SEEN, "cafe noir", &[11]),
                (Places::SEEN, "noir cafe", &[]),
            ];
            for (places, text, expected) in liked {
                let parted = finder.like(places, text).await.part(&view, &all, &mut |_, _| ());
                assert_eq!((numbers(&parted.found).as_slice(), parted.to_read.count()), (expected, 0), "{text}");
            }
            let narrowed: [(Places, &str, &[usize]); 5] = [
                (Places::BODY, "mailing list", &[0, 3, 4, 5, 8, 9]),
                (Places::TEXT, "mailing list", &[0, 3, 4, 5, 7, 8, 9, 10]),
                (Places::SUBJECT, "mailing list", &[7]),
                // Who goes over a tag's end may go anywhere.
                (Places::BODY, "mailing> list", &[0, 1, 2, 3, 4, 5, 8, 9]),
                (Places::BODY, "noir, un", &[11]),
            ];
            for (places, text, expected) in narrowed {
                let parted = finder.narrow(places, text).await.part(&view, &all);
                assert_eq!((numbers(&parted.to_read).as_slice(), parted.found.count()), (expected, 0), "{text}");
            }
            house.check().await;
        }
    });
}

/// Files that are text are found by it, by a scan, by the index and by people alike, however they are encoded.
#[test]
fn files_that_are_text_are_found_by_it() {
    // What IMAP finds, and what people do.
    let cases = [
        ("text/csv; name=\"a.csv\"", "name,WORD\r\n1,2", true, true),
        ("text/calendar; method=REQUEST", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:WORD\r\nEND:VEVENT", true, true),
        ("text/markdown; charset=utf-8", "# The WORD\r\n", true, true),
        ("text/xml", "<a><b>WORD</b></a>", true, true),
        ("text/html", "<p class=\"c\">WORD</p>", true, true),
        ("text/vcard", "BEGIN:VCARD\r\nFN:WORD\r\nEND:VCARD", true, true),
        ("application/xml", "<a><b>WORD</b></a>", true, true),
        ("Application/Atom+XML", "<a><b>WORD</b></a>", true, true),
        ("application/json; name=\"a.json\"", "{\"a\": \"WORD\"}", true, true),
        ("message/rfc822", "Subject: inner\r\n\r\nWORD", true, true),
        // IMAP's searches don't go by a file's name.
        ("application/octet-stream; name=\"a.log\"", "WORD", false, true),
        ("application/pdf; name=\"a.pdf\"", "WORD", false, false),
    ];
    let word = |number: usize| format!("word{number}x");
    let mut mails = Vec::new();
    let mut expected = Vec::new();
    for (kind, body, by_imap, by_people) in cases {
        // RFC 2046 §5.2.1: a message inside isn't encoded.
        let encodings: &[bool] = if kind.starts_with("message/") { &[false] } else { &[false, true] };
        for is_encoded in encodings {
            let body = body.replace("WORD", &word(mails.len()));
            let (encoding, body) = if *is_encoded {
                ("Content-Transfer-Encoding: base64\r\n", data_encoding::BASE64.encode(body.as_bytes()))
            } else {
                ("", body)
            };
            mails.push(format!(
                "Subject: a file\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below\r\n--b\r\n\
                 Content-Type: {kind}\r\nContent-Disposition: attachment\r\n{encoding}\r\n{body}\r\n--b--\r\n"
            ));
            expected.push((kind, by_imap, by_people));
        }
    }
    on_both(|house| {
        let (mails, expected) = (mails.clone(), expected.clone());
        async move {
            house.append(&mails).await;
            let (finder, view, raws) = (house.finder().await, house.view().await, house.raws().await);
            let all: UidSet = view.read(|rows| rows.iter().filter_map(relais_store::Row::uid).collect());
            for (number, ((uid, raw), (kind, by_imap, by_people))) in raws.iter().zip(expected).enumerate() {
                let (text, uid) = (word(number), relais_model::Uid::new(*uid).unwrap());
                let (needle, structure) = (Needle::new(&text), Structure::read(raw));
                assert_eq!(matches_body(raw, &structure, &needle), by_imap, "{kind}");
                assert_eq!(matches_text(raw, &structure, &needle), by_imap, "{kind}");
                assert_eq!(Sought::new(Places::SEEN, &text).is_in(raw), by_people, "{kind}");
                let only = |is_found: bool| -> UidSet { is_found.then_some(uid).into_iter().collect() };
                for places in [Places::BODY, Places::TEXT] {
                    let parted = finder.narrow(places, &text).await.part(&view, &all);
                    assert_eq!((parted.found, parted.to_read), (only(by_imap), UidSet::new()), "{kind}");
                }
                let parted = finder.like(Places::SEEN, &text).await.part(&view, &all, &mut |_, _| ());
                assert_eq!((parted.found, parted.to_read), (only(by_people), UidSet::new()), "{kind}");
            }
            house.check().await;
        }
    });
}

#[test]
fn what_it_does_not_cover_is_to_be_read() {
    on_both(|house| async move {
        house.append(&mails(0..5)).await;
        let (finder, view) = (Finder::new(house.store.clone()), house.view().await);
        let all = || -> UidSet { view.read(|rows| rows.iter().filter_map(relais_store::Row::uid).collect()) };
        let part = async |finder: &Finder, text: &str| finder.narrow(Places::TEXT, text).await.part(&view, &all());
        assert_eq!(part(&finder, "ann3").await.to_read, all(), "nothing is indexed");
        finder.keeper(house.folder()).catch_up().await.unwrap();
        let parted = part(&finder, "ann3").await;
        assert_eq!((parted.found.count(), parted.to_read.count()), (1, 0));
        house.append(&mails(5..7)).await;
        let parted = part(&finder, "ann3").await;
        assert_eq!((parted.found.count(), parted.to_read.count()), (1, 2), "two came since");
        assert_eq!(part(&finder, "?!").await.to_read, all(), "no words, no telling");
        // What is too much for the index is read by who searches.
        let long = format!("Subject: long\r\n\r\n{}the end", "many words ".repeat(500_000));
        house.append(&[long]).await;
        finder.keeper(house.folder()).catch_up().await.unwrap();
        let parted = part(&finder, "end").await;
        assert_eq!((parted.found.count(), parted.to_read.count()), (0, 1));
        let standing = finder.standing().await.unwrap();
        assert_eq!((standing.indexed, standing.contents, standing.is_current), (8, 8, true));
        house.check().await;
    });
}

/// After a crash the files may be behind, cut short, or other than they were.
#[test]
fn a_damaged_index_is_made_anew() {
    on_both(|house| async move {
        house.append(&mails(0..20)).await;
        drop(house.finder().await);
        let (folder, view) = (house.folder(), house.view().await);
        let all: UidSet = view.read(|rows| rows.iter().filter_map(relais_store::Row::uid).collect());
        let files = || -> Vec<PathBuf> {
            let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
            files.filter(|file| file.extension().is_some_and(|kind| kind == "words")).collect()
        };
        let flip = |path: &PathBuf| {
            let mut octets = fs::read(path).unwrap();
            let middle = octets.len() / 2;
            octets[middle] ^= 1;
            fs::write(path, octets).unwrap();
        };
        let damages: [(&str, &dyn Fn()); 6] = [
            ("nothing", &|| ()),
            ("another octet", &|| flip(&files()[0])),
            ("cut short", &|| fs::write(&files()[0], b"short").unwrap()),
            ("gone", &|| fs::remove_file(&files()[0]).unwrap()),
            ("no list", &|| fs::remove_file(folder.join("list.json")).unwrap()),
            ("half a list", &|| fs::write(folder.join("list.json"), b"{\"format\": 1,").unwrap()),
        ];
        for (what, damage) in damages {
            damage();
            fs::write(folder.join("77.words"), b"of a crash").unwrap();
            let finder = house.finder().await;
            let parted = finder.narrow(Places::TEXT, "ann7").await.part(&view, &all);
            assert_eq!((parted.found.count(), parted.to_read.count()), (1, 0), "{what}");
            assert!(!folder.join("77.words").exists(), "{what}: nobody's file is gone");
        }
        house.check().await;
    });
}

#[test]
fn files_become_one_and_what_is_gone_leaves_them() {
    on_both(|house| async move {
        for batch in 0..5 {
            let flags: &[Flag] = if batch < 2 { &[Flag::System(SystemFlag::Deleted)] } else { &[] };
            house.append_with(&mails(batch * 10..batch * 10 + 10), flags).await;
            drop(house.finder().await);
        }
        let view = house.view().await;
        house.store.expunge(house.inbox, None).await.unwrap();
        house.store.forget_removed(view.account(), None).await.unwrap();
        house.store.collect().await.unwrap();
        house.append(&mails(50..60)).await;
        let finder = house.finder().await;
        let standing = finder.standing().await.unwrap();
        assert_eq!((standing.files, standing.indexed, standing.contents), (1, 40, 40));
        let all: UidSet = view.read(|rows| rows.iter().filter_map(relais_store::Row::uid).collect());
        for number in 0..60 {
            let parted = finder.narrow(Places::FROM, &format!("ann{number}@x")).await.part(&view, &all);
            assert_eq!(parted.found.count() + parted.to_read.count(), u64::from(number >= 20), "{number}");
        }
        finder.rebuild();
        finder.keeper(house.folder()).catch_up().await.unwrap();
        assert_eq!(finder.standing().await.unwrap().indexed, 40);
        house.check().await;
    });
}

/// Fields that are looked for are the ones that the message has.
#[test]
fn the_seed_makes_mail_of_every_kind() {
    let mails = mails(0..12);
    assert!(mails.iter().all(|raw| fields(raw.as_bytes()).any(|field| field.is("Subject"))));
    assert!(mails.iter().any(|raw| raw.contains("message/rfc822")));
}
