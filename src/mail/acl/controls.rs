//! `control` (specification 44.13).

use eximious_core::{AclOptions, AclPhases, Str, Taint};
use eximious_stdlib::variables::var;

use super::machine::{Answer, Run};
use super::state::Control;
use super::{Logs, cutthrough};
use crate::mail::debugging::{DebugSelector, DebugStart};

/// The controls of the connection: all others are of the message.
const OF_CONNECTION: [&str; 10] = [
    "allow_auth_unadvertised",
    "caseful_local_part",
    "caselower_local_part",
    "debug",
    "dscp",
    "enforce_sync",
    "no_callout_flush",
    "no_delay_flush",
    "no_enforce_sync",
    "no_pipelining",
];

/// Sets a control.
pub(super) fn control(run: &mut Run<'_>, text: &Str) -> Answer {
    let (bytes, taint) = text.read();
    let registry = run.cx.engine().registry().clone();
    // A name is what stands before the first sign that no name has.
    let end = bytes.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
    let (name, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let Some(control) = registry.acl_control(name) else {
        return wrong(run, bytes);
    };
    // That it has an odd form is seen before that it has no place.
    let shaped = match rest.first() {
        None => control.meta.name != "dscp",
        Some(next) => *next == b'/' && !matches!(control.options, AclOptions::None),
    };
    if !shaped {
        return wrong(run, bytes);
    }
    if !run.permits(control.phases) {
        run.logged = Some(Str::from(control.refusal(run.phase)));
        return Answer::Error;
    }
    let name = control.meta.name;
    if rest.get(1..).is_some_and(|options| !known(name, options)) {
        return wrong(run, bytes);
    }
    if name == "utf8_downconvert" && !matches!(rest, b"" | b"/1" | b"/0" | b"/-1") {
        run.logged = Some(Str::fixed("bad option value for control=utf8_downconvert"));
        return Answer::Error;
    }
    if name == "submission" && run.phase.intersects(AclPhases::NOT_SMTP_START) {
        // It is what local submission is anyhow.
        return Answer::Yes;
    }
    if name == "wellknown" && !is_readable(run, rest.get(1..).unwrap_or_default(), taint) {
        return Answer::No;
    }
    let options = Str::from(rest.get(1..).unwrap_or_default()).stamped(taint);
    let of_message = !OF_CONNECTION.contains(&name) && !name.contains("multiline");
    run.state.controls.insert(name, Control { control, options, of_message });
    case(run, name);
    if name == "dscp" {
        mark(run, rest);
    }
    if name == "debug" {
        return debug(run, rest, taint);
    }
    if name == "cutthrough_delivery" {
        cutthrough::want(run, rest.get(1..).unwrap_or_default());
    }
    cutthrough::heed(run);
    Answer::Yes
}

/// `debug`: what happens is told in a file of its own from here on.
fn debug(run: &mut Run<'_>, text: &[u8], taint: Taint) -> Answer {
    let (mut tag, mut selection) = (None, None);
    let (mut waits, mut now, mut on_panic) = (None, false, false);
    for option in text.split(|byte| *byte == b'/').skip(1) {
        match option {
            b"kill" | b"stop" => {
                run.note(&[b"debug terminated by ", option].concat());
                run.cx.stop_debugging(option == b"kill");
                return Answer::Yes;
            }
            b"trigger=now" => now = true,
            b"trigger=paniclog" => on_panic = true,
            option => {
                tag = option.strip_prefix(b"tag=").or(tag);
                selection = option.strip_prefix(b"opts=").or(selection);
                waits = option.strip_prefix(b"pretrigger=").map(leading_number).or(waits);
            }
        }
    }
    if now {
        run.cx.trigger_debugging();
    }
    if on_panic {
        run.cx.trigger_debugging_on_panic();
    }
    if tag.is_none() && selection.is_none() {
        return Answer::Yes;
    }
    run.note(b"DEBUGGING ACTIVATED FROM WITHIN CONFIG.");
    let (shown, options) = (tag.unwrap_or(b"NULL"), selection.unwrap_or_default());
    run.note(&[b"DEBUG: Tag=\"", shown, b"\" opts=\"", options, b"\""].concat());
    if run.cx.is_debugged() {
        return Answer::Yes;
    }
    let (selector, wrong) = DebugSelector::USUAL.changed(options);
    if let Some(why) = wrong {
        let line = [b"Exim configuration error:\n  ".as_slice(), &why].concat();
        run.host.log_to(Logs::PANIC, &line);
    }
    if tag.is_some() && taint != Taint::Clean {
        let line = Str::fixed("tainted tag for debug log filename");
        return broken(run, line, "Logging failure; please try later");
    }
    let tag = tag.unwrap_or_default();
    let waits = waits.filter(|_| !now);
    match run.cx.start_debugging(DebugStart { tag, selector, waits, on_panic }) {
        Ok(()) => {
            let log = run.cx.engine().world().log.clone();
            run.host.log_through(log);
            Answer::Yes
        }
        Err(why) => broken(run, Str::from(why), "Unexpected failure, please try later"),
    }
}

/// The conversation can't go on: what was asked for is not there.
fn broken(run: &mut Run<'_>, why: Str, said: &'static str) -> Answer {
    run.host.log_to(Logs::PANIC, why.bytes());
    run.state.broken = Some(said);
    run.logged = Some(why);
    Answer::Error
}

/// The number that a text begins with.
fn leading_number(text: &[u8]) -> usize {
    let digits = text.iter().map_while(|byte| char::from(*byte).to_digit(10));
    digits.fold(0, |sum: usize, digit| sum.saturating_mul(10).saturating_add(digit as usize))
}

/// `dscp`: where packets can't be marked, that is no reason to stop.
fn mark(run: &mut Run<'_>, text: &[u8]) {
    if let Err(why) = run.host.mark_traffic(text.get(1..).unwrap_or_default()) {
        let head = "smtp input is probably not a socket [";
        run.note(format!("{head}{why}], not setting DSCP").as_bytes());
    }
}

/// Whether there is a file that a client may be shown. Nobody else's text names it.
fn is_readable(run: &mut Run<'_>, path: &[u8], taint: Taint) -> bool {
    const LARGEST: u64 = 1 << 20;
    let world = run.cx.engine().world();
    if taint != Taint::Clean && !path.is_empty() {
        world.log.panic(&[b"Tainted filename '", path, b"'"].concat());
        return false;
    }
    !path.is_empty() && world.files.read(path, LARGEST).is_ok()
}

/// Whether a control takes what stands after a slash.
fn known(name: &str, text: &[u8]) -> bool {
    match name {
        "freeze" => text == b"no_tell",
        // The name is the rest, slashes included.
        "submission" => {
            let mut left = text;
            loop {
                if left.starts_with(b"name=") {
                    return true;
                }
                let end = memchr::memchr(b'/', left).unwrap_or(left.len());
                if &left[..end] != b"sender_retain" && !left.starts_with(b"domain=") {
                    return false;
                }
                match left.get(end + 1..) {
                    Some(rest) => left = rest,
                    None => return true,
                }
            }
        }
        // What they do not know they pass over.
        _ => true,
    }
}

/// The case of the local part at hand.
fn case(run: &mut Run<'_>, name: &str) {
    if name == "caseful_local_part"
        && let Some(part) = run.state.cased_local_part.clone()
    {
        run.cx.set_var(var::LOCAL_PART, part);
    }
    if name == "caselower_local_part" {
        let part = run.cx.value_of(var::LOCAL_PART);
        run.cx.set_var(var::LOCAL_PART, part.lowercased());
    }
}

fn wrong(run: &mut Run<'_>, text: &[u8]) -> Answer {
    let message = [b"syntax error in \"control=".as_slice(), text, b"\""].concat();
    run.logged = Some(Str::from(message));
    Answer::Error
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use eximious_core::World;
    use eximious_core::world::{DebugLog, Log};

    use eximious_core::AclPhases;

    use super::super::driver::Driver;

    #[test]
    fn what_controls_take() {
        let mut driver = Driver::new();
        for text in [
            "cutthrough_delivery",
            "cutthrough_delivery/foo",
            "debug",
            "debug/tag=../x",
            "dscp/ef",
            "dscp/foo",
            "fakereject",
            "fakereject/foo bar/x",
            "fakedefer/",
            "freeze",
            "freeze/no_tell",
            "queue",
            "queue/once",
            "queue_only/foo",
            "submission",
            "submission/sender_retain",
            "submission/domain=",
            "submission/domain=foo/name=a/b",
            "submission/name=x/domain=y",
            "utf8_downconvert",
            "utf8_downconvert/-1",
            "suppress_local_fixups",
            "no_multiline_responses",
            "no_delay_flush",
            "no_callout_flush",
            "enforce_sync",
            "no_enforce_sync",
            "caseful_local_part",
        ] {
            assert_eq!(driver.run(&format!("accept control = {text}")), "Accept", "{text}");
        }
        assert!(driver.state.has("freeze"));
        for text in [
            "caseful_local_part/x",
            "cutthrough_delivery=",
            "dscp",
            "fakereject=x",
            "freeze/foo",
            "freeze/no_tell/x",
            "freeze=no_tell",
            "freeze/no_tellx",
            "freeze /no_tell",
            "Freeze",
            "submission/foo",
            "submission/sender_retain/domain=x/x",
            "submission/sender_retainx",
            "suppress_local_fixups/x",
            "no_pipelining/x",
            "foo",
            "",
            "no_multiline",
            "atrn",
            "no_callout_flush/x",
        ] {
            let message = format!("syntax error in \"control={text}\"");
            driver.fails(&format!("accept control = {text}"), &message);
        }
        driver.fails(
            "accept control = utf8_downconvert/2",
            "bad option value for control=utf8_downconvert",
        );
    }

    #[test]
    fn where_controls_are_allowed() {
        for (phase, text, acl) in [
            (AclPhases::RCPT, "wellknown/x", "RCPT"),
            (AclPhases::RCPT, "allow_auth_unadvertised", "RCPT"),
            (AclPhases::CONNECT, "caseful_local_part", "connection"),
            (AclPhases::CONNECT, "freeze", "connection"),
            (AclPhases::CONNECT, "queue", "connection"),
            (AclPhases::DATA, "submission", "DATA"),
            (AclPhases::DATA, "utf8_downconvert", "DATA"),
            (AclPhases::DATA, "dkim_disable_verify", "DATA"),
        ] {
            let name = text.split('/').next().unwrap();
            let message = format!("cannot use \"control={name}\" in {acl} ACL");
            let mut driver = Driver::new().at(phase);
            driver.fails(&format!("accept control = {text}"), &message);
        }
    }

    /// A log for debugging that keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl DebugLog for Kept {
        fn name(&self) -> &[u8] {
            b"kept"
        }
        fn write(&self, text: &[u8]) {
            self.0.lock().unwrap().extend_from_slice(text);
        }
        fn remove(&self) {}
    }

    impl Log for Kept {
        fn main(&self, _: &[u8]) {}
        fn panic(&self, _: &[u8]) {}
        fn debug(&self, _: &[u8]) {}
        fn open_debug_log(&self, _: &[u8]) -> Option<Result<Arc<dyn DebugLog>, Vec<u8>>> {
            Some(Ok(Arc::new(self.clone())))
        }
    }

    /// What waits for something to happen has its own memory and its bound, and nothing
    /// of it is seen in what is decided.
    #[test]
    fn cve_2025_30232_what_is_told_changes_nothing_and_has_a_bound() {
        let decided = |size: Option<usize>| {
            let kept = Kept::default();
            let mut driver = Driver::new();
            let world = driver.cx.engine().world().clone();
            let world = World { log: Arc::new(kept.clone()), ..world };
            driver.cx.engine = driver.cx.engine().with_world(world);
            if let Some(size) = size {
                driver.run(&format!("warn control = debug/tag=.x/opts=+all/pretrigger={size}"));
            }
            let mut said = Vec::new();
            for turn in 0..200 {
                let result = driver.check(&format!(
                    "warn set acl_m_x = ${{sg{{turn {turn}}}{{t}}{{T}}}}$acl_m_x\n \
                     warn set acl_m_x = ${{length_300:$acl_m_x}}\n deny message = $acl_m_x\n \
                     log_message = ${{hash_8:$acl_m_x}}"
                ));
                said.push((result.verdict, result.user_message, result.log_message));
                if turn == 150 {
                    driver.run("warn control = debug/trigger=now");
                    let written = kept.0.lock().unwrap().len();
                    // What triggers it, and what it comes to, is told at once.
                    let most = size.unwrap_or(0).min(16 << 20) + 4000;
                    assert!(written <= most, "{written} of {size:?}");
                }
                if turn == 170 {
                    driver.run("warn control = debug/kill");
                }
            }
            said
        };
        let plain = decided(None);
        assert!(plain.iter().all(|(_, said, _)| said.is_some()));
        for size in [1, 2, 80, 1000, 1 << 16, usize::MAX] {
            assert_eq!(decided(Some(size)), plain, "{size}");
        }
    }
}
