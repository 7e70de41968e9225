//! `control` (specification 44.13): what it names, and how it is set.

pub(super) mod connection;
pub(super) mod debug;
pub(super) mod dscp;
pub(super) mod message;

use eximious_core::{AclControl, AclOptions, AclTerm, Rec, Registry, Str};

pub use dscp::TRAFFIC_CLASSES;

use super::call::AclCall;
use super::cutthrough;
use super::machine::{Answer, Run};
use super::state::Control;
use super::words::{self, ControlRun, Setting, TermRun};

/// `control`.
pub(super) static CONTROL: AclTerm = words::modifier(
    &TermRun::Text(control),
    words::meta(
        "control",
        "control = <name>[/<options>]",
        words::MODIFIERS,
        "Changes how this message or connection is dealt with.",
        "It acts when the statement comes to it. Some controls last for the connection, others \
         for the message at hand, all of its recipients included. In which ACL one may stand \
         depends on its name: `eximious list acl-controls`.",
    ),
);

/// Sets a control.
fn control(run: &mut Run<'_>, text: &Str) -> Answer {
    let (bytes, taint) = text.read();
    let engine = run.cx.engine().clone();
    let Some((control, rest)) = named(engine.registry(), bytes) else {
        return wrong(run, bytes);
    };
    let Some(does) = control.run.get::<ControlRun>() else {
        let name = control.meta.name;
        run.logged = Some(Str::from(format!("\"control = {name}\" is not there yet")));
        return Answer::Error;
    };
    // That it has an odd form is seen before that it has no place.
    if rest.is_empty() && !does.takes(None) {
        return wrong(run, bytes);
    }
    if !run.permits(control.phases) {
        run.logged = Some(Str::from(control.refusal(run.phase)));
        return Answer::Error;
    }
    let options = rest.strip_prefix(b"/");
    if options.is_some_and(|options| !does.takes(Some(options))) {
        return wrong(run, bytes);
    }
    if let Err(fail) = run.permitted(&control.meta) {
        run.logged = Some(Str::from(fail.message()));
        return Answer::Error;
    }
    let slashed = options.is_some();
    let options = Str::from(options.unwrap_or_default()).stamped(taint);
    let setting = Setting { control: &control, options, slashed };
    match does {
        ControlRun::Own { set, .. } => set(run, setting),
        ControlRun::Embedded(closure) => {
            let options = setting.options.clone();
            match AclCall::run(run, &control.meta, |call| closure(call, &options)) {
                Answer::Yes => kept(run, setting),
                answer => answer,
            }
        }
    }
}

/// The control that a text names, and what follows the name: a slash and options, or nothing
/// that counts. A control that takes any options takes any text behind an underscore, too.
fn named<'t>(registry: &Registry, text: &'t [u8]) -> Option<(Rec<AclControl>, &'t [u8])> {
    // A name is what stands before the first sign that no name has.
    let end = text.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let has_options = |control: &AclControl| !matches!(control.options, AclOptions::None);
    if let Some(control) = registry.acl_control(name)
        && (rest.is_empty() || rest.starts_with(b"/") && has_options(control))
    {
        return Some((control.clone(), rest));
    }
    let takes_any = |control: &AclControl| {
        let does = control.run.get::<ControlRun>();
        has_options(control) && does.is_some_and(|does| does.takes(None) && does.takes(Some(b"_")))
    };
    let ends = memchr::memrchr_iter(b'_', name);
    let mut known = ends.filter_map(|end| registry.acl_control(&name[..end]));
    known.find(|control| takes_any(control)).map(|control| (control.clone(), b"".as_slice()))
}

impl ControlRun {
    /// Whether it takes what stands after a slash, or that there is no slash.
    fn takes(&self, options: Option<&[u8]>) -> bool {
        match self {
            Self::Own { takes, .. } => takes(options),
            Self::Embedded(_) => true,
        }
    }
}

/// A control that is set, whatever stands after a slash.
pub(super) static PLAIN: ControlRun = ControlRun::Own { takes: |_| true, set: kept };

/// Sets it, which is all: whoever has the conversation or the message heeds it.
pub(super) fn kept(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    setting.keep(run);
    cutthrough::heed(run);
    Answer::Yes
}

impl Setting<'_> {
    /// Notes the control down.
    pub(super) fn keep(&self, run: &mut Run<'_>) {
        let control = self.control.clone();
        let (name, of_message) = (control.meta.name, control.of_message);
        let (options, slashed) = (self.options.clone(), self.slashed);
        run.state.controls.insert(name, Control { control, options, slashed, of_message });
    }
}

fn wrong(run: &mut Run<'_>, text: &[u8]) -> Answer {
    let message = [b"syntax error in \"control=".as_slice(), text, b"\""].concat();
    run.logged = Some(Str::from(message));
    Answer::Error
}

#[cfg(test)]
mod tests {
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
            "utf8_downconvert/1/0",
            "utf8_downconvert_x",
            "queue_onlyx",
            "queue_only=1",
            "queue_first_pass_route",
            "fakereject_text",
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
            "cutthrough_deliveryx",
            "dscp",
            "fakereject=x",
            "freeze/foo",
            "freeze/no_tell/x",
            "freeze=no_tell",
            "freeze/no_tellx",
            "freeze_no_tell",
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
            "no_pipelining_x",
            "submission_domain=x",
            "dscp_ef",
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
}
