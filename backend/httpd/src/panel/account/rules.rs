//! One's own rules: what is done with mail as it comes, in plain words; being away; sending on; and the script that it comes to.

mod form;
mod sentence;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect};
use relais_service::{
    AbsenceForm, ActForm, Failure, OwnRules, RULES, RuleForm, RuleSet, ScriptFault, ScriptsOf, Text, TriedRules,
};
use serde::Deserialize;

use crate::kit::{Choice, Complaints, Form, Frame, Oops, Person, Routes, Time, again, done, shown};
use crate::{Web, path};

use form::{Fields, Line};

/// Messages of a trial that are listed.
const LISTED: usize = 100;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::OWN_RULES, show)
        .post(path::OWN_RULES, act)
        .post(path::OWN_RULES_TRY, try_all)
        .get(path::OWN_RULE, edit)
        .post(path::OWN_RULE, save)
        .get(path::OWN_ABSENCE, absence)
        .post(path::OWN_ABSENCE, save_absence)
        .get(path::OWN_FORWARDING, forwarding)
        .post(path::OWN_FORWARDING, save_forwarding)
        .get(path::OWN_SCRIPT, script)
        .post(path::OWN_SCRIPT, save_script)
}

#[derive(Debug, Template)]
#[template(path = "panel/account/rules.html")]
struct RulesPage {
    frame: Frame,
    tab: &'static str,
    /// A script by hand runs: its name.
    by_hand: Option<String>,
    /// There are rules, and they don't hold.
    is_off: bool,
    mark: String,
    absence: Option<String>,
    is_away: bool,
    forwarding: Option<String>,
    rows: Vec<Row>,
    tried: Option<Tried>,
}

#[derive(Debug)]
struct Row {
    at: usize,
    name: String,
    is_on: bool,
    when: String,
    then: Vec<String>,
    is_first: bool,
    is_last: bool,
}

/// What rules would have done.
#[derive(Debug)]
struct Tried {
    says: String,
    rows: Vec<TriedRow>,
}

#[derive(Debug)]
struct TriedRow {
    from: String,
    subject: String,
    at: Time,
    acts: String,
}

#[derive(Debug, Template)]
#[template(path = "panel/account/rule.html")]
struct RulePage {
    frame: Frame,
    complaints: Complaints,
    mark: String,
    at: String,
    name: String,
    any: bool,
    is_on: bool,
    stops: bool,
    conditions: Vec<ConditionLine>,
    acts: Vec<ActLine>,
    folders: Vec<String>,
    tried: Option<Tried>,
}

/// A line of the form that says what a message must be.
#[derive(Debug)]
struct ConditionLine {
    of: Vec<Choice>,
    how: Vec<Choice>,
    header: String,
    value: String,
    number: String,
}

/// A line that says what is done.
#[derive(Debug)]
struct ActLine {
    acts: Vec<Choice>,
    value: String,
    number: String,
}

#[derive(Debug, Template)]
#[template(path = "panel/account/absence.html")]
struct AbsencePage {
    frame: Frame,
    complaints: Complaints,
    form: AbsenceFields,
}

#[derive(Debug, Template)]
#[template(path = "panel/account/forwarding.html")]
struct ForwardingPage {
    frame: Frame,
    complaints: Complaints,
    form: ForwardingFields,
}

#[derive(Debug, Template)]
#[template(path = "panel/account/script.html")]
struct ScriptPage {
    frame: Frame,
    name: String,
    script: String,
    /// It was looked at, and nothing is wrong.
    is_sound: bool,
    faults: Vec<Fault>,
    tried: Option<Tried>,
}

/// What is wrong with a script, and the line that it stands in.
#[derive(Debug)]
struct Fault {
    place: String,
    what: String,
    advice: String,
    line: String,
}

/// Which rule is looked at; none: a new one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    at: Option<usize>,
}

