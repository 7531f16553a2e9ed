//! The message as a script sees it, with what the script changed (RFC 5293, RFC 5703).

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use relais_message::dsn::unstructured;
use relais_message::{
    Content, ContentType, Field, Part, Structure, decode_header_value, decode_part, decode_text, fields, header_octets,
    remove_fields,
};

use crate::limit;

/// A message: octets, and its parts when they are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    raw: Arc<[u8]>,
    header: usize,
    parts: OnceCell<Vec<FlatPart>>,
    pub(crate) is_edited: bool,
    pub(crate) edits: usize,
}

/// A part in the order of the text, the message itself first.
#[derive(Debug, Clone)]
pub(crate) struct FlatPart {
    /// Without the parts below it.
    part: Part,
    /// The index behind the last part below it.
    pub(crate) end: usize,
    is_message: bool,
}

/// The fields that say what a body is made of.
const CONTENT_FIELDS: [&str; 8] = [
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-Description",
    "Content-ID",
    "Content-Language",
    "Content-MD5",
    "MIME-Version",
];

impl Letter {
    pub(crate) fn new(raw: Arc<[u8]>) -> Self {
        Self { header: header_octets(&raw), raw, parts: OnceCell::new(), is_edited: false, edits: 0 }
    }

    pub(crate) fn raw(&self) -> &Arc<[u8]> {
        &self.raw
    }

    pub(crate) fn edited(&self) -> Option<Arc<[u8]>> {
        self.is_edited.then(|| Arc::clone(&self.raw))
    }

    /// The message's header, with its empty line.
    pub(crate) fn header(&self) -> &[u8] {
        self.raw.get(..self.header).unwrap_or_default()
    }

    /// Behind the header.
    pub(crate) fn body(&self) -> &[u8] {
        self.raw.get(self.header..).unwrap_or_default()
    }

    pub(crate) fn parts(&self) -> &[FlatPart] {
        self.parts.get_or_init(|| {
            let mut flat = Vec::new();
            flatten(&Structure::read(&self.raw).root, &mut flat);
            flat
        })
    }

    /// A part's header; the message's where there is no such part.
    pub(crate) fn part_header(&self, index: usize) -> &[u8] {
        self.parts().get(index).map_or(self.header(), |flat| self.cut(&flat.part.header))
    }

    fn cut(&self, range: &Range<usize>) -> &[u8] {
        self.raw.get(range.clone()).unwrap_or_default()
    }

    /// The part's type, or what holds where it says none (RFC 2045 §5.2).
    pub(crate) fn kind(&self, index: usize) -> (String, String) {
        let lower = |octets: &[u8]| String::from_utf8_lossy(octets).to_ascii_lowercase();
        let kind = self.parts().get(index).and_then(|flat| flat.part.content_type.as_ref());
        kind.map_or_else(|| ("text".into(), "plain".into()), |kind| (lower(&kind.main), lower(&kind.sub)))
    }

    /// The text of a leaf that is text, decoded, at most [`limit::BODY_OCTETS`]; none of other parts.
    pub(crate) fn text(&self, index: usize) -> Option<String> {
        let part = &self.parts().get(index)?.part;
        if part.content != Content::Leaf || !part.content_type.as_ref().is_none_or(|kind| kind.is_main("text")) {
            return None;
        }
        let octets = decode_part(&self.raw, part).unwrap_or_else(|_| self.cut(&part.body).into());
        let octets = octets.get(..limit::BODY_OCTETS).unwrap_or(&octets);
        let charset = part.content_type.as_ref().and_then(|kind| kind.parameter("charset"));
        Some(decode_text(octets, charset).into_owned())
    }

