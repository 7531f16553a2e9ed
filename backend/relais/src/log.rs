//! Where the log goes: standard error, which journald keeps.

use anyhow::{Context as _, Result};
use tracing_subscriber::{EnvFilter, reload};

use crate::config::{Log, LogFormat};

/// Sets another level while the log is written.
pub(crate) type SetLevel = Box<dyn Fn(&str) -> Result<()> + Send>;

/// Starts to log. Once a process.
pub(crate) fn start(log: &Log) -> Result<SetLevel> {
    let builder = tracing_subscriber::fmt().with_env_filter(filter(&log.level)?).with_writer(std::io::stderr);
    let builder = builder.with_target(false);
    let (set_level, started) = match log.format {
        LogFormat::Text => {
            let builder = builder.with_ansi(false).with_filter_reloading();
            (setter(builder.reload_handle()), builder.try_init())
        }
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_filter_reloading();
            (setter(builder.reload_handle()), builder.try_init())
        }
    };
    started.map_err(|error| anyhow::anyhow!("logging is already started: {error}"))?;
    Ok(set_level)
}

/// What a level means.
pub(crate) fn filter(level: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(level).with_context(|| format!("[log] level = \"{level}\""))
}

fn setter<S: 'static>(handle: reload::Handle<EnvFilter, S>) -> SetLevel {
    Box::new(move |level| Ok(handle.reload(filter(level)?)?))
}
