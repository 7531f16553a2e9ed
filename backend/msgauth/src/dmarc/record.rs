//! Policy records (RFC 9989 §4.7, §4.8).

use relais_model::Address;

/// Octets of a record that are read.
const MOST_OCTETS: usize = 8192;
/// Addresses of one tag that are read.
const MOST_ADDRESSES: usize = 10;

/// What is asked for mail that fails, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Policy {
    /// Nothing: reports alone.
    None,
    /// To the junk.
    Quarantine,
    /// Refused.
    Reject,
}

impl Policy {
    /// Its word in a record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(text))
    }

    /// What is to be applied while a domain is testing (`t=y`): one level less (§4.7).
    #[must_use]
    pub const fn milder(self) -> Self {
        match self {
            Self::None | Self::Quarantine => Self::None,
            Self::Reject => Self::Quarantine,
        }
    }
}

/// How near an authenticated domain must be to the author's (§4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alignment {
    /// The same organisation.
    Relaxed,
    /// The same name.
    Strict,
}

/// Whether names below belong to others (`psd=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Psd {
    /// It is a public suffix.
    Yes,
    /// It is an organisation's domain, whatever stands above it.
    No,
    /// It isn't said.
    Unsaid,
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmarcRecord {
    /// `p=`, for the domain itself; none where it is missing or none of the three.
    pub policy: Option<Policy>,
    /// `sp=`, for names below.
    pub below: Option<Policy>,
    /// `np=`, for names below that don't exist.
    pub nonexistent: Option<Policy>,
    /// `sp=` or `np=` stands there and can't be read.
    pub is_below_broken: bool,
    /// `t=y`.
    pub is_testing: bool,
    /// `psd=`.
    pub psd: Psd,
    /// `adkim=`.
    pub dkim: Alignment,
    /// `aspf=`.
    pub spf: Alignment,
    /// `rua=`: where aggregate reports go, as URIs.
    pub aggregate_reports: Vec<String>,
    /// `ruf=`: where failure reports go, as URIs.
    pub failure_reports: Vec<String>,
    /// `fo=`: which failures are reported.
    pub failure_options: String,
}

impl DmarcRecord {
    /// Reads a record. None where the text makes no claim to be one: it doesn't begin with `v=DMARC1`, or is longer than is read.
    /// Whatever else is wrong in it takes its default value (§4.8).
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok().filter(|text| text.len() <= MOST_OCTETS)?;
        let mut tags =
            text.split(';').map(|part| part.split_once('=').map(|(name, value)| (name.trim(), value.trim())));
        if tags.next() != Some(Some(("v", "DMARC1"))) {
            return None;
        }
        let tags: Vec<(&str, &str)> = tags.flatten().collect();
        let value =
            |name: &str| tags.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        let is = |name: &str, wanted: &str| value(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
        let alignment = |name: &str| if is(name, "s") { Alignment::Strict } else { Alignment::Relaxed };
        let policy = |name: &str| value(name).and_then(Policy::parse);
        Some(Self {
            policy: policy("p"),
            below: policy("sp"),
            nonexistent: policy("np"),
            is_below_broken: ["sp", "np"].into_iter().any(|name| value(name).is_some() && policy(name).is_none()),
            is_testing: is("t", "y"),
            psd: match () {
                () if is("psd", "y") => Psd::Yes,
                () if is("psd", "n") => Psd::No,
                () => Psd::Unsaid,
            },
            dkim: alignment("adkim"),
            spf: alignment("aspf"),
            aggregate_reports: uris(value("rua").unwrap_or_default()),
            failure_reports: uris(value("ruf").unwrap_or_default()),
            failure_options: value("fo").unwrap_or("0").chars().take(16).collect(),
        })
    }
}

/// URIs with a scheme; the obsolete size behind `!` is left out (§4.8).
fn uris(list: &str) -> Vec<String> {
    let uris = list.split(',').map(|uri| uri.trim().split('!').next().unwrap_or_default());
    let is_uri = |uri: &&str| {
        uri.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty() && !scheme.is_empty() && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric())
        })
    };
    uris.filter(is_uri).take(MOST_ADDRESSES).map(str::to_owned).collect()
}

