//! The filter as a whole: learn, unlearn, score, explain; and octets that nobody thinks of.

#![allow(clippy::indexing_slicing, clippy::format_collect, clippy::needless_for_each, reason = "plain in tests")]

use proptest::prelude::*;
use relais_junk::{
    Broken, Class, Example, Features, General, How, MAX_FEATURES, MAX_OWN_OCTETS, Own, Place, Reason, Sign,
    Surroundings, Training, Whose, score,
};
use relais_message::Structure;
use relais_model::{Domain, Timestamp};

fn look(raw: &str) -> Features {
    look_around(raw.as_bytes(), &Surroundings::default())
}

fn look_around(raw: &[u8], surroundings: &Surroundings<'_>) -> Features {
    Features::of(raw, &Structure::read(raw), surroundings)
}

fn letter(from: &str, subject: &str, body: &str) -> Features {
    look(&format!(
        "From: {from}\r\nTo: ann@house.example\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\
         Message-ID: <1a2b@{}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n",
        from.rsplit('@').next().unwrap_or_default().trim_end_matches('>')
    ))
}

/// Trained on a handful, which is enough to see which way it leans.
fn general() -> General {
    let texts: [(Class, &str); 8] = [
        (Class::Junk, "cheap pills without prescription, order now, click here"),
        (Class::Junk, "order cheap pills today, click here for free shipping"),
        (Class::Junk, "free money, click here, order now, no prescription"),
        (Class::Junk, "cheap watches and pills, free order, click here now"),
        (Class::Ham, "the meeting moved to thursday, please bring the report"),
        (Class::Ham, "here is the report from the meeting, see you thursday"),
        (Class::Ham, "lunch on thursday? the report can wait for the meeting"),
        (Class::Ham, "please read the report before the meeting, thank you"),
    ];
    let features: Vec<(Class, Features)> =
        (0..8).map(|at| (texts[at].0, letter(&format!("Bob <bob@host{at}.example>"), "hello", texts[at].1))).collect();
    let examples: Vec<Example<'_>> =
        (0..).zip(&features).map(|(source, (class, features))| Example { features, class: *class, source }).collect();
    Training::default().train(&examples, &|_, _| false)
}

#[test]
fn training_tells_the_classes_apart_and_repeats_itself() {
    let general = general();
    let junk = score(&general, None, &letter("X <x@new.example>", "hello", "click here to order cheap pills now"));
    let ham = score(&general, None, &letter("Y <y@other.example>", "hello", "bring the report to the meeting please"));
    assert!(junk.probability > 0.8 && ham.probability < 0.2, "{junk:?} {ham:?}");
    assert_eq!(general.to_bytes(), self::general().to_bytes());
}

/// A message through a list, in words that the shipped model takes for ham.
fn of_list(list: &str, number: u32) -> Features {
    look(&format!(
        "From: Member {number} <member{number}@home.example>\r\nTo: {list}@lists.example\r\n\
         List-Id: <{list}.lists.example>\r\nSubject: Re: patch {number}\r\nIn-Reply-To: <{number}@home.example>\r\n\
         Message-ID: <a{number}@home.example>\r\n\r\n> quoted {number}\r\nI think the kernel patch works, thanks.\r\n"
    ))
}

#[test]
fn a_list_moved_into_junk_stays_there_and_no_other_goes_along() {
    let general = General::shipped().unwrap();
    let mut own = Own::default();
    let judge = |own: &Own, list: &str| score(&general, Some(own), &of_list(list, 999)).log_odds;
    let before = judge(&own, "wanted");
    assert!(before < 0.0);
    own.learn(&of_list("unwanted", 0), Class::Junk);
    assert!(judge(&own, "unwanted") < 3.0, "one move may be a slip");
    (1..20).for_each(|number| own.learn(&of_list("unwanted", number), Class::Junk));
    (100..120).for_each(|number| own.learn(&of_list("wanted", number), Class::Ham));
    assert!(judge(&own, "unwanted") > 3.0, "{}", judge(&own, "unwanted"));
    assert!(judge(&own, "wanted") < 0.0);
}

