//! Rewriting of addresses by rules (specification, chapter 31).

pub mod header;

use eximious_core::trace::{Happening, RewriteEvent};
use eximious_core::{Fail, FailClass, LogSelector, Str};
use eximious_stdlib::address::{self, AddrSpec, Rules, last_at};
use eximious_stdlib::lists::Matcher;
use eximious_stdlib::options::opt;
use eximious_stdlib::rfc2047;
use eximious_stdlib::variables::var;

use crate::Context;
use crate::config::{Config, RewriteFlags, RewriteRule};
use crate::engine::patterns;

/// How often a rule may be applied to its own result.
const MOST_REPEATS: usize = 10;

/// Where an address stands that is rewritten.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AddressPlace {
    /// The Sender header.
    Sender,
    /// The From header.
    From,
    /// The To header.
    To,
    /// The Cc header.
    Cc,
    /// The Bcc header.
    Bcc,
    /// The Reply-To header.
    ReplyTo,
    /// The envelope's sender.
    EnvelopeFrom,
    /// A recipient in the envelope.
    EnvelopeTo,
    /// What follows MAIL or RCPT, before anything is looked at.
    Smtp,
    /// The same, where rules are tested (`-brw`).
    SmtpTested,
}

impl AddressPlace {
    /// The flag of rules that rewrite there.
    pub fn flag(self) -> RewriteFlags {
        match self {
            Self::Sender => RewriteFlags::SENDER,
            Self::From => RewriteFlags::FROM,
            Self::To => RewriteFlags::TO,
            Self::Cc => RewriteFlags::CC,
            Self::Bcc => RewriteFlags::BCC,
            Self::ReplyTo => RewriteFlags::REPLY_TO,
            Self::EnvelopeFrom => RewriteFlags::FROM_ENVELOPE,
            Self::EnvelopeTo => RewriteFlags::TO_ENVELOPE,
            Self::Smtp | Self::SmtpTested => RewriteFlags::SMTP,
        }
    }

    /// As logs name it.
    fn word(self) -> &'static str {
        match self {
            Self::Sender => "sender:",
            Self::From => "from:",
            Self::To => "to:",
            Self::Cc => "cc:",
            Self::Bcc => "bcc:",
            Self::ReplyTo => "reply-to:",
            Self::EnvelopeFrom => "env-from",
            Self::EnvelopeTo => "env-to",
            // So Exim calls a sender, too.
            Self::Smtp => "smtp recipient",
            Self::SmtpTested => "smtp sender",
        }
    }
}

/// Rewrites addresses.
#[derive(Clone, Debug)]
pub struct Rewriter<'r> {
    rules: Vec<&'r RewriteRule>,
}

/// What became of an address.
struct Rewritten {
    address: Str,
    /// What it was before each change.
    before: Vec<Str>,
    /// What stands in the place of the whole item in a header, phrase and all, and
    /// where the address stands in it.
    whole: Option<(Vec<u8>, std::ops::Range<usize>)>,
}

impl<'r> Rewriter<'r> {
    /// With rules, in order.
    pub fn new(rules: impl IntoIterator<Item = &'r RewriteRule>) -> Self {
        Self { rules: rules.into_iter().collect() }
    }

    /// With the rules of a configuration.
    pub fn of(config: &'r Config) -> Self {
        Self::new(config.rewrite.iter().map(|(rule, _)| rule))
    }

    /// Whether any rule is for addresses that stand here.
    pub fn concerns(&self, place: AddressPlace) -> bool {
        self.flags().intersects(place.flag())
    }

    /// The flags of all rules together.
    pub fn flags(&self) -> RewriteFlags {
        self.rules.iter().fold(RewriteFlags::empty(), |all, rule| all | rule.flags)
    }

    /// Rewrites an address without phrase or comments; `None` where no rule
    /// applies. What is wrong with a rule's result is logged, and ends the work.
    /// The envelope's sender may become none (`<>`), which is empty.
    ///
    /// # Errors
    /// A pattern can't be read.
    pub fn address(
        &self,
        cx: &mut Context,
        address: &Str,
        place: AddressPlace,
    ) -> Result<Option<Str>, Fail> {
        Ok(self.address_by_steps(cx, address, place)?.map(|(new, _)| new))
    }

