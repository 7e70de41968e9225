//! Messages and their parts, in lines.

use fastrand::Rng;

use super::words::{
    BOUNDARIES, CHARSETS, ENCODINGS, EXTENDED, HOLDERS, LINES, MESSAGES, NAMES, TEXTS, TYPES,
};
use crate::dice::Dice;
use crate::escapes::unescaped;

/// Writes a message, in lines as cases have them.
pub struct Writer {
    pub lines: Vec<String>,
    /// How its lines end, but for a few.
    end: &'static str,
    /// What parts around this one are ended by.
    boundaries: Vec<String>,
    /// Whether this is the message's own header.
    in_header: bool,
    /// Whether a message is attached here: the real one takes several in no order.
    attached: bool,
    /// Where a part is in base 64: how many characters its last group has so far.
    group: Option<usize>,
}

impl Writer {
    pub fn new(end: &'static str) -> Self {
        Self {
            lines: Vec::new(),
            end,
            boundaries: Vec::new(),
            in_header: false,
            attached: false,
            group: None,
        }
    }

    /// A message.
    pub fn message(&mut self, rng: &mut Rng) {
        self.in_header = true;
        for _ in 0..rng.usize(..3) {
            let all = [
                "Subject: x",
                "From: s@l.test",
                "MIME-Version: 1.0",
                "X: a",
                "Content-ID: <id>",
                "no colon",
                "X: \\{9000:a}",
                "Date: Mon, 1 Jan 2024 00:00:00 +0000",
                "Message-Id: <a@b>",
            ];
            let most = if rng.chance(10) { all.len() } else { 5 };
            let line = rng.pick(&all[..most]);
            self.line(rng, line);
        }
        self.entity(rng, 0);
    }

    fn line(&mut self, rng: &mut Rng, text: &str) {
        if self.in_header {
            // Carriage returns there are another subject.
            self.lines.push(format!("{}{}", text.replace("a\\rb", "ab"), self.end));
            return;
        }
        let end = match rng.u32(..60) {
            0 => "\\n",
            1 => "\\r",
            2 => "\\r\\r\\n",
            3 => "",
            4 => " \\r\\n",
            _ => self.end,
        };
        self.lines.push(format!("{text}{end}"));
    }

    /// A part: its header and what it holds.
    fn entity(&mut self, rng: &mut Rng, depth: u32) {
        let shape = match depth {
            0 => rng.u32(..5),
            1..4 => rng.u32(..8),
            _ => 7,
        };
        let shape = if shape == 3 && self.attached { 7 } else { shape };
        let (kinds, boundary) = match shape {
            0..=2 => (HOLDERS, Some(rng.pick(BOUNDARIES).to_owned())),
            3 => (MESSAGES, None),
            _ => (TYPES, None),
        };
        let encoding = self.headers(rng, kinds, boundary.as_deref(), depth);
        if !rng.chance(15) {
            self.line(rng, "");
        }
        self.in_header = false;
        let is_base64 = is_base64(encoding);
        match (shape, boundary) {
            (_, Some(boundary)) => self.parts(rng, &boundary, depth),
            (3, None) if is_base64 => {
                self.attached = true;
                let mut inner = Self::new(self.end);
                inner.entity(rng, depth + 1);
                let encoded = in_base64(&unescaped(&inner.lines.concat()));
                for line in encoded.as_bytes().chunks(76) {
                    self.lines.push(format!("{}{}", String::from_utf8_lossy(line), self.end));
                }
            }
            (3, None) if depth < 4 => {
                self.entity(rng, depth + 1);
                self.attached = true;
            }
            _ => {
                self.group = is_base64.then_some(0);
                self.text(rng);
                self.group = None;
            }
        }
    }

