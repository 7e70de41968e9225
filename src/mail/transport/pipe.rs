//! `pipe`: to commands (specification, chapter 29).

mod command;
mod rules;
mod status;

use std::io::{self, Read};

use eximious_core::world::{PipeEnd, PipeFault, PipeOrder};
use eximious_core::{Effects, Meta, Str, TaintRule};
use eximious_stdlib::environment::Environment;
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt as main;
use eximious_stdlib::options::opt::transport::pipe as opt;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::filter::FilterFault;
use super::local::{LocalText, Surroundings, Trouble, no_rights, surroundings};
use super::{Delivered, Outcome, TransportCall, Undelivered};
use crate::mail::route::{DeliveryTarget, Text};
pub(super) use rules::RULES;

static META: Meta =
    Meta::new("pipe", Effects::RUN.union(Effects::FILES).union(Effects::HOST), TaintRule::Result);

static SURROUNDINGS: Surroundings = surroundings!(opt);

/// How much a filter may still write when the command has ended.
const MOST_UNREAD: u64 = 1 << 30;

/// What the sender is told of a command that failed.
const FAILED: &[u8] = b"local delivery failed";

/// What is said of a command that does not take the message in time.
const CUT: &[u8] = b"timeout while writing to pipe";

/// What stands behind as much of a command's output as is wanted.
const TOO_MUCH: &[u8] = b"\n\n*** Too much output - remainder discarded ***\n";

/// It may go another time.
fn later(message: Vec<u8>) -> Trouble {
    Trouble::Deferred(Undelivered::new(0, message))
}

/// The same, where the transport's options make no sense.
fn senseless(message: Vec<u8>) -> Trouble {
    Trouble::Deferred(Undelivered::new(0, message).panicking())
}

/// It never will.
fn never(message: Vec<u8>) -> Trouble {
    let said = Some(FAILED.to_vec());
    Trouble::Failed(Undelivered { said, ..Undelivered::new(0, message) })
}

pub(super) fn run(call: &mut TransportCall<'_>) -> Vec<Outcome> {
    let outcome = match deliver(call) {
        Ok(delivered) => Outcome::Delivered(delivered),
        Err(trouble) => trouble.into(),
    };
    vec![outcome; call.consignment.deliveries.len()]
}

fn deliver(call: &mut TransportCall<'_>) -> Result<Delivered, Trouble> {
    let filter = call.filter("")?;
    let path = search_path(call);
    let argv = command::words(call, &path)?;
    let environment = environment(call, &path)?;
    let transport = call.transport;
    let directory = call.directory.clone();
    let timeout = transport.get(opt::TIMEOUT);
    let order = PipeOrder {
        argv,
        environment,
        directory,
        user: call.consignment.user.clone(),
        umask: u32::try_from(transport.get(opt::UMASK)).unwrap_or(0o22) & 0o777,
        dumps_core: transport.on(opt::PERMIT_COREDUMP),
        timeout: Some(timeout).filter(|timeout| !timeout.is_zero()),
        max_output: u64::try_from(transport.get(opt::MAX_OUTPUT)).unwrap_or(0),
    };
    let text = LocalText::new(call, &SURROUNDINGS, filter, (None, false))?;
    let denied = call.cx.call(&META, |call| call.processes().map(|_| ()));
    denied.map_err(|fail| later(fail.message().to_vec()))?;
    let processes = call.cx.engine().world().processes.clone();
    let mut reader = Content { reader: text.reader(), text: &text };
    let piped = processes.pipe(&order, &mut reader);
    if piped.is_ok() && text.is_filtered() {
        // A command may be content without reading all; the filter has to be, too. Why it is
        // not, it says itself.
        let _ = io::copy(&mut reader.take(MOST_UNREAD), &mut io::sink());
    }
    let fault = text.filter_fault().filter(|fault| !fault.is_cut());
    match piped {
        Err(PipeFault::Message(_, output)) if let Some(fault) = fault => {
            Err(not_filtered(call, &order, (&fault, b""), output))
        }
        Err(PipeFault::Timeout(end)) if let Some(fault) = fault => {
            let ended = b"pipe delivery process timed out (preceded by ";
            Err(not_filtered(call, &order, (&fault, ended), end.output))
        }
        Ok(end) if let Some(fault) = fault => {
            Err(not_filtered(call, &order, (&fault, b""), end.output))
        }
        Ok(end) => ended(call, &order, end),
        Err(fault) => not_run(call, &order, fault),
    }
}

