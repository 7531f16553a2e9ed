//! The mail that carries a report.

use std::io::Write as _;

use data_encoding::BASE64_MIME;
use flate2::Compression;
use flate2::write::GzEncoder;
use relais_message::{format_date, new_message_id};
use relais_model::{Address, Random, Timestamp};

/// Who sends a report to whom, and when.
#[derive(Debug, Clone, Copy)]
pub struct Mailing<'a> {
    /// From: an address of our own that passes DMARC itself.
    pub from: &'a Address,
    /// To: one of the addresses that asked.
    pub to: &'a Address,
    /// Our name, in the Message-ID and the file's name.
    pub host: &'a str,
    /// Date.
    pub now: Timestamp,
}

/// What differs between reports.
pub(super) struct Document<'a> {
    pub(super) subject: String,
    /// More fields, each with CRLF.
    pub(super) fields: String,
    /// `multipart/…` with its parameters but the boundary.
    pub(super) container: &'a str,
    /// A sentence for people who open it.
    pub(super) text: String,
    pub(super) content_type: &'a str,
    pub(super) file: String,
    pub(super) octets: &'a [u8],
}

impl Mailing<'_> {
    /// The message, 7bit, with CRLF, yet unsigned.
    pub(super) fn write(&self, document: &Document<'_>, random: &dyn Random) -> Vec<u8> {
        let id = new_message_id(self.host, random);
        let boundary: String = id.chars().filter(char::is_ascii_alphanumeric).take(26).collect();
        let Document { subject, fields, container, text, content_type, file, octets } = document;
        let head = format!(
            "From: <{}>\r\nTo: <{}>\r\nSubject: {subject}\r\nDate: {}\r\nMessage-ID: {id}\r\nAuto-Submitted: auto-generated\r\n{fields}MIME-Version: 1.0\r\n\
             Content-Type: {container}; boundary=\"{boundary}\"\r\n\r\n\
             --{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\
             --{boundary}\r\nContent-Type: {content_type};\r\n name=\"{file}\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment;\r\n filename=\"{file}\"\r\n\r\n",
            self.from,
            self.to,
            format_date(self.now)
        );
        let body = BASE64_MIME.encode(&gzipped(octets));
        [head.as_bytes(), body.as_bytes(), format!("--{boundary}--\r\n").as_bytes()].concat()
    }
}

fn gzipped(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into memory doesn't fail; were it to, the receiver would find a cut file.
    drop(encoder.write_all(octets));
    encoder.finish().unwrap_or_default()
}
