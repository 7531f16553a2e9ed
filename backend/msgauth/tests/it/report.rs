//! Reports as others write them, and as we do.

use std::io::Write as _;

use data_encoding::BASE64_MIME;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use relais_model::{Address, Domain, SystemRandom, Timestamp};
use relais_msgauth::dmarc::{Alignment, Policy};
use relais_msgauth::report::{
    AggregateReport, AggregateRow, DkimRow, FeedbackReport, FeedbackType, MOST_UNPACKED, Mailing, Override,
    OverrideKind, PublishedPolicy, ReportError, SpfRow, TlsFailure, TlsPolicyReport, TlsPolicyType, TlsReport,
    may_report_to,
};
use relais_msgauth::testing::{Zone, at_once};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn gzipped(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// An archive of one file, as APPNOTE.TXT has it, without checksums.
fn zipped(octets: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(octets).unwrap();
    let packed = encoder.finish().unwrap();
    let (size, whole) = (u32::try_from(packed.len()).unwrap(), u32::try_from(octets.len()).unwrap());
    let mut archive = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec();
    archive.extend(size.to_le_bytes());
    archive.extend(whole.to_le_bytes());
    archive.extend(b"\x05\0\0\0r.xml");
    archive.extend(&packed);
    let directory = u32::try_from(archive.len()).unwrap();
    archive.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0");
    archive.extend(size.to_le_bytes());
    archive.extend(whole.to_le_bytes());
    archive.extend(b"\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0r.xml");
    let length = u32::try_from(archive.len()).unwrap() - directory;
    archive.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    archive.extend(length.to_le_bytes());
    archive.extend(directory.to_le_bytes());
    archive.extend(b"\0\0");
    archive
}

fn mail(octets: &[u8]) -> Vec<u8> {
    let head = "From: r@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee below.\r\n--b\r\n\
                Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    format!("{head}{}--b--\r\n", BASE64_MIME.encode(octets)).into_bytes()
}

/// RFC 7489 §C, shortened, as it comes from large receivers: a comment, blanks, an override, results in any order.
const XML: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<!-- from a large receiver -->
<feedback>
  <report_metadata>
    <org_name>Receiver &amp; Co</org_name>
    <email>noreply-dmarc@receiver.example</email>
    <extra_contact_info>https://receiver.example/dmarc</extra_contact_info>
    <report_id>1234567890</report_id>
    <date_range><begin>1700000000</begin><end> 1700086399 </end></date_range>
    <error>none</error>
  </report_metadata>
  <policy_published>
    <domain>Example.org</domain><adkim>r</adkim><aspf>s</aspf><p>reject</p><sp></sp><pct>100</pct>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.7</source_ip>
      <count>12</count>
      <policy_evaluated>
        <disposition>none</disposition><dkim>fail</dkim><spf>pass</spf>
        <reason><type>mailing_list</type><comment>known</comment></reason>
      </policy_evaluated>
    </row>
    <identifiers><envelope_to>receiver.example</envelope_to><header_from>example.org</header_from></identifiers>
    <auth_results>
      <dkim><domain>list.example</domain><result>pass</result><human_result/></dkim>
      <spf><domain>example.org</domain><result>pass</result></spf>
      <dkim><domain>example.org</domain><selector>s1</selector><result>fail</result></dkim>
    </auth_results>
  </record>
  <record>
    <row><source_ip>2001:db8::1</source_ip><count>1</count>
      <policy_evaluated><disposition>reject</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>example.org</header_from></identifiers>
    <auth_results><spf><domain>x.example</domain><scope>helo</scope><result>softfail</result></spf></auth_results>
  </record>
  <record>
    <row><source_ip>no address</source_ip><count>1</count><policy_evaluated/></row>
    <identifiers><header_from>example.org</header_from></identifiers><auth_results/>
  </record>
</feedback>"#;

#[test]
fn aggregate_reports_are_read_however_they_are_packed() {
    for octets in [XML.as_bytes().to_vec(), gzipped(XML.as_bytes()), zipped(XML.as_bytes())] {
        let report = AggregateReport::read_message(&mail(&octets)).unwrap();
        assert_eq!((report.organization.as_str(), report.id.as_str()), ("Receiver & Co", "1234567890"));
        assert_eq!((report.begin.seconds(), report.end.seconds()), (1_700_000_000, 1_700_086_399));
        let policy = &report.policy;
        assert_eq!((policy.domain.as_str(), policy.policy, policy.below), ("example.org", Some(Policy::Reject), None));
        assert_eq!((policy.dkim, policy.spf), (Alignment::Relaxed, Alignment::Strict));
        let [first, second] = report.rows.as_slice() else { panic!("{:?}", report.rows) };
        assert_eq!((first.count, first.is_dkim_aligned, first.is_spf_aligned), (12, false, true));
        assert_eq!(first.overrides, [Override { kind: OverrideKind::MailingList, comment: "known".into() }]);
        assert_eq!((first.dkim.len(), first.dkim[1].selector.as_str()), (2, "s1"));
        assert_eq!((second.source.to_string().as_str(), second.disposition), ("2001:db8::1", Policy::Reject));
        assert!(second.spf[0].is_helo);
    }
}

fn aggregate() -> AggregateReport {
    let row = |source: &str, disposition| AggregateRow {
        source: source.parse().unwrap(),
        count: 3,
        disposition,
        is_dkim_aligned: disposition == Policy::None,
        is_spf_aligned: false,
        overrides: vec![Override { kind: OverrideKind::TrustedForwarder, comment: "a < b & \"c\"".into() }],
        header_from: "example.org".into(),
        envelope_from: String::new(),
        envelope_to: Some("us.example".into()),
        dkim: vec![DkimRow { domain: "example.org".into(), selector: "s".into(), result: "pass".into() }],
        spf: vec![SpfRow { domain: "mx.example".into(), is_helo: true, result: "none".into() }],
    };
    AggregateReport {
        organization: "Us".into(),
        contact: "postmaster@us.example".into(),
        id: "1.example.org".into(),
        begin: Timestamp::from_seconds(1_700_000_000),
        end: Timestamp::from_seconds(1_700_086_400),
        policy: PublishedPolicy {
            domain: "example.org".into(),
            policy: Some(Policy::Reject),
            below: None,
            nonexistent: Some(Policy::Quarantine),
            is_testing: true,
            dkim: Alignment::Strict,
            spf: Alignment::Relaxed,
        },
        rows: vec![row("192.0.2.7", Policy::None), row("2001:db8::1", Policy::Reject)],
        rows_left_out: 0,
    }
}

fn mailing<'a>(from: &'a Address, to: &'a Address) -> Mailing<'a> {
    Mailing { from, to, host: "mx.us.example", now: Timestamp::from_seconds(1_700_090_000) }
}

#[test]
fn what_we_report_is_read_again() {
    let (from, to) = (address("dmarc@us.example"), address("r@example.org"));
    let report = aggregate();
    let message = report.write_message(&mailing(&from, &to), &SystemRandom).unwrap();
    assert_eq!(AggregateReport::read_message(&message), Ok(report));
    let text = String::from_utf8(message).unwrap();
    assert!(
        text.contains("Subject: Report Domain: example.org Submitter: mx.us.example Report-ID: <1.example.org>\r\n")
    );
    assert!(text.contains("filename=\"mx.us.example!example.org!1700000000!1700086400!1.example.org.xml.gz\""));
    assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains('\n')));
}