/// A message that ends where a filter does not want more of it: a command need not, either.
struct Content<'t> {
    reader: Box<dyn Read + 't>,
    text: &'t LocalText<'t>,
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let is_cut = || self.text.filter_fault().is_some_and(|fault| fault.is_cut());
        self.reader.read(into).or_else(|error| if is_cut() { Ok(0) } else { Err(error) })
    }
}

/// Why the message did not come as far as the command; `head` says in Exim's words what became
/// of the command after a filter that took too long.
fn not_filtered(
    call: &mut TransportCall<'_>,
    order: &PipeOrder,
    (fault, head): (&FilterFault, &[u8]),
    output: Vec<u8>,
) -> Trouble {
    let why = match fault.is_timeout() {
        true => fault.told("transport filter", b" while writing to pipe"),
        false => fault.told("Transport filter", b"").panicking(),
    };
    let tail: &[u8] = if head.is_empty() { b"" } else { b")" };
    let late = [head, &why.message, tail].concat();
    let trouble = match fault.is_timeout() {
        true if call.transport.on(opt::TIMEOUT_DEFER) => later(late),
        true => never(late),
        false => Trouble::Deferred(why),
    };
    let said = if fault.is_timeout() { FAILED } else { b"" };
    with_output(call, order, (trouble, said), output)
}

/// The same trouble, with what the command had to say by then: where that is returned, nothing
/// is tried again, and the sender is told these words.
fn with_output(
    call: &mut TransportCall<'_>,
    order: &PipeOrder,
    (trouble, said): (Trouble, &[u8]),
    mut output: Vec<u8>,
) -> Trouble {
    let is_temporary = matches!(trouble, Trouble::Deferred(_));
    cut(&mut output, order);
    log(call, &output, (false, is_temporary));
    let returns = returns(call, &output);
    let trouble = match trouble {
        Trouble::Deferred(why) if returns => {
            let said = Some(said.to_vec());
            Trouble::Failed(Undelivered { panics: false, is_untried: false, said, ..why })
        }
        trouble => trouble,
    };
    let is_failed = matches!(trouble, Trouble::Failed(_));
    if returns || is_failed && shows(call, opt::RETURN_FAIL_OUTPUT) && !is_bounce(call) {
        call.done.output = output;
    }
    trouble
}

/// Marks output of which there was too much.
fn cut(output: &mut Vec<u8>, order: &PipeOrder) {
    if output.len() as u64 > order.max_output {
        output.extend_from_slice(TOO_MUCH);
    }
}

/// Whether an option about output is on, which is a shadow's concern never.
fn shows(call: &TransportCall<'_>, option: eximious_core::DriverOpt<bool>) -> bool {
    !call.is_shadow && call.transport.on(option)
}

/// Who sends a report is told nothing; whose errors are ignored (`errors_to` is empty), has them.
fn is_bounce(call: &TransportCall<'_>) -> bool {
    let mut all = call.consignment.deliveries.iter();
    let are_ignored = all.any(|one| one.address.attached.ignore_errors);
    call.consignment.errors_to.is_empty() && !are_ignored
}

/// Whether output is returned, whatever became of the command.
fn returns(call: &TransportCall<'_>, output: &[u8]) -> bool {
    shows(call, opt::RETURN_OUTPUT) && !output.is_empty() && !is_bounce(call)
}

/// What comes of a command that was not run to its end.
fn not_run(
    call: &mut TransportCall<'_>,
    order: &PipeOrder,
    fault: PipeFault,
) -> Result<Delivered, Trouble> {
    let number = |error: &std::io::Error| error.raw_os_error().unwrap_or(0);
    let deferred = |error: &std::io::Error, text: Vec<u8>| {
        Trouble::Deferred(Undelivered::new(number(error), text))
    };
    let is_untried = matches!(fault, PipeFault::Untried(_));
    Err(match fault {
        PipeFault::Execute(_) => {
            let end = PipeEnd { code: status::NOT_EXECUTED, ..PipeEnd::default() };
            return ended(call, order, end);
        }
        PipeFault::Rights(error) | PipeFault::Untried(error) => {
            let text = no_rights(&order.user, &error);
            Trouble::Deferred(Undelivered { is_untried, ..Undelivered::new(number(&error), text) })
        }
        PipeFault::Directory(error) => {
            deferred(&error, [b"failed to chdir to ", &order.directory[..]].concat())
        }
        PipeFault::Start(error) => {
            let name = call.transport.name.bytes();
            let why = wording::reason(&error);
            let parts = [b"Failed to create child process for ", name, b" transport: "];
            deferred(&error, [&parts.concat(), why.as_bytes()].concat())
        }
        PipeFault::Message(error, output) => {
            let why = deferred(&error, b"the message can't be read".to_vec());
            with_output(call, order, (why, FAILED), output)
        }
        PipeFault::Timeout(end) => {
            let text = b"pipe delivery process timed out".to_vec();
            too_late(call, order, preceded(text, &end), end.output)
        }
    })
}

