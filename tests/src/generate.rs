//! Lines that nobody would write: every item, operator and condition, nested
//! in each other, with odd arguments and broken forms, from a seed.

use std::path::Path;

use fastrand::Rng;

use crate::dice::Dice;

mod words;

use words::{ONE, PARAMETERS, PLAIN_OPERATORS, TWO, VARIABLES, WORDS};

/// Makes lines.
#[derive(Debug)]
pub struct Generator {
    rng: Rng,
    fixtures: String,
}

/// What sort of text an argument is meant to be; it often is something else.
#[derive(Clone, Copy)]
enum Sort {
    Any,
    Number,
    Small,
    List,
    Address,
    Ip,
    Regex,
    Json,
    Key,
    Hex,
    Domain,
}

impl Generator {
    /// With a seed, and the directory of fixtures for file names.
    pub fn new(seed: u64, fixtures: &Path) -> Self {
        Self { rng: Rng::with_seed(seed), fixtures: fixtures.display().to_string() }
    }

    /// A line: without a newline, a backslash at its end, or what `-be` takes
    /// for a command of its own.
    pub fn line(&mut self) -> Vec<u8> {
        loop {
            let depth = self.rng.u32(1..5);
            let mut line = self.text(depth, Sort::Any);
            if self.rng.u8(..) < 50 {
                line = self.broken(line);
            }
            // A line that begins with a capital may define a macro, `set` sets
            // a variable; both are tested elsewhere.
            let command = line.trim_start().starts_with("set")
                || line.trim_start().starts_with(|c: char| c.is_ascii_uppercase());
            let line = line.trim();
            // Exim reads about a thousand bytes of a line at a time.
            if !line.is_empty()
                && !command
                && !line.ends_with('\\')
                && !line.contains(['\n', '\0'])
                && line.len() < 900
            {
                return line.as_bytes().to_vec();
            }
        }
    }

    fn text(&mut self, depth: u32, sort: Sort) -> String {
        let pieces = match self.rng.u32(..12) {
            0 => 0,
            1..=8 => 1,
            9 | 10 => 2,
            _ => 3,
        };
        (0..pieces).map(|_| self.piece(depth, sort)).collect()
    }

    fn piece(&mut self, depth: u32, sort: Sort) -> String {
        if depth == 0 || self.rng.chance(3) {
            return match self.rng.u32(..10) {
                0 => self.rng.pick(VARIABLES).to_owned(),
                1 | 2 => self.rng.pick(WORDS).to_owned(),
                _ => self.literal(sort),
            };
        }
        let depth = depth - 1;
        match self.rng.u32(..20) {
            0..=6 => self.operator(depth),
            7..=11 => self.conditional(depth),
            12 => self.rng.pick(VARIABLES).to_owned(),
            _ => self.item(depth),
        }
    }

    fn literal(&mut self, sort: Sort) -> String {
        let numeric =
            matches!(sort, Sort::Small) || (matches!(sort, Sort::Number) && self.rng.chance(4));
        if numeric {
            return self.rng.i32(-4..12).to_string();
        }
        self.rng.pick(words::table(sort)).to_owned()
    }

    fn braced(&mut self, depth: u32, sort: Sort) -> String {
        let space = if self.rng.chance(12) { " " } else { "" };
        format!("{space}{{{}}}", self.text(depth, sort))
    }

    fn operator(&mut self, depth: u32) -> String {
        if self.rng.chance(3) {
            let name = self.rng.pick(PARAMETERS);
            let sort = match name {
                "mask_n" => Sort::Ip,
                name if name.starts_with("eval") => Sort::Number,
                _ => Sort::Any,
            };
            return format!("${{{name}:{}}}", self.text(depth, sort));
        }
        let (name, sort) = PLAIN_OPERATORS[self.rng.usize(..PLAIN_OPERATORS.len())];
        format!("${{{name}:{}}}", self.text(depth, sort))
    }

    fn branches(&mut self, depth: u32) -> String {
        let text = match self.rng.u32(..8) {
            0 => String::new(),
            1 => format!("{}fail", self.braced(depth, Sort::Any)),
            2 => self.braced(depth, Sort::Any),
            3 => "{[$value]}{none}".to_owned(),
            4 => "{$1$2}{$0}".to_owned(),
            _ => {
                let yes = self.braced(depth, Sort::Any);
                let no = self.braced(depth, Sort::Any);
                format!("{yes}{no}")
            }
        };
        format!("{text}}}")
    }

