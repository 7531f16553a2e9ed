//! Mail that the house itself writes to its people: plain text, in their language.

use data_encoding::HEXLOWER;
use relais_message::dsn::unstructured;
use relais_message::format_date;
use relais_model::{Address, Domain, Random, Timestamp};
use relais_service::{Gap, Text};
use relais_words::{Filling, Language};

/// A letter.
pub(crate) struct Letter<'a> {
    /// When it is written.
    pub(crate) at: Timestamp,
    pub(crate) to: &'a Address,
    /// Of which server.
    pub(crate) host: &'a Domain,
    /// What the house calls itself.
    pub(crate) house: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) lines: &'a [String],
}

impl Letter<'_> {
    /// As a message with CRLF line ends.
    pub(crate) fn write(&self, random: &dyn Random) -> Vec<u8> {
        let mut chance = [0; 12];
        random.fill(&mut chance);
        let house = self.house.replace(['"', '\\', '<', '>', '@', ',', ';', ':'], " ");
        let header = [
            format!("Date: {}", format_date(self.at)),
            format!("From: {} <postmaster@{}>", unstructured(&house), self.host),
            format!("To: <{}>", self.to),
            format!("Subject: {}", unstructured(self.subject)),
            format!("Message-ID: <{}@{}>", HEXLOWER.encode(&chance), self.host),
            "Auto-Submitted: auto-generated".to_owned(),
            "MIME-Version: 1.0".to_owned(),
            "Content-Type: text/plain; charset=utf-8".to_owned(),
            "Content-Transfer-Encoding: 8bit".to_owned(),
        ];
        format!("{}\r\n\r\n{}\r\n", header.join("\r\n"), self.lines.join("\r\n")).into_bytes()
    }
}

/// A sentence in a language.
pub(crate) fn say(language: Language, text: &Text) -> String {
    let gaps = text.gaps.iter().map(|(name, gap)| {
        let filling = match gap {
            Gap::Number(number) => Filling::from(*number),
            Gap::Words(words) => Filling::from(words.as_str()),
        };
        (&**name, filling)
    });
    language.say(&text.id, gaps)
}
