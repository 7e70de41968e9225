//! What logs say of deliveries (specification, chapter 53).

use std::net::SocketAddr;

use eximious::route::{Address, Delivery, DeliveryTarget, Routes};
use eximious::stdlib::ports;
use eximious::stdlib::printing::printing;
use eximious::transport::{Delivered, TakingHost, Undelivered};
use eximious::world::{LogLine, LogPart, LogVoice, Moment};
use eximious::{Context, LogSelector, Str, opt};

use super::attempt::Attempt;
use crate::logs::{end_named, is_same_address, lasted, security_of};

/// How much of what a host said is logged.
const LONGEST: usize = 1024;

/// The numbers of what is not tried are this one, or below it.
const UNTRIED: i32 = -52;

/// Of which address a line is, and where it went.
pub(super) struct Subject<'s> {
    pub(super) address: &'s Address,
    /// The router.
    pub(super) router: Option<&'s Str>,
    /// The transport.
    pub(super) transport: Option<&'s Str>,
    /// The local part alone is shown: a delivery on this host was made.
    pub(super) is_local: bool,
    /// Whether the address is a file, a command or the like.
    pub(super) is_direct: bool,
    /// Whether no router that minds its case had the last word.
    pub(super) is_unrouted: bool,
    /// Whether its router has failed it without a word, be it an empty one.
    pub(super) is_wordless: bool,
    /// Whether it is a file that has no place of its own.
    pub(super) is_loose: bool,
    /// The address as the transport tells it, where that is known: perhaps without affixes.
    pub(super) told: Option<Str>,
    /// The host that a delivery on this host is for.
    pub(super) is_for: Option<&'s str>,
    /// Whether the address that it came of is told though it is the same: there was time enough.
    pub(super) is_late: bool,
    /// Where the sender has asked for reports (DSN) and that is logged: whether its router is the
    /// last that makes some.
    pub(super) asks: Option<bool>,
}

impl<'s> Subject<'s> {
    /// Of a delivery.
    pub(super) fn of(
        delivery: &'s Delivery,
        router: &'s Str,
        transport: Option<&'s Str>,
        is_local: bool,
    ) -> Self {
        let is_direct = delivery.target != DeliveryTarget::Address;
        let address = &delivery.address;
        let is_loose = matches!(delivery.target, DeliveryTarget::File { .. })
            && !address.text.bytes().starts_with(b"/");
        let undelivered = Self::undelivered(address, Some(router), is_direct);
        Self { transport, is_local, is_loose, is_unrouted: false, ..undelivered }
    }

    /// Of an address that no transport has to do with.
    pub(super) fn undelivered(
        address: &'s Address,
        router: Option<&'s Str>,
        is_direct: bool,
    ) -> Self {
        let (is_local, is_unrouted, is_loose) = (false, true, false);
        let (transport, told, is_for, is_late, asks) = (None, None, None, false, None);
        Self {
            address,
            router,
            transport,
            is_local,
            is_direct,
            is_unrouted,
            is_wordless: false,
            is_loose,
            told,
            is_for,
            is_late,
            asks,
        }
    }

    /// The same, as its transport tells it, where it has done so.
    pub(super) fn told_by(self, routes: &Routes, delivery: &Delivery, is_told: bool) -> Self {
        let number = delivery.transport.filter(|_| !self.is_direct);
        let told = number.map(|number| routes.recipient_by(number, &delivery.address, is_told));
        Self { told, ..self }
    }

    /// The address itself, as the routers had it: without quotes, and in lower case, unless one
    /// minded that.
    fn own(&self) -> Vec<u8> {
        let address = self.address;
        let text = address.text.bytes();
        if self.is_direct {
            return text.to_vec();
        }
        if self.is_unrouted {
            let local_part = address.local_part.bytes().to_ascii_lowercase();
            return [&local_part[..], b"@", address.domain.bytes()].concat();
        }
        let has_affixes = self.told.as_ref().is_none_or(|told| told.bytes() == text);
        let local_part = match has_affixes {
            true => address.whole_local_part(),
            false => address.local_part.clone(),
        };
        match self.is_local {
            true => local_part.bytes().to_vec(),
            false => [local_part.bytes(), b"@", address.domain.bytes()].concat(),
        }
    }
}