    fn conditional(&mut self, depth: u32) -> String {
        let condition = self.condition(depth);
        let branches = self.branches(depth);
        format!("${{if {condition}{branches}")
    }

    fn condition(&mut self, depth: u32) -> String {
        let bang = if self.rng.chance(6) { "!" } else { "" };
        let deeper = depth.saturating_sub(1);
        let text = match self.rng.u32(..24) {
            0 | 1 => {
                let count = self.rng.u32(..4);
                let inner: String =
                    (0..count).map(|_| format!("{{{}}}", self.condition(deeper))).collect();
                format!("{}{{{inner}}}", self.rng.pick(&["and", "or"]))
            }
            2 | 3 => {
                let list = self.braced(deeper, Sort::List);
                format!(
                    "{}{list}{{{}}}",
                    self.rng.pick(&["forany", "forall"]),
                    self.item_test(deeper)
                )
            }
            4 => {
                // Anything but an array kills the reference.
                let array = self.rng.pick(&["[1,2]", "[\"a\",\"b\"]", "[]", "[\"x y\",3]"]);
                let name =
                    self.rng.pick(&["forany_json", "forall_json", "forany_jsons", "forall_jsons"]);
                format!("{name}{{{array}}}{{{}}}", self.item_test(deeper))
            }
            5 | 6 => {
                let name = self.rng.pick(&[
                    "domain",
                    "value",
                    "item",
                    "acl_m_x",
                    "h_subject:",
                    "h_x: ",
                    "primary_hostname",
                    "nosuch",
                    "runrc",
                    "sender_address",
                    "acl_x",
                ]);
                format!("def:{name}")
            }
            7 => self.rng.pick(&["first_delivery", "queue_running"]).to_owned(),
            8..=11 => {
                let (name, sort) = ONE[self.rng.usize(..ONE.len())];
                format!("{name}{}", self.braced(deeper, sort))
            }
            12 => {
                let hash = self.rng.pick(&[
                    "\\{md5\\}CY9rzUYh03PK3k6DJie09g==",
                    "\\{sha1\\}a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
                    "\\{crypt\\}aaqPiZY5xR5l.",
                    "aaqPiZY5xR5l.",
                    "\\{nosuch\\}x",
                    "\\{md5\\}",
                    "",
                    "\\{md5\\}098f6bcd4621d373cade4e832627b4f6",
                ]);
                format!("crypteq{{{}}}{{{hash}}}", self.rng.pick(&["test", "", "Test", "x"]))
            }
            13 if self.rng.chance(4) => "nosuchcond{a}{b}".to_owned(),
            _ => {
                let (name, first, second) = TWO[self.rng.usize(..TWO.len())];
                let first = self.braced(deeper, first);
                let second = self.braced(deeper, second);
                format!("{name}{first}{second}")
            }
        };
        format!("{bang}{text}")
    }

    fn item_test(&mut self, depth: u32) -> String {
        match self.rng.u32(..5) {
            0 => "eq{$item}{b}".to_owned(),
            1 => "match{$item}{^[a-m]}".to_owned(),
            2 => "!eq{$item}{}".to_owned(),
            3 => ">{$item}{1}".to_owned(),
            _ => self.condition(depth),
        }
    }

    fn item_text(&mut self, depth: u32) -> String {
        match self.rng.u32(..5) {
            0 => "[$item]".to_owned(),
            1 => "$item".to_owned(),
            2 => "$value$item".to_owned(),
            3 => "${uc:$item}".to_owned(),
            _ => self.text(depth, Sort::Any),
        }
    }