    /// What `body :content` looks at in a part (RFC 5173 §5.2): a leaf's decoded text, a multipart's prologue and epilogue, a
    /// message's header.
    pub(crate) fn content(&self, index: usize) -> Vec<String> {
        if let Some(text) = self.text(index) {
            return vec![text];
        }
        let Some(flat) = self.parts().get(index) else { return Vec::new() };
        let text =
            |octets: &[u8]| String::from_utf8_lossy(octets.get(..limit::BODY_OCTETS).unwrap_or(octets)).into_owned();
        if flat.is_message {
            return vec![text(self.part_header(index + 1))];
        }
        if flat.end > index + 1 {
            let (first, last) = (self.parts().get(index + 1), self.last_child(index));
            let before = first.map_or(0..0, |first| flat.part.body.start..first.part.header.start);
            let after = last.map_or(0..0, |last| last.part.body.end..flat.part.body.end);
            return vec![text(self.cut(&before)), text(self.cut(&after))];
        }
        let octets = decode_part(&self.raw, &flat.part).unwrap_or_else(|_| self.cut(&flat.part.body).into());
        vec![text(&octets)]
    }

    fn last_child(&self, index: usize) -> Option<&FlatPart> {
        let end = self.parts().get(index)?.end;
        let mut at = index + 1;
        let mut last = None;
        while at < end {
            last = self.parts().get(at);
            at = last?.end;
        }
        last
    }

