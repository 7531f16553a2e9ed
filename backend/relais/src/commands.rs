//! Commands that ask the house something: words in, an act said, the answer shown.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use relais_model::{SystemClock, SystemRandom};
use relais_reception::Login;
use relais_service::{Act, Answer, Paging, Password, Selection, Service};

use crate::arguments::{
    AccountCommand, AliasCommand, AppPasswordCommand, DomainCommand, ListArguments, MessageCommand, QueueCommand,
    QueueSelection,
};
use crate::config::Config;
use crate::{control, server, show};

/// An act, and whether its answer is wanted as JSON.
pub(crate) struct Asked {
    act: Act,
    json: bool,
}

impl Asked {
    fn plain(act: Act) -> Self {
        Self { act, json: false }
    }

    fn list(list: ListArguments, act: impl FnOnce(Paging) -> Act) -> Self {
        Self { act: act(Paging { after: list.after, limit: list.limit }), json: list.json }
    }

    /// What is refused now.
    pub(crate) fn bans(json: bool) -> Self {
        Self { act: Act::Bans, json }
    }

    /// That what is refused isn't any more; none: nothing is.
    pub(crate) fn unban(target: Option<String>) -> Self {
        Self::plain(Act::Unban { target })
    }

    /// The check of the database.
    pub(crate) fn store_check() -> Self {
        Self::plain(Act::StoreCheck)
    }

    /// Says the act to the running server, or does it here where none runs, and shows the answer. False: something is wrong.
    pub(crate) async fn run(self, config: &Config) -> Result<bool> {
        let outcome = match control::say(&config.control_socket(), &self.act).await? {
            Some(outcome) => outcome,
            None => in_this_process(config, self.act).await?,
        };
        match outcome {
            Ok(answer) => {
                let is_clean = match &answer {
                    Answer::Findings(findings) => findings.is_empty(),
                    Answer::Imported(report) => report.refused.is_empty(),
                    _ => true,
                };
                show::answer(&answer, self.json)?;
                Ok(is_clean)
            }
            Err(failure) => bail!("{failure}"),
        }
    }
}

async fn in_this_process(config: &Config, act: Act) -> Result<Result<Answer, relais_service::ActFailure>> {
    let store = server::open_store(config, Arc::new(SystemClock)).await?;
    let login = Arc::new(Login::new(store.clone(), Arc::new(SystemClock), &SystemRandom));
    let outcome = Service::new(store.clone(), login).run(act).await;
    store.close().await;
    Ok(outcome)
}

impl DomainCommand {
    /// The act that is meant.
    pub(crate) fn asked(self) -> Asked {
        match self {
            Self::Add { domain, catch_all, postmaster } => {
                Asked::plain(Act::DomainAdd { domain, catch_all, postmaster })
            }
            Self::List(list) => Asked::list(list, |paging| Act::DomainList { paging }),
            Self::Remove { domain } => Asked::plain(Act::DomainRemove { domain }),
        }
    }
}

impl AccountCommand {
    /// The act that is meant; may ask for a password.
    pub(crate) fn asked(self) -> Result<Asked> {
        Ok(match self {
            Self::Add { address, name, quota } => {
                let password = read_password(&address)?;
                Asked::plain(Act::AccountAdd { address, name, password, quota_octets: quota })
            }
            Self::List(list) => Asked::list(list, |paging| Act::AccountList { paging }),
            Self::Passwd { address } => {
                let password = read_password(&address)?;
                Asked::plain(Act::AccountPassword { address, password })
            }
            Self::AppPassword(command) => command.asked(),
            Self::Remove { address, yes } => {
                if !yes {
                    bail!("this removes {address} with all their mail; say --yes if you mean it");
                }
                Asked::plain(Act::AccountRemove { address })
            }
            Self::Import { file } => Asked::plain(Act::AccountImport { csv: Password::new(read_file(&file)?) }),
        })
    }
}

impl AppPasswordCommand {
    fn asked(self) -> Asked {
        match self {
            Self::Add { address, name, protocols } => Asked::plain(Act::AppPasswordAdd { address, name, protocols }),
            Self::List { address, json } => Asked { act: Act::AppPasswordList { address }, json },
            Self::Remove { address, name } => Asked::plain(Act::AppPasswordRemove { address, name }),
        }
    }
}

impl AliasCommand {
    /// The act that is meant.
    pub(crate) fn asked(self) -> Asked {
        match self {
            Self::Add { address, targets } => Asked::plain(Act::AliasAdd { address, targets }),
            Self::List(list) => Asked::list(list, |paging| Act::AliasList { paging }),
            Self::Remove { address } => Asked::plain(Act::AliasRemove { address }),
        }
    }
}

impl QueueSelection {
    fn selection(self) -> Result<Selection> {
        match self {
            Self { all: true, .. } => Ok(Selection::All),
            Self { destination: Some(domain), .. } => Ok(Selection::Destination(domain)),
            Self { ids, .. } if !ids.is_empty() => Ok(Selection::Ids(ids)),
            _ => bail!("name what is meant: ids as `relais queue list` shows them, --destination DOMAIN, or --all"),
        }
    }
}

impl QueueCommand {
    /// The act that is meant.
    pub(crate) fn asked(self) -> Result<Asked> {
        Ok(match self {
            Self::List { list, destination, sender } => {
                Asked::list(list, |paging| Act::QueueList { paging, destination, sender })
            }
            Self::Show { id, json } => Asked { act: Act::QueueShow { id }, json },
            Self::Retry(which) => Asked::plain(Act::QueueRetry { selection: which.selection()? }),
            Self::Hold(which) => Asked::plain(Act::QueueHold { selection: which.selection()? }),
            Self::Release(which) => Asked::plain(Act::QueueRelease { selection: which.selection()? }),
            Self::Remove(which) => Asked::plain(Act::QueueRemove { selection: which.selection()? }),
        })
    }
}

impl MessageCommand {
    /// The act that is meant.
    pub(crate) fn asked(self) -> Asked {
        let Self::Trace { wanted, list } = self;
        Asked::list(list, |paging| Act::MessageTrace { wanted, paging })
    }
}

/// From a prompt, twice, where a person sits there; else the first line of standard input.
fn read_password(address: &str) -> Result<Password> {
    if !std::io::stdin().is_terminal() {
        let mut text = String::new();
        std::io::stdin().read_line(&mut text).context("cannot read the password from standard input")?;
        return Ok(Password::new(text.trim_end_matches(['\r', '\n'])));
    }
    let first = rpassword::prompt_password(format!("New password for {address}: "))?;
    if rpassword::prompt_password("Again: ")? != first {
        bail!("the two passwords are not the same");
    }
    Ok(Password::new(first))
}

fn read_file(path: &Path) -> Result<String> {
    if path.as_os_str() != "-" {
        return std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
