//! Numbers and sets of them, without `format!`: they stand in every line of a large FETCH.

/// Writes `value` in decimal.
pub(crate) fn write(out: &mut Vec<u8>, value: u64) {
    // 20 digits hold any u64.
    let mut digits = [0; 20];
    let mut left = value;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        used += 1;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// Writes `value`, not negative, with zeros before it up to `width` digits.
pub(crate) fn padded(out: &mut Vec<u8>, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

/// Writes a sequence-set: runs that are there already, first and last of each. Nothing for none.
pub fn write_runs(out: &mut Vec<u8>, runs: &[(u32, u32)]) {
    for (at, (first, last)) in runs.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, u64::from(*first));
        if first != last {
            out.push(b':');
            write(out, u64::from(*last));
        }
    }
}

/// Writes a sequence-set in the order given, neighbours that rise by one as a run: COPYUID's two sets correspond by order
/// (RFC 4315 §3). Nothing for none.
pub fn write_numbers(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u32>) {
    write_runs(out, &runs_of(numbers));
}

/// Numbers in the order given, neighbours that rise by one as a run: what SORT finds, too, is written so (RFC 5267 §3.2).
pub fn runs_of(numbers: impl IntoIterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(write: impl FnOnce(&mut Vec<u8>), expected: &str) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn numbers() {
        check(|out| write(out, 0), "0");
        check(|out| write(out, 90210), "90210");
        check(|out| write(out, u64::MAX), "18446744073709551615");
        check(|out| padded(out, 7, 2), "07");
        check(|out| padded(out, 1996, 4), "1996");
    }

    #[test]
    fn sets_are_compact_and_keep_their_order() {
        check(|out| write_numbers(out, [1, 2, 3, 5, 7, 8]), "1:3,5,7:8");
        check(|out| write_numbers(out, [304, 319, 320, 5]), "304,319:320,5");
        check(|out| write_numbers(out, [u32::MAX - 1, u32::MAX]), "4294967294:4294967295");
        check(|out| write_numbers(out, []), "");
    }
}
