//! What a sender is told at once of a message that was taken.

use relais_filing::notice::{About, Kind, Notice, RETURNED_OCTETS, Told};
use relais_model::Envelope;
use relais_store::{MessageKey, StoreError, TraceId};
use tokio::io::AsyncReadExt as _;
use tracing::warn;

use super::Reception;
use crate::outcome::{Line, Outcome};

impl Reception {
    /// Notices about what is known now. They are durable before the reply: if they can't be, the sender must send again, for a
    /// message that comes twice is better than one that is lost without a word.
    pub(super) async fn tell(
        &self,
        envelope: &Envelope,
        trace: &TraceId,
        outcomes: &[Outcome<'_>],
        has_reply: bool,
        message: Option<MessageKey>,
    ) -> Result<(), StoreError> {
        let lines: Vec<Line<'_>> = outcomes.iter().flat_map(|outcome| outcome.lines(has_reply)).collect();
        // RFC 5321 §4.5.5: nobody is told where nobody sent.
        let (Some(to), false) = (envelope.reverse_path.address(), lines.is_empty()) else { return Ok(()) };
        let raw = self.beginning(message).await?;
        let now = self.clock.now();
        let expires_at = now.plus(self.store.settings().queue_lifetime);
        let about = About {
            trace,
            envelope_id: envelope.envelope_id.as_ref(),
            ret: envelope.ret,
            require_tls: envelope.require_tls,
            arrived_at: now,
            expires_at,
            raw: &raw,
        };
        let mut notices = Vec::new();
        for kind in [Kind::Delivered, Kind::Expanded, Kind::Failed] {
            let told: Vec<Told<'_>> = lines.iter().filter(|line| line.kind == kind).map(told).collect();
            if !told.is_empty() {
                let notice = Notice { kind, about, to, told, now, expires_at };
                notices.extend(self.filing.notice(&notice, &*self.random).await?);
            }
        }
        self.store.accept_all(notices).await.map(drop)
    }

    /// What a notice returns of a message.
    async fn beginning(&self, message: Option<MessageKey>) -> Result<Vec<u8>, StoreError> {
        let mut octets = Vec::new();
        let Some(message) = message else { return Ok(octets) };
        if let Some(raw) = self.store.open_raw(message).await?
            && let Err(error) = raw.take(RETURNED_OCTETS + 1).read_to_end(&mut octets).await
        {
            warn!(%error, "a message can't be read to be returned");
        }
        Ok(octets)
    }
}

fn told<'a>(line: &'a Line<'_>) -> Told<'a> {
    let Line { recipient, original, reply, status, .. } = line;
    Told { recipient, original: original.as_ref(), status: *status, reply, remote: None }
}
