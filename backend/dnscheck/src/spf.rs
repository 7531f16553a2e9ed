//! SPF records (RFC 7208), which `msgauth` reads: adding ourselves to what is there. [`check_host`] evaluates them.

mod check;
mod macros;

use std::net::IpAddr;

use relais_model::Domain;
pub use relais_msgauth::spf::{
    Lengths, MOST_LOOKUPS, MOST_VOID_LOOKUPS, Mechanism, Qualifier, Spf, SpfError, SpfResult, Term, is_spf,
};

pub use check::{Evaluation, check_host, cost};

/// The record that a domain wants, given those that it has: `there` are its TXT records, whatever they say.
///
/// One that can be read stays as its owner spelled it, with our host put before its `all`; where that would make the eleventh look-up
/// among its own terms, our addresses are put there instead, for they cost none. It ends in `~all` where it let everybody pass, or said nothing of the others. Where nothing stands, or nothing that can be read, or two records do, it is ours alone
/// or all of theirs in one.
pub fn wanted(there: &[String], host: &Domain, addresses: &[IpAddr]) -> String {
    let readable: Vec<(&String, Spf)> = there
        .iter()
        .filter(|text| is_spf(text.as_bytes()))
        .filter_map(|text| Some((text, Spf::parse(text).ok()?)))
        .collect();
    match readable.as_slice() {
        [] => format!("v=spf1 {} ~all", Mechanism::A(Some(host.to_string()), Lengths::WHOLE)),
        [(text, spf)] => with_us(text, spf, host, addresses),
        [(_, first), rest @ ..] => {
            let joined = joined(first, rest.iter().map(|(_, spf)| spf));
            with_us(&joined.to_string(), &joined, host, addresses)
        }
    }
}

/// All mechanisms of all records, each once; the first record's word for the rest.
fn joined<'a>(first: &Spf, rest: impl Iterator<Item = &'a Spf>) -> Spf {
    let is_last = |term: &Term| !matches!(term, Term::Directive(_, mechanism) if *mechanism != Mechanism::All);
    let (last, mut terms): (Vec<Term>, Vec<Term>) = first.terms.iter().cloned().partition(is_last);
    for term in rest.flat_map(|spf| &spf.terms).filter(|term| !is_last(term)) {
        if !terms.contains(term) {
            terms.push(term.clone());
        }
    }
    terms.extend(last);
    Spf { terms }
}