#[test]
fn an_artefact_is_not_learnt() {
    let features: Vec<Features> = (0..6).map(|at| letter(&format!("b@h{at}.example"), "s", "zzzz word")).collect();
    let examples: Vec<Example<'_>> =
        (0..).zip(&features).map(|(source, features)| Example { features, class: Class::Junk, source }).collect();
    let whole = Training::default().train(&examples, &|_, _| false).len();
    let without = Training::default().train(&examples, &|place, text| place == Place::Body && text == "zzzz").len();
    assert_eq!(without, whole - 1);
}

#[test]
fn an_account_teaches_what_it_wants() {
    let general = general();
    let news = |day: &str| {
        letter(
            "Shop News <news@shop.example>",
            &format!("Offers of {day}"),
            "The meeting of the week: garden chairs and lamps in our shop",
        )
    };
    let friend =
        letter("Ann <ann@friend.example>", "Thursday", "Shall we go to the garden on thursday? Bring the report");
    let before = score(&general, None, &friend).log_odds;
    let mut own = Own::default();
    assert!(score(&general, Some(&own), &news("monday")).probability < 0.5);
    // Words that good mail is full of speak against it: a few moves are needed.
    let days = ["monday", "wednesday", "thursday", "friday", "saturday"];
    for day in days {
        own.learn(&news(day), Class::Junk);
    }
    let next = score(&general, Some(&own), &news("tuesday"));
    assert!(next.probability > 0.5, "{next:?}");
    assert!(next.reasons.iter().any(|reason| matches!(reason, Reason::Word { whose: Whose::Own, place: Place::AuthorAddress, text, .. } if text == "news@shop.example")), "{next:?}");
    let after = score(&general, Some(&own), &friend).log_odds;
    assert!((after - before).abs() < 2.0, "others are hardly touched: {before} {after}");
    for day in days {
        own.unlearn(&news(day), Class::Junk);
    }
    assert_eq!(own, Own::default());
}

#[test]
fn counts_are_halved_before_they_overflow() {
    let mut own = Own::default();
    let features = letter("a@b.example", "s", "words");
    for _ in 0..relais_junk::MAX_LEARNT + 10 {
        own.learn(&features, Class::Ham);
    }
    assert_eq!(own.learnt(Class::Ham), relais_junk::MAX_LEARNT / 2 + 10);
    let mut merged = own.clone();
    merged.merge(&own);
    merged.merge(&own);
    assert!(merged.learnt(Class::Ham) <= relais_junk::MAX_LEARNT);
}

#[test]
fn broken_bytes_are_refused() {
    let mut own = Own::default();
    own.learn(&letter("a@b.example", "s", "words"), Class::Junk);
    let bytes = own.to_bytes();
    assert_eq!(Own::from_bytes(&bytes), Ok(own));
    for length in 0..bytes.len() {
        assert_eq!(Own::from_bytes(&bytes[..length]), Err(Broken), "{length}");
    }
    assert_eq!(Own::from_bytes(&[bytes.as_slice(), b"x"].concat()), Err(Broken));
    assert_eq!(Own::from_bytes(&general().to_bytes()), Err(Broken), "another kind of model");
}

#[test]
fn signs_come_with_their_points() {
    let known = [Domain::parse("housebank.example").unwrap()];
    let surroundings = Surroundings {
        arrived_at: Some(Timestamp::from_seconds(1_795_000_000)),
        recipients: &[],
        known_domains: &known,
    };
    let raw = "From: \"boss@housebank.com\" <x@h0usebank.example>\r\nDate: Mon, 23 Nov 2037 10:00:00 +0000\r\n\
               Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/octet-stream; name=\"bill.pdf.exe\"\r\n\r\nMZ\r\n--b--";
    let features = look_around(raw.as_bytes(), &surroundings);
    let has = |wanted: &dyn Fn(&Sign) -> bool| features.signs().iter().any(wanted);
    assert!(
        has(&|sign| matches!(sign, Sign::AddressInName { shown, .. } if shown == "boss@housebank.com")),
        "{:?}",
        features.signs()
    );
    assert!(has(
        &|sign| matches!(sign, Sign::LookAlike { how: How::SameLook, known, .. } if known == "housebank.example")
    ));
    assert!(has(&|sign| matches!(sign, Sign::DisguisedName { name } if name == "bill.pdf.exe")));
    assert!(has(&|sign| matches!(sign, Sign::DateAhead { days } if *days > 3000)));
    let score = score(&general(), None, &features);
    assert!(score.probability > 0.9, "{score:?}");
    assert!(matches!(score.reasons.first(), Some(Reason::Sign { .. })));
}

