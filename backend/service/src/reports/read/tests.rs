//! Reports in the shapes that large reporters give them, written by hand.

use super::*;

const HOST: &str = "mx.house.example";

fn now() -> Timestamp {
    Timestamp::from_seconds(1_767_312_000) // 2026-01-02
}

fn told(raw: &str) -> Result<Told, ReportError> {
    read(raw.replace('\n', "\r\n").as_bytes(), &Domain::parse(HOST).unwrap(), now())
}

fn mail(fields: &str, subject: &str, kind: &str, body: &str) -> String {
    format!(
        "Return-Path: <noreply@reporter.example>\n{fields}From: noreply@reporter.example\nTo: postmaster@house.example\nSubject: {subject}\n\
         MIME-Version: 1.0\nContent-Type: {kind}\n\n{body}\n"
    )
}

fn reports(raw: &str) -> Vec<(String, ReceivedReport)> {
    match told(raw).unwrap() {
        Told::Reports(reports) => reports,
        other => panic!("{other:?}"),
    }
}

const PASSED: &str = "Authentication-Results: mx.house.example;\n dmarc=pass header.from=reporter.example\n";

/// As Google writes it.
const GOOGLE: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>google.com</org_name>
    <email>noreply-dmarc-support@google.com</email>
    <extra_contact_info>https://support.google.com/a/answer/2466580</extra_contact_info>
    <report_id>12345678901234567890</report_id>
    <date_range><begin>1767225600</begin><end>1767311999</end></date_range>
  </report_metadata>
  <policy_published><domain>house.example</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct><np>none</np></policy_published>
  <record>
    <row><source_ip>192.0.2.25</source_ip><count>7</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>
    <identifiers><header_from>house.example</header_from></identifiers>
    <auth_results><dkim><domain>house.example</domain><result>pass</result><selector>r1</selector></dkim><spf><domain>house.example</domain><result>pass</result></spf></auth_results>
  </record>
  <record>
    <row><source_ip>2001:db8::1</source_ip><count>2</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf><reason><type>mailing_list</type><comment></comment></reason></policy_evaluated></row>
    <identifiers><header_from>house.example</header_from></identifiers>
    <auth_results><spf><domain>list.example</domain><result>pass</result></spf></auth_results>
  </record>
</feedback>"#;

/// As Microsoft writes it: names with `xsd`, both identifiers, the address twice.
const MICROSOFT: &str = r#"<?xml version="1.0"?>
<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <version>1.0</version>
  <report_metadata><org_name>Enterprise Outlook</org_name><email>dmarcreport@microsoft.com</email><report_id>0a1b2c3d4e5f</report_id><date_range><begin>1767225600</begin><end>1767312000</end></date_range></report_metadata>
  <policy_published><domain>house.example</domain><adkim>r</adkim><aspf>r</aspf><p>quarantine</p><sp>quarantine</sp><pct>100</pct><fo>0</fo></policy_published>
  <record>
    <row><source_ip>198.51.100.9</source_ip><count>3</count><policy_evaluated><disposition>quarantine</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><envelope_to>hotmail.example</envelope_to><envelope_from>spam.example</envelope_from><header_from>house.example</header_from></identifiers>
    <auth_results><spf><domain>spam.example</domain><scope>mfrom</scope><result>none</result></spf></auth_results>
  </record>
  <record>
    <row><source_ip>198.51.100.9</source_ip><count>1</count><policy_evaluated><disposition>quarantine</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><envelope_to>live.example</envelope_to><envelope_from>spam.example</envelope_from><header_from>house.example</header_from></identifiers>
    <auth_results><spf><domain>spam.example</domain><scope>mfrom</scope><result>none</result></spf></auth_results>
  </record>
</feedback>"#;

#[test]
fn a_report_of_googles_shape_is_added_up_by_address() {
    let raw = mail(PASSED, "Report domain: house.example Submitter: google.com Report-ID: 1", "text/xml", GOOGLE);
    let reports = reports(&raw);
    let [(name, report)] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!((name.as_str(), report.organization.as_str()), ("house.example", "google.com"));
    assert_eq!((report.id.as_str(), report.is_authenticated), ("12345678901234567890", true));
    assert_eq!(report.day, Timestamp::from_seconds(1_767_225_600));
    let ours = ReportSource {
        source: "192.0.2.25".to_owned(),
        messages: 7,
        dkim_aligned: 7,
        spf_aligned: 7,
        aligned: 7,
        ..ReportSource::default()
    };
    let list = ReportSource { source: "2001:db8::1".to_owned(), messages: 2, overridden: 2, ..ReportSource::default() };
    assert_eq!(report.counts, ReportCounts::Dmarc(vec![ours, list]));
}