    fn item(&mut self, depth: u32) -> String {
        let any = |g: &mut Self| g.braced(depth, Sort::Any);
        let of = |g: &mut Self, sort| g.braced(depth, sort);
        match self.rng.u32(..38) {
            0..=3 => self.extract(depth),
            4 | 5 => {
                let body = self.item_test(depth);
                format!("${{filter{}{{{body}}}}}", of(self, Sort::List))
            }
            6 | 7 => {
                let body = self.item_text(depth);
                format!("${{map{}{{{body}}}}}", of(self, Sort::List))
            }
            8 | 9 => {
                let body = self.item_text(depth);
                format!("${{reduce{}{}{{{body}}}}}", of(self, Sort::List), any(self))
            }
            10 => {
                let how =
                    self.rng.pick(&["<", "<=", ">", ">=", "lt", "gt", "gei", "lti", "eq", "x", ""]);
                let key = self.rng.pick(&["$item", "${lc:$item}", "${length_1:$item}", "x"]);
                format!("${{sort{}{{{how}}}{{{key}}}}}", of(self, Sort::List))
            }
            11 => {
                // Zero and negative numbers kill the reference.
                let (n, m) = (self.rng.u32(1..9), self.rng.u32(1..66));
                format!("${{hash{{{n}}}{{{m}}}{}}}", any(self))
            }
            12 => {
                let (n, m) = (self.rng.u32(1..99), self.rng.u32(1..66));
                format!("${{nhash{{{n}}}{{{m}}}{}}}", any(self))
            }
            13 => format!("${{length{}{}}}", of(self, Sort::Small), any(self)),
            14 | 15 => {
                let length = if self.rng.chance(3) { String::new() } else { of(self, Sort::Small) };
                format!("${{substr{}{length}{}}}", of(self, Sort::Small), any(self))
            }
            16 | 17 => {
                let with = self.rng.pick(&[
                    "\\$0",
                    "<\\$1>",
                    "",
                    "x",
                    "\\${uc:\\$0\\}",
                    "\\$nosuch",
                    "$0",
                ]);
                format!("${{sg{}{}{{{with}}}}}", any(self), of(self, Sort::Regex))
            }
            18 => format!("${{tr{}{}{}}}", any(self), any(self), any(self)),
            19 => {
                let name = self.rng.pick(&["md5", "sha1", "sha256", ""]);
                format!("${{hmac{{{name}}}{}{}}}", any(self), any(self))
            }
            20 | 21 => {
                let list = of(self, Sort::List);
                let branches = self.branches(depth);
                format!("${{listextract{}{list}{branches}", of(self, Sort::Small))
            }
            22 => format!("${{listquote{}{}}}", of(self, Sort::Key), any(self)),
            23 => {
                let separator = if self.rng.chance(2) { String::new() } else { "{.}".to_owned() };
                format!("${{imapfolder{}{separator}}}", any(self))
            }
            24 => {
                let number = if self.rng.chance(2) { String::new() } else { of(self, Sort::Small) };
                format!("${{prvs{}{}{number}}}", of(self, Sort::Address), any(self))
            }
            25 => {
                let address = self.rng.pick(&[
                    "prvs=3123abcdef=a@b",
                    "a@b",
                    "prvs=x=a@b",
                    "",
                    "prvs=0000000000=u@h",
                ]);
                let third = self.rng.pick(&["", "{}", "{[$prvscheck_address]}"]);
                format!("${{prvscheck{{{address}}}{}{third}}}", any(self))
            }
            26 => format!(
                "${{srs_encode{}{}{}}}",
                any(self),
                of(self, Sort::Address),
                of(self, Sort::Domain)
            ),
            27 => {
                let branches = self.branches(depth);
                format!("${{env{}{branches}", of(self, Sort::Key))
            }
            28 => {
                let file = self.file();
                let eol = if self.rng.chance(2) { String::new() } else { any(self) };
                format!("${{readfile{{{file}}}{eol}}}")
            }
            29..=32 => self.lookup(depth),
            33 => format!("${{authresults{}}}", any(self)),
            34 => format!(
                "${{certextract{}{{$tls_in_peercert}}{}",
                of(self, Sort::Key),
                self.branches(depth)
            ),
            35 => format!("${{acl{}{}}}", of(self, Sort::Key), any(self)),
            36 => {
                let name = self.rng.pick(&[
                    "hash",
                    "length",
                    "substr",
                    "sg",
                    "tr",
                    "hmac",
                    "if",
                    "lookup",
                    "map",
                    "run",
                    "listquote",
                    "nhash",
                    "sort",
                    "reduce",
                    "extract",
                    "env",
                    "prvs",
                ]);
                let count = self.rng.u32(..5);
                let args: String = (0..count).map(|_| any(self)).collect();
                format!("${{{name}{args}}}")
            }
            _ => {
                let command = self.rng.pick(&[
                    "/bin/echo a b",
                    "/bin/false",
                    "/nosuch x",
                    "/bin/echo \"q r\" s",
                    "",
                ]);
                let option = if self.rng.chance(4) { ",preexpand" } else { "" };
                let branches = self.branches(depth);
                if self.rng.chance(6) {
                    format!("${{run{option}{{{command}}}{branches}")
                } else {
                    format!("${{run{{}}{branches}")
                }
            }
        }
    }

