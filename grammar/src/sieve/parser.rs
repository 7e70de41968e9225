//! Reads a script from its start to its end, or to what is wrong in it.

use super::lexer::{Lexer, Stop};
use super::tree::{
    AddressPart, Arm, BodyTransform, Capabilities, Comparator, If, MatchType, Matching, Notify,
    Script, SieveCommand, SieveString, SieveTest, SizeOrder, Vacation,
};
use super::{Dialect, SieveLimits};

/// Reads a script.
pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    dialect: Dialect,
    limits: SieveLimits,
    too_long: bool,
    required: Capabilities,
    depth: u32,
    tests: u32,
    actions: u32,
}

/// The tagged arguments of a test, as far as they were read.
#[derive(Default)]
struct Tags {
    comparator: Option<Comparator>,
    kind: Option<MatchType>,
    part: Option<AddressPart>,
    transform: Option<BodyTransform>,
}

/// Which tagged arguments a test has, besides a comparator and a match type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extra {
    None,
    Part,
    Transform,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a [u8], dialect: Dialect, limits: SieveLimits) -> Self {
        let too_long = text.len() > limits.bytes;
        let lexer = Lexer::new(if too_long { b"" } else { text });
        let required = Capabilities::default();
        Self { lexer, dialect, limits, too_long, required, depth: 0, tests: 0, actions: 0 }
    }

    pub(super) fn script(mut self) -> Script {
        let mut commands = Vec::new();
        if self.whole(&mut commands).is_err() {
            commands.push(SieveCommand::Fault);
        }
        Script { required: self.required, commands, fault: self.lexer.fault }
    }

    fn whole(&mut self, commands: &mut Vec<SieveCommand>) -> Result<(), Stop> {
        if self.too_long {
            return Err(self.lexer.stop("script too long"));
        }
        self.lexer.white()?;
        // Exim reads another `require` only where it follows at once.
        while self.lexer.word("require") {
            self.require()?;
        }
        self.commands(commands)?;
        if self.lexer.is_at_end() { Ok(()) } else { Err(self.lexer.stop("syntax error")) }
    }

    /// What follows `require`.
    fn require(&mut self) -> Result<(), Stop> {
        self.lexer.white()?;
        let Some(list) = self.lexer.list()? else {
            return Err(self.lexer.stop("capability string list expected"));
        };
        for name in &list {
            let has = &mut self.required;
            let flag = match name.bytes.as_slice() {
                b"body" => &mut has.body,
                b"comparator-i;ascii-numeric" => &mut has.numeric,
                b"copy" => &mut has.copy,
                b"encoded-character" => &mut has.encoded,
                b"envelope" => &mut has.envelope,
                b"fileinto" => &mut has.fileinto,
                b"subaddress" => &mut has.subaddress,
                b"enotify" if self.dialect.notify => &mut has.notify,
                b"enotify" => return Err(self.lexer.stop("enotify disabled")),
                b"vacation" if self.dialect.vacation => &mut has.vacation,
                b"vacation" => return Err(self.lexer.stop("vacation disabled")),
                b"comparator-i;octet"
                | b"comparator-i;ascii-casemap"
                | b"comparator-en;ascii-casemap" => continue,
                _ => return Err(self.lexer.stop("unknown capability")),
            };
            *flag = true;
        }
        self.lexer.encoded = self.required.encoded;
        self.lexer.semicolon()
    }

    /// A capability that must have been required.
    fn needs(&mut self, has: bool, name: &str) -> Result<(), Stop> {
        if has {
            return Ok(());
        }
        Err(self.lexer.stop(format!("missing previous require \"{name}\";")))
    }

    /// Commands, up to what is none.
    fn commands(&mut self, commands: &mut Vec<SieveCommand>) -> Result<(), Stop> {
        loop {
            self.lexer.white()?;
            if !self.command(commands)? {
                return Ok(());
            }
        }
    }

    fn command(&mut self, commands: &mut Vec<SieveCommand>) -> Result<bool, Stop> {
        if self.lexer.word("if") {
            let mut arms = If { arms: Vec::new(), otherwise: Vec::new() };
            let read = self.nested(|this| this.arms(&mut arms));
            commands.push(SieveCommand::If(arms));
            return read.map(|()| true);
        }
        let command = if self.lexer.word("stop") {
            self.lexer.semicolon()?;
            SieveCommand::Stop
        } else if self.lexer.word("keep") {
            self.lexer.semicolon()?;
            SieveCommand::Keep
        } else if self.lexer.word("discard") {
            self.lexer.semicolon()?;
            SieveCommand::Discard
        } else if self.lexer.word("redirect") {
            // It is done before its semicolon is looked for.
            commands.push(self.redirect()?);
            self.lexer.semicolon()?;
            return self.count().map(|()| true);
        } else if self.lexer.word("fileinto") {
            commands.push(self.fileinto()?);
            self.lexer.semicolon()?;
            return self.count().map(|()| true);
        } else if self.lexer.word("notify") {
            let mut notify = Box::<Notify>::default();
            let read = self.notify(&mut notify);
            commands.push(SieveCommand::Notify(notify));
            read?;
            return self.count().map(|()| true);
        } else if self.lexer.word("vacation") {
            let mut vacation = Box::<Vacation>::default();
            let read = self.vacation(&mut vacation);
            commands.push(SieveCommand::Vacation(vacation));
            read?;
            return self.count().map(|()| true);
        } else {
            return Ok(false);
        };
        commands.push(command);
        self.count().map(|()| true)
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.actions += 1;
        match self.actions > self.limits.actions {
            true => Err(self.lexer.stop("too many actions")),
            false => Ok(()),
        }
    }

    /// Goes one level down.
    fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        if self.depth >= self.limits.depth || crate::stack::is_deep() {
            return Err(self.lexer.stop("nesting too deep"));
        }
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        done
    }

    /// What follows `if`.
    fn arms(&mut self, command: &mut If) -> Result<(), Stop> {
        loop {
            let mut arm = Arm { test: SieveTest::Fault, block: Vec::new() };
            let read = self.arm(&mut arm);
            command.arms.push(arm);
            read?;
            self.lexer.white()?;
            if self.lexer.word("elsif") {
                continue;
            }
            if self.lexer.word("else") {
                self.lexer.white()?;
                return self.block(&mut command.otherwise);
            }
            return Ok(());
        }
    }

    fn arm(&mut self, arm: &mut Arm) -> Result<(), Stop> {
        self.lexer.white()?;
        self.test(&mut arm.test)?;
        let read = self.lexer.white().and_then(|()| self.block(&mut arm.block));
        if read.is_err() && !matches!(arm.block.last(), Some(SieveCommand::Fault)) {
            arm.block.push(SieveCommand::Fault);
        }
        read
    }

    /// A block in braces.
    fn block(&mut self, commands: &mut Vec<SieveCommand>) -> Result<(), Stop> {
        if !self.lexer.sign(b'{') {
            return Err(self.lexer.stop("missing block"));
        }
        self.commands(commands)?;
        if self.lexer.sign(b'}') {
            return Ok(());
        }
        Err(self.lexer.stop("expecting command or closing brace"))
    }

    fn redirect(&mut self) -> Result<SieveCommand, Stop> {
        let copy = self.copy()?;
        let Some(address) = self.lexer.string()? else {
            return Err(self.lexer.stop("missing redirect recipient string"));
        };
        // A zero byte ends the address.
        if address.bytes.iter().find(|c| matches!(c, b'@' | 0)) != Some(&b'@') {
            return Err(self.lexer.stop("unqualified recipient address"));
        }
        Ok(SieveCommand::Redirect { address, copy })
    }

    fn fileinto(&mut self) -> Result<SieveCommand, Stop> {
        self.needs(self.required.fileinto, "fileinto")?;
        let copy = self.copy()?;
        let Some(folder) = self.lexer.string()? else {
            return Err(self.lexer.stop("missing fileinto folder string"));
        };
        if folder.bytes.is_empty() || folder.bytes.split(|c| *c == b'/').any(|part| part == b"..") {
            return Err(self.lexer.stop("invalid folder"));
        }
        Ok(SieveCommand::FileInto { folder, copy })
    }

    /// `:copy`, any number of times, and the white space around it.
    fn copy(&mut self) -> Result<bool, Stop> {
        let mut copy = false;
        loop {
            self.lexer.white()?;
            if !self.lexer.word(":copy") {
                return Ok(copy);
            }
            self.needs(self.required.copy, "copy")?;
            copy = true;
        }
    }

    /// What follows `vacation`.
    fn vacation(&mut self, vacation: &mut Vacation) -> Result<(), Stop> {
        vacation.line = self.lexer.line;
        self.needs(self.required.vacation, "vacation")?;
        loop {
            self.lexer.white()?;
            if self.lexer.word(":days") {
                self.lexer.white()?;
                vacation.days = Some(self.lexer.number()?);
            } else if self.lexer.word(":subject") {
                vacation.subject = Some(self.argument("subject string expected")?);
            } else if self.lexer.word(":from") {
                let from = self.argument("from string expected")?;
                vacation.from.push((from, self.lexer.line));
                vacation.handle_last = false;
            } else if self.lexer.word(":addresses") {
                self.lexer.white()?;
                vacation.addresses = match self.lexer.list()? {
                    Some(list) => list,
                    None => return Err(self.lexer.stop("addresses string list expected")),
                };
            } else if self.lexer.word(":mime") {
                vacation.mime = true;
            } else if self.lexer.word(":handle") {
                vacation.handle = Some(self.argument("handle string expected")?);
                vacation.handle_last = true;
            } else {
                break;
            }
        }
        let Some(reason) = self.lexer.string()? else {
            return Err(self.lexer.stop("missing reason string"));
        };
        if vacation.mime && !reason.bytes.is_ascii() {
            return Err(self.lexer.stop("MIME reason string contains 8bit text"));
        }
        vacation.reason = Some(reason);
        self.lexer.semicolon()?;
        vacation.complete = true;
        Ok(())
    }

    /// What follows `notify`.
    fn notify(&mut self, notify: &mut Notify) -> Result<(), Stop> {
        self.needs(self.required.notify, "enotify")?;
        loop {
            self.lexer.white()?;
            if self.lexer.word(":from") {
                notify.from = Some(self.argument("from string expected")?);
            } else if self.lexer.word(":importance") {
                let importance = self.argument("importance string expected")?;
                notify.importance = match importance.bytes.as_slice() {
                    [digit @ b'1'..=b'3'] => Some(digit - b'0'),
                    _ => return Err(self.lexer.stop("invalid importance")),
                };
            } else if self.lexer.word(":options") {
                // Exim reads nothing behind it; the RFC has a list there.
                self.lexer.white()?;
                if self.lexer.is_at(b'[') {
                    notify.options = self.lexer.list()?.unwrap_or_default();
                }
            } else if self.lexer.word(":message") {
                notify.message = Some(self.argument("message string expected")?);
            } else {
                break;
            }
        }
        let Some(method) = self.lexer.string()? else {
            return Err(self.lexer.stop("missing method string"));
        };
        notify.method = Some(method);
        self.lexer.semicolon()?;
        notify.line = self.lexer.line;
        notify.complete = true;
        Ok(())
    }

    /// The string after a tag.
    fn argument(&mut self, missing: &str) -> Result<SieveString, Stop> {
        self.lexer.white()?;
        self.lexer.string()?.ok_or_else(|| self.lexer.stop(missing))
    }

    /// A test. What was read of it stands in `test`, whether all is well or not.
    fn test(&mut self, test: &mut SieveTest) -> Result<(), Stop> {
        self.tests += 1;
        if self.tests > self.limits.tests {
            return Err(self.lexer.stop("too many tests"));
        }
        if self.lexer.word("address") {
            let (tags, headers) = self.header_arguments(Extra::Part)?;
            let part = tags.part.unwrap_or_default();
            *test = SieveTest::Address { matching: self.matching(tags)?, part, headers };
        } else if self.lexer.word("allof") {
            let mut tests = Vec::new();
            let read = self.nested(|this| this.test_list(&mut tests));
            *test = SieveTest::AllOf(tests);
            read?;
        } else if self.lexer.word("anyof") {
            let mut tests = Vec::new();
            let read = self.nested(|this| this.test_list(&mut tests));
            *test = SieveTest::AnyOf(tests);
            read?;
        } else if self.lexer.word("exists") {
            self.lexer.white()?;
            let headers = self.keys("header string list expected")?;
            *test = SieveTest::Exists { headers, line: self.lexer.line };
        } else if self.lexer.word("false") {
            *test = SieveTest::Constant(false);
        } else if self.lexer.word("true") {
            *test = SieveTest::Constant(true);
        } else if self.lexer.word("header") {
            let (tags, headers) = self.header_arguments(Extra::None)?;
            *test = SieveTest::Header { matching: self.matching(tags)?, headers };
        } else if self.lexer.word("not") {
            let mut inner = Box::new(SieveTest::Fault);
            let read = self.nested(|this| {
                this.lexer.white()?;
                this.test(&mut inner)
            });
            *test = SieveTest::Not(inner);
            read?;
        } else if self.lexer.word("size") {
            *test = self.size()?;
        } else if self.lexer.word("envelope") {
            self.needs(self.required.envelope, "envelope")?;
            let tags = self.tags(Extra::Part)?;
            let envelopes = self.keys("envelope string list expected")?;
            let part = tags.part.unwrap_or_default();
            *test = SieveTest::Envelope { matching: self.matching(tags)?, part, envelopes };
        } else if self.lexer.word("body") {
            self.needs(self.required.body, "body")?;
            let mut tags = self.tags(Extra::Transform)?;
            let transform = tags.transform.take().unwrap_or_default();
            *test = SieveTest::Body { matching: self.matching(tags)?, transform };
        } else if self.lexer.word("valid_notify_method") {
            self.needs(self.required.notify, "enotify")?;
            self.lexer.white()?;
            *test =
                SieveTest::ValidNotifyMethod { methods: self.keys("URI string list expected")? };
        } else if self.lexer.word("notify_method_capability") {
            *test = self.method_capability()?;
        } else {
            return Err(self.lexer.stop("missing test"));
        }
        Ok(())
    }

    fn test_list(&mut self, tests: &mut Vec<SieveTest>) -> Result<(), Stop> {
        self.lexer.white()?;
        if !self.lexer.sign(b'(') {
            tests.push(SieveTest::Fault);
            return Err(self.lexer.stop("missing test list"));
        }
        loop {
            let mut test = SieveTest::Fault;
            let read = self.lexer.white().and_then(|()| self.test(&mut test));
            tests.push(test);
            read?;
            let read = self.lexer.white().and_then(|()| {
                if self.lexer.sign(b',') {
                    return Ok(true);
                }
                if self.lexer.sign(b')') {
                    return Ok(false);
                }
                Err(self.lexer.stop("missing closing paren"))
            });
            match read {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(stop) => {
                    tests.push(SieveTest::Fault);
                    return Err(stop);
                }
            }
        }
    }

    fn size(&mut self) -> Result<SieveTest, Stop> {
        self.lexer.white()?;
        let order = if self.lexer.word(":over") {
            SizeOrder::Over
        } else if self.lexer.word(":under") {
            SizeOrder::Under
        } else {
            return Err(self.lexer.stop("missing :over or :under"));
        };
        self.lexer.white()?;
        Ok(SieveTest::Size { order, limit: self.lexer.number()? })
    }

    fn method_capability(&mut self) -> Result<SieveTest, Stop> {
        self.needs(self.required.notify, "enotify")?;
        let tags = self.tags(Extra::None)?;
        let Some(method) = self.lexer.string()? else {
            return Err(self.lexer.stop("missing notification URI string"));
        };
        let capability = self.argument("missing notification capability string")?;
        self.lexer.white()?;
        let keys = self.keys("missing key string list")?;
        let matching = self.with_keys(tags, keys);
        Ok(SieveTest::NotifyMethodCapability { matching, method, capability })
    }

    fn header_arguments(&mut self, extra: Extra) -> Result<(Tags, Vec<SieveString>), Stop> {
        let tags = self.tags(extra)?;
        let headers = self.keys("header string list expected")?;
        Ok((tags, headers))
    }

    fn keys(&mut self, missing: &str) -> Result<Vec<SieveString>, Stop> {
        self.lexer.list()?.ok_or_else(|| self.lexer.stop(missing))
    }

    /// The keys at the end of a test.
    fn matching(&mut self, tags: Tags) -> Result<Matching, Stop> {
        self.lexer.white()?;
        let keys = self.keys("key string list expected")?;
        Ok(self.with_keys(tags, keys))
    }

    fn with_keys(&self, tags: Tags, keys: Vec<SieveString>) -> Matching {
        let (comparator, kind) =
            (tags.comparator.unwrap_or_default(), tags.kind.unwrap_or_default());
        Matching { comparator, kind, keys, line: self.lexer.line }
    }

    /// The tagged arguments of a test, and the white space after them.
    fn tags(&mut self, extra: Extra) -> Result<Tags, Stop> {
        let mut tags = Tags::default();
        loop {
            self.lexer.white()?;
            let again = if let Some(comparator) = self.comparator()? {
                tags.comparator.replace(comparator).map(|_| "comparator already specified")
            } else if let Some(kind) = self.match_type() {
                tags.kind.replace(kind).map(|_| "match type already specified")
            } else if extra == Extra::Part
                && let Some(part) = self.address_part()?
            {
                tags.part.replace(part).map(|_| "address part already specified")
            } else if extra == Extra::Transform
                && let Some(transform) = self.transform()?
            {
                tags.transform.replace(transform).map(|_| "transform type already specified")
            } else {
                return Ok(tags);
            };
            if let Some(message) = again {
                return Err(self.lexer.stop(message));
            }
        }
    }

    fn comparator(&mut self) -> Result<Option<Comparator>, Stop> {
        if !self.lexer.word(":comparator") {
            return Ok(None);
        }
        let name = self.argument("missing comparator")?;
        let known = [
            ("i;octet", Comparator::Octet),
            ("en;ascii-casemap", Comparator::AsciiCasemap),
            ("i;ascii-casemap", Comparator::AsciiCasemap),
            ("i;ascii-numeric", Comparator::AsciiNumeric),
        ];
        let found = known.iter().find(|(k, _)| name.bytes.eq_ignore_ascii_case(k.as_bytes()));
        match found {
            Some((_, comparator)) => Ok(Some(*comparator)),
            None => Err(self.lexer.stop("invalid comparator")),
        }
    }

    fn match_type(&mut self) -> Option<MatchType> {
        let known = [
            (":is", MatchType::Is),
            (":contains", MatchType::Contains),
            (":matches", MatchType::Matches),
        ];
        known.into_iter().find(|(word, _)| self.lexer.word(word)).map(|(_, kind)| kind)
    }

    fn address_part(&mut self) -> Result<Option<AddressPart>, Stop> {
        let known = [
            (":localpart", AddressPart::LocalPart),
            (":domain", AddressPart::Domain),
            (":all", AddressPart::All),
            (":user", AddressPart::User),
            (":detail", AddressPart::Detail),
        ];
        let part = known.into_iter().find(|(word, _)| self.lexer.word(word)).map(|(_, part)| part);
        if matches!(part, Some(AddressPart::User | AddressPart::Detail)) {
            self.needs(self.required.subaddress, "subaddress")?;
        }
        Ok(part)
    }

    fn transform(&mut self) -> Result<Option<BodyTransform>, Stop> {
        if self.lexer.word(":text") {
            return Ok(Some(BodyTransform::Text));
        }
        if self.lexer.word(":raw") {
            return Ok(Some(BodyTransform::Raw));
        }
        if !self.lexer.word(":content") {
            return Ok(None);
        }
        self.lexer.white()?;
        let types = self.keys("content types string list expected")?;
        Ok(Some(BodyTransform::Content(types)))
    }
}