#[test]
fn a_report_of_microsofts_shape_names_an_address_twice() {
    let raw =
        mail("", "Report Domain: house.example Submitter: protection.example Report-ID: x", "text/xml", MICROSOFT);
    let reports = reports(&raw);
    let spam =
        ReportSource { source: "198.51.100.9".to_owned(), messages: 4, quarantined: 4, ..ReportSource::default() };
    assert_eq!(reports[0].1.counts, ReportCounts::Dmarc(vec![spam]));
    assert!(!reports[0].1.is_authenticated, "nobody proved who sent it");
}

#[test]
fn only_our_own_word_proves_a_sender() {
    let check = |fields: &str, expected: bool| {
        let raw = mail(fields, "Report domain: house.example", "text/xml", GOOGLE);
        assert_eq!(reports(&raw)[0].1.is_authenticated, expected, "{fields}");
    };
    check(PASSED, true);
    check("Authentication-Results: other.example; dmarc=pass\n", false);
    check("Authentication-Results: mx.house.example; dmarc=fail\n", false);
    check("", false);
}

#[test]
fn a_report_on_tls_tells_of_each_outcome() {
    let json = r#"{"organization-name":"Google Inc.","date-range":{"start-datetime":"2026-01-01T00:00:00Z","end-datetime":"2026-01-01T23:59:59Z"},
        "contact-info":"smtp-tls-reporting@google.com","report-id":"2026-01-01T00:00:00Z_house.example","policies":[{"policy":{"policy-type":"sts",
        "policy-string":["version: STSv1","mode: testing","mx: mx.house.example"],"policy-domain":"house.example","mx-host":["mx.house.example"]},
        "summary":{"total-successful-session-count":40,"total-failure-session-count":5},"failure-details":[{"result-type":"certificate-expired",
        "sending-mta-ip":"192.0.2.1","receiving-ip":"192.0.2.25","receiving-mx-hostname":"MX.house.example","failed-session-count":3}]}]}"#;
    let raw = mail("", "Report Domain: house.example Submitter: google.com", "application/tlsrpt+json", json);
    let reports = reports(&raw);
    let session = |result: &str, host: &str, sessions| ReportSession {
        result: result.to_owned(),
        mx_host: host.to_owned(),
        sessions,
    };
    let expected = vec![
        session("certificate-expired", "mx.house.example", 3),
        session("success", "", 40),
        session("unspecified", "", 2),
    ];
    assert_eq!(reports[0].0, "house.example");
    assert_eq!(reports[0].1.counts, ReportCounts::Tls(expected));
}

#[test]
fn a_complaint_names_whom_it_is_about() {
    let body = "--b\nContent-Type: text/plain\n\nThis is a complaint.\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n\
                User-Agent: Loop/1\nVersion: 1\nOriginal-Mail-From: <ann@house.example>\nSource-IP: 192.0.2.25\n--b\n\
                Content-Type: message/rfc822\n\nFrom: ann@house.example\n\nHello\n--b--";
    let kind = "multipart/report; report-type=feedback-report; boundary=b";
    let names = vec!["house.example".to_owned()];
    assert_eq!(
        told(&mail("", "FW: Hello", kind, body)),
        Ok(Told::Incidents { names, kind: "abuse", incidents: 1, complaint: None })
    );
}

