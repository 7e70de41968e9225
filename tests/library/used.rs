//! Words of routing and of ACLs: each is used by a case that is compared with the
//! real Exim, and conditions both hold and fail to hold in one. What is used is read
//! from the cases themselves: options from their configurations, what ACLs do from
//! the traces that are recorded of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use eximious::acl;
use eximious::{AclOptions, AclTermKind, DriverKind, OptionPlace, Registry};
use eximious_tests::root;

/// Options of routers that no case uses, since the packaged Exim does not know them
/// and what they belong to is not there.
const UNUSED_OPTIONS: [&str; 9] = [
    "bmi_deliver_alternate",
    "bmi_deliver_default",
    "bmi_dont_deliver",
    "bmi_rule",
    "srs",
    "srs_alias",
    "srs_condition",
    "srs_dbinsert",
    "srs_dbselect",
];

/// Conditions that are not seen to hold and to fail in a trace, and why.
const ONE_SIDED: [(&str, &str); 11] = [
    ("atrn_domains", "of 4.100: no real Exim traces it"),
    ("bmi_optin", "the packaged Exim lacks it"),
    ("dcc", "looks at content"),
    ("decode", "looks at content"),
    ("dkim_status", "looks at signatures"),
    ("encrypted", "there is no TLS under -bh; tests/daemon/tls_acl.case has it"),
    ("malware", "looks at content"),
    ("mime_regex", "looks at content"),
    ("spam", "looks at content"),
    ("verify arc", "looks at signatures"),
    ("verify certificate", "there is no TLS under -bh; tests/daemon/tls_verify.case has it"),
];

/// Controls that are in no trace, and why.
const UNSEEN_CONTROLS: [(&str, &str); 2] = [
    ("bmi_run", "the packaged Exim lacks it"),
    ("dmarc_enable_forensic", "the packaged Exim lacks it"),
];

/// The cases of a folder of `tests/`, and the scenes that they share.
fn cases(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join("tests").join(folder)).expect("cases").flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "case" || end == "scene"));
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {folder}");
    let read =
        |path: PathBuf| String::from_utf8_lossy(&std::fs::read(path).expect("a case")).into_owned();
    paths.into_iter().map(read).collect()
}

/// The options that are set in the routers of cases, with the driver each is set for.
fn options_of_routers() -> BTreeSet<(String, String)> {
    let mut used = BTreeSet::new();
    for text in cases("routing") {
        let mut among_routers = false;
        let (mut driver, mut set) = (String::new(), Vec::new());
        // What comes last ends the last router, too.
        for line in text.lines().chain(["begin"]) {
            let words = line.trim();
            let begins = words == "begin" || words.starts_with("begin ");
            let is_head = among_routers && words.ends_with(':') && !line.starts_with(' ');
            if begins || is_head || line.starts_with("+++") || line.starts_with("? ") {
                used.extend(set.drain(..).map(|option| (driver.clone(), option)));
                among_routers = words == "begin routers" || is_head;
                continue;
            }
            let (name, value) = words.split_once('=').unwrap_or((words, ""));
            let name = name.trim();
            if name == "driver" {
                value.trim().clone_into(&mut driver);
            }
            let name =
                name.strip_prefix("no_").or_else(|| name.strip_prefix("not_")).unwrap_or(name);
            if among_routers {
                set.push(name.to_owned());
            }
        }
    }
    used
}

