//! Addresses: all of them in one list; aliases and forwards added, changed, removed; and where an address leads.

mod alias;
mod list;
mod new;
mod terms;
mod way;

use relais_service::AddressKind;

use crate::kit::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.and(list::routes).and(new::routes).and(way::routes).and(alias::routes)
}

/// The kinds, as the query names them, with their titles.
const KINDS: [(AddressKind, &str, &str); 7] = [
    (AddressKind::Person, "person", "address-kind-person"),
    (AddressKind::Alias, "alias", "address-kind-alias"),
    (AddressKind::Forward, "forward", "address-kind-forward"),
    (AddressKind::CatchAll, "catch_all", "address-kind-catch-all"),
    (AddressKind::DomainAlias, "domain_alias", "address-kind-domain-alias"),
    (AddressKind::Wildcard, "wildcard", "address-kind-wildcard"),
    (AddressKind::Expression, "expression", "address-kind-expression"),
];

fn kind_title(kind: AddressKind) -> &'static str {
    KINDS.iter().find(|(known, _, _)| *known == kind).map_or("address-kind-alias", |(_, _, title)| title)
}

/// Addresses that were typed one a line, or with commas between them.
pub(super) fn split(targets: &str) -> Vec<String> {
    targets.split(['\n', ',', ';']).map(str::trim).filter(|target| !target.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::AddressView;

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    /// For samples of pages.
    pub(super) fn address(kind: AddressKind, targets: &[&str]) -> AddressView {
        AddressView {
            kind,
            address: "sales@example.org".to_owned(),
            domain: "example.org".to_owned(),
            targets: targets.iter().map(|target| (*target).to_owned()).collect(),
            name: "Ann Lee".to_owned(),
            is_suspended: kind == AddressKind::Person,
            ends_at: (kind == AddressKind::Forward).then_some(AT.into()),
            kept_until: (kind == AddressKind::Forward).then_some(AT.into()),
            note: "for the fair".to_owned(),
            created_at: AT.into(),
            version: "1".to_owned(),
        }
    }

    #[test]
    fn targets_are_typed_one_a_line_or_with_commas() {
        assert_eq!(split("a@b.example, c@d.example\r\n\n e@f.example;"), ["a@b.example", "c@d.example", "e@f.example"]);
    }
}
