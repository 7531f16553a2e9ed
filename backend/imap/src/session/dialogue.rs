//! The commands that the machine carries out by itself: they change how the dialogue goes on.

use super::inbox::Line;
use super::{Enabled, Mode, Session, Step, plain_refusal};
use crate::capability::Hidden;
use crate::command::{Dialogue, State, Tag};
use crate::language::Language;
use crate::response::{self, ResponseCode, Status};

impl Session {
    pub(super) fn converse(&mut self, out: &mut Vec<u8>, tag: Tag, dialogue: Dialogue) -> Option<Step> {
        match dialogue {
            Dialogue::Capability => {
                response::capability(out, &self.capabilities());
                response::tagged(out, &tag, Status::Ok, None, self.say("That is what I can do"));
            }
            Dialogue::Logout => {
                self.bye(out, None, "Until next time");
                response::tagged(out, &tag, Status::Ok, None, self.say("Logged out"));
            }
            Dialogue::StartTls => return self.start_tls(out, &tag),
            Dialogue::Login(login) => return self.login(out, tag, login),
            Dialogue::Authenticate(authenticate) => return self.authenticate(out, tag, &authenticate),
            Dialogue::Idle => {
                response::continuation(out, self.say("Idling"));
                self.mode = Mode::Idle(tag.clone());
                return Some(Step::Idle(tag));
            }
            Dialogue::Compress => return self.start_compression(out, &tag),
            Dialogue::JmapAccess => self.tell_jmap(out, &tag),
            Dialogue::Unauthenticate => return self.unauthenticate(out, tag),
        }
        None
    }

    pub(super) fn step_idle(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let line = self.inbox.take_line(self.line_limit());
        if matches!(line, Line::Missing) {
            return Some(Step::Read);
        }
        let Mode::Idle(tag) = std::mem::replace(&mut self.mode, Mode::Command) else { return None };
        match line {
            Line::Whole(line) if line.trim_ascii_end().eq_ignore_ascii_case(b"DONE") => Some(Step::IdleDone(tag)),
            line => {
                if matches!(line, Line::TooLong) {
                    self.mode = Mode::Swallow(0);
                }
                self.refuse(out, Some(&tag), &plain_refusal("DONE is expected here"));
                Some(Step::IdleBroken)
            }
        }
    }

    fn start_tls(&mut self, out: &mut Vec<u8>, tag: &Tag) -> Option<Step> {
        if self.is_tls || !self.config.starttls {
            self.refuse(out, Some(tag), &plain_refusal("STARTTLS is not possible here"));
            return None;
        }
        // What stands behind STARTTLS in the clear was perhaps put there by another: RFC 9051 §11.1, CVE-2011-0411.
        if !self.inbox.pending().is_empty() {
            let text = self.say("Nothing may follow STARTTLS before the handshake");
            response::tagged(out, tag, Status::Bad, None, text);
            self.bye(out, None, "Please connect again");
            return None;
        }
        response::tagged(out, tag, Status::Ok, None, self.say("Begin the TLS handshake"));
        self.mode = Mode::Handshake;
        self.inbox.tidy();
        Some(Step::StartTls)
    }

    /// RFC 9698 §4: BAD, where no JMAP server is known.
    fn tell_jmap(&mut self, out: &mut Vec<u8>, tag: &Tag) {
        let Some(url) = &self.config.jmap else {
            self.refuse(out, Some(tag), &plain_refusal("Unknown command"));
            return;
        };
        response::jmap_access(out, url);
        response::tagged(out, tag, Status::Ok, None, self.say("That is where JMAP is spoken"));
    }

    /// RFC 8437: all but TLS begins anew.
    fn unauthenticate(&mut self, out: &mut Vec<u8>, tag: Tag) -> Option<Step> {
        if !self.config.unauthenticate {
            self.refuse(out, Some(&tag), &plain_refusal("Unknown command"));
            return None;
        }
        if self.is_compressed {
            // §3: who cannot reset a connection hangs up. What the client sends next may stand in the inflater already.
            self.bye(out, None, "A compressed connection cannot begin anew; please connect again");
            return None;
        }
        self.state = State::NotAuthenticated;
        self.hidden = Hidden::default();
        self.enabled = Enabled::default();
        self.language = Language::default();
        self.bad_commands = 0;
        Some(Step::Unauthenticate(tag))
    }

    fn start_compression(&mut self, out: &mut Vec<u8>, tag: &Tag) -> Option<Step> {
        if self.is_compressed {
            let code = ResponseCode::CompressionActive;
            response::tagged(out, tag, Status::No, Some(&code), self.say("DEFLATE is active already"));
            return None;
        }
        if !self.config.compress || !self.inbox.pending().is_empty() {
            self.refuse(out, Some(tag), &plain_refusal("Compression cannot begin here"));
            return None;
        }
        self.is_compressed = true;
        response::tagged(out, tag, Status::Ok, None, self.say("DEFLATE is active from here"));
        self.inbox.tidy();
        Some(Step::StartCompression)
    }
}