/// What is done with a rule of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActFields {
    /// `up`, `down`, `switch` or `remove`.
    act: String,
    at: usize,
    mark: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct AbsenceFields {
    mark: String,
    is_on: Option<String>,
    from: String,
    until: String,
    subject: String,
    text: String,
    days: String,
    /// Parted by commas or blanks.
    addresses: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ForwardingFields {
    mark: String,
    is_on: Option<String>,
    to: String,
    keeps: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ScriptFields {
    script: String,
    /// `save`, `check` or `try`.
    r#do: String,
}

async fn show(person: Person, State(web): State<Web>) -> Oops {
    Ok(shown(&list(&person, &web, None).await?))
}

async fn try_all(person: Person, State(web): State<Web>, Form(ActFields { .. }): Form<ActFields>) -> Oops {
    let own = web.service().own_rules(&person.actor).await?;
    let tried = web.service().try_rules(&person.actor, &own.set).await?;
    Ok(shown(&list(&person, &web, Some(tried)).await?))
}

async fn list(person: &Person, web: &Web, tried: Option<TriedRules>) -> Result<RulesPage, Failure> {
    let frame = person.frame(web);
    let own = web.service().own_rules(&person.actor).await?;
    Ok(RulesPage::of(frame, own, tried))
}

impl RulesPage {
    fn of(frame: Frame, own: OwnRules, tried: Option<TriedRules>) -> Self {
        let mark = own.mark();
        let last = own.set.rules.len().saturating_sub(1);
        let row = |(at, rule): (usize, &RuleForm)| Row {
            at,
            name: rule.name.clone(),
            is_on: rule.is_on,
            when: sentence::when(&frame, rule),
            then: sentence::then(&frame, rule),
            is_first: at == 0,
            is_last: at == last,
        };
        let forwarding = forwarding_of(&own.set).and_then(|at| own.set.rules.get(at));
        Self {
            tab: "rules",
            mark,
            is_off: !own.is_active && own.by_hand.is_none() && own.set != RuleSet::default(),
            absence: own.set.absence.as_ref().map(|absence| sentence::absence(&frame, absence)),
            is_away: own.is_active && own.set.absence.as_ref().is_some_and(|absence| absence.is_on),
            forwarding: forwarding.filter(|rule| rule.is_on).map(|rule| sentence::then(&frame, rule).join(" ")),
            rows: own.set.rules.iter().enumerate().map(row).collect(),
            tried: tried.map(|tried| Tried::of(&frame, tried)),
            by_hand: own.by_hand,
            frame,
        }
    }
}

impl Tried {
    fn of(frame: &Frame, tried: TriedRules) -> Self {
        let says = Text::new("rules-tried").with("count", tried.looked_at).with("other", tried.messages.len());
        let rows = tried.messages.into_iter().take(LISTED).map(|message| TriedRow {
            acts: sentence::tried(frame, &message.acts),
            from: message.from,
            subject: message.subject,
            at: frame.time(message.at.0),
        });
        Self { says: frame.tell(&says), rows: rows.collect() }
    }
}

async fn act(person: Person, State(web): State<Web>, Form(fields): Form<ActFields>) -> Oops {
    let mut set = web.service().own_rules(&person.actor).await?.set;
    let (rules, at) = (&mut set.rules, fields.at);
    if at >= rules.len() {
        return Err(Failure::stale().into());
    }
    match fields.act.as_str() {
        "up" if at > 0 => rules.swap(at - 1, at),
        "down" if at + 1 < rules.len() => rules.swap(at, at + 1),
        "switch" => rules.iter_mut().skip(at).take(1).for_each(|rule| rule.is_on = !rule.is_on),
        "remove" => drop(rules.remove(at)),
        _ => {}
    }
    web.service().save_rules(&person.actor, &set, Some(&fields.mark)).await?;
    Ok(done(path::OWN_RULES, Text::new("rules-saved")))
}

async fn edit(person: Person, State(web): State<Web>, Query(which): Query<Which>) -> Oops {
    let own = web.service().own_rules(&person.actor).await?;
    let (rule, at) = match which.at {
        None => (RuleForm { is_on: true, ..RuleForm::default() }, String::new()),
        Some(at) => match own.set.rules.get(at) {
            Some(rule) => (rule.clone(), at.to_string()),
            None => return Ok(Redirect::to(path::OWN_RULES).into_response()),
        },
    };
    let fields = Fields::of(rule, at, own.mark());
    Ok(shown(&rule_page(&person, &web, fields, Complaints::default(), None).await?))
}

async fn rule_page(
    person: &Person,
    web: &Web,
    fields: Fields,
    complaints: Complaints,
    tried: Option<TriedRules>,
) -> Result<RulePage, Failure> {
    let frame = person.frame(web);
    let folders = web.service().mail.folders(&person.actor).await?;
    let folders = folders.into_iter().map(|folder| folder.name).collect();
    Ok(RulePage::of(frame, fields, complaints, folders, tried))
}

impl RulePage {
    fn of(
        frame: Frame,
        fields: Fields,
        complaints: Complaints,
        folders: Vec<String>,
        tried: Option<TriedRules>,
    ) -> Self {
        let number = |at: usize| (at + 1).to_string();
        let conditions = fields.condition_lines().into_iter().enumerate().map(|(at, line)| {
            let Line { of, header, how, value } = line;
            ConditionLine {
                of: form::choices(&frame, "rule-of", &form::OF, &of),
                how: form::choices(&frame, "rule-how", &form::HOW, &how),
                header,
                value,
                number: number(at),
            }
        });
        let conditions = conditions.collect();
        let acts = fields.act_lines().into_iter().enumerate().map(|(at, (act, value))| ActLine {
            acts: form::choices(&frame, "rule-act", &form::ACTS, &act),
            value,
            number: number(at),
        });
        let acts = acts.collect();
        Self {
            complaints,
            any: fields.any == "any",
            is_on: fields.is_on.is_some(),
            stops: fields.stops.is_some(),
            mark: fields.mark,
            at: fields.at,
            name: fields.name,
            conditions,
            acts,
            folders,
            tried: tried.map(|tried| Tried::of(&frame, tried)),
            frame,
        }
    }
}

async fn save(person: Person, State(web): State<Web>, Form(fields): Form<Fields>) -> Oops {
    let rule = fields.rule();
    if fields.r#do == "try" {
        let set = RuleSet { absence: None, rules: vec![RuleForm { is_on: true, ..rule }] };
        return match web.service().try_rules(&person.actor, &set).await {
            Ok(tried) => Ok(shown(&rule_page(&person, &web, fields, Complaints::default(), Some(tried)).await?)),
            Err(failure) => rule_again(&person, &web, fields, failure).await,
        };
    }
    let mut set = web.service().own_rules(&person.actor).await?.set;
    match fields.at.parse::<usize>().ok() {
        None => set.rules.push(rule),
        Some(at) => match set.rules.get_mut(at) {
            Some(old) => *old = rule,
            None => return Err(Failure::stale().into()),
        },
    }
    match web.service().save_rules(&person.actor, &set, Some(&fields.mark)).await {
        Ok(_) => Ok(done(path::OWN_RULES, Text::new("rules-saved"))),
        Err(failure) => rule_again(&person, &web, fields, failure).await,
    }
}

async fn rule_again(person: &Person, web: &Web, fields: Fields, failure: Failure) -> Oops {
    let complaints = Complaints::of(&person.frame(web), failure)?;
    Ok(again(&rule_page(person, web, fields, complaints, None).await?))
}

async fn absence(person: Person, State(web): State<Web>) -> Oops {
    let own = web.service().own_rules(&person.actor).await?;
    let mark = own.mark();
    let absence = own.set.absence.unwrap_or_default();
    let form = AbsenceFields {
        mark,
        is_on: (absence.is_on && own.is_active).then(String::new),
        from: absence.from.unwrap_or_default(),
        until: absence.until.unwrap_or_default(),
        subject: absence.subject.unwrap_or_default(),
        text: absence.text,
        days: absence.days.to_string(),
        addresses: absence.addresses.join(", "),
    };
    let (frame, complaints) = (person.frame(&web), Complaints::default());
    Ok(shown(&AbsencePage { frame, complaints, form }))
}

async fn save_absence(person: Person, State(web): State<Web>, Form(form): Form<AbsenceFields>) -> Oops {
    let typed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let addresses = form.addresses.split([',', ' ', '\n', '\r']).filter_map(typed).collect();
    let absence = AbsenceForm {
        is_on: form.is_on.is_some(),
        from: typed(&form.from),
        until: typed(&form.until),
        subject: typed(&form.subject),
        text: form.text.clone(),
        days: form.days.trim().parse().unwrap_or(0),
        addresses,
    };
    let is_nothing = !absence.is_on && absence.text.trim().is_empty();
    let mut set = web.service().own_rules(&person.actor).await?.set;
    set.absence = (!is_nothing).then_some(absence);
    match web.service().save_rules(&person.actor, &set, Some(&form.mark)).await {
        Ok(_) => Ok(done(path::OWN_RULES, Text::new("rules-saved"))),
        Err(failure) => {
            let frame = person.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&AbsencePage { frame, complaints, form }))
        }
    }
}

