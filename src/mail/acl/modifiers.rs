//! The modifiers of ACLs (specification 44.12).

use std::time::Duration;

use eximious_core::{AclOperand, AclPhases, AclTerm, AclVerb, Effects, Str};
use eximious_stdlib::interval::seconds;
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;

use super::machine::{Answer, Run};
use super::words::{self, TermRun};
use super::{Logs, dkim};

/// `delay`.
pub(super) static DELAY: AclTerm = words::modifier(
    &TermRun::Text(delay),
    words::meta(
        "delay",
        "delay = <time>",
        words::MODIFIERS,
        "Waits before anything else happens.",
        "Answers that are due are sent first, unless `control = no_delay_flush` came before. The \
         wait begins as soon as the statement comes to it, so that it counts where it stands \
         among the conditions. With `-bh` nobody waits.",
    ),
)
.phases(words::ALL.difference(AclPhases::NOTQUIT));

fn delay(run: &mut Run<'_>, text: &Str) -> Answer {
    let Some(time) = seconds(text.bytes().trim_ascii()) else {
        let head = b"syntax error in argument for \"delay\" modifier: \"";
        let message = [head, text.bytes(), b"\" is not a time value"].concat();
        run.logged = Some(Str::from(message));
        return Answer::Error;
    };
    run.note(format!("delay modifier requests {time}-second delay").as_bytes());
    let sends = !run.state.has("no_delay_flush");
    run.delay(Duration::from_secs(u64::try_from(time).unwrap_or(0)), sends);
    Answer::Yes
}

/// `queue`.
pub(super) static QUEUE: AclTerm = words::modifier(
    &TermRun::Text(queue),
    words::meta(
        "queue",
        "queue = <name>",
        words::MODIFIERS,
        "The message goes to a named queue.",
        "Its spool files stand in a directory of that name, for which runners of their own must \
         be started (`-qG<name>`). An empty name is the usual queue. It must come before the \
         data.",
    ),
)
.phases(words::ALL.difference(words::CONTENT));

/// `queue`: the name is that of a directory.
fn queue(run: &mut Run<'_>, text: &Str) -> Answer {
    let (name, taint) = text.read();
    let refusal = match () {
        () if taint.is_tainted() => {
            [b"Tainted name '", name, b"' for queue not permitted"].concat()
        }
        () if name.contains(&b'/') => {
            [b"Directory separator not permitted in queue name: '", name, b"'"].concat()
        }
        () => {
            run.state.queue = text.clone();
            run.cx.set_var(var::QUEUE_NAME, text.clone());
            return Answer::Yes;
        }
    };
    run.logged = Some(Str::from(refusal));
    Answer::Error
}

/// `set`.
pub(super) static SET: AclTerm = words::modifier(
    &TermRun::Variable(set),
    words::meta(
        "set",
        "set acl_c…|acl_m… = <text>",
        "specification 44.10",
        "Gives a variable a value.",
        "After `acl_c` or `acl_m` comes a digit or an underscore, then letters, digits and \
         underscores. Those of the connection (`acl_c`) stay until it ends, those of the message \
         (`acl_m`) until the next; both are kept with a message that is accepted. In the ACL for \
         DKIM, `dkim_verify_status` and `dkim_verify_reason` may be set too.",
    ),
)
.operand(AclOperand::Variable)
.effects(Effects::VARS);

fn set(run: &mut Run<'_>, variable: Option<&Str>, text: &Str) -> Answer {
    if let Some(variable) = variable {
        run.cx.set(variable.bytes(), text.clone());
        dkim::note_set(run.cx, variable.bytes());
    }
    Answer::Yes
}

/// `logwrite`.
pub(super) static LOGWRITE: AclTerm = words::modifier(
    &TermRun::Text(logwrite),
    words::meta(
        "logwrite",
        "logwrite = [:<logs>:]<text>",
        words::MODIFIERS,
        "Writes a line to the log at once.",
        "The line is written when the statement comes to it, however that ends. It goes to the \
         main log; `:main,reject:` or `:panic:` before the text names others.",
    ),
)
.effects(Effects::LOG);

fn logwrite(run: &mut Run<'_>, text: &Str) -> Answer {
    // What does not print would forge lines.
    let topbit = run.cx.engine().settings().get(opt::PRINT_TOPBITCHARS);
    let shown = |bytes: &[u8]| printing(bytes, topbit);
    let bytes = text.bytes();
    let Some(named) = bytes.strip_prefix(b":").map(named_logs) else {
        run.host.log(&shown(bytes.trim_ascii_start()));
        return Answer::Yes;
    };
    match named {
        Some((logs, line)) => run.host.log_to(logs, &shown(line.trim_ascii_start())),
        None => {
            let parts = [b"unknown log name in \"", &shown(bytes)[..], b"\" in \"logwrite\" in "];
            let tail = format!("{} ACL", run.phase.called());
            run.host.log_to(Logs::PANIC, &[&parts.concat(), tail.as_bytes()].concat());
        }
    }
    Answer::Yes
}