#[test]
fn bombs_and_rubbish_are_refused() {
    let bomb = vec![b' '; MOST_UNPACKED + 1];
    for octets in [gzipped(&bomb), zipped(&bomb)] {
        assert!(octets.len() < 100_000);
        assert_eq!(AggregateReport::read_message(&mail(&octets)), Err(ReportError::TooLarge));
        assert_eq!(TlsReport::read_message(&mail(&octets)), Err(ReportError::TooLarge));
    }
    assert_eq!(AggregateReport::read_message(b"From: a\r\n\r\nHello\r\n"), Err(ReportError::Absent));
    let laughs = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><feedback>&b;</feedback>";
    for broken in ["<feedback/>", "<feedback>", laughs, &"<a>".repeat(100_000)] {
        let read = AggregateReport::read_message(&mail(broken.as_bytes()));
        assert!(matches!(read, Err(ReportError::Malformed(_))), "{read:?}");
    }
    let archive = zipped(XML.as_bytes());
    // The last two octets say how long a comment follows.
    for cut in 0..archive.len() - 2 {
        assert!(AggregateReport::read_message(&mail(&archive[..cut])).is_err());
    }
}

/// RFC 8460 §B.
const JSON: &str = r#"{
  "organization-name": "Company-X",
  "date-range": { "start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z" },
  "contact-info": "sts-reporting@company-x.example",
  "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
  "policies": [{
    "policy": {
      "policy-type": "sts",
      "policy-string": ["version: STSv1","mode: testing", "mx: *.mail.company-y.example","max_age: 86400"],
      "policy-domain": "company-y.example",
      "mx-host": "*.mail.company-y.example"
    },
    "summary": { "total-successful-session-count": 5326, "total-failure-session-count": 303 },
    "failure-details": [{
      "result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:0012::1",
      "receiving-mx-hostname": "mx1.mail.company-y.example", "failed-session-count": 100
    }, {
      "result-type": "starttls-not-supported", "sending-mta-ip": "2001:db8:abcd:0013::1",
      "receiving-mx-hostname": "mx2.mail.company-y.example", "receiving-ip": "203.0.113.56", "failed-session-count": 200,
      "additional-information": "https://reports.company-x.example/report_info ? id = 5065427 c - 23 d3# StarttlsNotSupported "
    }, {
      "result-type": "validation-failure", "sending-mta-ip": "198.51.100.62", "receiving-ip": "203.0.113.58",
      "receiving-mx-hostname": "mx-backup.mail.company-y.example", "failed-session-count": 3, "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"
    }]
  }]
}"#;