/// The rule that sends all on: the first without a condition that does nothing else.
fn forwarding_of(set: &RuleSet) -> Option<usize> {
    set.rules.iter().position(|rule| {
        let forwards = |act: &ActForm| act.act == "forward" || act.act == "forward_copy";
        rule.conditions.is_empty() && matches!(rule.acts.as_slice(), [only] if forwards(only))
    })
}

async fn forwarding(person: Person, State(web): State<Web>) -> Oops {
    let own = web.service().own_rules(&person.actor).await?;
    let rule = forwarding_of(&own.set).and_then(|at| own.set.rules.get(at));
    let act = rule.and_then(|rule| rule.acts.first());
    let form = ForwardingFields {
        mark: own.mark(),
        is_on: rule.filter(|rule| rule.is_on && own.is_active).map(|_| String::new()),
        to: act.map(|act| act.value.clone()).unwrap_or_default(),
        keeps: act.is_none_or(|act| act.act == "forward_copy").then(String::new),
    };
    let (frame, complaints) = (person.frame(&web), Complaints::default());
    Ok(shown(&ForwardingPage { frame, complaints, form }))
}

async fn save_forwarding(person: Person, State(web): State<Web>, Form(form): Form<ForwardingFields>) -> Oops {
    let frame = person.frame(&web);
    let mut set = web.service().own_rules(&person.actor).await?.set;
    let at = forwarding_of(&set);
    let act = if form.keeps.is_some() { "forward_copy" } else { "forward" };
    let rule = RuleForm {
        name: frame.say("rules-forwarding"),
        is_on: form.is_on.is_some(),
        acts: vec![ActForm { act: act.to_owned(), value: form.to.clone() }],
        ..RuleForm::default()
    };
    match (at.and_then(|at| set.rules.get_mut(at)), form.to.trim().is_empty()) {
        (Some(_), true) => drop(at.map(|at| set.rules.remove(at))),
        (Some(old), false) => *old = RuleForm { name: old.name.clone(), ..rule },
        (None, true) => {}
        // Behind all others: they may file, and stop.
        (None, false) => set.rules.push(rule),
    }
    match web.service().save_rules(&person.actor, &set, Some(&form.mark)).await {
        Ok(_) => Ok(done(path::OWN_RULES, Text::new("rules-saved"))),
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&ForwardingPage { frame, complaints, form }))
        }
    }
}