/// The logs that stand before a colon, the main one where there are none, and what stands behind
/// it. A comma may stand behind each of them, and nothing else; what is none of them, and a colon
/// that is missing, spoils it.
fn named_logs(text: &[u8]) -> Option<(Logs, &[u8])> {
    let mut logs = Logs { main: false, reject: false, panic: false };
    let mut rest = text;
    let line = loop {
        if let Some(line) = rest.strip_prefix(b":") {
            break line;
        }
        let (log, behind) = [
            (&mut logs.main, rest.strip_prefix(b"main")),
            (&mut logs.reject, rest.strip_prefix(b"reject")),
            (&mut logs.panic, rest.strip_prefix(b"panic")),
        ]
        .into_iter()
        .find_map(|(log, behind)| Some((log, behind?)))?;
        *log = true;
        rest = behind.strip_prefix(b",").unwrap_or(behind);
    };
    let is_any = logs.main || logs.reject || logs.panic;
    Some((if is_any { logs } else { Logs::MAIN }, line))
}

/// `log_reject_target`.
pub(super) static LOG_REJECT_TARGET: AclTerm = words::modifier(
    &TermRun::Text(log_reject_target),
    words::meta(
        "log_reject_target",
        "log_reject_target = <list of main, reject, panic>",
        words::MODIFIERS,
        "Which logs a refusal goes to.",
        "The default is `main:reject`; an empty list logs nothing. It holds for the rest of the \
         ACL at hand, and for refusals for now as well as for good.",
    ),
);

fn log_reject_target(run: &mut Run<'_>, text: &Str) -> Answer {
    let names: Vec<Vec<u8>> = elements(text.bytes()).map(|name| name.to_vec()).collect();
    let (mut logs, unknown) = logs(names.iter().map(Vec::as_slice));
    for name in unknown {
        // Whatever it was to be, the refusal is told.
        (logs.main, logs.reject) = (true, true);
        let head = [b"unknown log name \"".as_slice(), &name, b"\" in \"log_reject_target\" in "];
        let tail = format!("{} ACL", run.phase.called());
        run.host.log_to(Logs::PANIC, &[&head.concat(), tail.as_bytes()].concat());
    }
    run.reject_logs = logs;
    Answer::Yes
}

/// `continue`.
pub(super) static CONTINUE: AclTerm = words::modifier(
    &TermRun::Text(go_on),
    words::meta(
        "continue",
        "continue = <text>",
        words::MODIFIERS,
        "Expands a string for what that does, and goes on.",
        "What it expands to is thrown away. It is good for a lookup that writes something, such \
         as an UPDATE of a database.",
    ),
);

/// It was expanded, which is all.
fn go_on(_: &mut Run<'_>, _: &Str) -> Answer {
    Answer::Yes
}

/// `message`.
pub(super) static MESSAGE: AclTerm = words::modifier(
    &TermRun::Message,
    words::meta(
        "message",
        "message = <text>",
        words::MODIFIERS,
        "What the client is told if the statement decides.",
        "It is expanded only when the ACL ends with this statement; under `require` it must stand \
         before the condition that may fail. It may begin with a code, and an extended one, of \
         the right class: `550 5.7.1 no`. Under `warn` it adds a header line, as in former times.",
    ),
);

/// `log_message`.
pub(super) static LOG_MESSAGE: AclTerm = words::modifier(
    &TermRun::LogMessage,
    words::meta(
        "log_message",
        "log_message = <text>",
        words::MODIFIERS,
        "What is logged if the statement decides.",
        "It is expanded only when the statement refuses or discards, or when all of a `warn` \
         holds, so it may stand before the conditions that fill its variables. Under `require` it \
         must. A `warn` logs the same line once per message.",
    ),
);

/// `endpass`.
pub(super) static ENDPASS: AclTerm = words::modifier(
    &TermRun::Endpass,
    words::meta(
        "endpass",
        "endpass",
        "specification 44.9",
        "From here on, a condition that fails refuses.",
        "It divides the conditions of an `accept` or `discard`: if one before it fails, the next \
         statement is tried; if one after it fails, the ACL denies, and `message` is for that \
         case. Two statements say the same more clearly.",
    ),
)
.operand(AclOperand::None)
.verbs(&[AclVerb::Accept, AclVerb::Discard]);

/// The logs of these names, and the names of none.
fn logs<'n>(names: impl Iterator<Item = &'n [u8]>) -> (Logs, Vec<Vec<u8>>) {
    let mut logs = Logs { main: false, reject: false, panic: false };
    let mut unknown = Vec::new();
    for name in names {
        match name.trim_ascii() {
            b"" => {}
            b"main" => logs.main = true,
            b"reject" => logs.reject = true,
            b"panic" => logs.panic = true,
            other => unknown.push(other.to_vec()),
        }
    }
    (logs, unknown)
}