#[test]
fn floods_stay_within_bounds() {
    let words: String = (0..200_000)
        .map(|number| {
            format!(
                "w{} ",
                "abcdefghij".repeat(2).chars().cycle().skip(number % 10).take(3 + number % 17).collect::<String>()
            )
        })
        .collect();
    let many: String = (0..50_000)
        .map(|number: u32| {
            format!("{} ", number.to_string().bytes().map(|digit| char::from(digit + 49)).collect::<String>())
        })
        .collect();
    let links: String =
        (0..5000).map(|number| format!("<a href='http://h{number}.example/p'>www.bank.com</a>")).collect();
    let nested = "<div style='display:none'>".repeat(50_000);
    for body in [words, many, links, nested, "<".repeat(100_000), "<a b='".repeat(20_000), "&".repeat(100_000)] {
        let features = look(&format!("Subject: x\r\nContent-Type: text/html\r\n\r\n{body}"));
        assert!(features.len() <= MAX_FEATURES);
        let mut own = Own::default();
        own.learn(&features, Class::Junk);
        assert!(own.to_bytes().len() <= MAX_OWN_OCTETS);
    }
    let header: String = (0..5000)
        .map(|number| format!("Received: from h{number}.example by x.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n"))
        .collect();
    assert!(look(&header).len() < 3000);
}

/// A message around any octets, so that they reach every reader.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![
        "text/plain",
        "text/html",
        "application/zip; name=a.zip",
        "multipart/mixed; boundary=a",
    ]);
    let encoding = prop::sample::select(vec!["7bit", "base64", "quoted-printable", "x"]);
    (any::<Vec<u8>>(), "\\PC{0,40}", kind, encoding, any::<Vec<u8>>()).prop_map(|(header, name, kind, encoding, body)| {
        let start = format!("From: {name} <a@b.example>\r\nSubject: {name}\r\nReceived: from {name} by x\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\nX: ");
        [start.as_bytes(), &header, b"\r\n\r\n", &body].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_octets_have_features_within_bounds(raw in message(), domain in "[a-z]{1,12}\\.[a-z]{2,4}") {
        let known: Vec<Domain> = Domain::parse(&domain).into_iter().collect();
        let surroundings = Surroundings { known_domains: &known, ..Surroundings::default() };
        let features = look_around(&raw, &surroundings);
        prop_assert!(features.len() <= MAX_FEATURES);
        prop_assert_eq!(&features, &look_around(&raw, &surroundings));
    }

    #[test]
    fn html_of_any_kind_is_read(html in "[<>/a-z='\"&;# !-]{0,200}") {
        look(&format!("Content-Type: text/html\r\n\r\n{html}"));
    }

    #[test]
    fn what_is_learnt_is_unlearnt_in_any_order(bodies in prop::collection::vec(("[a-d ]{0,30}", any::<bool>()), 1..8)) {
        let all: Vec<(Features, Class)> = bodies
            .iter()
            .map(|(body, is_junk)| (letter("a@b.example", "s", body), if *is_junk { Class::Junk } else { Class::Ham }))
            .collect();
        let mut own = Own::default();
        all.iter().for_each(|(features, class)| own.learn(features, *class));
        prop_assert_eq!(&Own::from_bytes(&own.to_bytes()), &Ok(own.clone()));
        prop_assert_eq!(own.to_bytes().len(), own.octets());
        let mut twice = own.clone();
        twice.merge(&own);
        all.iter().for_each(|(features, class)| twice.unlearn(features, *class));
        prop_assert_eq!(&twice, &own);
        all.iter().rev().for_each(|(features, class)| own.unlearn(features, *class));
        prop_assert_eq!(own, Own::default());
    }

    #[test]
    fn any_bytes_are_a_model_or_refused(bytes in any::<Vec<u8>>()) {
        for magic in [b"relais\x02o", b"relais\x02g"] {
            let bytes = [magic.as_slice(), &bytes].concat();
            if let Ok(own) = Own::from_bytes(&bytes) {
                prop_assert_eq!(own.to_bytes(), bytes);
            } else if let Ok(general) = General::from_bytes(&bytes) {
                prop_assert_eq!(general.to_bytes(), bytes);
            }
        }
    }
}