/// The script that runs, or the one of the rules.
async fn own_script(person: &Person, web: &Web) -> Result<(String, String), Failure> {
    let all = web.service().scripts(&person.actor, ScriptsOf::Mine).await?;
    let active = all.iter().find(|one| one.is_active).or_else(|| all.iter().find(|one| one.name == RULES));
    let Some(found) = active else { return Ok((RULES.to_owned(), String::new())) };
    let script = web.service().script(&person.actor, ScriptsOf::Mine, &found.name).await?;
    Ok((script.name, script.script))
}

async fn script(person: Person, State(web): State<Web>) -> Oops {
    let (name, script) = own_script(&person, &web).await?;
    let (frame, faults) = (person.frame(&web), Vec::new());
    Ok(shown(&ScriptPage { frame, name, script, is_sound: false, faults, tried: None }))
}

async fn save_script(person: Person, State(web): State<Web>, Form(fields): Form<ScriptFields>) -> Oops {
    let (frame, service, me) = (person.frame(&web), web.service(), &person.actor);
    let (name, _) = own_script(&person, &web).await?;
    let script = fields.script.replace("\r\n", "\n");
    let faults = service.check_script(me, ScriptsOf::Mine, &script).await?;
    let is_sound = faults.is_empty();
    let faults: Vec<_> = faults.into_iter().map(|fault| Fault::of(&frame, &script, fault)).collect();
    let mut page = ScriptPage { frame, name, script, is_sound, faults, tried: None };
    if !is_sound {
        return Ok(again(&page));
    }
    match fields.r#do.as_str() {
        "save" => {
            service.put_script(me, ScriptsOf::Mine, &page.name, &page.script).await?;
            service.activate_script(me, ScriptsOf::Mine, Some(&page.name)).await?;
            Ok(done(path::OWN_RULES, Text::new("rules-saved")))
        }
        "try" => {
            let tried = service.try_script(me, &page.script).await?;
            page.tried = Some(Tried::of(&page.frame, tried));
            Ok(shown(&page))
        }
        _ => Ok(shown(&page)),
    }
}

