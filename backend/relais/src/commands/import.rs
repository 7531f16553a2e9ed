//! A long CSV file in pieces that the API takes: each begins with the header, and knows which lines of the file it holds.

/// Records of one piece: the API takes no more.
const RECORDS: usize = 2000;

/// Some records of a file.
pub(super) struct Piece<'a> {
    header: &'a str,
    records: &'a str,
    /// Lines of the file before these records.
    before: u64,
}

impl Piece<'_> {
    /// The piece as a file of its own.
    pub(super) fn text(&self) -> String {
        [self.header, self.records].concat()
    }

    /// Where a line of the piece stands in the file.
    pub(super) fn line_of(&self, line: u64) -> u64 {
        (line + self.before).saturating_sub(lines(self.header))
    }
}

/// The file's pieces; one at least, so that a file without records is judged, too.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let mut starts = Vec::new();
    for record in reader.byte_records().map_while(Result::ok) {
        let at = record.position().and_then(|position| usize::try_from(position.byte()).ok());
        starts.extend(at);
    }
    let first = starts.first().copied().unwrap_or(text.len());
    let (header, _) = text.split_at_checked(first).unwrap_or((text, ""));
    let mut cuts: Vec<usize> = starts.into_iter().step_by(RECORDS).collect();
    if cuts.is_empty() {
        cuts.push(first);
    }
    let ends = cuts.iter().skip(1).copied().chain([text.len()]);
    let piece = |(start, end): (&usize, usize)| {
        let records = text.get(*start..end).unwrap_or_default();
        Piece { header, records, before: lines(text.get(..*start).unwrap_or_default()) }
    };
    cuts.iter().zip(ends).map(piece).collect()
}

fn lines(text: &str) -> u64 {
    text.bytes().map(|octet| u64::from(octet == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_has_the_header_and_knows_its_lines() {
        let records: Vec<String> = (0..RECORDS + 2).map(|number| format!("\"a\n{number}\",x\n")).collect();
        let text = format!("address,name\n{}", records.concat());
        let pieces = pieces(&text);
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[1].text(), "address,name\n\"a\n2000\",x\n\"a\n2001\",x\n");
        assert_eq!((pieces[0].line_of(2), pieces[1].line_of(2)), (2, 4002));
        assert_eq!(pieces.iter().map(|piece| piece.records).collect::<String>(), records.concat());
    }

    #[test]
    fn a_file_without_records_is_one_piece() {
        for text in ["", "address\n", "address"] {
            let pieces = pieces(text);
            assert_eq!((pieces.len(), pieces[0].text().as_str()), (1, text));
        }
    }
}