    /// RFC 5293 §4: before all fields, or behind them.
    pub(crate) fn add_field(&mut self, name: &str, value: &str, last: bool) {
        let field = write_field(name, value);
        let end = fields(self.header()).map(|field| field.raw.len()).sum();
        let at = if last { end } else { 0 };
        let mut raw = Vec::with_capacity(self.raw.len() + field.len() + 2);
        raw.extend_from_slice(self.raw.get(..at).unwrap_or_default());
        if !matches!(raw.last(), None | Some(b'\n')) {
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(field.as_bytes());
        raw.extend_from_slice(self.raw.get(at..).unwrap_or_default());
        self.set(raw);
    }

    /// RFC 5293 §5: removes those of the message's fields that `is_meant` says.
    pub(crate) fn delete_fields(&mut self, mut is_meant: impl FnMut(usize, &Field<'_>) -> bool) {
        let mut raw = Vec::with_capacity(self.raw.len());
        let mut octets = 0;
        for (index, field) in fields(self.header()).enumerate() {
            octets += field.raw.len();
            if !is_meant(index, &field) {
                raw.extend_from_slice(field.raw);
            }
        }
        if raw.len() == octets {
            return;
        }
        raw.extend_from_slice(self.raw.get(octets..).unwrap_or_default());
        self.set(raw);
    }

    fn set(&mut self, raw: Vec<u8>) {
        self.raw = raw.into();
        self.header = header_octets(&self.raw);
        self.parts = OnceCell::new();
        self.is_edited = true;
        self.edits += 1;
    }

    /// RFC 5703 §5: a part, or with index 0 all of the message but its header, becomes this text; `mime`: it has fields of its own.
    pub(crate) fn replace(&mut self, index: usize, text: &str, mime: bool, subject: Option<&str>, from: Option<&str>) {
        let Some(flat) = self.parts().get(index) else { return };
        let (header, end) = (self.cut(&flat.part.header), flat.part.body.end);
        let (content, body) = entity(text, mime);
        let mut head = remove_fields(header, &CONTENT_FIELDS);
        trim_empty_line(&mut head);
        if index == 0 {
            for (name, value) in [("Subject", subject), ("From", from)] {
                if let Some(value) = value {
                    let old = fields(header).find(|field| field.is(name)).map(|field| field.value.to_vec());
                    head = remove_fields(&head, &[name]);
                    if let Some(old) = old {
                        head.extend_from_slice(format!("Original-{name}:").as_bytes());
                        head.extend_from_slice(&old);
                    }
                    head.extend_from_slice(write_field(name, value).as_bytes());
                }
            }
            head.extend_from_slice(b"MIME-Version: 1.0\r\n");
        }
        let mut raw = self.raw.get(..flat.part.header.start).unwrap_or_default().to_vec();
        raw.extend_from_slice(&head);
        raw.extend_from_slice(content.as_bytes());
        raw.extend_from_slice(b"\r\n");
        raw.extend_from_slice(body.as_bytes());
        raw.extend_from_slice(self.raw.get(end..).unwrap_or_default());
        self.set(raw);
    }

    /// RFC 5703 §6: the whole message becomes an attachment behind this text. Who wrote to whom and by what way is taken from it.
    pub(crate) fn enclose(&mut self, subject: Option<&str>, headers: &[String], text: &str) {
        const KEPT: [&str; 9] =
            ["Return-Path", "Received", "Delivered-To", "Date", "From", "To", "Cc", "Reply-To", "Message-ID"];
        let mut raw = Vec::with_capacity(self.raw.len() + text.len() + 1024);
        for field in fields(self.header()).filter(|field| KEPT.iter().any(|name| field.is(name))) {
            raw.extend_from_slice(field.raw);
        }
        match (subject, fields(self.header()).find(|field| field.is("Subject"))) {
            (Some(subject), _) => raw.extend_from_slice(write_field("Subject", subject).as_bytes()),
            (None, Some(field)) => raw.extend_from_slice(field.raw),
            (None, None) => {}
        }
        for line in headers {
            if let Some((name, value)) = line.split_once(':')
                && crate::compile::is_field_name(name.trim_end())
            {
                raw.extend_from_slice(write_field(name.trim_end(), value.trim()).as_bytes());
            }
        }
        let boundary = self.boundary();
        let mut put = |text: &str| raw.extend_from_slice(text.as_bytes());
        put("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"");
        put(&boundary);
        put(&format!("\"\r\n\r\n--{boundary}\r\n"));
        let (content, body) = entity(text, false);
        put(&content);
        put("\r\n");
        put(&body);
        put(&format!("\r\n--{boundary}\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"));
        raw.extend_from_slice(&self.raw);
        raw.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        self.set(raw);
    }

    /// One that doesn't stand in the message.
    fn boundary(&self) -> String {
        let mut number = self.raw.len();
        loop {
            let boundary = format!("=_enclosed-{number}");
            if memchr::memmem::find(&self.raw, boundary.as_bytes()).is_none() {
                return boundary;
            }
            number += 1;
        }
    }
}

fn flatten(part: &Part, flat: &mut Vec<FlatPart>) {
    let index = flat.len();
    let content = match &part.content {
        Content::Leaf => Content::Leaf,
        Content::Multipart(_) | Content::Message(_) => Content::Multipart(Vec::new()),
    };
    let alone = Part {
        content,
        content_type: part.content_type.clone(),
        header: part.header.clone(),
        body: part.body.clone(),
        ..*part
    };
    flat.push(FlatPart { part: alone, end: 0, is_message: part.message().is_some() });
    for child in part.children() {
        flatten(child, flat);
    }
    let end = flat.len();
    if let Some(own) = flat.get_mut(index) {
        own.end = end;
    }
}

/// Takes the empty line at a header's end away, and ends an unfinished line.
fn trim_empty_line(header: &mut Vec<u8>) {
    let fields_end: usize = fields(header).map(|field| field.raw.len()).sum();
    header.truncate(fields_end);
    if !matches!(header.last(), None | Some(b'\n')) {
        header.extend_from_slice(b"\r\n");
    }
}

/// The fields that say what a text is, and the text itself.
pub(crate) fn entity(text: &str, mime: bool) -> (String, String) {
    if mime {
        let octets = header_octets(text.as_bytes());
        let (header, body) = text.split_at_checked(octets).unwrap_or((text, ""));
        let mut header = header.trim_end_matches(['\r', '\n']).to_owned();
        if !header.is_empty() {
            header.push_str("\r\n");
        }
        return (header, body.to_owned());
    }
    let encoding = if text.is_ascii() { "7bit" } else { "8bit" };
    let header = format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n");
    (header, text.to_owned())
}

/// A field on lines of at most 78 characters where its words allow it; what isn't ASCII becomes encoded words.
pub(crate) fn write_field(name: &str, value: &str) -> String {
    let mut field = format!("{name}:");
    let value = value.replace("\r\n", " ");
    let encoded = unstructured(&value);
    if !value.is_ascii() {
        return format!("{field} {encoded}\r\n");
    }
    let mut line = field.len();
    for word in encoded.split(' ') {
        if line + 1 + word.len() > 78 && line > name.len() + 1 && !word.is_empty() {
            field.push_str("\r\n");
            line = 0;
        }
        field.push(' ');
        field.push_str(word);
        line += 1 + word.len();
    }
    field.push_str("\r\n");
    field
}

/// A field's value as people read it, on one line, without blanks around it (RFC 5228 §2.4.2.2, §5.7).
pub(crate) fn value_of(field: &Field<'_>) -> String {
    decode_header_value(field.value).trim().to_owned()
}

/// The Content-Type and Content-Disposition of a header, for `:param` and the like.
pub(crate) fn content_type(field: &Field<'_>) -> Option<ContentType> {
    ContentType::read(&field.unfolded())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "Received: x\r\nSubject: old\r\nFrom: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         pro\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: image/png\r\n\r\ntwo\r\n--b--\r\nepi\r\n";

    fn letter() -> Letter {
        Letter::new(MESSAGE.as_bytes().into())
    }

    fn text(letter: &Letter) -> String {
        String::from_utf8_lossy(letter.raw()).into_owned()
    }

    #[test]
    fn parts_stand_in_a_row() {
        let letter = letter();
        let ends: Vec<_> = letter.parts().iter().map(|part| part.end).collect();
        assert_eq!(ends, [3, 2, 3]);
        assert_eq!(letter.text(1).as_deref(), Some("one"));
        assert_eq!(letter.text(2), None);
        assert_eq!(letter.content(0), ["pro\r\n--b\r\n", "\r\n--b--\r\nepi\r\n"]);
    }

    #[test]
    fn fields_come_and_go() {
        let mut letter = letter();
        letter.add_field("X-A", "Jörg", false);
        letter.add_field("X-B", &"word ".repeat(30), true);
        letter.delete_fields(|_, field| field.is("Subject"));
        let text = text(&letter);
        assert!(text.starts_with("X-A: =?utf-8?B?SsO2cmc=?=\r\nReceived: x\r\nFrom:"), "{text}");
        assert!(text.contains("boundary=b\r\nX-B: word word"), "{text}");
        assert!(text.split("\r\n").all(|line| line.len() <= 78), "{text}");
        assert!(letter.is_edited);
    }

    #[test]
    fn a_part_is_replaced() {
        let mut letter = letter();
        letter.replace(2, "gone", false, None, None);
        assert!(text(&letter).contains(
            "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\ngone\r\n--b--"
        ));
        letter.replace(0, "all", false, Some("new"), None);
        assert_eq!(
            text(&letter),
            "Received: x\r\nFrom: a@x.example\r\nOriginal-Subject: old\r\nSubject: new\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nall"
        );
    }

    #[test]
    fn a_message_is_enclosed() {
        let mut letter = letter();
        letter.enclose(Some("Careful"), &["X-Why: virus".to_owned(), "bad".to_owned()], "look");
        assert!(
            text(&letter)
                .starts_with("Received: x\r\nFrom: a@x.example\r\nSubject: Careful\r\nX-Why: virus\r\nMIME-Version")
        );
        assert_eq!(letter.parts().len(), 6);
        assert_eq!(letter.text(1).as_deref(), Some("look"));
        assert_eq!(letter.kind(2), ("message".into(), "rfc822".into()));
    }
}
