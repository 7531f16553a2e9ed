//! Whose a host is, by the end of its name. The names are proved before they are looked at here: they lead back to the address.

/// Ends of host names, and who is behind them: those who send much mail for others.
const KNOWN: &[(&str, &str)] = &[
    ("amazonses.com", "Amazon SES"),
    ("brevo.com", "Brevo"),
    ("sendinblue.com", "Brevo"),
    ("constantcontact.com", "Constant Contact"),
    ("fastmail.com", "Fastmail"),
    ("messagingengine.com", "Fastmail"),
    ("freshemail.io", "Freshworks"),
    ("gandi.net", "Gandi"),
    ("google.com", "Google"),
    ("googlemail.com", "Google"),
    ("hubspotemail.net", "HubSpot"),
    ("icloud.com", "Apple"),
    ("apple.com", "Apple"),
    ("infomaniak.ch", "Infomaniak"),
    ("ionos.com", "IONOS"),
    ("kundenserver.de", "IONOS"),
    ("mailchimp.com", "Mailchimp"),
    ("mcsv.net", "Mailchimp"),
    ("mcdlv.net", "Mailchimp"),
    ("rsgsv.net", "Mailchimp"),
    ("mailgun.net", "Mailgun"),
    ("mailgun.org", "Mailgun"),
    ("mailjet.com", "Mailjet"),
    ("mimecast.com", "Mimecast"),
    ("mtasv.net", "Postmark"),
    ("outlook.com", "Microsoft 365"),
    ("ovh.net", "OVHcloud"),
    ("pphosted.com", "Proofpoint"),
    ("proton.ch", "Proton"),
    ("protonmail.ch", "Proton"),
    ("salesforce.com", "Salesforce"),
    ("exacttarget.com", "Salesforce"),
    ("sendgrid.net", "SendGrid"),
    ("shopify.com", "Shopify"),
    ("sparkpostmail.com", "SparkPost"),
    ("stripe.com", "Stripe"),
    ("yahoo.com", "Yahoo"),
    ("yahoodns.net", "Yahoo"),
    ("zendesk.com", "Zendesk"),
    ("zoho.com", "Zoho"),
    ("zohomail.com", "Zoho"),
];

/// Who is behind a host; none where it isn't known.
pub(super) fn owner(host: &str) -> Option<&'static str> {
    let is_within = |end: &str| host.strip_suffix(end).is_some_and(|above| above.is_empty() || above.ends_with('.'));
    KNOWN.iter().find(|(end, _)| is_within(end)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_known_by_whole_labels() {
        assert_eq!(owner("mail-ej1-f41.google.com"), Some("Google"));
        assert_eq!(owner("a1-2.smtp-out.eu-west-1.amazonses.com"), Some("Amazon SES"));
        assert_eq!(owner("notgoogle.com"), None);
        assert_eq!(owner("google.com.evil.example"), None);
    }
}