    /// As [`Rewriter::address`]; beside what comes of it stands what there was before each
    /// change, in order: the address itself first.
    ///
    /// # Errors
    /// A pattern can't be read.
    pub fn address_by_steps(
        &self,
        cx: &mut Context,
        address: &Str,
        place: AddressPlace,
    ) -> Result<Option<(Str, Vec<Str>)>, Fail> {
        if !self.concerns(place) {
            return Ok(None);
        }
        let done = self.apply(cx, address, place)?;
        Ok(done.changed().then_some((done.address, done.before)))
    }

    /// Rewrites one item of a header: an address with a phrase or comments around
    /// it. `None` where no rule applies, or where it is no address.
    ///
    /// # Errors
    /// A pattern can't be read.
    pub fn header_item(
        &self,
        cx: &mut Context,
        item: &Str,
        place: AddressPlace,
    ) -> Result<Option<RewrittenItem>, Fail> {
        let (text, taint) = item.read();
        let Ok(found) = address::parse(text, rules(cx)) else { return Ok(None) };
        let done = self.apply(cx, &Str::from(found.text).stamped(taint), place)?;
        if !done.changed() {
            return Ok(None);
        }
        let (around, span) = match &done.whole {
            Some((whole, span)) => (whole.as_slice(), span),
            None => (text, &found.span),
        };
        let (head, tail) = (&around[..span.start], &around[span.end..]);
        let new = [head, done.address.bytes(), tail].concat();
        let (text, is_whole) = (Str::from(new).stamped(taint), done.whole.is_some());
        Ok(Some(RewrittenItem { text, is_whole }))
    }

    fn apply(
        &self,
        cx: &mut Context,
        address: &Str,
        place: AddressPlace,
    ) -> Result<Rewritten, Fail> {
        let mut done = Rewritten { address: address.clone(), before: Vec::new(), whole: None };
        for (number, rule) in (1..).zip(&self.rules) {
            if !rule.flags.intersects(place.flag()) {
                continue;
            }
            match done.by_rule(cx, (number, rule), place)? {
                Next::Rule => {}
                Next::Stop => break,
            }
        }
        Ok(done)
    }
}

/// What the rules make of an item of a header.
#[derive(Clone, PartialEq, Debug)]
pub struct RewrittenItem {
    /// The item, as tainted as before.
    pub text: Str,
    /// Whether a rule replaced all of it (`w`), and not the address alone.
    pub is_whole: bool,
}

/// What comes after a rule.
enum Next {
    Rule,
    Stop,
}

impl Rewritten {
    fn changed(&self) -> bool {
        !self.before.is_empty()
    }

    /// Applies a rule, and again where it says so.
    fn by_rule(
        &mut self,
        cx: &mut Context,
        (number, rule): (usize, &RewriteRule),
        place: AddressPlace,
    ) -> Result<Next, Fail> {
        let which = place.flag();
        let last = rule.flags.contains(RewriteFlags::LAST);
        let mut applied = false;
        for _ in 0..=MOST_REPEATS {
            if !matches(cx, rule, &self.address, which)? {
                return Ok(if applied && last { Next::Stop } else { Next::Rule });
            }
            if rule.replacement.bytes() == b"*" && which != RewriteFlags::SMTP {
                return Ok(Next::Stop);
            }
            let before = self.address.clone();
            match self.replace(cx, rule, which) {
                Replaced::Done(new) => {
                    applied = true;
                    log_rewritten(cx, &before, place, &new, number);
                }
                Replaced::Left if last => return Ok(Next::Stop),
                Replaced::Left => return Ok(Next::Rule),
                Replaced::Wrong(line) => {
                    cx.log().panic(&line);
                    return Ok(Next::Stop);
                }
            }
            if !rule.flags.contains(RewriteFlags::REPEAT) {
                return Ok(if last { Next::Stop } else { Next::Rule });
            }
        }
        cx.log().panic(b"rewrite rule repeat ignored after 10 times");
        Ok(if last { Next::Stop } else { Next::Rule })
    }

