//! What programs that aren't ours say of a message: ClamAV ([`clamd`]), rspamd ([`rspamd`]) and milters ([`milter`]).
//!
//! ```text
//! Letter ─> Filters::ask ─┬─> clamd   INSTREAM ──┐
//!                         ├─> rspamd  /checkv2 ──┼─> Found: what each said, how long it took
//!                         └─> milters, each ─────┘
//! ```
//! All are asked at once. What is done about it is decided by who asked; here nothing is refused.
//!
//! Invariants: a filter has so long, and no longer, whatever it does; at most [`MOST_AT_ONCE`] messages are before one filter; one that
//! was down a moment ago is not waited for (see `standing`). What a filter says is read within named limits; its words are made fit
//! for a header field and an SMTP reply where they are read. Passwords don't print.
//!
//! A new filter is a module with a `check`, a variant of [`Filter`] and of [`Kind`], and its [`Finding`].

mod changes;
pub mod clamd;
mod connection;
mod finding;
mod letter;
pub mod milter;
pub mod rspamd;
mod said;
mod standing;

pub use changes::{Change, change};
pub use finding::{Action, Answered, Finding, Found, Rating, Symbol, Trouble};
pub use letter::{Letter, fields};
pub use said::Reason;
pub use standing::{MOST_AT_ONCE, State};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use relais_model::{Clock, Endpoint, Secret};
use tokio::time::{Instant, timeout, timeout_at};

use self::connection::connect;
use self::standing::Standing;

/// Filters whose state is remembered: far more than anybody sets.
const MOST_KNOWN: usize = 64;
/// To say that it is there, a filter has so long: somebody waits for the page.
const LOOK: Duration = Duration::from_secs(3);

/// The kinds of filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// ClamAV's daemon.
    Clamd,
    /// rspamd's worker for scanning.
    Rspamd,
    /// Any program that speaks Sendmail's protocol for filters.
    Milter,
}

impl Kind {
    /// As header fields, metrics and the API name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clamd => "clamav",
            Self::Rspamd => "rspamd",
            Self::Milter => "milter",
        }
    }

    /// As people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Clamd => "ClamAV",
            Self::Rspamd => "rspamd",
            Self::Milter => "milter",
        }
    }
}

/// A filter, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// ClamAV's daemon.
    Clamd(Endpoint),
    /// rspamd's worker for scanning, and its password; an empty one isn't said.
    Rspamd(Endpoint, Secret),
    /// A milter.
    Milter(Endpoint),
}

impl Filter {
    /// Of which kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Clamd(_) => Kind::Clamd,
            Self::Rspamd(..) => Kind::Rspamd,
            Self::Milter(_) => Kind::Milter,
        }
    }

    /// Where.
    pub const fn at(&self) -> &Endpoint {
        match self {
            Self::Clamd(at) | Self::Rspamd(at, _) | Self::Milter(at) => at,
        }
    }
}

/// What holds for all filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Each has so long for a message, from its connection to its last word.
    pub patience: Duration,
    /// Larger messages are shown to none.
    pub most_octets: u64,
}

/// The room: it remembers how each filter does.
#[derive(Debug)]
pub struct Filters {
    standings: Mutex<HashMap<(Kind, Endpoint), Arc<Standing>>>,
    clock: Arc<dyn Clock>,
}

impl Filters {
    /// Nobody was asked yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { standings: Mutex::default(), clock }
    }

    /// Asks each of `filters` about a message, all at once; the answers stand in their order.
    pub async fn ask(&self, filters: &[Filter], terms: Terms, letter: &Letter<'_>) -> Found {
        let answers = filters.iter().map(|filter| self.ask_one(filter, terms, letter));
        Found { answers: join_all(answers).await }
    }

    async fn ask_one(&self, filter: &Filter, terms: Terms, letter: &Letter<'_>) -> Answered {
        let began = Instant::now();
        let finding = if u64::try_from(letter.message.len()).unwrap_or(u64::MAX) > terms.most_octets {
            Finding::TooLarge { most_octets: Some(terms.most_octets) }
        } else {
            self.in_time(filter, began + terms.patience, letter).await.unwrap_or_else(Finding::Down)
        };
        Answered { kind: filter.kind(), at: filter.at().clone(), finding, took: began.elapsed() }
    }

    async fn in_time(&self, filter: &Filter, until: Instant, letter: &Letter<'_>) -> Result<Finding, Trouble> {
        let standing = self.standing(filter);
        standing.admit(Instant::now())?;
        let began = Instant::now();
        let found = match timeout_at(until, standing.permits.acquire()).await {
            // Also where its turn comes as its time ends.
            Ok(_) if until <= Instant::now() => Err(Trouble::Busy),
            Err(_elapsed) => Err(Trouble::Busy),
            Ok(_turn) => timeout_at(until, exchange(filter, letter)).await.unwrap_or(Err(Trouble::Silent)),
        };
        standing.note(found.as_ref().err(), began.elapsed(), self.clock.now());
        found
    }

    /// How each of `filters` does: each is asked now whether it is there, and for its version where it has one.
    pub async fn look(&self, filters: &[Filter]) -> Vec<State> {
        join_all(filters.iter().map(|filter| async {
            let found = timeout(LOOK, greet(filter)).await.unwrap_or(Err(Trouble::Silent));
            let standing = self.standing(filter);
            standing.saw(found, self.clock.now());
            standing.state(filter)
        }))
        .await
    }

    fn standing(&self, filter: &Filter) -> Arc<Standing> {
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (filter.kind(), filter.at().clone());
        if standings.len() >= MOST_KNOWN && !standings.contains_key(&key) {
            standings.clear();
        }
        Arc::clone(standings.entry(key).or_default())
    }
}

async fn exchange(filter: &Filter, letter: &Letter<'_>) -> Result<Finding, Trouble> {
    let stream = connect(filter.at()).await?;
    match filter {
        Filter::Clamd(_) => clamd::check(stream, letter.message).await,
        Filter::Rspamd(_, password) => rspamd::check(stream, password, letter).await,
        Filter::Milter(_) => milter::check(stream, letter).await,
    }
}

/// Whether it is there, and its version.
async fn greet(filter: &Filter) -> Result<Option<String>, Trouble> {
    let stream = connect(filter.at()).await?;
    match filter {
        Filter::Clamd(_) => clamd::version(stream).await.map(Some),
        Filter::Rspamd(..) => rspamd::version(stream).await,
        Filter::Milter(_) => milter::version(stream).await.map(Some),
    }
}

#[cfg(test)]
mod tests;
