//! Options that hold the name of a place.

use eximious_core::{Opt, OptionDef, PagePlace, Str};
use eximious_stdlib::lists::elements_with;
use eximious_stdlib::options::opt;
use eximious_stdlib::options::opt::transport::{
    CURRENT_DIRECTORY, HOME_DIRECTORY, appendfile, queuefile,
};

use crate::tools::check::{Findings, Lint, Severity, Text, Use};

/// E121.
pub(super) static NOT_ABSOLUTE: Lint = Lint {
    code: "E121",
    name: "not-absolute",
    severity: Severity::Error,
    summary: "A path that must be absolute is not.",
    docs: "The files and directories of `appendfile` and `queuefile`, and the directories that a \
           transport runs in, must begin with a slash: otherwise, each delivery is put off. The \
           texts for bounces and warnings and the system filter are not read, and \
           `log_json_file`, which is not expanded, gets nothing.",
    bad: "begin transports\nt:\n  driver = appendfile\n  file = mail/$local_part_data\n",
    good: "begin transports\nt:\n  driver = appendfile\n  file = /var/mail/$local_part_data\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some(option) = text.option() else { continue };
            let literal = is_main(text, opt::LOG_JSON_FILE);
            let tells = |c: &u8| *c != b'/' && (literal || !matches!(c, b'$' | b'\\'));
            if text.text.first().is_some_and(tells) && must_be_absolute(text, option) {
                let shown = String::from_utf8_lossy(&text.text);
                let message = format!("{} is \"{shown}\", which is not absolute", option.meta.name);
                let help = if literal && shown.starts_with('$') { UNEXPANDED } else { "" };
                findings.add_with(text.whole(), message, help);
            }
        }
    },
};

const UNEXPANDED: &str = "log_json_file stands for itself: nothing in it is replaced";

/// Whether a text is the value of a main option.
fn is_main(text: &Text<'_>, option: Opt<Str>) -> bool {
    matches!(text.of, Use::Main(setting) if setting.option.meta.name == option.name())
}

/// Whether an option's value must be an absolute path.
fn must_be_absolute(text: &Text<'_>, option: &OptionDef) -> bool {
    let main =
        [opt::BOUNCE_MESSAGE_FILE, opt::LOG_JSON_FILE, opt::SYSTEM_FILTER, opt::WARN_MESSAGE_FILE];
    let drivers = [
        CURRENT_DIRECTORY,
        HOME_DIRECTORY,
        appendfile::DIRECTORY,
        appendfile::FILE,
        appendfile::QUOTA_DIRECTORY,
        opt::router::TRANSPORT_CURRENT_DIRECTORY,
        opt::router::TRANSPORT_HOME_DIRECTORY,
        queuefile::DIRECTORY,
    ];
    main.into_iter().any(|one| is_main(text, one)) || drivers.iter().any(|one| one.is(option))
}

/// E122.
pub(super) static NOT_THIS_HOST: Lint = Lint {
    code: "E122",
    name: "not-this-host",
    severity: Severity::Error,
    summary: "Counters would be told to other hosts, or nowhere.",
    docs: "`metrics_listen` wants an address of the loopback interface with a port, or the \
           absolute path of a socket. With anything else, the daemon does not start.",
    bad: "metrics_listen = 0.0.0.0:9100\n",
    good: "metrics_listen = 127.0.0.1:9100\n",
    run: |survey, findings| {
        for text in &survey.texts {
            if !is_main(text, opt::METRICS_LISTEN) || text.text.is_empty() {
                continue;
            }
            if let Err(why) = PagePlace::parse(&text.text) {
                let shown = String::from_utf8_lossy(&text.text);
                findings.add(text.whole(), format!("metrics_listen = \"{shown}\": {why}"));
            }
        }
    },
};

/// W221.
pub(super) static LOG_ELSEWHERE: Lint = Lint {
    code: "W221",
    name: "log-elsewhere",
    severity: Severity::Warning,
    summary: "A log is not where its option seems to say.",
    docs: "Of several paths in `log_file_path`, the first one counts, and each process says so in \
           the panic log; only `syslog` may stand beside it. A colon that is part of a path is \
           doubled. In `log_json_file` nothing is replaced: a file that is called `%slog` gets \
           the entries.",
    bad: "log_file_path = /var/log/exim4/%slog:/var/log/copy/%slog\n",
    good: "log_file_path = /var/log/exim4/%slog:syslog\n",
    run: |survey, findings| {
        for text in &survey.texts {
            if is_main(text, opt::LOG_FILE_PATH) {
                paths(text, findings);
            } else if is_main(text, opt::LOG_JSON_FILE) {
                marks(text, findings);
            }
        }
    },
};

/// More paths than one.
fn paths(text: &Text<'_>, findings: &mut Findings) {
    if text.text.contains(&b'$') {
        return;
    }
    let mut paths = elements_with(&text.text, b':').filter(|one| **one != *b"syslog");
    if let (Some(first), Some(_)) = (paths.next(), paths.next()) {
        let first = match &*first {
            b"" => "the built-in one".into(),
            path => String::from_utf8_lossy(path),
        };
        findings.add(text.whole(), format!("of these paths, only the first counts: {first}"));
    }
}

/// What is replaced in other logs' names.
fn marks(text: &Text<'_>, findings: &mut Findings) {
    if !text.text.starts_with(b"/") {
        return;
    }
    let has = |mark: &&str| memchr::memmem::find(&text.text, mark.as_bytes()).is_some();
    if let Some(mark) = ["%s", "%D", "%M", "$"].into_iter().find(has) {
        let message = format!("\"{mark}\" is a part of the file's name");
        findings.add_with(text.whole(), message, UNEXPANDED);
    }
}