/// Why nothing came of a command that took too long.
fn too_late(
    call: &mut TransportCall<'_>,
    order: &PipeOrder,
    text: Vec<u8>,
    output: Vec<u8>,
) -> Trouble {
    let defers = call.transport.on(opt::TIMEOUT_DEFER);
    let why = if defers { later(text) } else { never(text) };
    with_output(call, order, (why, FAILED), output)
}

/// What is said of a command, with what came before, where that did not take the message in
/// time.
fn preceded(mut text: Vec<u8>, end: &PipeEnd) -> Vec<u8> {
    if end.is_cut {
        text.extend([b" (preceded by ", CUT, b")"].concat());
    }
    text
}

/// What comes of a command that has ended.
fn ended(
    call: &mut TransportCall<'_>,
    order: &PipeOrder,
    mut end: PipeEnd,
) -> Result<Delivered, Trouble> {
    let (transport, code) = (call.transport, end.code);
    // So says a shell, too, of what it can't execute.
    let is_unexecuted = code == status::NOT_EXECUTED && transport.on(opt::FREEZE_EXEC_FAIL);
    // A signal is no status that could be ignored.
    let is_killed = code < 0 && transport.on(opt::FREEZE_SIGNAL);
    let is_ignored = !is_unexecuted && !is_killed && transport.on(opt::IGNORE_STATUS);
    let is_fine = code == 0 || is_ignored;
    if is_fine && end.is_cut {
        return Err(too_late(call, order, CUT.to_vec(), end.output));
    }
    let mut output = std::mem::take(&mut end.output);
    cut(&mut output, order);
    let returns = returns(call, &output);
    let is_temporary = !is_fine && (is_unexecuted || is_killed || is_temporary(call, code));
    log(call, &output, (is_fine, is_temporary));
    if is_fine && !returns {
        return Ok(Delivered { size: Some(end.written), ..Delivered::default() });
    }
    let text = match is_fine {
        true => b"return message generated".to_vec(),
        false if is_unexecuted => {
            let line = command::line(call);
            [b"pipe process failed to exec \"", line.bytes(), b"\""].concat()
        }
        false => status::failed(call, order, code),
    };
    let text = preceded(text, &end);
    if is_killed || is_unexecuted && !returns {
        return Err(Trouble::Deferred(Undelivered { freezes: true, ..Undelivered::new(0, text) }));
    }
    if is_temporary && !returns {
        let said = Some(FAILED.to_vec());
        return Err(Trouble::Deferred(Undelivered { said, ..Undelivered::new(0, text) }));
    }
    let fails_with_output = shows(call, opt::RETURN_FAIL_OUTPUT) && !is_fine;
    if returns || fails_with_output && !is_bounce(call) {
        call.done.output = output;
    }
    // What it wrote says it all.
    let said = Some(if is_fine { Vec::new() } else { FAILED.to_vec() });
    Err(Trouble::Failed(Undelivered { said, ..Undelivered::new(0, text) }))
}

/// Whether a code means that the command may do better another time (`temp_errors`).
fn is_temporary(call: &TransportCall<'_>, code: i32) -> bool {
    let list = call.transport.text(opt::TEMP_ERRORS).map(Str::bytes).unwrap_or_default();
    let is =
        |word: &[u8]| std::str::from_utf8(word).ok().and_then(|w| w.parse().ok()) == Some(code);
    code > 0 && (list.trim_ascii() == b"*" || elements(list).any(|word| is(word.trim_ascii())))
}

