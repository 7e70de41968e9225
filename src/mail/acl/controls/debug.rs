//! `control = debug`: a log for debugging, from within an ACL.

use eximious_core::trace::{AclEvent, Happening};
use eximious_core::{AclControl, AclOptions, Effects, Str, Taint};

use super::super::Logs;
use super::super::machine::{Answer, Run};
use super::super::words::{self, ControlRun, Setting};
use crate::mail::debugging::{DebugSelector, DebugStart};

/// `control = debug`.
pub(in crate::mail::acl) static DEBUG: AclControl = words::control(
    &ControlRun::Own { takes: |_| true, set: debug },
    words::meta(
        "debug",
        "control = \
         debug[/tag=<text>][/opts=<selectors>][/stop|/kill][/pretrigger=<size>][/trigger=now|paniclog]",
        "specification 44.13",
        "Writes a log for debugging from here on.",
        "The log is a file `debuglog` among the others, with the tag at its end. The selectors \
         are those of `-d`. Without a tag or selectors nothing begins, and a tag must not come \
         from outside. `/stop` ends it, `/kill` removes the file too; with `/pretrigger` the last \
         lines wait in memory until a trigger writes them: at once, or when something is written \
         to the panic log. It is about the connection, and whoever delivers its messages goes on \
         with it.",
    ),
)
.effects(Effects::LOG)
.options(AclOptions::Names(&["tag=", "opts=", "stop", "kill", "pretrigger=", "trigger="]))
.of_connection();

/// What happens is told in a file of its own from here on.
fn debug(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    setting.keep(run);
    let (text, taint) = setting.options.read();
    let (mut tag, mut selection) = (None, None);
    let (mut waits, mut now, mut on_panic) = (None, false, false);
    for option in text.split(|byte| *byte == b'/') {
        match option {
            b"kill" | b"stop" => {
                let text = &[b"debug terminated by ", option].concat();
                let told = Happening::Acl(AclEvent::Note { text });
                // However deep the ACL is called.
                run.cx.trace().tell_at(0, told);
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use eximious_core::World;
    use eximious_core::world::{DebugLog, Log};

    use crate::mail::acl::driver::Driver;

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