    /// Puts a rule's replacement in the address's place.
    fn replace(&mut self, cx: &mut Context, rule: &RewriteRule, which: RewriteFlags) -> Replaced {
        let written = rule.replacement.bytes();
        let shown = [var::LOCAL_PART, var::DOMAIN];
        let before = shown.map(|one| cx.is_set(one).then(|| cx.value_of(one)));
        if which != RewriteFlags::SMTP {
            // While the pattern is expanded, they are not set.
            let (text, taint) = self.address.read();
            let at = last_at(text);
            let domain = text.get(at + 1..).unwrap_or_default();
            cx.set_var(var::LOCAL_PART, Str::from(&text[..at]).stamped(taint));
            cx.set_var(var::DOMAIN, Str::from(domain).stamped(taint));
        }
        let engine = cx.engine().clone();
        let expanded = engine.expand_once(written, cx);
        for (one, value) in shown.into_iter().zip(before) {
            match value {
                Some(value) => cx.set_var(one, value),
                None => cx.unset_var(one),
            }
        }
        let new = match expanded {
            Ok(new) => new,
            Err(fail) if fail.class() == FailClass::Forced => return Replaced::Left,
            Err(fail) => {
                let head = b"Expansion of ".as_slice();
                let middle = b" failed while rewriting: ";
                return Replaced::Wrong([head, written, middle, fail.message()].concat());
            }
        };
        let (text, taint) = new.read();
        let old = self.address.bytes();
        let may_be_none = which.intersects(RewriteFlags::SMTP | RewriteFlags::FROM_ENVELOPE);
        let rules = Rules { null: may_be_none, ..rules(cx) };
        let found = match address::parse(text, rules) {
            Ok(found) => found,
            Err(why) => {
                let middle = b" yielded unparseable address: ".as_slice();
                let parts = [b"Rewrite of ", old, middle, &why.message, b" in address ", text];
                return Replaced::Wrong(parts.concat());
            }
        };
        let null = found.text.is_empty();
        // What follows `MAIL` is read behind this.
        let is_written = null && which == RewriteFlags::SMTP;
        let mut working = if is_written { b"<>".to_vec() } else { found.text.clone() };
        let mut shown = text.to_vec();
        if found.domain.is_none() && !null {
            if !rule.flags.contains(RewriteFlags::QUALIFY) {
                let middle = b" yielded unqualified address \"".as_slice();
                return Replaced::Wrong([b"Rewrite of ", old, middle, text, b"\""].concat());
            }
            working.push(b'@');
            if let Ok(domain) = cx.found_out(var::QUALIFY_RECIPIENT) {
                working.extend_from_slice(domain.bytes());
            }
            shown.clone_from(&working);
        }
        if rule.flags.contains(RewriteFlags::WHOLE) && which.intersects(RewriteFlags::HEADERS) {
            self.whole =
                Some(whole(text, &found, engine.settings().get(opt::HEADERS_CHARSET).bytes()));
        }
        let new = Str::from(working).stamped(taint);
        self.before.push(std::mem::replace(&mut self.address, new));
        Replaced::Done(shown)
    }
}

/// Notes what a rule made of an address, where that is wanted.
fn log_rewritten(cx: &mut Context, before: &Str, place: AddressPlace, new: &[u8], number: usize) {
    let wanted = LogSelector::ADDRESS_REWRITE;
    let logged = cx.engine().settings().log_selector().contains(wanted);
    let event = RewriteEvent::new(before.bytes(), new, place.word(), number);
    let log = cx.log();
    let is_said = logged || log.shows_unselected();
    cx.tell(Happening::Rewrite(event.logged(is_said)));
    if is_said {
        let (middle, tail) =
            (format!("\" from {} rewritten as \"", place.word()), number.to_string());
        let tail = [b"\" by rule ", tail.as_bytes()].concat();
        let parts = [b"\"", before.bytes(), middle.as_bytes(), new, &tail];
        log.by_selector(cx.engine().settings().log_selector(), wanted, &parts.concat());
    }
}

enum Replaced {
    /// By this.
    Done(Vec<u8>),
    /// The rule itself says that it leaves the address alone.
    Left,
    /// What to log.
    Wrong(Vec<u8>),
}

fn matches(
    cx: &mut Context,
    rule: &RewriteRule,
    address: &Str,
    which: RewriteFlags,
) -> Result<bool, Fail> {
    if which == RewriteFlags::SMTP {
        return patterns::matches_text(cx, &rule.pattern, address);
    }
    patterns::matches(cx, &rule.pattern, &mut Matcher::address(address).caseful().binding())
}

