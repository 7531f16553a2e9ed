//! Adding many people from CSV: looked at first, then done; a report says what came of each line.

use askama::Template;
use axum::extract::State;
use relais_service::{Password, PeopleImported};

use crate::kit::{Admin, Complaints, Frame, Oops, Routes, Upload, again, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::PEOPLE_IMPORT, form).upload(path::PEOPLE_IMPORT, import)
}

/// Lines that a report names, at most; the others are counted.
const MOST_TOLD: usize = 200;

#[derive(Debug, Template)]
#[template(path = "panel/people/import.html")]
struct ImportPage {
    frame: Frame,
    complaints: Complaints,
    /// As it was pasted or sent: the second step needs it again.
    csv: String,
    report: Option<Report>,
}

#[derive(Debug)]
struct Report {
    is_dry_run: bool,
    /// `info`, or `ok` where it is done.
    kind: &'static str,
    /// How many were, or would be, added; none: zero.
    added: Option<String>,
    names: Vec<String>,
    more_names: String,
    refused_count: String,
    refused: Vec<Refused>,
    more_refused: String,
}

#[derive(Debug)]
struct Refused {
    line: String,
    address: String,
    why: String,
}

impl Report {
    fn of(frame: &Frame, imported: &PeopleImported) -> Self {
        let count = |id: &str, number: usize| frame.count(id, u64::try_from(number).unwrap_or(u64::MAX));
        let more = |number: usize| {
            let rest = number.saturating_sub(MOST_TOLD);
            if rest == 0 { String::new() } else { count("import-more", rest) }
        };
        let (added, refused) = (&imported.added, &imported.refused);
        let said = if imported.is_dry_run { "import-would-add" } else { "import-added" };
        let why = |complaints: &[relais_service::Complaint]| {
            complaints.iter().map(|complaint| frame.tell(&complaint.why)).collect::<Vec<_>>().join(" ")
        };
        Self {
            is_dry_run: imported.is_dry_run,
            kind: if imported.is_dry_run { "info" } else { "ok" },
            added: (!added.is_empty()).then(|| count(said, added.len())),
            names: added.iter().take(MOST_TOLD).cloned().collect(),
            more_names: more(added.len()),
            refused_count: if refused.is_empty() { String::new() } else { count("import-refused", refused.len()) },
            refused: refused
                .iter()
                .take(MOST_TOLD)
                .map(|line| Refused {
                    line: frame.number(line.line),
                    address: line.address.clone(),
                    why: why(&line.complaints),
                })
                .collect(),
            more_refused: more(refused.len()),
        }
    }
}

async fn form(admin: Admin, State(web): State<Web>) -> Oops {
    // Asked before anything is pasted, which would be lost on the way.
    admin.actor.require_proof()?;
    let page =
        ImportPage { frame: admin.frame(&web), complaints: Complaints::default(), csv: String::new(), report: None };
    Ok(shown(&page))
}

async fn import(admin: Admin, State(web): State<Web>, mut upload: Upload) -> Oops {
    let (file, pasted, act) = (upload.take("file"), upload.take("csv"), upload.take("act"));
    let csv = if file.is_empty() { pasted } else { file };
    let is_dry_run = act != "import";
    let frame = admin.frame(&web);
    match web.service().people.import(&admin.actor, Password::new(csv.as_str()), is_dry_run).await {
        Ok(imported) => {
            let report = Some(Report::of(&frame, &imported));
            // What was done is not to be done again.
            let csv = if is_dry_run { csv } else { String::new() };
            Ok(shown(&ImportPage { frame, complaints: Complaints::default(), csv, report }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&ImportPage { frame, complaints, csv, report: None }))
        }
    }
}

#[cfg(test)]
mod tests {
    use relais_service::{Complaint, PersonRefused, Text};

    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn reports_are_drawn() {
        let refused = PersonRefused {
            line: 3,
            address: "a b".to_owned(),
            complaints: vec![Complaint { field: "hash", why: Text::new("failure-csv-hash") }],
        };
        let many = PeopleImported {
            is_dry_run: true,
            added: vec!["ann@example.org".to_owned(); MOST_TOLD + 1],
            refused: vec![refused; MOST_TOLD + 3],
        };
        let done = PeopleImported { is_dry_run: false, added: vec!["ann@example.org".to_owned()], refused: Vec::new() };
        draw(|frame| {
            let page = |report: Option<&PeopleImported>| ImportPage {
                report: report.map(|imported| Report::of(&frame, imported)),
                frame: frame.clone(),
                complaints: Complaints::default(),
                csv: "address\n</textarea>".to_owned(),
            };
            vec![page(None), page(Some(&many)), page(Some(&done)), page(Some(&PeopleImported::default()))]
        });
    }
}