    /// Its header; how it says that it is encoded.
    fn headers(
        &mut self,
        rng: &mut Rng,
        kinds: &[&str],
        boundary: Option<&str>,
        depth: u32,
    ) -> &'static str {
        let mut lines = Vec::new();
        let mut encoding = "";
        if !rng.chance(12) || depth == 0 {
            let kinds = if rng.chance(10) { TYPES } else { kinds };
            let kind = rng.pick(kinds);
            lines.push(self.content_type(rng, kind, boundary));
        }
        if rng.chance(2) {
            let name = spelled(rng, "Content-Transfer-Encoding:");
            encoding = rng.pick(ENCODINGS);
            if boundary.is_some() && is_base64(encoding) {
                encoding = "binary";
            }
            lines.push(format!("{name} {encoding}"));
        }
        if rng.chance(3) {
            let kinds = ["attachment", "inline", "ATTACHMENT", "", "attachment (c)", "x y"];
            let mut line = format!("{} {}", spelled(rng, "Content-Disposition:"), rng.pick(&kinds));
            for _ in 0..rng.usize(..4) {
                line += &self.separator(rng);
                line += &named(rng, &["filename", "filename", "FileName", "name", "size"]);
            }
            lines.push(line);
        }
        let odd = rng.usize(..4).saturating_sub(1);
        for _ in 0..odd {
            lines.push(rng.pick(LINES).to_owned());
        }
        if rng.chance(3) {
            rng.shuffle(&mut lines);
        }
        for line in lines {
            self.line(rng, &line);
        }
        encoding
    }

    fn content_type(&self, rng: &mut Rng, kind: &str, boundary: Option<&str>) -> String {
        let mut line = format!("{} {kind}", spelled(rng, "Content-Type:"));
        let place = rng.usize(..3);
        for number in 0..3 {
            if number == place {
                if let Some(boundary) = boundary.filter(|_| !rng.chance(20)) {
                    line += &self.separator(rng);
                    line += &bounded(rng, boundary);
                } else if rng.chance(10) {
                    line += &self.separator(rng);
                    let other = rng.pick(BOUNDARIES);
                    line += &bounded(rng, other);
                }
            } else if rng.chance(3) {
                line += &self.separator(rng);
                line += &match rng.chance(3) {
                    true => {
                        let name = spelled(rng, "charset");
                        let value = rng.pick(CHARSETS);
                        assigned(rng, &name, value)
                    }
                    false => named(rng, &["name", "name", "Name", "filename", "x-name", "format"]),
                };
            }
        }
        if rng.chance(6) {
            line +=
                rng.pick(&[";", " ", ";;", " (c)", "; ", "\\t", ";\\\"", "; x", "; =", ";name"]);
        }
        line
    }

    /// What stands between parameters.
    fn separator(&self, rng: &mut Rng) -> String {
        let end = self.end;
        match rng.u32(..14) {
            0 => format!(";{end} "),
            1 => format!(";{end}\\t"),
            2 => format!(" ;{end}   "),
            3 => format!("{end} ;"),
            4 => ";;".to_owned(),
            5 => "; (c) ".to_owned(),
            6 => " ".to_owned(),
            7 => ";".to_owned(),
            8 => format!(";{end} {end} "),
            _ => "; ".to_owned(),
        }
    }

    /// A multipart.
    fn parts(&mut self, rng: &mut Rng, boundary: &str, depth: u32) {
        self.boundaries.push(boundary.to_owned());
        for _ in 0..rng.usize(..3).saturating_sub(1) {
            self.text(rng);
        }
        for _ in 0..rng.usize(..4) {
            let delimiter = self.delimiter(rng, "");
            self.line(rng, &delimiter);
            self.entity(rng, depth + 1);
        }
        if !rng.chance(8) {
            let delimiter = self.delimiter(rng, "--");
            self.line(rng, &delimiter);
        }
        self.boundaries.pop();
        if rng.chance(4) {
            self.text(rng);
        }
    }

    /// A line between parts, as it is expected or a little otherwise.
    fn delimiter(&self, rng: &mut Rng, tail: &str) -> String {
        let own = self.boundaries.last().map_or("b", String::as_str);
        match rng.u32(..24) {
            0 => format!("--{own}{tail}  "),
            1 => format!("--{own}{tail}x"),
            2 => format!(" --{own}{tail}"),
            3 => format!("-{own}{tail}"),
            4 => format!("--{own}--"),
            5 => format!("--{own}-"),
            6 => format!("--{}{tail}", self.boundaries[rng.usize(..self.boundaries.len())]),
            7 => format!("--{}{tail}", rng.pick(BOUNDARIES)),
            8 => format!("--{own}{tail}\\{{9000:.}}"),
            9 => format!(
                "--{}{tail}",
                own.to_uppercase().replace("\\XE9", "\\xe9").replace("\\T", "\\t")
            ),
            _ => format!("--{own}{tail}"),
        }
    }

    fn text(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(..5) {
            let text = rng.pick(TEXTS);
            let text = self.in_groups(text);
            self.line(rng, &text);
        }
    }

    /// A text in base 64 in which no equals sign begins a group: what the real one makes of that
    /// is whatever its memory held.
    fn in_groups(&mut self, text: &str) -> String {
        let Some(mut group) = self.group else { return text.to_owned() };
        let is_counted = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let mut out = String::new();
        if text.contains('\\') {
            let count = unescaped(text).iter().filter(|byte| is_counted(byte)).count();
            self.group = Some((group + count) % 4);
            return text.to_owned();
        }
        for byte in text.bytes() {
            out.push(if byte == b'=' && group == 0 { 'A' } else { char::from(byte) });
            group = (group + usize::from(is_counted(&byte))) % 4;
        }
        self.group = Some(group);
        out
    }
}

