//! The records wanted, as what a provider is asked for.

use relais_model::Domain;

use crate::present::{Form, present};
use crate::provider::{RecordSet, Wish};
use crate::record::within;
use crate::wanted::{Purpose, Wanted};

/// What a provider that holds `zone` is asked for, so that the records of `wanted` stand there: a wish for each name and type, in the order of `wanted`. Those of other zones are
/// left out. Give it the records of the findings that a person chose to mend: where one is good though others stand beside it, others would go.
///
/// SPF, DMARC, MTA-STS and TLS-RPT take the place of texts of their own kind, and other texts stay; authorities of CAA records are added; all else takes the place of
/// what stands at that name and type.
pub fn wishes(wanted: &[Wanted], zone: &Domain) -> Vec<Wish> {
    let mut sets: Vec<(Purpose, RecordSet)> = Vec::new();
    for record in wanted.iter().filter(|record| within(&record.owner, zone).is_some()) {
        let fields = present(record, zone, Form::ZONE_FILE);
        let set = RecordSet::new(&fields.name, fields.kind.as_str(), fields.ttl, [&fields.value]);
        match sets.iter_mut().find(|(purpose, known)| *purpose == record.purpose && known.key() == set.key()) {
            Some((_, known)) => {
                *known = RecordSet::new(&set.name, &set.kind, set.ttl, known.values.iter().chain(&set.values));
            }
            None => sets.push((record.purpose, set)),
        }
    }
    sets.into_iter().map(|(purpose, set)| wish(purpose, set)).collect()
}

fn wish(purpose: Purpose, set: RecordSet) -> Wish {
    let among = |set, tag: &str| Wish::Among { set, tag: tag.to_owned() };
    match purpose {
        Purpose::Spf | Purpose::HostSpf => among(set, "v=spf1"),
        Purpose::Dmarc => among(set, "v=DMARC1"),
        Purpose::MtaSts => among(set, "v=STSv1"),
        Purpose::TlsReports => among(set, "v=TLSRPTv1"),
        Purpose::Issuer => Wish::Beside(set),
        Purpose::HostAddress
        | Purpose::ReverseName
        | Purpose::Mx
        | Purpose::Dkim
        | Purpose::MtaStsHost
        | Purpose::Dane
        | Purpose::Service
        | Purpose::Autoconfig
        | Purpose::Autodiscover => Wish::Exactly(set),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{domain, facts};
    use crate::wanted::{Facts, There, wanted};

    #[test]
    fn wishes_of_a_domain() {
        let facts = Facts { tls_keys: vec![[0xab; 32], [0xcd; 32]], ..facts() };
        let shown = |wish: &Wish| {
            let (word, set) = match wish {
                Wish::Exactly(set) => ("exactly".to_owned(), set),
                Wish::Among { set, tag } => (format!("among {tag}"), set),
                Wish::Beside(set) => ("beside".to_owned(), set),
                Wish::Without(set) => ("without".to_owned(), set),
            };
            format!("{word}: {} {} {} {}", set.name, set.ttl, set.kind, set.values.join(" | "))
        };
        let wishes = wishes(&wanted(&facts, &There::default()), &domain("example.org"));
        insta::assert_snapshot!(wishes.iter().map(shown).collect::<Vec<_>>().join("\n"));
    }
}