impl Fault {
    fn of(frame: &Frame, script: &str, fault: ScriptFault) -> Self {
        let at = usize::try_from(fault.line).unwrap_or(0).saturating_sub(1);
        let place =
            Text::new("script-place").with("line", u64::from(fault.line)).with("column", u64::from(fault.column));
        let line = script.lines().nth(at).filter(|_| fault.script.is_none()).unwrap_or_default();
        Self {
            place: frame.tell(&place),
            what: frame.tell(&fault.what),
            advice: fault.advice.map(|advice| frame.tell(&advice)).unwrap_or_default(),
            line: line.chars().take(200).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::{ConditionForm, Moment, TriedAct, TriedMessage};

    use super::*;
    use crate::kit::samples::draw;

    fn rule() -> RuleForm {
        let condition = |of: &str, how: &str, value: &str| ConditionForm {
            of: of.to_owned(),
            how: how.to_owned(),
            value: value.to_owned(),
            ..ConditionForm::default()
        };
        let act = |act: &str, value: &str| ActForm { act: act.to_owned(), value: value.to_owned() };
        RuleForm {
            name: "Chess".to_owned(),
            is_on: true,
            any: true,
            conditions: vec![
                condition("from", "contains", "chess"),
                condition("size", "larger", "100"),
                condition("attachment", "", ""),
            ],
            acts: vec![act("flag", "\\Seen"), act("move", "Lists/Chess"), act("forward_copy", "ann@friend.example")],
            stops: true,
        }
    }

    fn own() -> OwnRules {
        let absence =
            AbsenceForm { until: Some("2026-12-31".to_owned()), text: "Away.".to_owned(), ..AbsenceForm::default() };
        let set = RuleSet { absence: Some(absence), rules: vec![rule(), RuleForm { is_on: false, ..rule() }] };
        OwnRules { set, is_active: true, by_hand: None }
    }

    fn tried() -> TriedRules {
        let act = |act, what: &str| TriedAct { act, what: what.to_owned(), flags: vec!["\\Seen".to_owned()] };
        let message = TriedMessage {
            from: "Chess News <news@chess.example>".to_owned(),
            subject: "Issue 12".to_owned(),
            at: Moment(Timestamp::from_millis(1_795_428_540_000)),
            acts: vec![act("file", "Lists/Chess"), act("redirect", "ann@friend.example")],
        };
        let nothing = TriedMessage { acts: Vec::new(), ..message.clone() };
        TriedRules { looked_at: 500, kept: 498, messages: vec![message, nothing] }
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let none = OwnRules { set: RuleSet::default(), is_active: false, by_hand: Some("mine".to_owned()) };
            vec![RulesPage::of(frame.clone(), own(), Some(tried())), RulesPage::of(frame.clone(), none, None)]
        });
        draw(|frame: Frame| {
            let fields = Fields::of(rule(), "0".to_owned(), own().mark());
            let folders = vec!["INBOX".to_owned(), "Lists/Chess".to_owned()];
            vec![RulePage::of(frame, fields, Complaints::default(), folders, Some(tried()))]
        });
        draw(|frame: Frame| {
            let form = AbsenceFields { text: "Away.".to_owned(), days: "7".to_owned(), ..AbsenceFields::default() };
            vec![AbsencePage { frame, complaints: Complaints::default(), form }]
        });
        draw(|frame: Frame| {
            let form = ForwardingFields { to: "ann@friend.example".to_owned(), ..ForwardingFields::default() };
            vec![ForwardingPage { frame, complaints: Complaints::default(), form }]
        });
        draw(|frame: Frame| {
            let what = Text::new("sieve-unknown-command").with("name", "kep");
            let advice = Some(Text::new("sieve-hint-near").with("near", "keep"));
            let fault = ScriptFault { line: 1, column: 1, what, advice, script: None };
            let faults = vec![Fault::of(&frame, "kep;", fault)];
            let page = ScriptPage {
                frame,
                name: "mine".to_owned(),
                script: "kep;".to_owned(),
                is_sound: false,
                faults,
                tried: Some(Tried { says: String::new(), rows: Vec::new() }),
            };
            vec![page]
        });
    }
}
