//! What is kept of a check: as JSON in the store, with names that stay the same from version to version.

use relais_dnscheck::{Data, Finding, Form, Record, Report, TextForm, Verdict, Wanted, present};
use relais_model::Domain;
use serde::{Deserialize, Serialize};

use super::view::{DnsCounts, DnsFinding, DnsRecord, DnsRecordForms, DnsVerdict};
use crate::Text;

/// Records of one finding that are kept: a stranger's zone may have thousands.
const MOST_FOUND: usize = 30;
/// Characters of one record that are kept.
const MOST_SHOWN: usize = 2000;

/// A check, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct KeptReport {
    pub(super) wanted: Vec<KeptWanted>,
    pub(super) findings: Vec<KeptFinding>,
}

/// A record that is wanted, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptWanted {
    purpose: String,
    owner: String,
    ttl: u32,
    data: Data,
}

/// A finding, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptFinding {
    pub(super) check: String,
    pub(super) title: String,
    pub(super) about: String,
    pub(super) detail: String,
    pub(super) verdict: DnsVerdict,
    /// The last verdict that was certain: what is unknown for a while neither is worse nor forgets how it was.
    pub(super) settled: Option<DnsVerdict>,
    pub(super) says: Text,
    pub(super) wanted: Vec<KeptWanted>,
    found: Vec<DnsRecord>,
    surplus: Vec<DnsRecord>,
    proof: String,
}

impl From<Verdict> for DnsVerdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Good => Self::Good,
            Verdict::CouldBeBetter => Self::Better,
            Verdict::CantTellYet => Self::Unknown,
            Verdict::Wrong => Self::Wrong,
        }
    }
}

impl KeptReport {
    pub(super) fn of(report: &Report) -> Self {
        Self {
            wanted: report.wanted.iter().map(KeptWanted::of).collect(),
            findings: report.findings.iter().map(KeptFinding::of).collect(),
        }
    }

    pub(super) fn wanted(&self) -> Vec<Wanted> {
        self.wanted.iter().filter_map(KeptWanted::record).collect()
    }

    pub(super) fn worst(&self) -> DnsVerdict {
        self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(DnsVerdict::Good)
    }

    pub(super) fn counts(&self) -> DnsCounts {
        let count = |verdict| {
            let count = self.findings.iter().filter(|finding| finding.verdict == verdict).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        DnsCounts {
            good: count(DnsVerdict::Good),
            better: count(DnsVerdict::Better),
            unknown: count(DnsVerdict::Unknown),
            wrong: count(DnsVerdict::Wrong),
        }
    }
}

impl KeptWanted {
    fn of(wanted: &Wanted) -> Self {
        Self {
            purpose: wanted.purpose.name().to_owned(),
            owner: wanted.owner.to_string(),
            ttl: wanted.ttl,
            data: wanted.data.clone(),
        }
    }

    /// None where a later version wrote it, and this one doesn't know what for.
    pub(super) fn record(&self) -> Option<Wanted> {
        Some(Wanted {
            purpose: relais_dnscheck::Purpose::parse(&self.purpose)?,
            owner: Domain::parse(&self.owner).ok()?,
            data: self.data.clone(),
            ttl: self.ttl,
        })
    }
}

impl KeptFinding {
    fn of(finding: &Finding) -> Self {
        let records = |records: &[Record]| records.iter().take(MOST_FOUND).map(shown).collect::<Vec<_>>();
        let verdict = DnsVerdict::from(finding.verdict);
        Self {
            check: finding.check.name().to_owned(),
            title: finding.check.title_id(),
            about: finding.about.clone(),
            detail: finding.detail.clone(),
            verdict,
            settled: (verdict != DnsVerdict::Unknown).then_some(verdict),
            says: finding.reason.said().into(),
            wanted: finding.wanted.iter().map(KeptWanted::of).collect(),
            found: records(&finding.found),
            surplus: records(&finding.surplus),
            proof: finding.proof.name().to_owned(),
        }
    }

    /// Names it among the findings of its domain.
    pub(super) fn key(&self) -> String {
        format!("{}:{}:{}", self.check, self.about, self.detail)
    }

    pub(super) fn wanted(&self) -> impl Iterator<Item = Wanted> + '_ {
        self.wanted.iter().filter_map(KeptWanted::record)
    }

    /// A provider could mend it: reverse zones belong to whoever gave the address.
    pub(super) fn can_push(&self) -> bool {
        !self.wanted.is_empty() && self.check != relais_dnscheck::Purpose::ReverseName.name()
    }

    pub(super) fn view(&self, zone: &Domain) -> DnsFinding {
        let wanted: Vec<Wanted> = self.wanted().collect();
        let need = wanted.iter().map(Wanted::need).min().map(|need| need.name().to_owned());
        let is_good = self.verdict == DnsVerdict::Good;
        let advice = Text { id: format!("{}-advice", self.says.id).into(), gaps: self.says.gaps.clone() };
        DnsFinding {
            key: self.key(),
            title: Text::named(self.title.clone()),
            check: self.check.clone(),
            about: self.about.clone(),
            detail: self.detail.clone(),
            verdict: self.verdict,
            says: self.says.clone(),
            advice: (!is_good).then_some(advice),
            need,
            wanted: wanted.iter().map(|wanted| forms(wanted, zone)).collect(),
            found: self.found.clone(),
            surplus: self.surplus.clone(),
            proof: self.proof.clone(),
            can_push: self.can_push(),
        }
    }
}

/// In all forms that providers want.
pub(super) fn forms(wanted: &Wanted, zone: &Domain) -> DnsRecordForms {
    let joined = Form { priority_apart: false, ..Form::USUAL };
    let within = present(wanted, zone, joined);
    let whole = present(wanted, zone, Form { name: relais_dnscheck::NameForm::Whole, ..joined });
    let apart = present(wanted, zone, Form::USUAL);
    let split = present(wanted, zone, Form { text: TextForm::Split, ..joined });
    let file = present(wanted, zone, Form::ZONE_FILE);
    DnsRecordForms {
        purpose: wanted.purpose.name().to_owned(),
        need: wanted.need().name().to_owned(),
        kind: within.kind.to_string(),
        ttl: within.ttl,
        name_whole: whole.name,
        name_within: within.name,
        value: within.value,
        value_split: wanted.data.text().map(|_| split.value),
        value_without_priority: apart.priority.map(|_| apart.value),
        priority: apart.priority,
        line: format!("{}\t{}\tIN\t{}\t{}", file.name, file.ttl, file.kind, file.value),
    }
}

fn shown(record: &Record) -> DnsRecord {
    DnsRecord {
        name: record.owner.to_string(),
        kind: record.data.kind().to_string(),
        ttl: record.ttl,
        value: record.data.to_string().chars().filter(|letter| !letter.is_control()).take(MOST_SHOWN).collect(),
    }
}
