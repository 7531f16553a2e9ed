//! A zip file that is written as it goes (APPNOTE 6.3, with the sizes of Zip64 behind each file): nothing of it is held but its list.

use flate2::Crc;

/// What a reader must know: Zip64.
const VERSION: u16 = 45;
/// Sizes stand behind the file, names are UTF-8.
const FLAGS: u16 = 0x0808;
/// 1980-01-01, the first day that there is.
const DATE: u16 = 0x0021;
/// The number stands elsewhere, in 64 bits.
const ELSEWHERE: u32 = u32::MAX;
/// A file of its owner's alone (UNIX).
const MODE: u32 = 0o100_600 << 16;

/// Writes files one after another, uncompressed.
#[derive(Debug, Default)]
pub struct ZipWriter {
    /// Octets so far.
    at: u64,
    files: Vec<Listed>,
    open: Option<(Listed, Crc)>,
}

#[derive(Debug)]
struct Listed {
    name: String,
    offset: u64,
    octets: u64,
    crc: u32,
}

impl ZipWriter {
    /// Begins a file, after what was begun before is ended. No name may come twice.
    pub fn begin(&mut self, name: &str, out: &mut Vec<u8>) {
        self.end(out);
        let listed = Listed { name: name.to_owned(), offset: self.at, octets: 0, crc: 0 };
        let before = out.len();
        out.extend(0x0403_4b50_u32.to_le_bytes());
        out.extend(about(name, 0, 20));
        out.extend(name.as_bytes());
        out.extend([1_u16, 16].into_iter().flat_map(u16::to_le_bytes));
        out.extend([0; 16]);
        self.at += (out.len() - before) as u64;
        self.open = Some((listed, Crc::new()));
    }

    /// Octets of the file that was begun; none where none was.
    pub fn write(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let Some((listed, crc)) = &mut self.open else { return };
        crc.update(octets);
        listed.octets += octets.len() as u64;
        self.at += octets.len() as u64;
        out.extend_from_slice(octets);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let Some((mut listed, crc)) = self.open.take() else { return };
        listed.crc = crc.sum();
        out.extend([0x0807_4b50, listed.crc].into_iter().flat_map(u32::to_le_bytes));
        out.extend([listed.octets, listed.octets].into_iter().flat_map(u64::to_le_bytes));
        self.at += 24;
        self.files.push(listed);
    }

    /// Ends it with the list of its files.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.end(out);
        let before = out.len();
        for listed in &self.files {
            out.extend(0x0201_4b50_u32.to_le_bytes());
            // Made on UNIX.
            out.extend((3_u16 << 8 | VERSION).to_le_bytes());
            out.extend(about(&listed.name, listed.crc, 28));
            out.extend([0; 6]);
            out.extend([MODE, ELSEWHERE].into_iter().flat_map(u32::to_le_bytes));
            out.extend(listed.name.as_bytes());
            out.extend([1_u16, 24].into_iter().flat_map(u16::to_le_bytes));
            out.extend([listed.octets, listed.octets, listed.offset].into_iter().flat_map(u64::to_le_bytes));
        }
        let (size, files) = ((out.len() - before) as u64, self.files.len() as u64);
        out.extend(0x0606_4b50_u32.to_le_bytes());
        out.extend(44_u64.to_le_bytes());
        out.extend([VERSION, VERSION].into_iter().flat_map(u16::to_le_bytes));
        out.extend([0; 8]);
        out.extend([files, files, size, self.at].into_iter().flat_map(u64::to_le_bytes));
        out.extend([0x0706_4b50, 0].into_iter().flat_map(u32::to_le_bytes));
        out.extend((self.at + size).to_le_bytes());
        out.extend([1, 0x0605_4b50].into_iter().flat_map(u32::to_le_bytes));
        out.extend([0, 0, u16::MAX, u16::MAX].into_iter().flat_map(u16::to_le_bytes));
        out.extend([ELSEWHERE, ELSEWHERE].into_iter().flat_map(u32::to_le_bytes));
        out.extend([0; 2]);
    }
}

/// What stands alike before a file and in the list.
fn about(name: &str, crc: u32, extra: u16) -> Vec<u8> {
    let mut out: Vec<u8> = [VERSION, FLAGS, 0, 0, DATE].into_iter().flat_map(u16::to_le_bytes).collect();
    out.extend([crc, ELSEWHERE, ELSEWHERE].into_iter().flat_map(u32::to_le_bytes));
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    out.extend([length, extra].into_iter().flat_map(u16::to_le_bytes));
    out
}
