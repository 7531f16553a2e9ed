//! Where the log goes: standard error, which journald keeps, and its last lines into memory for who looks from the panel.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use relais_model::{Clock as _, SystemClock};
use relais_service::{LogLevel, LogTail};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, reload};

use crate::config::{Log, LogFormat};

/// Sets another level while the log is written.
pub(crate) type SetLevel = Box<dyn Fn(&str) -> Result<()> + Send>;

/// The log of this process.
pub(crate) struct Logging {
    pub(crate) set_level: SetLevel,
    /// Its last lines.
    pub(crate) tail: Arc<LogTail>,
}

/// Starts to log. Once a process.
pub(crate) fn start(log: &Log) -> Result<Logging> {
    let tail = Arc::new(LogTail::default());
    let kept = Kept(Arc::clone(&tail));
    let builder = tracing_subscriber::fmt().with_env_filter(filter(&log.level)?).with_writer(std::io::stderr);
    let builder = builder.with_target(false);
    let (set_level, started) = match log.format {
        LogFormat::Text => {
            let builder = builder.with_ansi(false).with_filter_reloading();
            (setter(builder.reload_handle()), builder.finish().with(kept).try_init())
        }
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_filter_reloading();
            (setter(builder.reload_handle()), builder.finish().with(kept).try_init())
        }
    };
    started.map_err(|error| anyhow::anyhow!("logging is already started: {error}"))?;
    Ok(Logging { set_level, tail })
}

/// What a level means.
pub(crate) fn filter(level: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(level).with_context(|| format!("[log] level = \"{level}\""))
}

fn setter<S: 'static>(handle: reload::Handle<EnvFilter, S>) -> SetLevel {
    Box::new(move |level| Ok(handle.reload(filter(level)?)?))
}

/// Keeps the lines that are written; what the level leaves out doesn't come here either.
struct Kept(Arc<LogTail>);

impl<S: Subscriber> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            // A trace would push out in a second what people look for.
            Level::DEBUG => LogLevel::Debug,
            Level::TRACE => return,
        };
        let mut line = Line::default();
        event.record(&mut line);
        self.0.push(SystemClock.now(), level, &format!("{}{}", line.message, line.values));
    }
}

/// A line as it is read: what it says, then its values.
#[derive(Default)]
struct Line {
    message: String,
    values: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String never fails.
        let _written = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.values, " {name}={value:?}"),
        };
    }
}
