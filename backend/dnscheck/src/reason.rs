//! What a person is told of a check: sentences of the catalogue, before it is known in which language they are read.

use std::net::IpAddr;

use relais_model::Said;

use crate::look::Lack;
use crate::record::Target;
use crate::spf::SpfResult;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Mail goes, but something is weaker than it could be.
    CouldBeBetter,
    /// The DNS or the network owes an answer, or a change has not come through yet: look again later.
    CantTellYet,
    /// Mail is lost, refused, or taken for junk, or will be.
    Wrong,
}

impl Verdict {
    /// Its name, for storing and in the catalogue (`dns-verdict-NAME`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::CouldBeBetter => "better",
            Self::CantTellYet => "unknown",
            Self::Wrong => "wrong",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Good, Self::CouldBeBetter, Self::CantTellYet, Self::Wrong]
            .into_iter()
            .find(|verdict| verdict.name() == name)
    }
}

/// Why a verdict is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// All is as it should be.
    Good,
    /// Nothing of the kind stands there.
    Missing,
    /// A key waits for its record: mail is signed by the old one until it is seen.
    ToPublish,
    /// The DNS owes an answer, or its answer can't be trusted.
    Silence(Lack),
    /// The zone's servers have it right, the world sees the old for so long still; zero where that isn't known.
    Spreading {
        /// Seconds.
        seconds: u32,
    },
    /// The world still sees it right, the zone's servers have it no more.
    Fading {
        /// Seconds.
        seconds: u32,
    },
    /// One of the zone's servers says something else than the others.
    ServersDiffer(Target),
    /// One of the zone's servers has no answer.
    ServerSilent(Target),
    /// Others keep it for longer than a day.
    TtlLong {
        /// Seconds.
        seconds: u32,
    },
    /// The answer took long.
    Slow {
        /// Milliseconds.
        millis: u128,
    },
    /// More than one record, where only one may stand: then none counts.
    Doubled(usize),
    /// It leads to another host.
    WrongHost(String),
    /// It leads to us, and to others.
    OtherAddresses(String),
    /// The host's name is an alias: MX records must not lead to one (RFC 2181 §10.3).
    AliasAtHost(Target),
    /// The domain itself is an alias: it has no records of its own (RFC 1034 §3.6.2).
    AliasAtDomain(Target),
    /// The address bears no name.
    ReverseMissing,
    /// The address bears another name.
    ReverseWrong(Target),
    /// The address bears several names.
    ReverseSeveral(usize),
    /// The address's name doesn't lead back to it.
    ReverseOpen(Target),
    /// The domain says that it takes no mail (RFC 7505).
    NullMx,
    /// It says so beside other hosts.
    NullMxBeside,
    /// An address stands where a name must.
    MxAddress(Target),
    /// Mail goes to others alone.
    MxElsewhere(String),
    /// Mail goes to others first.
    MxOthersFirst(String),
    /// Mail goes to others where we don't answer.
    MxOthers(String),
    /// A term that none can read.
    SpfMalformed(String),
    /// A text that means to be SPF and isn't.
    SpfMisspelt(String),
    /// Everybody may send.
    SpfOpen,
    /// It says nothing of the others.
    SpfNoAll,
    /// Nobody reaches this term: it stands behind `all`.
    SpfUnreached(String),
    /// It uses `ptr`.
    SpfPtr,
    /// Receivers would not let this address pass.
    SpfFails(IpAddr, SpfResult),
    /// More look-ups than the ten that are allowed.
    SpfLookups(u32),
    /// More void look-ups than the two that are allowed.
    SpfVoids(u32),
    /// Another record on the way is missing or broken.
    SpfBroken(String),
    /// The DNS owes an answer on the way.
    SpfLater(String),
    /// The key was cut off: so many characters of so many.
    DkimTruncated(usize, usize),
    /// This part of it is missing or can't be read.
    DkimMalformed(String),
    /// It is another key.
    DkimOther,
    /// It says that the key was withdrawn.
    DkimRevoked,
    /// It says that signatures are being tried out.
    DkimTesting,
    /// This part of it is missing or can't be read.
    DmarcMalformed(String),
    /// It asks for less than is wished: what it asks for, what is wished.
    DmarcWeak(&'static str, &'static str),
    /// It is for so many of a hundred failing messages alone.
    DmarcPercent(u8),
    /// Nobody gets reports.
    DmarcNoReports,
    /// Its `id=` is missing or wrong.
    StsMalformed,
    /// It names another version of the policy: found, wanted.
    StsIdOld(String, String),
    /// It names nobody who gets reports.
    TlsReportsMalformed,
    /// None of the records fits the key that the host shows.
    TlsaStale,
    /// The key that comes next is not there yet.
    TlsaComing,
    /// DNSSEC doesn't prove it: nobody looks at it.
    TlsaUnproven,
    /// It says that there is no such service.
    SrvOff,
    /// It names another port: found, wanted.
    SrvPort(u16, u16),
    /// Only others may certify.
    CaaForbids(String),
    /// Names that don't exist have records.
    Wildcard(String),
    /// DNSSEC doesn't protect the zone.
    Unsigned,
    /// Whether DNSSEC protects the zone can't be seen with this resolver.
    UnprovenHere,
    /// Nobody listens at port 25.
    SmtpRefused(IpAddr),
    /// Nobody answers at port 25.
    SmtpTimeout(IpAddr),
    /// What answers speaks no SMTP.
    SmtpStrange(String),
    /// Another host answers.
    SmtpOtherHost(String),
    /// No TLS is offered.
    SmtpNoStartTls,
    /// The handshake fails.
    SmtpTlsFailed(String),
    /// The certificate bears other names.
    SmtpNames(String),
    /// The certificate isn't one that others trust.
    SmtpUntrusted(String),
    /// The policy wasn't fetched: its name doesn't lead to us.
    PolicyElsewhere,
    /// The policy can't be fetched.
    PolicyUnreachable(String),
    /// The policy's host shows no certificate that others trust.
    PolicyCertificate(String),
    /// The policy's host answers with another status than 200.
    PolicyStatus(u16),
    /// It is no policy: this part of it is missing or can't be read.
    PolicyMalformed(String),
    /// It is another policy than ours.
    PolicyDiffers,
    /// It doesn't let us take the domain's mail.
    PolicyLacksUs,
    /// No other host can be reached at port 25.
    OutboundBlocked,
    /// Nobody's mail hosts could be found to try it.
    OutboundUnknown,
    /// An address is on the list: which, with which code.
    Listed(String, String),
    /// The list doesn't answer our resolver.
    ListUnusable(String),
}

