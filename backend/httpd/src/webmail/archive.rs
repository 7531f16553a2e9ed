//! Files in one file: ZIP, stored as they are (PKWARE's APPNOTE 6.3.3, §4.3). Mail's files are mostly packed already.

use std::collections::HashSet;

use flate2::Crc;

/// Files, as they are put in.
#[derive(Debug, Default)]
pub(super) struct Archive {
    octets: Vec<u8>,
    directory: Vec<u8>,
    names: HashSet<String>,
}

/// 1980-01-01: a message doesn't say when its files were made.
const DATE: u16 = 0x21;
/// Bit 11: names are UTF-8 (§4.4.4).
const UTF8: u16 = 1 << 11;
/// Version 2.0.
const VERSION: u16 = 20;

impl Archive {
    /// Puts a file in; one whose name is taken gets another. What would make the archive longer than 4 GiB stays out.
    pub(super) fn add(&mut self, name: &str, file: &[u8]) {
        let (Ok(offset), Ok(length)) = (u32::try_from(self.octets.len()), u32::try_from(file.len())) else { return };
        if offset.checked_add(length).is_none_or(|end| end > u32::MAX - (1 << 20)) || self.names.len() >= 60_000 {
            return;
        }
        let name = self.free_name(name);
        let mut crc = Crc::new();
        crc.update(file);
        let mut common = Vec::with_capacity(26);
        for number in [VERSION, UTF8, 0, 0, DATE] {
            common.extend(number.to_le_bytes());
        }
        for number in [crc.sum(), length, length] {
            common.extend(number.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).unwrap_or_default().to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        self.octets.extend(b"PK\x03\x04");
        self.octets.extend(&common);
        self.octets.extend(name.as_bytes());
        self.octets.extend(file);
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(VERSION.to_le_bytes());
        self.directory.extend(&common);
        // Comment's length, disk, attributes within and without.
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
    }

    fn free_name(&mut self, name: &str) -> String {
        let end = name.floor_char_boundary(name.len().min(255));
        let name = name.get(..end).unwrap_or_default();
        let (stem, extension) =
            name.rsplit_once('.').map_or((name, String::new()), |(stem, end)| (stem, format!(".{end}")));
        let mut free = name.to_owned();
        for number in 2.. {
            if self.names.insert(free.to_lowercase()) {
                break;
            }
            free = format!("{stem} ({number}){extension}");
        }
        free
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let files = u16::try_from(self.names.len()).unwrap_or_default();
        let (offset, length) = (self.octets.len(), self.directory.len());
        self.octets.extend(self.directory);
        self.octets.extend(b"PK\x05\x06\0\0\0\0");
        self.octets.extend(files.to_le_bytes());
        self.octets.extend(files.to_le_bytes());
        for number in [length, offset] {
            self.octets.extend(u32::try_from(number).unwrap_or_default().to_le_bytes());
        }
        self.octets.extend([0; 2]);
        self.octets
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// Python's reader takes it apart again, and finds nothing wrong.
    #[test]
    fn others_read_it() {
        let mut archive = Archive::default();
        archive.add("a.txt", b"one");
        archive.add("A.txt", b"two");
        archive.add("é", b"");
        let octets = archive.finish();
        let script = "import sys, io, zipfile\n\
                      z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))\n\
                      print(z.testzip(), [(i.filename, z.read(i).decode()) for i in z.infolist()])";
        let Ok(mut python) =
            Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
        else {
            return; // a machine without it
        };
        python.stdin.take().unwrap().write_all(&octets).unwrap();
        let told = python.wait_with_output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&told.stdout).trim(),
            "None [('a.txt', 'one'), ('A (2).txt', 'two'), ('é', '')]"
        );
    }
}