    fn extract(&mut self, depth: u32) -> String {
        let branches = self.branches(depth);
        match self.rng.u32(..4) {
            0 => {
                let number = self.braced(depth, Sort::Small);
                let separators = self.braced(depth, Sort::Any);
                let subject = self.braced(depth, Sort::List);
                format!("${{extract{number}{separators}{subject}{branches}")
            }
            1 => {
                let form = self.rng.pick(&["json", "jsons"]);
                let key = self.braced(0, Sort::Key);
                let json = self.literal(Sort::Json);
                format!("${{extract {form}{key}{{{json}}}{branches}")
            }
            _ => {
                let key = self.braced(depth, Sort::Key);
                let subject = self.braced(depth, Sort::Any);
                format!("${{extract{key}{subject}{branches}")
            }
        }
    }

    fn file(&mut self) -> String {
        let name = self.rng.pick(&["ls", "ls", "ls", "nosuch", "sub", "sub/f"]);
        format!("{}/{name}", self.fixtures)
    }

    fn lookup(&mut self, depth: u32) -> String {
        let branches = self.branches(depth);
        let key = self
            .rng
            .pick(&["a", "b", "A", "q k", "nosuch", "a.b.c.d", "x@dom", "", "c.d", "b.c.d", "*"]);
        match self.rng.u32(..10) {
            0..=4 => {
                let kind = self.rng.pick(&[
                    "lsearch",
                    "lsearch*",
                    "lsearch*@",
                    "partial-lsearch",
                    "partial1-lsearch",
                    "partial(.)lsearch",
                    "lsearch,ret=full",
                    "nwildlsearch",
                    "partial0-lsearch*",
                    "wildlsearch",
                    "partial0()lsearch",
                    "lsearch,ret=key",
                ]);
                format!("${{lookup{{{key}}}{kind}{{{}/ls}}{branches}", self.fixtures)
            }
            5 => format!(
                "${{lookup{}lsearch{{{}}}{branches}",
                self.braced(depth, Sort::Key),
                self.file()
            ),
            6 => {
                let kind = self.rng.pick(&[
                    "dsearch",
                    "dsearch,ret=full",
                    "dsearch,filter=dir",
                    "dsearch,filter=file",
                ]);
                let name = self.rng.pick(&["ls", "sub", "nosuch", ".", "..", "f"]);
                format!("${{lookup{{{name}}}{kind}{{{}}}{branches}", self.fixtures)
            }
            7 => {
                let user = self.rng.pick(&["root", "nosuchuser", "daemon", "0"]);
                format!("${{lookup passwd{{{user}}}{branches}")
            }
            8 => {
                let kind = self.rng.pick(&[
                    "nosuch",
                    "lsearch",
                    "passwd*",
                    "partial-passwd",
                    "partialx-lsearch",
                    "passwd",
                ]);
                format!("${{lookup{{{key}}}{kind}{}{branches}", self.braced(depth, Sort::Key))
            }
            _ => {
                let address = self.literal(Sort::Ip);
                format!("${{lookup{{{address}}}iplsearch{{{}/ips}}{branches}", self.fixtures)
            }
        }
    }

    /// The same line with something wrong in it.
    fn broken(&mut self, line: String) -> String {
        let mut bytes = line.into_bytes();
        for _ in 0..self.rng.u32(1..3) {
            if bytes.is_empty() {
                break;
            }
            let at = self.rng.usize(..bytes.len());
            match self.rng.u32(..6) {
                0 => {
                    bytes.remove(at);
                }
                1 => {
                    bytes.insert(at, self.rng.pick(&[b"{", b"}", b"$", b" ", b":", b"\\", b"!"])[0])
                }
                2 => bytes.truncate(at),
                3 => {
                    let other = self.rng.usize(..bytes.len());
                    bytes.swap(at, other);
                }
                4 => bytes[at] = self.rng.u8(33..127),
                _ => {
                    let end = self.rng.usize(at..bytes.len());
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