#[test]
fn tls_reports_are_read_and_written() {
    let read = TlsReport::read_message(&mail(&gzipped(JSON.as_bytes()))).unwrap();
    let policy = &read.policies[0];
    assert_eq!((policy.kind, policy.successes, policy.failures), (TlsPolicyType::Sts, 5326, 303));
    assert_eq!((policy.hosts.as_slice(), policy.lines.len()), (&["*.mail.company-y.example".to_owned()][..], 4));
    let kinds: Vec<_> = policy.details.iter().map(|detail| (detail.kind.as_str(), detail.count)).collect();
    assert_eq!(kinds, [("certificate-expired", 100), ("starttls-not-supported", 200), ("validation-failure", 3)]);
    let (from, to) = (address("tls@us.example"), address("r@company-y.example"));
    let written = read.write_message("company-y.example", &mailing(&from, &to), &SystemRandom).unwrap();
    assert_eq!(TlsReport::read_message(&written), Ok(read));
    let text = String::from_utf8(written).unwrap();
    assert!(text.contains("TLS-Report-Domain: company-y.example\r\nTLS-Report-Submitter: mx.us.example\r\n"));
    let whole = TlsReport {
        policies: vec![TlsPolicyReport {
            kind: TlsPolicyType::NoPolicyFound,
            lines: Vec::new(),
            domain: "x.example".into(),
            hosts: Vec::new(),
            successes: 1,
            failures: 0,
            details: vec![TlsFailure { kind: "x".into(), ..TlsFailure::default() }],
        }],
        ..TlsReport::read_json(JSON.as_bytes()).unwrap()
    };
    assert_eq!(TlsReport::read_json(whole.write_json().unwrap().as_bytes()), Ok(whole));
}

/// RFC 5965 §B.2, and RFC 6591 §B.1, shortened.
#[test]
fn complaints_and_failures_are_read() {
    let message = |report: &str, returned: &str| {
        format!(
            "From: <abusedesk@example.com>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=feedback-report;\r\n boundary=\"part1\"\r\n\r\n\
             --part1\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n\
             --part1\r\nContent-Type: message/feedback-report\r\n\r\n{report}\r\n--part1\r\nContent-Type: {returned}--part1--\r\n"
        )
    };
    let abuse = message(
        "Feedback-Type: abuse\r\nUser-Agent: SomeGenerator/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <somespammer@example.net>\r\n\
         Original-Rcpt-To: <user@example.com>\r\nArrival-Date: Thu, 8 Mar 2005 14:00:00 EDT\r\nReporting-MTA: dns; mail.example.com\r\n\
         Source-IP: 192.0.2.1\r\nAuthentication-Results: mail.example.com;\r\n spf=fail smtp.mail=somespammer@example.com\r\n\
         Reported-Domain: example.net\r\nReported-Domain: Other.example\r\nIncidents: 7\r\n",
        "message/rfc822\r\n\r\nFrom: <somespammer@example.net>\r\nSubject: Earn money\r\n\r\nSpam\r\n",
    );
    let read = FeedbackReport::read_message(abuse.as_bytes()).unwrap();
    assert_eq!((read.kind, read.incidents, read.source), (FeedbackType::Abuse, 7, "192.0.2.1".parse().ok()));
    assert_eq!(read.original_mail_from, Some(address("somespammer@example.net")));
    assert_eq!(read.original_rcpt_to, [address("user@example.com")]);
    assert_eq!(read.reported_domains, ["example.net", "other.example"]);
    assert!(read.returned.starts_with(b"From: <somespammer@example.net>\r\n"));
    assert_eq!(read.authentication_results, ["mail.example.com; spf=fail smtp.mail=somespammer@example.com"]);
    let failure = message(
        "Feedback-Type: auth-failure\r\nVersion: 1\r\nAuth-Failure: dmarc\r\nDelivery-Result: reject\r\nIdentity-Alignment: none\r\nSource-IP: [2001:db8::1]\r\n",
        "text/rfc822-headers\r\n\r\nFrom: a@example.org\r\n\r\n",
    );
    let read = FeedbackReport::read_message(failure.as_bytes()).unwrap();
    assert_eq!(
        (read.kind, read.auth_failure.as_str(), read.delivery_result.as_str()),
        (FeedbackType::AuthFailure, "dmarc", "reject")
    );
    assert_eq!((read.incidents, read.source), (1, "2001:db8::1".parse().ok()));
    assert_eq!(FeedbackReport::read_message(b"From: a\r\n\r\nHello\r\n"), Err(ReportError::Absent));
}

/// RFC 9990 §4.
#[test]
fn others_must_want_the_reports() {
    let zone = Zone::new().with_txt("example.org._report._dmarc.third.example", "v=DMARC1;");
    let domain = Domain::parse("example.org").unwrap();
    let may = |to: &str| at_once(may_report_to(&zone, &domain, &address(to)));
    assert!(may("r@example.org") && may("r@sub.example.org") && may("r@third.example"));
    assert!(!may("r@fourth.example") && !may("r@notexample.org"));
}
