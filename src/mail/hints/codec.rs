//! Fields of records as bytes: numbers with the low byte first, texts behind
//! their lengths.

/// Writes fields.
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub fn int(&mut self, number: i32) {
        self.0.extend(number.to_le_bytes());
    }

    pub fn long(&mut self, number: i64) {
        self.0.extend(number.to_le_bytes());
    }

    pub fn float(&mut self, number: f64) {
        self.0.extend(number.to_bits().to_le_bytes());
    }

    pub fn text(&mut self, text: &[u8]) {
        self.long(text.len() as i64);
        self.0.extend(text);
    }

    pub fn done(self) -> Vec<u8> {
        self.0
    }
}

/// Reads fields; each is `None` where there are not enough bytes for it.
pub struct FieldReader<'a>(&'a [u8]);

impl<'a> FieldReader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub fn int(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub fn long(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn float(&mut self) -> Option<f64> {
        self.array().map(|bytes| f64::from_bits(u64::from_le_bytes(bytes)))
    }

    pub fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.long()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }
}
