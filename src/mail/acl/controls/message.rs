//! Controls of the message at hand: they last as long as it does.

use eximious_core::{AclControl, AclOptions, AclPhases, Call, Effects, Fail, Str, Taint};

use super::super::machine::{Answer, Run};
use super::super::words::{self, ControlRun, Setting};
use super::{PLAIN, kept};

/// `control = bmi_run`.
pub(in crate::mail::acl) static BMI_RUN: AclControl = words::control(
    &PLAIN,
    words::meta(
        "bmi_run",
        "control = bmi_run",
        "experimental-spec",
        "The message is handed to Brightmail.",
        "The scanner looks at the message once its data are there, and says for each recipient \
         what is to be done: routers go by that (`bmi_deliver_default` and its kin). The \
         vendor's library can't be had; what plays the scanner listens at a socket, which \
         `bmi_config_file` names.",
    )
    .until("4.100"),
)
.effects(Effects::NET)
.phases(words::BEFORE_CHECKS);

/// `control = dkim_disable_verify`.
pub(in crate::mail::acl) static DKIM_DISABLE_VERIFY: AclControl = words::control(
    &PLAIN,
    words::meta(
        "dkim_disable_verify",
        "control = dkim_disable_verify",
        "specification 58.1.2",
        "Signatures are not looked at.",
        "The message's DKIM signatures are not checked, and the ACL for DKIM does not run. It \
         saves work for clients whose messages are taken anyway.",
    ),
)
.phases(words::BEFORE_CHECKS);

/// `control = dmarc_disable_verify`.
pub(in crate::mail::acl) static DMARC_DISABLE_VERIFY: AclControl = words::control(
    &PLAIN,
    words::meta(
        "dmarc_disable_verify",
        "control = dmarc_disable_verify",
        "specification 58.3.2",
        "DMARC is not looked at.",
        "The policy of the sender's domain is not asked for; `dmarc_status` is `off`. It must \
         come before the data.",
    ),
)
.phases(words::BEFORE_CHECKS);

/// `control = dmarc_enable_forensic`.
pub(in crate::mail::acl) static DMARC_ENABLE_FORENSIC: AclControl = words::control(
    &PLAIN,
    words::meta(
        "dmarc_enable_forensic",
        "control = dmarc_enable_forensic",
        "specification 58.3.2",
        "A report is sent where DMARC fails.",
        "The report goes to the addresses that the domain's record names (`ruf`), where `fo` asks \
         for it; one in another organisation must say that it wants them. It has the header of \
         the message, and is put into the spool as a message from `dmarc_forensic_sender`. Such \
         reports can say more about recipients than they should, so that none are sent without \
         this. It must come before the data.",
    ),
)
.phases(words::BEFORE_CHECKS);

/// `control = fakedefer`.
pub(in crate::mail::acl) static FAKEDEFER: AclControl = words::control(
    &ControlRun::Own { takes: |_| true, set: faked },
    words::meta(
        "fakedefer",
        "control = fakedefer[/<message>]",
        "specification 44.13",
        "The message is taken, and the client is told to try later.",
        "It is as `fakereject`, with 450 for 550. The client will send the message again, so that \
         one that is delivered too comes twice.",
    ),
)
.phases(words::RECEIVED.union(AclPhases::PRDR))
.options(AclOptions::Text);

/// `control = fakereject`.
pub(in crate::mail::acl) static FAKEREJECT: AclControl = words::control(
    &ControlRun::Own { takes: |_| true, set: faked },
    words::meta(
        "fakereject",
        "control = fakereject[/<message>]",
        "specification 44.13",
        "The message is taken, and the client is told that it is refused.",
        "The message is delivered if the ACLs accept it, and the answer to its data is 550 with \
         the text given, slashes and all. It holds for the message at hand.",
    ),
)
.phases(words::RECEIVED.union(AclPhases::PRDR))
.options(AclOptions::Text);

