//! Sieve scripts and rules: one's own, those of people whom one looks after, a domain's and the house's.
//!
//! Rules are a script, too: the one named [`RULES`], which is written from what a form shows and read back exactly. A script by hand is one that
//! can't be read so; where such a one is active, the rules aren't.

mod rules;
mod trying;

use relais_filing::script::{dialect, limits};
use relais_model::Domain;
use relais_sieve::rules::Rules;
use relais_sieve::{Fault, Place, Program};
use relais_store::{AccountKey, MAX_SCRIPTS, MAX_SCRIPTS_OCTETS, RuleScope, SieveEntry, SieveError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::failure::Complaint;
use crate::{Actor, Failure, Moment, Role, Service, Text};

pub use rules::{AbsenceForm, ActForm, ConditionForm, RuleForm, RuleSet};
pub use trying::{TRIED_MESSAGES, TriedAct, TriedMessage, TriedRules};

/// The name of the script that a form writes.
pub const RULES: &str = "rules";
/// Faults that are told of one script.
const FAULTS_TOLD: usize = 20;
/// Octets of a name (RFC 5804 §1.6 asks for 512 at least).
const NAME_OCTETS: usize = 512;

/// Whose scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptsOf<'a> {
    /// One's own.
    Mine,
    /// Those of a person: for who manages their domain.
    Person(&'a str),
    /// A domain's: for who manages it. `before` and `after` run around people's own.
    Domain(&'a str),
    /// The house's: for its owner. They run around the domains'.
    House,
}

/// A script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScriptView {
    /// Its name.
    #[schema(example = "rules")]
    pub name: String,
    /// Its size.
    pub octets: u64,
    /// It runs over mail that comes.
    pub is_active: bool,
    /// Since when it is as it is.
    pub changed_at: Moment,
}

/// A script with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScriptText {
    /// Its name.
    pub name: String,
    /// Sieve (RFC 5228).
    pub script: String,
    /// It runs over mail that comes.
    pub is_active: bool,
    /// It is a set of rules, that the form shows; else it was written by hand.
    pub is_rules: bool,
}

/// A script that is to be kept or looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptForm {
    /// Sieve (RFC 5228).
    #[schema(example = "require \"fileinto\"; if header :contains \"subject\" \"[team]\" { fileinto \"Team\"; }")]
    pub script: String,
}

/// A fault of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScriptFault {
    /// From one.
    pub line: u32,
    /// From one, in characters.
    pub column: u32,
    /// What is wrong.
    pub what: Text,
    /// What to do.
    pub advice: Option<Text>,
    /// Of an included script: its name.
    pub script: Option<String>,
}

/// One's own rules, and what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnRules {
    /// The rules; they hold where `is_active`.
    pub set: RuleSet,
    /// They are what runs.
    pub is_active: bool,
    /// A script by hand runs in their stead: its name.
    pub by_hand: Option<String>,
}

impl OwnRules {
    /// Changes with them: who changes rules as they were read says as which.
    pub fn mark(&self) -> String {
        let told = serde_json::to_vec(self).unwrap_or_default();
        blake3::hash(&told).to_hex().chars().take(16).collect()
    }
}

