//! For callers with commands of their own ([`crate::Dialect`]): those of a suite of tests, for example.

use std::sync::Arc;

use super::{Flow, Run, fill_host};
use crate::facts::{Answer, Facts, Question};
use crate::letter::Letter;
use crate::outcome::{Outcome, Why};
use crate::program::HostArgument;

impl Run {
    /// What the run knows; to give it another message use [`Run::set_message`].
    pub fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// The run's facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Goes on with another message.
    pub fn set_message(&mut self, message: Arc<[u8]>) {
        self.letter = Letter::new(Arc::clone(&message));
        self.facts.message = message;
    }

    /// What would come of it if the script ended here.
    pub fn so_far(&self) -> Outcome {
        self.outcome()
    }

    /// Forgets all that was to be done, as if the script began here.
    pub fn reset(&mut self) {
        self.actions.clear();
        self.seen.clear();
        self.is_implicit = true;
        self.flags = None;
        self.letter = Letter::new(Arc::clone(&self.facts.message));
    }

    /// Goes behind the innermost block of the caller's own, after a failure inside it. False where there is none.
    pub fn leave_block(&mut self) -> bool {
        let Some((frames, end)) = self.blocks.pop() else { return false };
        self.frames.truncate(frames);
        if let Some(frame) = self.frames.last_mut() {
            frame.loops.clear();
        }
        self.answered = None;
        self.work = 0;
        self.go(end);
        true
    }

    pub(super) fn host_block(
        &mut self,
        name: &'static str,
        arguments: &[HostArgument],
        end: usize,
    ) -> Result<Flow, Why> {
        match self.answered.take() {
            None => {
                let arguments = fill_host(self, arguments)?;
                Ok(Flow::Ask(Question::Host { name, arguments, is_end: false }))
            }
            Some(Answer::Is(true)) => {
                self.blocks.push((self.frames.len(), end));
                Ok(Flow::Next)
            }
            Some(_) => Ok(Flow::To(end)),
        }
    }

    pub(super) fn host_end(&mut self) -> Flow {
        if self.answered.take().is_none() {
            return Flow::Ask(Question::Host { name: "", arguments: Vec::new(), is_end: true });
        }
        self.blocks.pop();
        Flow::Next
    }

    pub(super) fn host_act(&mut self, name: &'static str, arguments: &[HostArgument]) -> Result<Flow, Why> {
        match self.answered.take() {
            None => {
                let arguments = fill_host(self, arguments)?;
                Ok(Flow::Ask(Question::Host { name, arguments, is_end: false }))
            }
            Some(Answer::Leave) if self.leave_block() => Ok(Flow::Stay),
            Some(_) => Ok(Flow::Next),
        }
    }
}