/// What is let pass in addresses.
fn rules(cx: &Context) -> Rules {
    let settings = cx.engine().settings();
    Rules {
        // What the configuration makes of an address is nobody else's doing.
        literals: true,
        ..Rules::of(settings)
    }
}

/// A whole item for a header, with what is around its address made fit for it;
/// and where the address is.
fn whole(text: &[u8], found: &AddrSpec, charset: &[u8]) -> (Vec<u8>, std::ops::Range<usize>) {
    let (head, tail) = (&text[..found.span.start], &text[found.span.end..]);
    let (name, bracket) = match memchr::memrchr(b'<', head) {
        Some(at) => head.split_at(at),
        None => (head, b"".as_slice()),
    };
    let end = name.len() - name.iter().rev().take_while(|c| c.is_ascii_whitespace()).count();
    let (name, blank) = name.split_at(end);
    let mut out = match bracket {
        b"" => visible(name, charset),
        _ if name.is_empty() => Vec::new(),
        _ => address::phrase(name, charset),
    };
    out.extend_from_slice(blank);
    out.extend_from_slice(bracket);
    let start = out.len();
    out.extend_from_slice(&text[found.span.clone()]);
    let end = out.len();
    let (closing, tail) = match tail.strip_prefix(b">") {
        Some(rest) => (b">".as_slice(), rest),
        None => (b"".as_slice(), tail),
    };
    out.extend_from_slice(closing);
    let blank = tail.len() - tail.trim_ascii_start().len();
    let (blank, tail) = tail.split_at(blank);
    out.extend_from_slice(blank);
    out.extend_from_slice(&visible(tail, charset));
    (out, start..end)
}

/// A text as encoded words, where it has other bytes than ASCII's visible ones.
fn visible(text: &[u8], charset: &[u8]) -> Vec<u8> {
    match text.iter().any(|c| !matches!(c, b' '..=b'~' | b'\t')) {
        true => rfc2047::encode(text, charset).into_owned(),
        false => text.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use eximious_core::world::Fixture;

    use super::*;
    use crate::{Engine, Macros};

    /// What the rules make of an item of the From header.
    fn from(rules: &str, item: &str) -> Option<String> {
        let world = Fixture::new().file("/c", format!("begin rewrite\n{rules}\n")).world();
        let registry = crate::registry();
        let config = Config::read(b"/c", Macros::new(), &world, &registry).unwrap();
        let mut cx = Engine::builder().world(world).build().context();
        let item = Str::tainted(item.as_bytes());
        let new = Rewriter::of(&config).header_item(&mut cx, &item, AddressPlace::From).unwrap();
        new.map(|new| new.text.display().into_owned())
    }

    #[test]
    fn rules_follow_each_other() {
        for (rules, item, new) in [
            ("*@a b@c\n*@c d@e", "x@a", Some("d@e")),
            ("*@a b@c q\n*@c d@e", "x@a", Some("b@c")),
            ("*@a * f\n*@a d@e", "x@a", None),
            ("*x@*.b $1-$2@c", "yx@a.b", Some("y-a@c")),
            ("^(.*)@a ${uc:$1}@c", "x@a", Some("X@c")),
            ("*@a b@c", "Foo Bar <x@a> (y)", Some("Foo Bar <b@c> (y)")),
            ("*@a \"New <b@c>\" w", "Foo <x@a>", Some("New <b@c>")),
            ("*@a y$1@a R", "x@a", Some("yyyyyyyyyyyx@a")),
            ("*@a b@c T", "x@a", None),
            ("*@a b", "x@a", None),
        ] {
            assert_eq!(from(rules, item).as_deref(), new, "{rules} {item}");
        }
    }

    #[test]
    fn what_is_rewritten_stays_tainted() {
        let text = b"begin rewrite\n*@a $1@c\n".as_slice();
        let world = Fixture::new().file("/c", text).world();
        let registry = crate::registry();
        let config = Config::read(b"/c", Macros::new(), &world, &registry).unwrap();
        let mut cx = Engine::builder().world(world).build().context();
        let address = Str::tainted(b"x@a".as_slice());
        let new = Rewriter::of(&config).address(&mut cx, &address, AddressPlace::EnvelopeTo);
        assert!(new.unwrap().unwrap().taint().is_tainted());
    }
}