/// The id in the Received field that we gave it, of the lowest of ours; of other hosts' fields nothing is believed, and no complaint is one that isn't.
#[test]
fn a_complaint_is_tied_to_the_message_by_our_own_received_field() {
    let check = |feedback: &str, header: &str, expected: Option<&str>| {
        let body = format!(
            "--b\nContent-Type: text/plain\n\nThis is one.\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {feedback}\n\
             User-Agent: Loop/1\nVersion: 1\nOriginal-Mail-From: <ann@house.example>\n--b\n\
             Content-Type: text/rfc822-headers\n\n{header}From: ann@house.example\n\n--b--"
        );
        let kind = "multipart/report; report-type=feedback-report; boundary=b";
        let Ok(Told::Incidents { complaint, .. }) = told(&mail("", "FW: Hello", kind, &body)) else {
            panic!("{header}")
        };
        assert_eq!(complaint.as_ref().map(|complaint| complaint.trace.as_str()), expected, "{header}");
    };
    let ours = "Received: from client.example ([192.0.2.1])\n by mx.house.example with ESMTPSA id 06x7ABC\n for <x@else.example>; Thu, 1 Jan 2026 00:00:00 +0000\n";
    let theirs =
        "Received: from mx.house.example by mx.else.example with ESMTPS id 99; Thu, 1 Jan 2026 00:00:00 +0000\n";
    let later = ours.replace("06x7ABC", "06x8DEF");
    check("abuse", &format!("{theirs}{ours}"), Some("06x7ABC"));
    check("fraud", &format!("{later}{theirs}{ours}"), Some("06x7ABC"));
    check("abuse", theirs, None);
    check("abuse", "", None);
    check("not-spam", ours, None);
    check("auth-failure", ours, None);
    check("abuse", &ours.replace("06x7ABC", "no(id"), None);
    check("abuse", &ours.replace(" id 06x7ABC", ""), None);
}

#[test]
fn what_people_write_is_no_report_and_what_claims_to_be_one_must_be_read() {
    let html = "<html><body><p>Hello postmaster</p></body></html>";
    assert_eq!(told(&mail("", "Question", "text/html", html)), Ok(Told::Nothing));
    assert_eq!(told(&mail("", "Question", "text/plain", "Hello")), Ok(Told::Nothing));
    let broken = mail("", "Report domain: house.example Submitter: x", "text/xml", "<feedback><report");
    assert!(matches!(told(&broken), Err(ReportError::Malformed(_))));
    let old = GOOGLE.replace("1767225600", "1577836800");
    assert!(told(&mail("", "Report domain: house.example", "text/xml", &old)).is_err(), "years ago");
}

/// A list that changes mail breaks our signature and signs for itself; a service that was never set up signs for itself alone.
#[test]
fn lists_and_forwarders_are_known_by_what_receivers_say_and_by_signatures() {
    let row = |overrides: &[(OverrideKind, &str)], dkim: &[(&str, &str)], is_spf_aligned| AggregateRow {
        source: "192.0.2.9".parse().unwrap(),
        count: 1,
        disposition: Policy::None,
        is_dkim_aligned: false,
        is_spf_aligned,
        overrides: overrides
            .iter()
            .map(|(kind, comment)| Override { kind: *kind, comment: (*comment).to_owned() })
            .collect(),
        header_from: "house.example".to_owned(),
        envelope_from: "lists.example".to_owned(),
        envelope_to: None,
        dkim: dkim
            .iter()
            .map(|(domain, result)| DkimRow {
                domain: (*domain).to_owned(),
                selector: "s".to_owned(),
                result: (*result).to_owned(),
            })
            .collect(),
        spf: Vec::new(),
    };
    let check = |row: &AggregateRow, expected: bool| assert_eq!(is_relayed(row), expected, "{row:?}");
    check(&row(&[(OverrideKind::MailingList, "")], &[], false), true);
    check(&row(&[(OverrideKind::TrustedForwarder, "")], &[], false), true);
    check(&row(&[(OverrideKind::LocalPolicy, "arc=pass as[1].d=lists.example")], &[], false), true);
    check(&row(&[(OverrideKind::Other, "forwarded")], &[], false), true);
    check(&row(&[(OverrideKind::Other, "sampled out")], &[], false), false);
    check(&row(&[(OverrideKind::PolicyTestMode, "")], &[], false), false);
    check(&row(&[(OverrideKind::MailingList, "")], &[], true), false);
    check(&row(&[], &[("house.example", "fail"), ("lists.example", "pass")], false), true);
    check(&row(&[], &[("sendgrid.example", "pass")], false), false);
    check(&row(&[], &[("house.example", "fail")], false), false);
    check(&row(&[], &[], false), false);
}