/// The addresses of the `mailto:` URIs among these; other schemes are passed over.
pub fn mailto_addresses(uris: &[String]) -> Vec<Address> {
    let bare = |uri: &String| {
        let (scheme, rest) = uri.split_once(':')?;
        let address = rest.split('?').next().filter(|_| scheme.eq_ignore_ascii_case("mailto"))?;
        Address::parse(&percent_decoded(address)?).ok()
    };
    uris.iter().filter_map(bare).collect()
}

/// Where a record's aggregate reports go by mail, and how many octets each takes at most, where it says so: RFC 9989 has given the size up (`!10m`), and records still have it (RFC 7489 §6.4).
pub fn destinations(text: &[u8]) -> Vec<(Address, Option<u64>)> {
    let text = str::from_utf8(text).unwrap_or_default();
    let tag = |part: &str| {
        let (name, list) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("rua").then(|| list.to_owned())
    };
    let list = text.split(';').find_map(tag).unwrap_or_default();
    let destination = |uri: &str| {
        let (uri, size) = uri.trim().split_once('!').map_or((uri.trim(), None), |(uri, size)| (uri, Some(size)));
        let address = mailto_addresses(&[uri.to_owned()]).into_iter().next()?;
        Some((address, size.and_then(octets)))
    };
    list.split(',').filter_map(destination).take(MOST_ADDRESSES).collect()
}

/// RFC 7489 §6.4: a number with k, m, g or t behind it, powers of 1024.
fn octets(size: &str) -> Option<u64> {
    let size = size.trim().to_ascii_lowercase();
    let digits = size.trim_end_matches(['k', 'm', 'g', 't']);
    let unit = match size.get(digits.len()..)? {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        if octet == b'%' {
            let pair = [octets.next()?, octets.next()?];
            out.push(u8::from_str_radix(str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            out.push(octet);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let text = "v=DMARC1; p=Quarantine; sp=reject;np=none; t=y; psd=n; adkim=s; rua=mailto:a@b.example!10m, mailto:c%2Bd@e.example, x";
        let read = DmarcRecord::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (read.policy, read.below, read.nonexistent),
            (Some(Policy::Quarantine), Some(Policy::Reject), Some(Policy::None))
        );
        assert_eq!(
            (read.is_testing, read.psd, read.dkim, read.spf),
            (true, Psd::No, Alignment::Strict, Alignment::Relaxed)
        );
        let addresses: Vec<_> = mailto_addresses(&read.aggregate_reports).iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["a@b.example", "c+d@e.example"]);
    }

    #[test]
    fn an_address_may_say_how_much_it_takes() {
        let text = b"v=DMARC1; p=none; rua=mailto:a@b.example!10m, mailto:c@d.example ,https://e.example/, mailto:f@g.example!2x";
        let found: Vec<_> = destinations(text).into_iter().map(|(to, most)| (to.to_string(), most)).collect();
        let expected = [("a@b.example", Some(10 << 20)), ("c@d.example", None), ("f@g.example", None)];
        assert_eq!(found, expected.map(|(to, most)| (to.to_owned(), most)));
        assert!(destinations(b"v=DMARC1; p=none").is_empty());
    }

    /// §4.8: unknown tags and faults give way to defaults.
    #[test]
    fn faults_take_defaults() {
        let read = DmarcRecord::parse(b"v=DMARC1;; what; p=monitor; x=1; sp=sometimes; t=maybe; psd=u").unwrap();
        assert_eq!((read.policy, read.below, read.is_below_broken), (None, None, true));
        assert_eq!((read.is_testing, read.psd), (false, Psd::Unsaid));
        for text in ["p=none; v=DMARC1", "v=DMARC2; p=none", "v=dmarc1; p=none", "", "v=spf1 -all"] {
            assert_eq!(DmarcRecord::parse(text.as_bytes()), None, "{text}");
        }
    }
}
