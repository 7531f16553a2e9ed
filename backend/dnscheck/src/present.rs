//! A record in the form that a provider wants: the fields of a web form, or the lines of a zone file (RFC 1035 §5).

use relais_model::Domain;

use crate::provider::txt;
use crate::record::{Data, Kind, Target, within};
use crate::wanted::Wanted;

/// How a web form wants names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameForm {
    /// `_dmarc.example.org`.
    Whole,
    /// `_dmarc`, and `@` for the zone itself.
    WithinZone,
}

/// How a web form wants a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextForm {
    /// As one text, bare: the provider cuts it.
    Joined,
    /// As strings of up to 255 octets in quotes.
    Split,
}

/// What a web form wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Form {
    /// Names of records.
    pub name: NameForm,
    /// A dot behind whole names, at both sides.
    pub last_dot: bool,
    /// Texts.
    pub text: TextForm,
    /// Whether the priority of MX and SRV records has a field of its own.
    pub priority_apart: bool,
}

impl Form {
    /// What most web forms want.
    pub const USUAL: Self =
        Self { name: NameForm::WithinZone, last_dot: false, text: TextForm::Joined, priority_apart: true };
    /// What stands in a zone file.
    pub const ZONE_FILE: Self =
        Self { name: NameForm::Whole, last_dot: true, text: TextForm::Split, priority_apart: false };
}

/// A record's fields, ready to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Where it stands.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Seconds.
    pub ttl: u32,
    /// Where it has a field of its own, and the type has one.
    pub priority: Option<u16>,
    /// The rest.
    pub value: String,
}

/// `wanted` as the web form of `zone` wants it. A name outside the zone stays whole.
pub fn present(wanted: &Wanted, zone: &Domain, form: Form) -> Fields {
    let (priority, value) = match priority(&wanted.data).filter(|_| form.priority_apart) {
        Some((priority, rest)) => (Some(priority), rest(form)),
        None => (None, value(&wanted.data, form)),
    };
    Fields { name: name(&wanted.owner, zone, form), kind: wanted.data.kind(), ttl: wanted.ttl, priority, value }
}

/// The records of `wanted` that stand in `zone`, as a file in the master format (RFC 1035 §5.1), a line each, names whole. The others belong to other zones: another
/// call gives them.
pub fn zone_file(wanted: &[Wanted], zone: &Domain) -> String {
    let mut file = String::new();
    for record in wanted.iter().filter(|record| within(&record.owner, zone).is_some()) {
        let Fields { name, kind, ttl, value, .. } = present(record, zone, Form::ZONE_FILE);
        file.extend([&*name, "\t", &*ttl.to_string(), "\tIN\t", kind.as_str(), "\t", &*value, "\n"]);
    }
    file
}

fn name(owner: &Domain, zone: &Domain, form: Form) -> String {
    match (form.name, within(owner, zone)) {
        (NameForm::WithinZone, Some("")) => "@".to_owned(),
        (NameForm::WithinZone, Some(above)) => above.to_owned(),
        _ => target(&Target::from(owner), form),
    }
}

fn target(target: &Target, form: Form) -> String {
    if form.last_dot && !target.is_root() { format!("{target}.") } else { target.to_string() }
}

type Rest<'a> = Box<dyn Fn(Form) -> String + 'a>;

/// The priority, and what prints the rest without it.
fn priority(data: &Data) -> Option<(u16, Rest<'_>)> {
    match data {
        Data::Mx { preference, exchange } => Some((*preference, Box::new(|form| target(exchange, form)))),
        Data::Srv { priority, weight, port, target: host } => {
            Some((*priority, Box::new(move |form| format!("{weight} {port} {}", target(host, form)))))
        }
        _ => None,
    }
}

fn value(data: &Data, form: Form) -> String {
    match data {
        Data::Cname(name) | Data::Ns(name) | Data::Ptr(name) => target(name, form),
        Data::Mx { .. } | Data::Srv { .. } => {
            priority(data).map(|(priority, rest)| format!("{priority} {}", rest(form))).unwrap_or_default()
        }
        Data::Txt(text) => match form.text {
            TextForm::Joined => text.clone(),
            TextForm::Split => txt(text.as_bytes()),
        },
        Data::A(_) | Data::Aaaa(_) | Data::Caa { .. } | Data::Tlsa { .. } => data.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{domain, facts};
    use crate::wanted::{There, wanted};

    #[track_caller]
    fn check(owner: &str, data: Data, form: Form, expected: &str) {
        let wanted = Wanted { purpose: crate::wanted::Purpose::Mx, owner: domain(owner), data, ttl: 60 };
        let fields = present(&wanted, &domain("example.org"), form);
        let priority = fields.priority.map(|priority| format!(" [{priority}]")).unwrap_or_default();
        assert_eq!(format!("{} {}{priority} {}", fields.name, fields.kind, fields.value), expected);
    }

    #[test]
    fn forms_of_providers() {
        let mx = || Data::Mx { preference: 10, exchange: Target::new("mx.example.org") };
        check("example.org", mx(), Form::USUAL, "@ MX [10] mx.example.org");
        check("example.org", mx(), Form::ZONE_FILE, "example.org. MX 10 mx.example.org.");
        check("example.org", mx(), Form { last_dot: true, ..Form::USUAL }, "@ MX [10] mx.example.org.");
        check("example.org", mx(), Form { name: NameForm::Whole, ..Form::USUAL }, "example.org MX [10] mx.example.org");
        let srv = || Data::Srv { priority: 0, weight: 1, port: 993, target: Target::new("mx.example.org") };
        check("_imaps._tcp.example.org", srv(), Form::USUAL, "_imaps._tcp SRV [0] 1 993 mx.example.org");
        check(
            "_imaps._tcp.example.org",
            srv(),
            Form::ZONE_FILE,
            "_imaps._tcp.example.org. SRV 0 1 993 mx.example.org.",
        );
        check("mx.example.net", Data::A([192, 0, 2, 7].into()), Form::USUAL, "mx.example.net A 192.0.2.7");
        check("notexample.org", Data::A([192, 0, 2, 7].into()), Form::USUAL, "notexample.org A 192.0.2.7");
        check(
            "example.org",
            Data::Mx { preference: 0, exchange: Target::new(".") },
            Form::ZONE_FILE,
            "example.org. MX 0 .",
        );
    }

    #[test]
    fn texts_are_joined_or_split() {
        let long = Data::Txt(format!("{}b\"c", "a".repeat(255)));
        check("x.example.org", long.clone(), Form::USUAL, &format!("x TXT {}b\"c", "a".repeat(255)));
        let split = Form { text: TextForm::Split, ..Form::USUAL };
        check("x.example.org", long, split, &format!("x TXT \"{}\" \"b\\\"c\"", "a".repeat(255)));
        check("x.example.org", Data::Txt("é\\".into()), split, "x TXT \"\\195\\169\\\\\"");
        check("x.example.org", Data::Txt(String::new()), split, "x TXT \"\"");
    }

    #[test]
    fn a_zone_file_holds_the_zones_own_records() {
        insta::assert_snapshot!(zone_file(&wanted(&facts(), &There::default()), &domain("example.org")));
    }
}