impl Reason {
    /// The sentence. What to do about it is the sentence of the same name with `-advice` behind it, with the same gaps.
    pub fn said(&self) -> Said {
        let minutes = |seconds: u32| seconds.div_ceil(60);
        match self {
            Self::Good => Said::new("dns-good"),
            Self::Missing | Self::Silence(Lack::NoSuchName | Lack::NoData) => Said::new("dns-missing"),
            Self::Silence(Lack::ServFail) => Said::new("dns-servfail"),
            Self::Silence(Lack::Refused) => Said::new("dns-refused"),
            Self::Silence(Lack::Timeout) => Said::new("dns-timeout"),
            Self::Silence(Lack::Bogus) => Said::new("dns-bogus"),
            Self::Silence(Lack::Broken) => Said::new("dns-broken"),
            Self::Spreading { seconds: 0 } => Said::new("dns-spreading-soon"),
            Self::Spreading { seconds } => Said::new("dns-spreading").number("minutes", minutes(*seconds)),
            Self::Fading { seconds } => Said::new("dns-fading").number("minutes", minutes(*seconds)),
            Self::ServersDiffer(server) => Said::new("dns-servers-differ").words("server", server),
            Self::ServerSilent(server) => Said::new("dns-server-silent").words("server", server),
            Self::TtlLong { seconds } => Said::new("dns-ttl-long").number("hours", seconds.div_ceil(3600)),
            Self::Slow { millis } => Said::new("dns-slow").number("millis", *millis),
            Self::Doubled(count) => Said::new("dns-doubled").number("count", *count),
            Self::WrongHost(found) => Said::new("dns-wrong-host").words("found", found),
            Self::OtherAddresses(found) => Said::new("dns-other-addresses").words("found", found),
            Self::AliasAtHost(target) => Said::new("dns-alias-host").words("target", target),
            Self::AliasAtDomain(target) => Said::new("dns-alias-domain").words("target", target),
            Self::ToPublish => Said::new("dns-to-publish"),
            Self::ReverseMissing => Said::new("dns-reverse-missing"),
            Self::ReverseWrong(found) => Said::new("dns-reverse-wrong").words("found", found),
            Self::ReverseSeveral(count) => Said::new("dns-reverse-several").number("count", *count),
            Self::ReverseOpen(name) => Said::new("dns-reverse-open").words("name", name),
            Self::NullMx => Said::new("dns-null-mx"),
            Self::NullMxBeside => Said::new("dns-null-mx-beside"),
            Self::MxAddress(found) => Said::new("dns-mx-address").words("found", found),
            Self::MxElsewhere(found) => Said::new("dns-mx-elsewhere").words("found", found),
            Self::MxOthersFirst(found) => Said::new("dns-mx-others-first").words("found", found),
            Self::MxOthers(found) => Said::new("dns-mx-others").words("found", found),
            Self::SpfMalformed(term) => Said::new("dns-spf-malformed").words("term", term),
            Self::SpfMisspelt(found) => Said::new("dns-spf-misspelt").words("found", found),
            Self::SpfOpen => Said::new("dns-spf-open"),
            Self::SpfNoAll => Said::new("dns-spf-no-all"),
            Self::SpfUnreached(term) => Said::new("dns-spf-unreached").words("term", term),
            Self::SpfPtr => Said::new("dns-spf-ptr"),
            Self::SpfFails(address, result) => {
                Said::new("dns-spf-fails").words("address", address).words("result", spf_word(*result))
            }
            Self::SpfLookups(count) => Said::new("dns-spf-lookups").number("count", *count),
            Self::SpfVoids(count) => Said::new("dns-spf-voids").number("count", *count),
            Self::SpfBroken(culprit) => Said::new("dns-spf-broken").words("culprit", culprit),
            Self::SpfLater(culprit) => Said::new("dns-spf-later").words("culprit", culprit),
            Self::DkimTruncated(have, want) => {
                Said::new("dns-dkim-truncated").number("have", *have).number("want", *want)
            }
            Self::DkimMalformed(culprit) => Said::new("dns-dkim-malformed").words("culprit", culprit),
            Self::DkimOther => Said::new("dns-dkim-other"),
            Self::DkimRevoked => Said::new("dns-dkim-revoked"),
            Self::DkimTesting => Said::new("dns-dkim-testing"),
            Self::DmarcMalformed(culprit) => Said::new("dns-dmarc-malformed").words("culprit", culprit),
            Self::DmarcWeak(found, wanted) => Said::new("dns-dmarc-weak").words("found", found).words("wanted", wanted),
            Self::DmarcPercent(percent) => Said::new("dns-dmarc-percent").number("percent", *percent),
            Self::DmarcNoReports => Said::new("dns-dmarc-no-reports"),
            Self::StsMalformed => Said::new("dns-sts-malformed"),
            Self::StsIdOld(found, wanted) => Said::new("dns-sts-id-old").words("found", found).words("wanted", wanted),
            Self::TlsReportsMalformed => Said::new("dns-tls-reports-malformed"),
            Self::TlsaStale => Said::new("dns-tlsa-stale"),
            Self::TlsaComing => Said::new("dns-tlsa-coming"),
            Self::TlsaUnproven => Said::new("dns-tlsa-unproven"),
            Self::SrvOff => Said::new("dns-srv-off"),
            Self::SrvPort(found, wanted) => Said::new("dns-srv-port").words("found", found).words("wanted", wanted),
            Self::CaaForbids(found) => Said::new("dns-caa-forbids").words("found", found),
            Self::Wildcard(found) => Said::new("dns-wildcard").words("found", found),
            Self::Unsigned => Said::new("dns-unsigned"),
            Self::UnprovenHere => Said::new("dns-unproven-here"),
            Self::SmtpRefused(address) => Said::new("dns-smtp-refused").words("address", address),
            Self::SmtpTimeout(address) => Said::new("dns-smtp-timeout").words("address", address),
            Self::SmtpStrange(found) => Said::new("dns-smtp-strange").words("found", found),
            Self::SmtpOtherHost(found) => Said::new("dns-smtp-other-host").words("found", found),
            Self::SmtpNoStartTls => Said::new("dns-smtp-no-starttls"),
            Self::SmtpTlsFailed(error) => Said::new("dns-smtp-tls-failed").words("error", error),
            Self::SmtpNames(found) => Said::new("dns-smtp-names").words("found", found),
            Self::SmtpUntrusted(error) => Said::new("dns-smtp-untrusted").words("error", error),
            Self::PolicyElsewhere => Said::new("dns-policy-elsewhere"),
            Self::PolicyUnreachable(error) => Said::new("dns-policy-unreachable").words("error", error),
            Self::PolicyCertificate(error) => Said::new("dns-policy-certificate").words("error", error),
            Self::PolicyStatus(status) => Said::new("dns-policy-status").words("status", status),
            Self::PolicyMalformed(culprit) => Said::new("dns-policy-malformed").words("culprit", culprit),
            Self::PolicyDiffers => Said::new("dns-policy-differs"),
            Self::PolicyLacksUs => Said::new("dns-policy-lacks-us"),
            Self::OutboundBlocked => Said::new("dns-outbound-blocked"),
            Self::OutboundUnknown => Said::new("dns-outbound-unknown"),
            Self::Listed(list, code) => Said::new("dns-listed").words("list", list).words("code", code),
            Self::ListUnusable(list) => Said::new("dns-list-unusable").words("list", list),
        }
    }
}

/// The RFC's own word: receivers' headers and logs have it.
const fn spf_word(result: SpfResult) -> &'static str {
    match result {
        SpfResult::None => "none",
        SpfResult::Neutral => "neutral",
        SpfResult::Pass => "pass",
        SpfResult::Fail => "fail",
        SpfResult::SoftFail => "softfail",
        SpfResult::TempError => "temperror",
        SpfResult::PermError => "permerror",
    }
}