/// Keeps the one that came last.
fn faked(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    for other in ["fakedefer", "fakereject"] {
        run.state.controls.remove(other);
    }
    kept(run, setting)
}

/// `control = freeze`.
pub(in crate::mail::acl) static FREEZE: AclControl = words::control(
    &ControlRun::Own { takes: |options| matches!(options, None | Some(b"no_tell")), set: kept },
    words::meta(
        "freeze",
        "control = freeze[/no_tell]",
        "specification 44.13",
        "The message is kept and not delivered.",
        "If it is accepted, it stays on the queue until someone thaws it. With `/no_tell` in \
         every such control, whoever `freeze_tell` names is not told.",
    ),
)
.phases(words::MESSAGE)
.options(AclOptions::Names(&["no_tell"]));

/// `control = no_mbox_unspool`.
pub(in crate::mail::acl) static NO_MBOX_UNSPOOL: AclControl = words::control(
    &PLAIN,
    words::meta(
        "no_mbox_unspool",
        "control = no_mbox_unspool",
        "specification 44.13",
        "The copy that scanners read is kept.",
        "Scanners get a copy of the message in a directory of the spool, which is usually removed \
         once they are done. Keeping it is for those who look for a mistake.",
    ),
)
.phases(words::RECEIVED);

/// `control = queue`.
pub(in crate::mail::acl) static QUEUE: AclControl = words::control(
    &PLAIN,
    words::meta(
        "queue",
        "control = queue[/first_pass_route]",
        "specification 44.13",
        "The message waits for a queue runner.",
        "If it is accepted, no delivery begins at once. With `/first_pass_route` a message that \
         came to the daemon is routed at once, and delivered but to other hosts, so that the \
         runner can send what goes to one host together.",
    )
    .since("4.94"),
)
.phases(words::MESSAGE)
.options(AclOptions::Names(&["first_pass_route"]));

/// `control = queue_only`.
pub(in crate::mail::acl) static QUEUE_ONLY: AclControl = words::control(
    &PLAIN,
    words::meta(
        "queue_only",
        "control = queue_only[/first_pass_route]",
        "specification 44.13",
        "The message waits for a queue runner.",
        "It is `control = queue`, by its former name; `/first_pass_route` has no effect here.",
    ),
)
.phases(words::MESSAGE)
.options(AclOptions::Names(&["first_pass_route"]));

/// `control = submission`.
pub(in crate::mail::acl) static SUBMISSION: AclControl = words::control(
    &ControlRun::Own { takes: submits, set: submission },
    words::meta(
        "submission",
        "control = submission[/sender_retain][/domain=<domain>][/name=<text>]",
        "specification 48.1",
        "The message is mended as one that a user submits.",
        "Header lines that miss are added (Date:, Message-ID:), and Sender: is made to name \
         whoever authenticated, with the domain and name given; `/sender_retain` leaves it alone. \
         It must come before the data.",
    ),
)
.phases(words::BEFORE_DATA)
.options(AclOptions::Names(&["sender_retain", "domain=", "name="]));