/// Whether a part is in base 64 that says so.
fn is_base64(encoding: &str) -> bool {
    encoding.to_ascii_lowercase().replace("\\r\\n ", "").contains("base64")
}

fn in_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| usize::from(three.get(at).copied().unwrap_or(0));
        let all = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = char::from(DIGITS[all >> (18 - 6 * place) & 63]);
            out.push(if place <= three.len() { digit } else { '=' });
        }
    }
    out
}

/// A parameter with a boundary.
fn bounded(rng: &mut Rng, boundary: &str) -> String {
    let name = spelled(rng, "boundary");
    match rng.u32(..30) {
        0 => format!("{name} *={boundary}"),
        1 => format!("{name}0={boundary}"),
        2 => format!("{name}=\\\"{boundary}"),
        3 => format!("{name} = {boundary}"),
        4 => format!("{name}="),
        5 => name,
        6 => format!("{name}={boundary}; {name}=other"),
        7 => format!("{name}=other; {name}=\\\"{boundary}\\\""),
        8 => format!("{name}=(c){boundary}"),
        9 => format!("x{name}={boundary}"),
        10 => format!("{name}=\\\"{boundary}\\\"x"),
        11 => format!("{name}='{boundary}'"),
        12..=20 => format!("{name}={boundary}"),
        _ => format!("{name}=\\\"{boundary}\\\""),
    }
}

/// A parameter with the name of a file, perhaps in segments.
fn named(rng: &mut Rng, names: &[&str]) -> String {
    let name = rng.pick(names);
    let name = spelled(rng, name);
    match rng.u32(..7) {
        0 => {
            let value = rng.pick(EXTENDED);
            assigned(rng, &format!("{name}*"), value)
        }
        1 | 2 => {
            let count = rng.usize(1..4);
            let mut numbers: Vec<usize> = (0..count).collect();
            if rng.chance(4) {
                rng.shuffle(&mut numbers);
            }
            let mut segments = Vec::new();
            for number in numbers {
                let star = rng.pick(&["", "", "*", "*", "**", "x"]);
                let number = match rng.u32(..12) {
                    0 => "00".to_owned(),
                    1 => "99999999999".to_owned(),
                    2 => "-1".to_owned(),
                    _ => number.to_string(),
                };
                let values = if rng.chance(2) { EXTENDED } else { NAMES };
                let value = rng.pick(values);
                segments.push(assigned(rng, &format!("{name}*{number}{star}"), value));
            }
            segments.join(rng.pick(&[";", "; ", ";\\r\\n "]))
        }
        _ => {
            let value = rng.pick(NAMES);
            assigned(rng, &name, value)
        }
    }
}

fn assigned(rng: &mut Rng, name: &str, value: &str) -> String {
    match rng.u32(..14) {
        0 => format!("{name} = {value}"),
        1 => format!("{name}=\\\"{value}"),
        2 => format!("{name}= \\\"{value}\\\" "),
        3 => format!("{name}={value}(c)"),
        4 => name.to_owned(),
        5 => format!("{name}=\\\"{value}\\\"x\\\"y\\\""),
        6..=8 => format!("{name}={value}"),
        _ => format!("{name}=\\\"{value}\\\""),
    }
}

/// A word in some case.
fn spelled(rng: &mut Rng, word: &str) -> String {
    match rng.u32(..8) {
        0 => word.to_uppercase(),
        1 => word.to_lowercase(),
        2 if word.ends_with(':') => word.replace(':', " :"),
        _ => word.to_owned(),
    }
}