impl Service {
    /// All scripts, by name.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn scripts(&self, by: &Actor, of: ScriptsOf<'_>) -> Result<Vec<ScriptView>, Failure> {
        let scope = self.script_scope(by, of).await?;
        let is_of_account = matches!(scope, RuleScope::Account(_));
        let view = |one: SieveEntry| ScriptView {
            is_active: if is_of_account { one.is_active } else { runs_by_name(&one.name) },
            name: one.name,
            octets: one.octets,
            changed_at: one.changed_at.into(),
        };
        Ok(self.store.sieve_scripts(scope).await?.into_iter().map(view).collect())
    }

    /// One script.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn script(&self, by: &Actor, of: ScriptsOf<'_>, name: &str) -> Result<ScriptText, Failure> {
        let scope = self.script_scope(by, of).await?;
        let script = self.store.sieve_script(scope, name).await?.ok_or_else(|| absent(name))?;
        let is_active =
            if matches!(scope, RuleScope::Account(_)) { script.is_active } else { runs_by_name(&script.name) };
        let is_rules = Rules::read(&script.text).is_some();
        Ok(ScriptText { is_rules, is_active, name: script.name, script: script.text.to_string() })
    }

    /// Keeps a script, in place of one that has the name.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `name` or `script`, with each fault; [`Failure::Clash`] where there are too many; [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn put_script(
        &self,
        by: &Actor,
        of: ScriptsOf<'_>,
        name: &str,
        script: &str,
    ) -> Result<ScriptText, Failure> {
        let scope = self.script_scope(by, of).await?;
        check_name(name)?;
        self.require_sound(scope, script).await?;
        self.store.put_sieve_script(&by.author(), scope, name, script).await.map_err(|error| refused(error, name))?;
        self.script(by, of, name).await
    }

    /// From now on the script of that name runs over mail that comes; none: none does.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`]; a domain's and the house's run by their names.
    pub async fn activate_script(&self, by: &Actor, of: ScriptsOf<'_>, name: Option<&str>) -> Result<(), Failure> {
        let account = self.script_account(by, of).await?;
        let done = self.store.activate_sieve_script(&by.author(), account, name).await;
        done.map_err(|error| refused(error, name.unwrap_or_default()))
    }

    /// Removes a script.
    ///
    /// # Errors
    /// [`Failure::Clash`] where it is active; [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn remove_script(&self, by: &Actor, of: ScriptsOf<'_>, name: &str) -> Result<(), Failure> {
        let scope = self.script_scope(by, of).await?;
        let done = self.store.remove_sieve_script(&by.author(), scope, name).await;
        done.map_err(|error| refused(error, name))
    }

    /// What is wrong with a script, were it of that scope; empty: nothing is.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn check_script(&self, by: &Actor, of: ScriptsOf<'_>, script: &str) -> Result<Vec<ScriptFault>, Failure> {
        let scope = self.script_scope(by, of).await?;
        self.faults(scope, script).await
    }

    /// One's own rules.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn own_rules(&self, me: &Actor) -> Result<OwnRules, Failure> {
        let account = me.own()?.0;
        let active = self.store.active_sieve_script(account).await?;
        if let Some(active) = &active {
            match Rules::read(&active.text) {
                Some(rules) => return Ok(OwnRules { set: rules.into(), is_active: true, by_hand: None }),
                None if active.name == RULES => {
                    return Ok(OwnRules {
                        set: RuleSet::default(),
                        is_active: false,
                        by_hand: Some(active.name.clone()),
                    });
                }
                None => {}
            }
        }
        let kept = self.store.sieve_script(RuleScope::Account(account), RULES).await?;
        let rules = kept.and_then(|kept| Rules::read(&kept.text)).unwrap_or_default();
        Ok(OwnRules { set: rules.into(), is_active: false, by_hand: active.map(|active| active.name) })
    }

    /// Keeps one's own rules, and puts them to use. A script by hand that ran is kept, and runs no more; one that is named as the rules are gets
    /// another name.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on what was typed; [`Failure::Stale`] where they are others than those of `mark`; [`Failure::Absent`] for the command line.
    pub async fn save_rules(&self, me: &Actor, set: &RuleSet, mark: Option<&str>) -> Result<OwnRules, Failure> {
        let account = me.own()?.0;
        if let Some(mark) = mark
            && self.own_rules(me).await?.mark() != mark
        {
            return Err(Failure::stale());
        }
        let (scope, author, text) = (RuleScope::Account(account), me.author(), script_of(set)?);
        let active = self.store.active_sieve_script(account).await?;
        let name = active.filter(|active| Rules::read(&active.text).is_some()).map(|active| active.name);
        let name = name.unwrap_or_else(|| RULES.to_owned());
        if let Some(old) = self.store.sieve_script(scope, &name).await?
            && Rules::read(&old.text).is_none()
        {
            let aside = format!("{name} {}", Moment::from(self.store.now()));
            let done = self.store.rename_sieve_script(&author, scope, &name, &aside).await;
            done.map_err(|error| refused(error, &name))?;
        }
        let done = self.store.put_sieve_script(&author, scope, &name, &text).await;
        done.map_err(|error| refused(error, &name))?;
        let done = self.store.activate_sieve_script(&author, account, Some(&name)).await;
        done.map_err(|error| refused(error, &name))?;
        self.own_rules(me).await
    }

    async fn script_scope(&self, by: &Actor, of: ScriptsOf<'_>) -> Result<RuleScope, Failure> {
        Ok(match of {
            ScriptsOf::Domain(name) => {
                by.require(Role::DomainAdmin)?;
                let unknown = || Failure::Absent(Text::new("failure-unknown-domain").with("domain", name));
                let domain = Domain::parse(name).map_err(|_| unknown())?;
                by.require_reach(&domain)?;
                RuleScope::Domain(self.store.domain_key(&domain).await?.ok_or_else(unknown)?)
            }
            ScriptsOf::House => {
                by.require(Role::Owner)?;
                RuleScope::House
            }
            ScriptsOf::Mine | ScriptsOf::Person(_) => RuleScope::Account(self.script_account(by, of).await?),
        })
    }

    async fn script_account(&self, by: &Actor, of: ScriptsOf<'_>) -> Result<AccountKey, Failure> {
        match of {
            ScriptsOf::Mine => Ok(by.own()?.0),
            ScriptsOf::Person(address) => {
                by.require(Role::DomainAdmin)?;
                let account = self.people.find(by, address).await?;
                by.require_power_over(&account)?;
                Ok(account.key)
            }
            ScriptsOf::Domain(_) | ScriptsOf::House => Err(Failure::clash(
                "",
                Text::new("script-runs-by-name").with("before", "before").with("after", "after"),
            )),
        }
    }

    async fn require_sound(&self, scope: RuleScope, script: &str) -> Result<(), Failure> {
        let faults = self.faults(scope, script).await?;
        if faults.is_empty() {
            return Ok(());
        }
        let complaints = faults.into_iter().flat_map(|fault| {
            let ScriptFault { line, column, what, advice, .. } = fault;
            let at = move |text: Text| text.with("line", u64::from(line)).with("column", u64::from(column));
            [Some(what), advice].into_iter().flatten().map(move |why| Complaint { field: "script", why: at(why) })
        });
        Err(Failure::Unfit(complaints.collect()))
    }

    /// A script with all that it includes. What it includes is read from the store first: checking itself waits for nothing.
    async fn faults(&self, scope: RuleScope, script: &str) -> Result<Vec<ScriptFault>, Failure> {
        let mut others = Vec::new();
        if script.contains("include") {
            for (place, of) in [(Place::Personal, scope), (Place::Global, RuleScope::House)] {
                for entry in self.store.sieve_scripts(of).await? {
                    if let Some(found) = self.store.sieve_script(of, &entry.name).await? {
                        others.push((place, found.name, found.text));
                    }
                }
            }
            if let RuleScope::Account(account) = scope
                && let Some(account) = self.store.account_by_key(account).await?
            {
                let of = RuleScope::Domain(account.domain);
                for entry in self.store.sieve_scripts(of).await? {
                    if let Some(found) = self.store.sieve_script(of, &entry.name).await? {
                        others.insert(0, (Place::Global, found.name, found.text));
                    }
                }
            }
        }
        let script = script.to_owned();
        let checked = tokio::task::spawn_blocking(move || {
            Program::compile_all(&script, &dialect(), limits(), &mut |place, name| {
                let found = others.iter().find(|(of, known, _)| *of == place && known == name);
                found.map(|(_, _, text)| text.to_string())
            })
        });
        let Ok(checked) = checked.await else { return Err(Failure::Failed) };
        let faults = checked.err().unwrap_or_default().into_iter().take(FAULTS_TOLD);
        Ok(faults
            .map(|(script, Fault { at, problem })| ScriptFault {
                line: at.line,
                column: at.column,
                what: problem.said().into(),
                advice: problem.advice().map(Into::into),
                script,
            })
            .collect())
    }
}