fn submits(options: Option<&[u8]>) -> bool {
    let Some(mut left) = options else { return true };
    loop {
        // The name is the rest, slashes included.
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

fn submission(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    // It is what local submission is anyhow.
    match run.phase.intersects(AclPhases::NOT_SMTP_START) {
        true => Answer::Yes,
        false => {
            // What was asked for before holds on, unless it is asked for otherwise.
            let before = run.state.controls.get("submission").map(|one| one.options.clone());
            let options = before.map_or(setting.options.clone(), |before| {
                Str::from(added(before.bytes(), setting.options.bytes()))
            });
            kept(run, Setting { options, ..setting })
        }
    }
}

/// The options of `submission` and further ones: the last domain and the last name count.
fn added(before: &[u8], options: &[u8]) -> Vec<u8> {
    let (words, name) = words_and_name(before);
    let (others, other_name) = words_and_name(options);
    let parts = [words, others, other_name.or(name).unwrap_or_default()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&b'/')
}

/// The options before the name, and the name with its word, which is all of the rest.
fn words_and_name(options: &[u8]) -> (&[u8], Option<&[u8]>) {
    let at = match options.starts_with(b"name=") {
        true => Some(0),
        false => memchr::memmem::find(options, b"/name=").map(|at| at + 1),
    };
    match at {
        Some(at) => (options[..at].strip_suffix(b"/").unwrap_or_default(), Some(&options[at..])),
        None => (options, None),
    }
}

/// `control = suppress_local_fixups`.
pub(in crate::mail::acl) static SUPPRESS_LOCAL_FIXUPS: AclControl = words::control(
    &PLAIN,
    words::meta(
        "suppress_local_fixups",
        "control = suppress_local_fixups",
        "specification 44.13",
        "A local message is not mended.",
        "Sender: stays as it is and is not compared with From:, and Date:, From: and Message-ID: \
         are not added. It is for messages that a scanner of this host hands back, and must come \
         before the data.",
    ),
)
.phases(words::BEFORE_DATA.union(AclPhases::NOT_SMTP_START));

/// `control = utf8_downconvert`.
pub(in crate::mail::acl) static UTF8_DOWNCONVERT: AclControl = words::control(
    &ControlRun::Own { takes: |_| true, set: utf8_downconvert },
    words::meta(
        "utf8_downconvert",
        "control = utf8_downconvert[/1|/0|/-1]",
        "specification 60.1",
        "Addresses are rewritten for hosts without SMTPUTF8.",
        "Domains of the envelope get their ASCII form before delivery: with 1, which is the \
         default, always; with -1 where the next host needs it; with 0 never. The smtp \
         transport's option of that name goes before it.",
    ),
)
.phases(AclPhases::RCPT.union(AclPhases::VRFY))
.options(AclOptions::Names(&["1", "0", "-1"]));

fn utf8_downconvert(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    // What follows the number is no concern of anybody.
    let options = match setting.options.bytes() {
        _ if !setting.slashed => "",
        [b'0', ..] => "0",
        [b'1', ..] => "1",
        [b'-', b'1', ..] => "-1",
        _ => {
            run.logged = Some(Str::fixed("bad option value for control=utf8_downconvert"));
            return Answer::Error;
        }
    };
    kept(run, Setting { options: Str::fixed(options), ..setting })
}

/// `control = wellknown`.
pub(in crate::mail::acl) static WELLKNOWN: AclControl = words::control(
    &ControlRun::Own { takes: |_| true, set: wellknown },
    words::meta(
        "wellknown",
        "control = wellknown/<file>",
        "specification 44.2.8",
        "Answers WELLKNOWN with a file.",
        "What the file says is sent in xtext, its size before it. An empty name, or a file that \
         can't be read, makes the control fail. The client's argument, in \
         `$smtp_command_argument`, must not lead to other files.",
    )
    .since("4.98"),
)
.effects(Effects::FILES)
.phases(AclPhases::WELLKNOWN)
.options(AclOptions::Text);

fn wellknown(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    let (path, taint) = setting.options.read();
    match is_readable(run, &setting, path, taint) {
        true => kept(run, setting),
        false => Answer::No,
    }
}

/// Whether there is a file that a client may be shown. Nobody else's text names it.
fn is_readable(run: &mut Run<'_>, setting: &Setting<'_>, path: &[u8], taint: Taint) -> bool {
    const LARGEST: u64 = 1 << 20;
    if taint != Taint::Clean && !path.is_empty() {
        run.cx.engine().world().log.panic(&eximious_stdlib::wording::tainted("filename", path));
        return false;
    }
    let read = |call: &mut Call<'_>| Ok::<_, Fail>(call.files()?.read(path, LARGEST).is_ok());
    !path.is_empty() && run.cx.call(&setting.control.meta, read).unwrap_or(false)
}