/// Logs the first line of a command's output, where that is wanted.
fn log(call: &mut TransportCall<'_>, output: &[u8], (is_fine, is_temporary): (bool, bool)) {
    let transport = call.transport;
    let is_wanted = transport.on(opt::LOG_OUTPUT)
        || transport.on(opt::LOG_DEFER_OUTPUT) && is_temporary
        || transport.on(opt::LOG_FAIL_OUTPUT) && !is_fine && !is_temporary;
    if !is_wanted || output.is_empty() || call.is_shadow {
        return;
    }
    // What stands behind a zero byte is not seen.
    let line = output.split(|byte| matches!(byte, b'\n' | 0)).next().unwrap_or_default();
    let topbit = call.cx.engine().settings().get(main::PRINT_TOPBITCHARS);
    let line = printing(line.trim_ascii_end(), topbit);
    let address = call.consignment.deliveries[0].address.text.clone();
    let head = [b"<", address.bytes(), b">: ", transport.name.bytes()].concat();
    call.log(&[&head[..], b" transport output: ", &line[..]].concat());
}

/// `path`, expanded; where it can't be, as it is written.
fn search_path(call: &mut TransportCall<'_>) -> Vec<u8> {
    let Some(text) = call.transport.text(opt::PATH).cloned() else { return Vec::new() };
    let path = Text::new(text.clone()).expand(call.cx).unwrap_or(text);
    path.bytes().to_vec()
}

/// What the command's environment is: what other mail programs set, too, and what the
/// transport adds.
fn environment(call: &mut TransportCall<'_>, path: &[u8]) -> Result<Environment, Trouble> {
    let delivery = call.consignment.deliveries[0];
    let is_single = call.consignment.deliveries.len() == 1;
    let mut all = Environment::new();
    let mut put = |name: &str, value: &[u8]| all.push((name.into(), value.to_vec()));
    let local_part = match is_single {
        true => call.cx.value_of(var::LOCAL_PART),
        false => Str::EMPTY,
    };
    let recipient = match (&delivery.target, &delivery.address.parent) {
        _ if !is_single => Str::EMPTY,
        (DeliveryTarget::Pipe(_), Some(parent)) if parent.text.bytes().contains(&b'@') => {
            parent.text.clone()
        }
        // The system filter is nobody's, but its name is qualified.
        (DeliveryTarget::Pipe(_), Some(parent)) => {
            let domain = call.cx.value_of(var::QUALIFY_DOMAIN);
            Str::from([parent.text.bytes(), b"@", domain.bytes()].concat())
        }
        // It has none of the quotes.
        _ if delivery.address.text.bytes().starts_with(b"\"") => {
            let local_part = delivery.address.whole_local_part();
            let domain = delivery.address.domain.bytes();
            Str::from([local_part.bytes(), b"@", domain].concat())
        }
        _ => delivery.address.text.clone(),
    };
    for name in ["LOCAL_PART", "LOGNAME", "USER"] {
        put(name, local_part.bytes());
    }
    for (name, variable) in [
        ("LOCAL_PART_PREFIX", var::LOCAL_PART_PREFIX),
        ("LOCAL_PART_SUFFIX", var::LOCAL_PART_SUFFIX),
        ("DOMAIN", var::DOMAIN),
        ("HOME", var::HOME),
    ] {
        put(name, call.cx.value_of(variable).bytes());
    }
    put("MESSAGE_ID", call.consignment.message.id.bytes());
    put("PATH", path);
    put("RECIPIENT", recipient.bytes());
    put("QUALIFY_DOMAIN", call.cx.value_of(var::QUALIFY_DOMAIN).bytes());
    put("SENDER", call.consignment.message.sender.bytes());
    put("SHELL", b"/bin/sh");
    if let Some(host) = delivery.hosts.first() {
        put("HOST", host.name.as_bytes());
    }
    if let Some(zone) = call.cx.engine().settings().given(main::TIMEZONE) {
        let zone = zone.bytes().to_vec();
        put("TZ", &zone);
    }
    if let Some(text) = call.transport.some_text(opt::ENVIRONMENT).cloned() {
        let list = listed(call, &text)?;
        for setting in elements(list.bytes()) {
            // What gives no value sets nothing.
            if let Some(at) = memchr::memchr(b'=', &setting) {
                all.push((setting[..at].to_vec(), setting[at + 1..].to_vec()));
            }
        }
    }
    Ok(all)
}

/// An expanded list of the transport's.
fn listed(call: &mut TransportCall<'_>, text: &Str) -> Result<Str, Trouble> {
    Text::new(text.clone()).expand(call.cx).map_err(|fail| {
        let head = [b"failed to expand string \"", text.bytes(), b"\" for "].concat();
        let tail = [call.transport.name.bytes(), b" transport: ", fail.message()].concat();
        later([head, tail].concat())
    })
}

#[cfg(test)]
mod tests;
