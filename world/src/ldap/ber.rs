//! The little of ASN.1's Basic Encoding Rules that LDAP uses (RFC 4511,
//! section 5.1): tags of one byte, lengths that are stated.
//!
//! The reader steps through what is there and never into itself, whatever the
//! server nests.

/// Appends a value behind its tag and length.
pub(super) fn put(out: &mut Vec<u8>, tag: u8, contents: &[u8]) {
    out.push(tag);
    match u8::try_from(contents.len()) {
        Ok(length @ ..=127) => out.push(length),
        _ => {
            let bytes = (contents.len() as u64).to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            out.push(0x80 | (bytes.len() - zeros) as u8);
            out.extend_from_slice(&bytes[zeros..]);
        }
    }
    out.extend_from_slice(contents);
}

/// Appends an integer, or an enumerated value.
pub(super) fn put_integer(out: &mut Vec<u8>, tag: u8, number: i32) {
    let bytes = number.to_be_bytes();
    // A leading byte that only repeats the sign is left out.
    let spare = (0..3)
        .take_while(|at| {
            let sign = if bytes[at + 1] & 0x80 == 0 { 0 } else { 0xff };
            bytes[*at] == sign
        })
        .count();
    put(out, tag, &bytes[spare..]);
}

/// What is wrong with bytes that should be BER.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed;

/// The length of a value from its first bytes, those before it included; `None`
/// where they are too few to tell.
pub(super) fn whole(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(first) = bytes.get(1) else { return Ok(None) };
    let count = usize::from(first & 0x7f);
    if first & 0x80 == 0 {
        return Ok(Some(2 + count));
    }
    if count == 0 || count > 8 {
        return Err(Malformed);
    }
    let Some(length) = bytes.get(2..2 + count) else { return Ok(None) };
    let mut number = 0u64;
    for byte in length {
        number = number.checked_mul(256).ok_or(Malformed)? | u64::from(*byte);
    }
    let number = usize::try_from(number).map_err(|_| Malformed)?;
    number.checked_add(2 + count).map(Some).ok_or(Malformed)
}

/// Reads one value after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag that comes next.
    pub(super) fn tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next value, with its tag.
    pub(super) fn any(&mut self) -> Result<(u8, &'a [u8]), Malformed> {
        let length = whole(self.rest)?.ok_or(Malformed)?;
        let value = self.rest.get(..length).ok_or(Malformed)?;
        self.rest = &self.rest[length..];
        let start = if value[1] & 0x80 == 0 { 2 } else { 2 + usize::from(value[1] & 0x7f) };
        Ok((value[0], &value[start..]))
    }

    /// The next value, which must have this tag.
    pub(super) fn value(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        match self.any()? {
            (found, value) if found == tag => Ok(value),
            _ => Err(Malformed),
        }
    }

    /// The values in the next one.
    pub(super) fn within(&mut self, tag: u8) -> Result<Self, Malformed> {
        Ok(Self::new(self.value(tag)?))
    }

    /// An integer, or an enumerated value.
    pub(super) fn integer(&mut self, tag: u8) -> Result<i32, Malformed> {
        let bytes = self.value(tag)?;
        let negative = bytes.first().ok_or(Malformed)? & 0x80 != 0;
        let start = if negative { -1i64 } else { 0 };
        if bytes.len() > 4 {
            return Err(Malformed);
        }
        let number = bytes.iter().fold(start, |number, byte| number << 8 | i64::from(*byte));
        i32::try_from(number).map_err(|_| Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back() {
        for number in [0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, 65536, i32::MAX, i32::MIN] {
            let mut out = Vec::new();
            put_integer(&mut out, 2, number);
            assert_eq!(Reader::new(&out).integer(2), Ok(number), "{out:?}");
        }
        let mut out = Vec::new();
        put_integer(&mut out, 10, 128);
        assert_eq!(out, [10, 2, 0, 128]);
    }

    #[test]
    fn lengths_of_all_sizes_come_back() {
        for length in [0, 1, 127, 128, 255, 256, 65535, 65536] {
            let contents = vec![7; length];
            let mut out = Vec::new();
            put(&mut out, 4, &contents);
            assert_eq!(whole(&out), Ok(Some(out.len())));
            assert_eq!(Reader::new(&out).value(4), Ok(&contents[..]));
        }
    }

    #[test]
    fn what_is_not_ber_is_refused() {
        let wrong: &[&[u8]] = &[
            b"\x04",
            b"\x04\x02a",
            b"\x04\x80a",
            b"\x04\x89\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x04\x82\x01",
        ];
        for bytes in wrong {
            assert_eq!(Reader::new(bytes).any(), Err(Malformed), "{bytes:?}");
        }
        assert_eq!(Reader::new(b"\x02\x00").integer(2), Err(Malformed));
        assert_eq!(Reader::new(b"\x02\x05\0\0\0\0\0").integer(2), Err(Malformed));
        assert_eq!(Reader::new(b"\x04\x01a").value(2), Err(Malformed));
    }
}