/// The script of a set, which is sound and reads back.
fn script_of(set: &RuleSet) -> Result<String, Failure> {
    let rules = set.read()?;
    let text = rules.write();
    let is_sound = Program::compile(&text, &dialect()).is_ok();
    // What reads back otherwise would be lost on the form.
    if is_sound && Rules::read(&text).as_ref() == Some(&rules) {
        return Ok(text);
    }
    Err(Failure::unfit("rules", Text::new("rules-unfit")))
}

fn runs_by_name(name: &str) -> bool {
    [relais_store::SCRIPT_BEFORE, relais_store::SCRIPT_AFTER].contains(&name)
}

/// RFC 5804 §1.6: no controls and no line ends.
fn check_name(name: &str) -> Result<(), Failure> {
    let is_bad = |letter: char| letter.is_control() || ('\u{2028}'..='\u{2029}').contains(&letter) || letter == '/';
    if name.trim().is_empty() || name.len() > NAME_OCTETS || name.chars().any(is_bad) {
        return Err(Failure::unfit("name", Text::new("script-bad-name")));
    }
    Ok(())
}

fn absent(name: &str) -> Failure {
    Failure::Absent(Text::new("script-absent").with("name", name))
}

fn refused(error: SieveError, name: &str) -> Failure {
    match error {
        SieveError::NotThere => absent(name),
        SieveError::Exists => Failure::clash("name", Text::new("script-exists").with("name", name)),
        SieveError::Active => Failure::clash("", Text::new("script-active").with("name", name)),
        SieveError::TooMany => Failure::clash("", Text::new("script-too-many").with("most", MAX_SCRIPTS)),
        SieveError::TooLarge => {
            Failure::unfit("script", Text::new("script-too-large").with("most", MAX_SCRIPTS_OCTETS / 1024 / 1024))
        }
        SieveError::Failed(error) => error.into(),
    }
}
