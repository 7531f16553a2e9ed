//! Answers for people, in columns, or for programs, as JSON.

use std::io::Write as _;

use anyhow::Result;
use relais_service::{
    AccountRow, AliasRow, Answer, AppPasswordRow, BanRow, DomainRow, ImportReport, QueueDetail, QueueRow, Rows,
    TraceRow,
};
use serde::Serialize;

/// Prints an answer.
pub(crate) fn answer(answer: &Answer, json: bool) -> Result<()> {
    let text = match answer {
        Answer::Done(text) => format!("{text}\n"),
        Answer::Touched(count) => format!("{count} recipients\n"),
        Answer::Domains(rows) => list(rows, json, &["DOMAIN", "PEOPLE", "ALIASES", "CATCH-ALL", "POSTMASTER"], domain)?,
        Answer::Accounts(rows) => list(rows, json, &["ADDRESS", "NAME", "MESSAGES", "USED", "QUOTA", ""], account)?,
        Answer::Aliases(rows) => list(rows, json, &["ALIAS", "LEADS TO"], alias)?,
        Answer::AppPassword(made) => format!("{}\n", made.expose()),
        Answer::AppPasswords(rows) => list(rows, json, &["NAME", "FOR", "MADE", "LAST USED", "FROM"], app_password)?,
        Answer::Bans(rows) => list(rows, json, &["WHO", "FAILURES", "SINCE", "UNTIL"], ban)?,
        Answer::Imported(report) => imported(report),
        Answer::Queue(rows) => {
            list(rows, json, &["ID", "STATE", "SIZE", "SENDER", "RECIPIENT", "TRIES", "NEXT", "LAST REPLY"], queued)?
        }
        Answer::QueueDetail(detail) if json => as_json(detail)?,
        Answer::QueueDetail(detail) => queue_detail(detail),
        Answer::Trace(rows) => {
            list(rows, json, &["AT", "ID", "WHAT", "SENDER", "RECIPIENT", "WHERE", "WORDS"], traced)?
        }
        Answer::Findings(findings) if findings.is_empty() => "The database is clean.\n".to_owned(),
        Answer::Findings(findings) => findings.iter().flat_map(|finding| [finding.as_str(), "\n"]).collect(),
    };
    print(&text)
}

/// Writes to standard output; a reader that has gone away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn as_json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn list<T: Serialize>(rows: &Rows<T>, json: bool, head: &[&str], row: impl Fn(&T) -> Vec<String>) -> Result<String> {
    if json {
        return as_json(rows);
    }
    if rows.rows.is_empty() {
        return Ok("Nothing here.\n".to_owned());
    }
    let mut lines = vec![head.iter().map(|&cell| cell.to_owned()).collect()];
    lines.extend(rows.rows.iter().map(row));
    let mut text = columns(&lines);
    if let Some(next) = &rows.next {
        text += &["More: --after '", next, "'\n"].concat();
    }
    Ok(text)
}

/// Cells of a column are as wide as its widest, the last column as it comes.
pub(crate) fn columns(lines: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in lines {
        for (at, cell) in line.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(at) {
                Some(widest) => *widest = width.max(*widest),
                None => widths.push(width),
            }
        }
    }
    let row = |line: &Vec<String>| {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(row).collect()
}

fn or_dash(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "–".to_owned())
}

/// `1.5 MB`: decimal, as disks are sold.
#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
pub(crate) fn size(octets: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut scaled = octets as f64;
    let mut unit = 0;
    while scaled >= 999.5 && unit + 1 < units.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let name = units.get(unit).unwrap_or(&"B");
    if unit == 0 { format!("{octets} {name}") } else { format!("{scaled:.1} {name}") }
}

fn domain(row: &DomainRow) -> Vec<String> {
    let (accounts, aliases) = (row.accounts.to_string(), row.aliases.to_string());
    vec![row.domain.clone(), accounts, aliases, or_dash(row.catch_all.as_ref()), or_dash(row.postmaster.as_ref())]
}

fn account(row: &AccountRow) -> Vec<String> {
    let quota = row.quota_octets.map_or_else(|| "–".to_owned(), size);
    let state = if row.is_suspended { "suspended" } else { "" };
    vec![
        row.address.clone(),
        row.name.clone(),
        row.used_messages.to_string(),
        size(row.used_octets),
        quota,
        state.into(),
    ]
}

fn app_password(row: &AppPasswordRow) -> Vec<String> {
    let (protocols, made) = (row.protocols.join(","), row.created_at.clone());
    vec![row.name.clone(), protocols, made, or_dash(row.last_used_at.as_ref()), or_dash(row.last_used_ip.as_ref())]
}

fn ban(row: &BanRow) -> Vec<String> {
    vec![row.of.clone(), row.failures.to_string(), row.since.clone(), row.until.clone()]
}

fn alias(row: &AliasRow) -> Vec<String> {
    vec![row.address.clone(), row.targets.join(", ")]
}

fn imported(report: &ImportReport) -> String {
    let refused = report.refused.iter().map(|refusal| format!("line {}: {}\n", refusal.line, refusal.reason));
    let summary = format!("{} accounts added, {} lines refused\n", report.added, report.refused.len());
    refused.chain([summary]).collect()
}

fn queued(row: &QueueRow) -> Vec<String> {
    vec![
        row.id.clone(),
        row.state.clone(),
        size(row.size_octets),
        row.sender.clone(),
        row.recipient.clone(),
        row.attempts.to_string(),
        row.next_attempt_at.clone(),
        or_dash(row.last_reply.as_ref()),
    ]
}

fn queue_detail(detail: &QueueDetail) -> String {
    let mut lines = vec![
        vec!["Id".to_owned(), detail.id.clone()],
        vec!["Sender".to_owned(), detail.sender.clone()],
        vec!["Size".to_owned(), size(detail.size_octets)],
        vec!["Since".to_owned(), detail.created_at.clone()],
        vec!["Given up".to_owned(), detail.expires_at.clone()],
    ];
    for recipient in &detail.recipients {
        let tried = format!("{}, {} tries, next {}", recipient.state, recipient.attempts, recipient.next_attempt_at);
        lines.push(vec!["Recipient".to_owned(), format!("{}: {tried}", recipient.address)]);
        if let Some(reply) = &recipient.last_reply {
            lines.push(vec![String::new(), reply.clone()]);
        }
    }
    columns(&lines)
}

fn traced(row: &TraceRow) -> Vec<String> {
    vec![
        row.at.clone(),
        row.trace.clone(),
        row.kind.clone(),
        row.sender.clone(),
        row.recipient.clone(),
        row.remote.clone(),
        row.text.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_human() {
        for (octets, shown) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (u64::MAX, "18446744.1 TB")]
        {
            assert_eq!(size(octets), shown);
        }
    }

    #[test]
    fn columns_line_up() {
        let lines = [vec!["A".to_owned(), "B".to_owned()], vec!["long".to_owned(), "x".to_owned()]];
        assert_eq!(columns(&lines), "A     B\nlong  x\n");
    }
}
