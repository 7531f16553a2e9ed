//! Numbers in the files of the index: seven bits an octet, the low ones first. The first octet has the lowest bit.

/// Writes `number`.
pub(crate) fn put(mut number: u32, onto: &mut Vec<u8>) {
    while number >= 0x80 {
        onto.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    onto.push(u8::try_from(number).unwrap_or_default());
}

/// Takes one from the front; none where there is none that is whole.
pub(crate) fn take(octets: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..35).step_by(7) {
        let (first, rest) = octets.split_first()?;
        *octets = rest;
        number |= u32::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let mut octets = Vec::new();
        let numbers = [0, 1, 127, 128, 300, 1 << 21, u32::MAX];
        for number in numbers {
            put(number, &mut octets);
        }
        let mut rest = octets.as_slice();
        for number in numbers {
            assert_eq!(take(&mut rest), Some(number));
        }
        assert_eq!(take(&mut rest), None);
        assert_eq!(take(&mut &[0x80_u8, 0x80][..]), None, "cut off");
    }
}