impl Attempt<'_> {
    /// `a <list@me.test>`: an address, and the one that it came of.
    pub(super) fn named(&self, subject: &Subject<'_>) -> LogLine {
        let (address, text) = (subject.address, subject.address.text.bytes());
        if subject.is_late {
            return self.named_in_parts(subject);
        }
        let is_short = subject.is_local && !subject.is_direct;
        let own = subject.own();
        // Bytes beyond ASCII are written as they are.
        let mut out = LogLine::default();
        out.push(LogPart::Address, printing(&own, true));
        let ancestors: Vec<&[u8]> = address.ancestors().map(|one| one.text.bytes()).collect();
        let all = self.wanted().contains(LogSelector::ALL_PARENTS);
        let (top, between) = match ancestors.split_last() {
            Some((top, between)) => (Some(*top), between),
            None => (None, &ancestors[..]),
        };
        if let Some(original) = address.once_parent.as_ref().map(Str::bytes).or(top) {
            // A file or a command is told with the address that it came of.
            let nearest = usize::from(subject.is_direct).min(between.len());
            let between = if all { between } else { &between[..nearest] };
            let shown: Vec<Vec<u8>> = between.iter().map(|one| printing(one, true)).collect();
            if !between.is_empty() {
                out.push(LogPart::Words, [b" (", &shown.join(&b", "[..])[..], b")"].concat());
            }
            let is_other = self.is_made_once(address) || !is_same_address(original, &own);
            if is_short || subject.is_direct || !between.is_empty() || is_other {
                out.push(LogPart::Original, in_brackets(original));
            }
        } else if is_short || !is_same_address(text, &own) {
            out.push(LogPart::Original, in_brackets(text));
        }
        out
    }

    /// The same of a file or a directory, where its transport chose another than was asked for.
    fn named_at(&self, subject: &Subject<'_>, file: Option<&[u8]>) -> LogLine {
        let named = self.named(subject);
        match file {
            Some(file) => named.about(&printing(file, true)),
            None => named,
        }
    }

    /// `a@me.test <list@me.test>`: an address, and the one that it came of at last. One that is
    /// a recipient of its own by now came of none.
    pub(super) fn named_with_parent(&self, subject: &Subject<'_>) -> Vec<u8> {
        self.named_in_parts(subject).into_text()
    }

    fn named_in_parts(&self, subject: &Subject<'_>) -> LogLine {
        let address = subject.address;
        let mut out = LogLine::default();
        out.push(LogPart::Address, printing(address.text.bytes(), true));
        if let Some(parent) = address.parent.as_ref().filter(|_| !self.is_settled(address)) {
            out.push(LogPart::Original, in_brackets(parent.text.bytes()));
        }
        out
    }

    /// Whether it is a recipient of its own since an earlier attempt (`one_time`).
    fn is_settled(&self, address: &Address) -> bool {
        self.settled.contains(address.text.bytes())
    }

    /// Whether it came of a redirection that is made once and for all.
    fn is_made_once(&self, address: &Address) -> bool {
        let mut routers = address.ancestors().filter_map(|one| one.router);
        routers.any(|number| self.routes().router_makes_once(number))
    }

    pub(super) fn wanted(&self) -> LogSelector {
        self.cx.engine().settings().log_selector()
    }

    /// ` R=… T=…`
    fn drivers(line: &mut LogLine, router: Option<&Str>, transport: Option<&Str>) {
        for (letter, name) in [("R", router), ("T", transport)] {
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                line.field(letter, name.bytes());
            }
        }
    }

    /// ` H=name DS [address]`
    pub(super) fn host(&self, line: &mut LogLine, host: &TakingHost) {
        line.field("H", &host.name);
        if host.is_signed && self.wanted().contains(LogSelector::DNSSEC) {
            line.words(b"DS");
        }
        line.push(LogPart::More, format!(" [{}]", host.address));
        if self.logs_port(host.port) {
            line.push(LogPart::More, format!(":{}", host.port));
        }
    }

    /// Whether a port is logged.
    fn logs_port(&self, port: u16) -> bool {
        let settings = self.cx.engine().settings();
        self.wanted().contains(LogSelector::OUTGOING_PORT) && ports::is_logged(settings, port)
    }

    /// ` I=[…]:…`: from where a host was reached, where that is wanted.
    fn interface(&self, local: Option<SocketAddr>) -> Vec<u8> {
        // One of the two alone is not enough.
        let both = LogSelector::INCOMING_INTERFACE | LogSelector::OUTGOING_INTERFACE;
        let local = local.filter(|_| self.wanted().contains(both));
        let Some(local) = local else { return Vec::new() };
        end_named(" I=", local, self.logs_port(local.port()))
    }

    /// ` PRX=[…]`, the proxy that a host was reached through.
    fn proxy(&self, proxy: SocketAddr) -> Vec<u8> {
        if !self.wanted().contains(LogSelector::PROXY) {
            return Vec::new();
        }
        end_named(" PRX=", proxy, self.logs_port(proxy.port()))
    }

    /// ` F=<…> SRS=<…> P=<…>`, as far as they are wanted.
    fn senders(
        &self,
        subject: &Subject<'_>,
        told: Option<&Str>,
        return_path: Option<&Str>,
    ) -> LogLine {
        let wanted = self.wanted();
        let mut out = self.sender(told);
        if let Some(sender) = &subject.address.attached.srs_sender {
            out.field("SRS", [b"<", sender.bytes(), b">"].concat());
        }
        self.queue(&mut out);
        if let Some(path) = return_path
            && wanted.contains(LogSelector::RETURN_PATH_ON_DELIVERY)
        {
            out.field("P", [b"<", path.bytes(), b">"].concat());
        }
        out
    }

    /// ` F=<…>`, where that is wanted: as a host was told him, if that is another one.
    fn sender(&self, told: Option<&Str>) -> LogLine {
        let sender = told.map_or(&self.file().sender[..], Str::bytes);
        let mut out = LogLine::default();
        if self.wanted().contains(LogSelector::SENDER_ON_DELIVERY) {
            out.field("F", [b"<", sender, b">"].concat());
        }
        out
    }

    /// ` Q=name`, of a message in a named queue.
    fn queue(&self, line: &mut LogLine) {
        if !self.place.queue.is_empty() {
            line.field("Q", &self.place.queue);
        }
    }

    /// ` DSN=…`: who makes the reports that the sender has asked for, where that is wanted. The
    /// host does, which has said whether it can, if there was one.
    fn reports(line: &mut LogLine, subject: &Subject<'_>, host: Option<bool>) {
        let Some(is_last) = subject.asks else { return };
        let who = match host {
            None => "notsmtp",
            Some(_) if is_last => "notrouter",
            Some(true) => "yes",
            Some(false) => "notpeer",
        };
        line.field("DSN", who);
    }

    /// `=> …`: an address has got the message.
    pub(super) fn delivered_line(
        &mut self,
        mark: &str,
        subject: &Subject<'_>,
        done: &Delivered,
        return_path: Option<&Str>,
        began: Moment,
    ) -> LogLine {
        let wanted = self.wanted();
        let mut named = self.named_at(subject, done.file.as_deref());
        if let Some(told) = &done.recipient {
            let address = subject.address;
            let ends = named.has(LogPart::Original)
                || address.parent.is_some()
                || address.once_parent.is_some();
            named = named.about(told.bytes());
            if !ends {
                let own = [b" <", address.text.bytes(), b">"].concat();
                named.push(LogPart::Original, own);
            }
        }
        let mut line = named.marked(mark);
        line.append(&self.senders(subject, done.sender.as_deref(), return_path));
        Self::drivers(&mut line, subject.router, done.transport.as_ref().or(subject.transport));
        if wanted.contains(LogSelector::DELIVERY_SIZE) {
            line.field("S", done.size.unwrap_or(self.message.size).to_string());
        }
        if let Some(shadow) = &done.shadow {
            line.field("ST", shadow);
        }
        if let Some(host) = &done.host {
            self.host(&mut line, host);
            if done.copy > 1 {
                line.push(LogPart::More, b"*");
            }
            if let Some(proxy) = done.proxy.as_deref() {
                line.words(&self.proxy(*proxy));
            }
            line.words(&self.interface(done.local.as_deref().copied()));
        } else if let Some(name) = subject.is_for {
            line.field("H", name);
        }
        if let Some(secured) = &done.secured {
            line.append(&security_of(wanted, secured));
        }
        line.append(&done.fields);
        Self::reports(&mut line, subject, done.host.as_ref().map(|_| done.reports));
        if let Some(said) = &done.confirmation
            && wanted.contains(LogSelector::SMTP_CONFIRMATION)
        {
            let mut quoted = b"\"".to_vec();
            let said = self.printed(said);
            for byte in said.get(..LONGEST).unwrap_or(&said) {
                if matches!(byte, b'"' | b'\\') {
                    quoted.push(b'\\');
                }
                quoted.push(*byte);
            }
            quoted.push(b'"');
            line.field("C", quoted);
        }
        if wanted.contains(LogSelector::QUEUE_TIME) {
            line.field("QT", lasted(&self.cx, self.file().completed_at()));
        }
        line.words(&self.took(Some(began)));
        line
    }

    /// `** …` and `== …`, without the mark: what is wrong with an address.
    pub(super) fn trouble_line(
        &self,
        subject: &Subject<'_>,
        why: &Undelivered,
        (defers, began): (bool, Option<Moment>),
    ) -> LogLine {
        let mut senders = if defers { LogLine::default() } else { self.sender(None) };
        self.queue(&mut senders);
        let took = if defers { self.took(began) } else { Vec::new() };
        self.trouble(subject, why, (defers, &took), &senders)
    }

    /// The same of an address for which the time has run out.
    pub(super) fn timed_out_line(&self, subject: &Subject<'_>, why: &Undelivered) -> LogLine {
        self.trouble(subject, why, (false, b""), &LogLine::default())
    }

    /// The same of a delivery that a transport could not make, with its senders.
    pub(super) fn failure_line(
        &self,
        subject: &Subject<'_>,
        why: &Undelivered,
        return_path: Option<&Str>,
    ) -> LogLine {
        self.trouble(subject, why, (false, b""), &self.senders(subject, None, return_path))
    }

    /// ` DT=…`: how long a delivery took, or that there was none.
    pub(super) fn took(&self, began: Option<Moment>) -> Vec<u8> {
        if !self.wanted().contains(LogSelector::DELIVER_TIME) {
            return Vec::new();
        }
        let began = began.unwrap_or_else(|| self.moment());
        format!(" DT={}", lasted(&self.cx, began)).into_bytes()
    }

    fn trouble(
        &self,
        subject: &Subject<'_>,
        why: &Undelivered,
        (defers, took): (bool, &[u8]),
        senders: &LogLine,
    ) -> LogLine {
        // What has failed for good is told as it was asked for.
        let file = why.file.as_ref().filter(|_| defers).map(|file| &file[..]);
        let head = if subject.is_loose && file.is_none() { "save " } else { "" };
        let mut line = self.named_at(subject, file).behind(LogPart::Words, head);
        line.append(senders);
        Self::drivers(&mut line, subject.router, subject.transport);
        // Where there is one try, what has failed for good may be what would have been put off.
        let has_number = defers || self.is_wrapped();
        let (said, message) = if has_number { why.words() } else { (None, &why.message[..]) };
        if defers {
            let is_named = subject.transport.is_some()
                || subject.router.is_some_and(|router| !router.is_empty());
            let routing = if is_named { "" } else { " routing" };
            line.push(LogPart::Number, format!("{routing} defer ({})", why.number));
            // What the system says of it comes before the host.
            if let Some(said) = &said {
                line.push(LogPart::Reason, [b": ", &said[..]].concat());
            }
        }
        if let Some(host) = &why.host {
            self.host(&mut line, host);
            if why.is_continued {
                line.push(LogPart::More, b"*");
            }
            if let Some(proxy) = why.proxy.as_deref() {
                line.words(&self.proxy(*proxy));
            }
            line.words(&self.interface(why.local.as_deref().copied()));
        }
        if let Some(secured) = why.first_words.as_ref().and_then(|words| words.secured.as_ref())
            && !defers
        {
            line.append(&security_of(self.wanted(), secured));
        }
        let heard = why.host.as_ref().and(why.first_words.as_ref());
        Self::reports(&mut line, subject, heard.map(|words| words.reports));
        line.words(took);
        // Where it has failed for good, it comes behind it.
        if let Some(said) = said.filter(|_| !defers) {
            line.push(LogPart::Reason, [b": ", &said[..]].concat());
        }
        // What a router has to say may be nothing, but it has said it.
        let is_routers = subject.transport.is_none() && why.number <= 0 && !subject.is_wordless;
        if !message.is_empty() || is_routers {
            line.push(LogPart::Reason, [b": ", &self.printed(message)[..]].concat());
        }
        line
    }

    /// A text with escapes for what does not print (`print_topbitchars`).
    pub(super) fn printed(&self, text: &[u8]) -> Vec<u8> {
        printing(text, self.cx.engine().settings().get(opt::PRINT_TOPBITCHARS))
    }

    /// Writes a line about the message to the main log.
    pub(super) fn log(&self, line: &[u8]) {
        let id = Str::from(&self.id[..]);
        crate::logs::main(&self.cx, &id)(line);
    }

    /// The same of a line that knows its parts.
    pub(super) fn tell(&self, line: &LogLine) {
        crate::logs::tell(&self.cx, &Str::from(&self.id[..]), LogVoice::Main, line);
    }

    /// The same of what happened to the message: a word, and others behind it.
    pub(super) fn tell_event(&self, event: &str, words: impl AsRef<[u8]>) {
        let mut line = LogLine::of(event);
        line.push(LogPart::Words, words);
        self.tell(&line);
    }

    /// The same, unless the main log is to be told nothing (`disable_logging`).
    pub(super) fn tell_unless(&self, silent: bool, line: &LogLine) {
        if !silent {
            self.tell(line);
        }
    }

    /// The same of what is put off. That nothing was tried is told where a selector is set.
    pub(super) fn tell_put_off(&self, number: i32, silent: bool, line: &LogLine) {
        match number <= UNTRIED {
            _ if silent => {}
            true => self.tell_if(LogSelector::RETRY_DEFER, line),
            false => self.tell(line),
        }
    }

    /// The same, where a selector is set.
    pub(super) fn tell_if(&self, by: LogSelector, line: &LogLine) {
        match self.wanted().contains(by) {
            true => {
                let id = Str::from(&self.id[..]);
                crate::logs::tell(&self.cx, &id, LogVoice::Selected(by), line);
            }
            false => self.log_if(by, line.text()),
        }
    }

    /// Writes a line to the main log where a selector is set.
    pub(super) fn log_if(&self, by: LogSelector, line: &[u8]) {
        let (log, wanted) = (&self.cx.engine().world().log, self.wanted());
        if log.hears(wanted, by) {
            let line = crate::logs::named(&Str::from(&self.id[..]), &printing(line, true));
            log.by_selector(wanted, by, &line);
        }
    }

    /// Writes a line to the message's own log, which is made where that is wanted.
    pub(super) fn log_message(&mut self, line: &[u8]) {
        let queue = self.place.queue.clone();
        crate::spool::begin_log(&mut self.cx, &queue, &self.id, &[line]);
    }

    /// The same without the time: of what concerns the message as a whole.
    pub(super) fn log_message_undated(&mut self, line: &[u8]) {
        self.log_message_bare(&[line, b"\n"].concat());
    }

    /// The same without the line's end: of what an attempt breaks off with.
    pub(super) fn log_message_bare(&self, text: &[u8]) {
        crate::spool::add_to_log(&self.cx, &self.place.queue, &self.id, text);
    }

    /// Tells the message's own log what is put off. It has what was done, and what was not
    /// tried the first time only.
    pub(super) fn log_message_put_off(&mut self, why: &Undelivered, line: &[u8]) {
        if why.number > UNTRIED || self.message.attempt.is_first {
            self.log_message(line);
        }
    }

    /// A recipient whose message is thrown away.
    pub(super) fn log_discarded(
        &mut self,
        address: &Address,
        router: Option<usize>,
        by_filter: bool,
    ) {
        let word = if by_filter { "discarded" } else { ":blackhole:" };
        let mut line = LogLine::default();
        line.push(LogPart::Address, word);
        let text = self.printed(address.text.bytes());
        line.push(LogPart::Original, [b" <", &text[..], b">"].concat());
        if let Some(number) = router {
            line.field("R", self.routes().router_name(number).bytes());
        }
        self.tell(&line.marked("=>"));
    }
}

/// ` <address>`
fn in_brackets(address: &[u8]) -> Vec<u8> {
    [b" <", &printing(address, true)[..], b">"].concat()
}

/// The address that the message was sent to, of which another came.
pub(super) fn top(address: &Address) -> &[u8] {
    address.ancestors().last().map_or(address.text.bytes(), |one| one.text.bytes())
}

/// The parts of a context that a line of a log is made of.
pub(super) fn now(cx: &Context) -> i64 {
    cx.engine().world().clock.now().seconds
}