fn with_us(text: &str, spf: &Spf, host: &Domain, addresses: &[IpAddr]) -> String {
    let passes = |ours: &Mechanism| {
        let mut reached = spf.terms.iter().take_while(|term| !term.is_all());
        reached.any(|term| matches!(term, Term::Directive(Qualifier::Pass, theirs) if same(theirs, ours)))
    };
    let by_name = Mechanism::A(Some(host.to_string()), Lengths::WHOLE);
    let by_address: Vec<_> = addresses.iter().map(|address| Mechanism::address(*address)).collect();
    let ours = if passes(&by_name) || (!by_address.is_empty() && by_address.iter().all(passes)) {
        Vec::new()
    } else if spf.own_lookups() < MOST_LOOKUPS || by_address.is_empty() {
        vec![by_name]
    } else {
        by_address.into_iter().filter(|ours| !passes(ours)).collect()
    };
    // Their words stay as they spelled them.
    let (version, words) = text.split_at_checked(6).unwrap_or((text, ""));
    let mut words: Vec<String> = words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let place =
        |is_it: fn(&Term) -> bool| words.iter().position(|word| Term::parse(word).is_some_and(|term| is_it(&term)));
    // Before the first `all`, or else before the modifiers, where people expect mechanisms to stand.
    let is_modifier = |term: &Term| matches!(term, Term::Redirect(_) | Term::Modifier(..));
    let (all, modifiers) = (place(Term::is_all), place(is_modifier));
    match all.and_then(|at| words.get_mut(at)) {
        Some(all) if spf.all() == Some(Qualifier::Pass) => "~all".clone_into(all),
        Some(_) => {}
        None if spf.redirect().is_some() => {}
        None => words.insert(modifiers.unwrap_or(words.len()), "~all".to_owned()),
    }
    let at = all.or(modifiers).unwrap_or(words.len() - usize::from(all.is_none() && spf.redirect().is_none()));
    words.splice(at..at, ours.iter().map(Mechanism::to_string));
    std::iter::once(version.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// Names compare without case.
fn same(one: &Mechanism, other: &Mechanism) -> bool {
    match (one, other) {
        (Mechanism::A(Some(one), one_lengths), Mechanism::A(Some(other), other_lengths)) => {
            one.trim_end_matches('.').eq_ignore_ascii_case(other) && one_lengths == other_lengths
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, SpfError>) {
        assert_eq!(Spf::parse(text).map(|spf| spf.to_string()), expected.map(str::to_owned), "{text}");
    }

    /// RFC 7208 §4.6, §5, §6, §12.
    #[test]
    fn records_are_read_as_the_rfc_writes_them() {
        check("v=spf1", Ok("v=spf1"));
        check("V=SPF1  +MX  -ALL ", Ok("v=spf1 mx -all"));
        check(
            "v=spf1 a/24 a:x.example/24//64 mx//64 ptr:x.example ?all",
            Ok("v=spf1 a/24 a:x.example/24//64 mx//64 ptr:x.example ?all"),
        );
        check("v=spf1 ip4:192.0.2.0/24 ip6:2001:DB8::1 ~all", Ok("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::1 ~all"));
        check(
            "v=spf1 exists:%{ir}.%{v}._spf.%{d2} redirect=_spf.x",
            Ok("v=spf1 exists:%{ir}.%{v}._spf.%{d2} redirect=_spf.x"),
        );
        check("v=spf1 a:%{d/}/24 x-mine=1", Ok("v=spf1 a:%{d/}/24 x-mine=1"));
        check("v=spf10 -all", Err(SpfError::Version));
        check("spf1 -all", Err(SpfError::Version));
        for term in [
            "ip4:192.0.2.300",
            "ip4:192.0.2.1/33",
            "ip4:192.0.2.1/08",
            "ip6:192.0.2.1",
            "include",
            "include:",
            "all:x",
            "mx:",
            "ipv4:192.0.2.1",
            "exists:%{q}",
            "a:%x",
            "redirect=",
            "1x=y",
            "-",
            "all,",
            "v=spf1;",
            "a:x\u{e9}.example",
        ] {
            // `v=spf1;` is an unknown modifier in form.
            let expected = if term == "v=spf1;" { Ok("v=spf1 v=spf1;") } else { Err(SpfError::Term(term.into())) };
            check(&format!("v=spf1 {term}"), expected);
        }
        check("v=spf1 redirect=a.x redirect=b.x", Err(SpfError::Doubled("redirect")));
        check("v=spf1 exp=a.x exp=b.x", Err(SpfError::Doubled("exp")));
        check(&format!("v=spf1{}", " ".repeat(9000)), Err(SpfError::TooLong));
    }

    #[track_caller]
    fn check_wanted(there: &[&str], expected: &str) {
        let there: Vec<String> = there.iter().map(|text| (*text).to_owned()).collect();
        let addresses = ["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
        let wanted = wanted(&there, &Domain::parse("mx.example.org").unwrap(), &addresses);
        assert_eq!(wanted, expected, "{there:?}");
    }

    #[test]
    fn we_are_added_to_what_is_there() {
        check_wanted(&[], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["unrelated", "v=spf2.0/pra"], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["v=spf1 bad:term -all"], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["v=spf1 include:_spf.x  -All"], "v=spf1 include:_spf.x a:mx.example.org -All");
        check_wanted(&["v=spf1 mx redirect=y.x exp=z.x"], "v=spf1 mx a:mx.example.org redirect=y.x exp=z.x");
        check_wanted(&["v=spf1 mx"], "v=spf1 mx a:mx.example.org ~all");
        check_wanted(&["v=spf1 mx exp=z.x"], "v=spf1 mx a:mx.example.org ~all exp=z.x");
        check_wanted(&["v=spf1"], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["v=spf1 +all"], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["v=spf1 a:mx.example.org"], "v=spf1 a:mx.example.org ~all");
        // Already there, by name or by all addresses; behind `all` nobody sees it, and with `-` it says the contrary.
        check_wanted(&["v=spf1 a:MX.example.org. -all"], "v=spf1 a:MX.example.org. -all");
        check_wanted(&["v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 -all"], "v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 -all");
        check_wanted(&["v=spf1 ip4:192.0.2.7 -all"], "v=spf1 ip4:192.0.2.7 a:mx.example.org -all");
        check_wanted(&["v=spf1 -all a:mx.example.org"], "v=spf1 a:mx.example.org -all a:mx.example.org");
        check_wanted(&["v=spf1 -a:mx.example.org -all"], "v=spf1 -a:mx.example.org a:mx.example.org -all");
        // Ten look-ups already: addresses cost none.
        let full = " include:x.example".repeat(10);
        check_wanted(&[&format!("v=spf1{full} -all")], &format!("v=spf1{full} ip4:192.0.2.7 ip6:2001:db8::7 -all"));
        // Two records are none (RFC 7208 §4.5): one is made of them.
        check_wanted(&["v=spf1 mx -all", "v=spf1 mx include:x.y ~all"], "v=spf1 mx include:x.y a:mx.example.org -all");
    }

    fn term() -> impl Strategy<Value = Term> {
        let name = "[a-z]{1,8}(\\.[a-z]{2,5}){1,2}|%\\{[ir]r?\\}\\.x"
            .prop_filter("a macro that is one", |name| Term::parse(&format!("exists:{name}")).is_some());
        let maybe = prop::option::of(name.clone());
        let lengths = (0..=32u8, 0..=128u8).prop_map(|(v4, v6)| Lengths { v4, v6 });
        let mechanism = prop_oneof![
            Just(Mechanism::All),
            name.clone().prop_map(Mechanism::Include),
            name.clone().prop_map(Mechanism::Exists),
            maybe.clone().prop_map(Mechanism::Ptr),
            (maybe.clone(), lengths.clone()).prop_map(|(name, lengths)| Mechanism::A(name, lengths)),
            (maybe, lengths).prop_map(|(name, lengths)| Mechanism::Mx(name, lengths)),
            (any::<[u8; 4]>(), 0..=32u8).prop_map(|(octets, length)| Mechanism::Ip4(octets.into(), length)),
            (any::<[u8; 16]>(), 0..=128u8).prop_map(|(octets, length)| Mechanism::Ip6(octets.into(), length)),
        ];
        let qualifier = prop_oneof![
            Just(Qualifier::Pass),
            Just(Qualifier::Fail),
            Just(Qualifier::SoftFail),
            Just(Qualifier::Neutral)
        ];
        prop_oneof![
            8 => (qualifier, mechanism).prop_map(|(qualifier, mechanism)| Term::Directive(qualifier, mechanism)),
            1 => ("x[a-z]{1,5}", name).prop_map(|(name, value)| Term::Modifier(name, value)),
        ]
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(terms in prop::collection::vec(term(), 0..12)) {
            let spf = Spf { terms };
            prop_assert_eq!(Spf::parse(&spf.to_string()), Ok(spf));
        }

        /// It reads; we pass before any `all`; no mechanism of theirs is lost or moved; done twice, it is done once.
        #[test]
        fn adding_us_keeps_what_is_there(terms in prop::collection::vec(term(), 0..14)) {
            let host = Domain::parse("mx.example.org").unwrap();
            let addresses = ["192.0.2.7".parse().unwrap()];
            let theirs = Spf { terms };
            let ours = wanted(&[theirs.to_string()], &host, &addresses);
            let read = Spf::parse(&ours).unwrap();
            let is_us = |term: &Term| {
                let by_address = Term::Directive(Qualifier::Pass, Mechanism::Ip4("192.0.2.7".parse().unwrap(), 32));
                let name = Mechanism::A(Some("mx.example.org".into()), Lengths::WHOLE);
                *term == by_address || *term == Term::Directive(Qualifier::Pass, name)
            };
            prop_assert!(read.terms.iter().take_while(|term| !term.is_all()).any(is_us));
            prop_assert!(matches!(read.all(), Some(Qualifier::Fail | Qualifier::SoftFail | Qualifier::Neutral)));
            let kept = |spf: &Spf| spf.terms.iter().filter(|term| !is_us(term) && !term.is_all()).cloned().collect::<Vec<_>>();
            prop_assert_eq!(kept(&read), kept(&theirs));
            prop_assert_eq!(wanted(std::slice::from_ref(&ours), &host, &addresses), ours);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "v=spf1( [ -~]{0,12}){0,6}|.{0,60}") {
            if let Ok(spf) = Spf::parse(&text) {
                prop_assert_eq!(Spf::parse(&spf.to_string()), Ok(spf));
            }
        }
    }
}