#[test]
fn each_option_of_each_router_is_used_by_a_case() {
    let registry = eximious::registry();
    let used = options_of_routers();
    let mut missing = Vec::new();
    for option in registry.all_options() {
        let name = option.meta.name;
        let is_used = match option.place {
            OptionPlace::Generic(DriverKind::Router) => used.iter().any(|(_, own)| own == name),
            OptionPlace::Driver(DriverKind::Router, driver) => {
                used.contains(&(driver.to_owned(), name.to_owned()))
            }
            _ => continue,
        };
        if is_used == UNUSED_OPTIONS.contains(&name) {
            missing.push(format!("{:?} {name}: used: {is_used}", option.place));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// A condition or modifier that an ACL came to, as it is traced.
#[derive(Debug)]
struct Checked {
    word: String,
    /// Its argument, as it counts.
    argument: String,
    negated: bool,
    /// Whether the condition holds; nothing where it could not be said.
    holds: Option<bool>,
}

impl Checked {
    fn new(text: &str) -> Self {
        let (head, argument) = text.split_once('=').unwrap_or((text, ""));
        let (negated, head) = match head.strip_prefix('!') {
            Some(head) => (true, head),
            None => (false, head),
        };
        let word = head.split_whitespace().next().unwrap_or_default().to_owned();
        Self { word, argument: argument.trim().to_owned(), negated, holds: None }
    }

    /// What is named, with what follows it as options: `verify` and `control` name others.
    fn name(&self) -> String {
        let end = self.argument.find(['/', '=', ' ']).unwrap_or(self.argument.len());
        match self.word.as_str() {
            "verify" | "control" => format!("{} {}", self.word, &self.argument[..end]),
            word => word.to_owned(),
        }
    }

    fn is(&self, word: &str) -> bool {
        self.word == word
    }
}

/// All that is traced in a file.
fn traced(text: &str, all: &mut Vec<Checked>) {
    // What was come to and is not decided, with how deep it stands.
    let mut open: Vec<(usize, Checked)> = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("! >>>") else {
            if line.starts_with("? ") || line.starts_with("~ ") {
                open.clear();
            }
            continue;
        };
        let said = rest.trim_start();
        let depth = rest.len() - said.len();
        if let Some(text) = said.strip_prefix("check ") {
            open.push((depth, Checked::new(text)));
        } else if let Some(value) = said.strip_prefix("= ") {
            if let Some((_, last)) = open.last_mut() {
                value.trim().clone_into(&mut last.argument);
            }
        } else if let Some((_, result)) = said.split_once(": condition test ") {
            let first = open.iter().position(|(own, _)| *own >= depth).unwrap_or(open.len());
            let passed = match result.split(' ').next() {
                Some("succeeded") => Some(true),
                Some("failed") => Some(false),
                _ => None,
            };
            let mut own: Vec<Checked> = open.drain(first..).map(|(_, one)| one).collect();
            if let Some((last, before)) = own.split_last_mut() {
                last.holds = passed.map(|passed| passed != last.negated);
                before.iter_mut().for_each(|one| one.holds = Some(!one.negated));
            }
            all.append(&mut own);
        }
    }
}

/// All that is traced in the dialogues.
fn dialogues() -> Vec<Checked> {
    let mut all = Vec::new();
    for text in cases("dialogues") {
        traced(&text, &mut all);
    }
    assert!(all.len() > 1000, "{} are few", all.len());
    all
}

#[test]
fn traces_are_read_as_they_are_meant() {
    let mut all = Vec::new();
    traced(
        "! >>> check acl = inner x\n! >>>  check !verify = $a\n! >>>        = sender/callout=1s\n\
         ! >>>  deny: condition test failed in ACL \"inner\"\n\
         ! >>> accept: condition test failed in ACL \"outer\"\n\
         ! >>> check set a = 1\n! >>> check condition = x\n\
         ! >>> warn: condition test deferred in ACL \"outer\"\n",
        &mut all,
    );
    let seen: Vec<_> = all.iter().map(|one| (one.name(), one.holds)).collect();
    let own = |name: &str, holds| (name.to_owned(), holds);
    assert_eq!(
        seen,
        [
            own("verify sender", Some(true)),
            own("acl", Some(false)),
            own("set", Some(true)),
            own("condition", None)
        ]
    );
    assert_eq!(all[0].argument, "sender/callout=1s");
}

/// The names of what ACLs test, with those of `verify` in the place of its own.
fn conditions(registry: &Registry) -> BTreeSet<String> {
    let terms = registry.all_acl_terms().filter(|term| term.kind == AclTermKind::Condition);
    let terms = terms.map(|term| term.meta.name.to_owned()).filter(|name| name != "verify");
    let verifies = registry.all_acl_verifies().map(|one| format!("verify {}", one.meta.name));
    terms.chain(verifies).collect()
}

#[test]
fn each_condition_holds_in_a_dialogue_and_fails_in_one() {
    let registry = eximious::registry();
    let mut seen: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    for one in dialogues() {
        let (holds, fails) = seen.entry(one.name()).or_default();
        *holds |= one.holds == Some(true);
        *fails |= one.holds == Some(false);
    }
    let mut wrong = Vec::new();
    for name in conditions(&registry) {
        let both = seen.get(&name).is_some_and(|(holds, fails)| *holds && *fails);
        if both == ONE_SIDED.iter().any(|(known, _)| *known == name) {
            wrong.push(format!("{name}: {:?}", seen.get(&name)));
        }
    }
    assert!(wrong.is_empty(), "held, failed:\n{}", wrong.join("\n"));
}

#[test]
fn each_modifier_and_control_is_reached_in_a_dialogue() {
    let registry = eximious::registry();
    let seen: BTreeSet<String> = dialogues().iter().map(Checked::name).collect();
    let texts = cases("dialogues");
    // Of these no trace is left, but where they are told.
    let told = |name: &str| {
        let mark = match name {
            "message" => "! >>>   message: ",
            "log_message" => "! >>> l_message: ",
            "endpass" => "  endpass",
            _ => return false,
        };
        texts.iter().any(|text| text.contains(mark))
    };
    let modifiers = registry.all_acl_terms().filter(|term| term.kind == AclTermKind::Modifier);
    let mut missing: Vec<String> = modifiers
        .map(|term| term.meta.name)
        .filter(|name| *name != "control" && !seen.contains(*name) && !told(name))
        .map(str::to_owned)
        .collect();
    for control in registry.all_acl_controls() {
        let name = format!("control {}", control.meta.name);
        let known = UNSEEN_CONTROLS.iter().any(|(known, _)| *known == control.meta.name);
        if seen.contains(&name) == known {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Options of controls and verifications, and parameters of `callout` and `quota`.
#[test]
fn each_option_of_a_control_or_verification_is_used() {
    let registry = eximious::registry();
    let all = dialogues();
    // Callouts are compared with the real Exim in a test that has hosts to ask, and
    // quotas are looked at without it.
    let folder = std::fs::read_dir(root().join("repl/tests/program")).expect("the tests").flatten();
    let callouts: String = folder
        .filter(|entry| entry.path().is_file())
        .map(|entry| std::fs::read_to_string(entry.path()).expect("a test"))
        .filter(|text| text.contains("/callout"))
        .collect();
    // What a daemon does is compared, and not traced.
    let daemons: String = cases("daemon").concat();
    let used = |word: &str, name: &str, option: &str| {
        let option = option.trim_end_matches('=');
        let head = format!("{word} = {name}/");
        let written = daemons.lines().filter_map(|line| line.trim_start().strip_prefix(&head));
        let mut words = written.flat_map(|rest| rest.split(['/', '=']));
        if words.any(|one| one == option) {
            return true;
        }
        all.iter().filter(|one| one.is(word) && one.name() == format!("{word} {name}")).any(|one| {
            let options = one.argument.split('/').skip(1);
            options.flat_map(|text| text.split([',', '='])).any(|text| text.trim() == option)
        })
    };
    let named = |options: AclOptions| match options {
        AclOptions::Names(names) => names.to_vec(),
        _ => Vec::new(),
    };
    let mut missing = Vec::new();
    for control in registry.all_acl_controls() {
        for option in named(control.options) {
            if !used("control", control.meta.name, option) {
                missing.push(format!("control = {}/{option}", control.meta.name));
            }
        }
    }
    for verify in registry.all_acl_verifies() {
        for option in named(verify.options) {
            if !used("verify", verify.meta.name, option) {
                missing.push(format!("verify = {}/{option}", verify.meta.name));
            }
        }
    }
    for (parameter, _) in acl::CALLOUT_PARAMETERS {
        if !callouts.contains(parameter) {
            missing.push(format!("callout={parameter}"));
        }
    }
    for (parameter, _) in acl::QUOTA_PARAMETERS {
        if !used("verify", "recipient", parameter) {
            missing.push(format!("quota={parameter}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
