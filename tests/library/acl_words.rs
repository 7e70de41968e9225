//! The words of ACLs: in which ACL each is allowed, as a real Exim answers, and
//! that each has a record which says all there is to say.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use eximious::stdlib::acl;
use eximious::{AclOptions, AclPhases, AclTermKind, Macros, Meta, Registry};
use eximious_tests::{reference::Reference, root};

/// Words that no packaged Exim has, so that the table does not name them.
const UNASKED: [&str; 7] = [
    "arc",
    "bmi_optin",
    "bmi_run",
    "dcc",
    "dmarc_disable_verify",
    "dmarc_enable_forensic",
    "dmarc_status",
];

/// All records: kind, what all have, ACLs.
fn records(registry: &Registry) -> Vec<(&'static str, &Meta, AclPhases)> {
    let verbs = acl::VERBS.iter().map(|verb| ("verb", &verb.meta, verb.phases));
    let terms = registry.all_acl_terms().map(|term| {
        let kind = match term.kind {
            AclTermKind::Condition => "condition",
            AclTermKind::Modifier => "modifier",
        };
        (kind, &term.meta, term.phases)
    });
    let controls = registry.all_acl_controls().map(|c| ("control", &c.meta, c.phases));
    let verifies = registry.all_acl_verifies().map(|v| ("verify", &v.meta, v.phases));
    verbs.chain(terms).chain(controls).chain(verifies).collect()
}

#[test]
fn words_are_allowed_where_exim_allows_them() {
    let registry = eximious::registry();
    let text = std::fs::read_to_string(root().join("tests/data/acl-phases.txt")).unwrap();
    let mut asked: BTreeMap<(&str, &str), BTreeMap<&str, bool>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, word, acl, answer] = words[..] else { panic!("{line}") };
        asked.entry((kind, word)).or_default().insert(acl, answer == "allowed");
    }
    let acls: BTreeSet<String> = AclPhases::all().options().collect();
    let mut wrong = Vec::new();
    for (kind, meta, phases) in records(&registry) {
        let Some(answers) = asked.remove(&(kind, meta.name)) else {
            // What these two allow depends on what they name.
            let known = UNASKED.contains(&meta.name) || ["control", "verify"].contains(&meta.name);
            assert!(known, "{} {} was not asked", kind, meta.name);
            continue;
        };
        let all = acls.iter().filter(|acl| kind != "verb" || *acl != "acl_smtp_atrn");
        assert!(answers.keys().eq(all), "{}", meta.name);
        let allowed: BTreeSet<String> = phases.options().collect();
        for (acl, answer) in answers {
            if allowed.contains(acl) != answer {
                wrong.push(format!("{kind} {} {acl}: Exim says {answer}", meta.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked.is_empty(), "no records: {:?}", asked.keys());
}

#[test]
fn records_are_complete() {
    let registry = eximious::registry();
    for (_, meta, phases) in records(&registry) {
        for part in [meta.syntax, meta.summary, meta.docs, meta.source] {
            assert!(!part.is_empty(), "{}", meta.name);
        }
        assert!(meta.syntax.contains(meta.name), "{}", meta.name);
        assert!(!phases.is_empty(), "{}", meta.name);
    }
    let named = |options: AclOptions, syntax: &str| match options {
        AclOptions::None => !syntax.contains('/'),
        AclOptions::Text => syntax.contains('/'),
        AclOptions::Names(names) => syntax.contains('/') && !names.is_empty(),
    };
    for control in registry.all_acl_controls() {
        assert!(named(control.options, control.meta.syntax), "{}", control.meta.name);
    }
    for verify in registry.all_acl_verifies() {
        assert!(named(verify.options, verify.meta.syntax), "{}", verify.meta.name);
    }
}

/// Each was seen in a log of the real one.
#[test]
fn refusals_have_exims_words() {
    let registry = eximious::registry();
    let term = |name: &str, phase| registry.acl_term(name.as_bytes()).unwrap().refusal(phase);
    let verb = |name: &str, phase| {
        acl::VERBS.iter().find(|verb| verb.meta.name == name).unwrap().refusal(phase)
    };
    let control = registry.acl_control(b"caseful_local_part").unwrap();
    let verify = registry.acl_verify(b"recipient").unwrap();
    for (said, expected) in [
        (term("domains", AclPhases::HELO), "cannot test domains condition in EHLO or HELO ACL"),
        (term("hosts", AclPhases::NOT_SMTP), "cannot test hosts condition in non-SMTP ACL"),
        (
            term("add_header", AclPhases::CONNECT),
            "cannot use add_header condition in connection ACL",
        ),
        (term("delay", AclPhases::NOTQUIT), "cannot use delay condition in NOTQUIT ACL"),
        (control.refusal(AclPhases::PRDR), "cannot use \"control=caseful_local_part\" in PRDR ACL"),
        (
            verb("discard", AclPhases::NOT_SMTP_START),
            "\"discard\" verb not allowed in non-SMTP-start ACL",
        ),
        (
            verb("deny", AclPhases::QUIT),
            "QUIT or not-QUIT toplevel ACL may not fail ('deny' verb used incorrectly)",
        ),
        (verify.refusal(AclPhases::DATA), "cannot verify recipient in ACL for DATA"),
    ] {
        assert_eq!(said, expected);
    }
}

/// `.ifdef _ACL_COND_…` and `_DRIVER_…` choose as in the packaged program.
#[test]
fn macros_name_what_the_packaged_program_has() {
    let Some(reference) = Reference::find().filter(|found| found.version() == "4.98.2") else {
        return;
    };
    let output =
        Command::new(reference.program()).args(["-C", "/dev/null", "-bP", "macros"]).output();
    let output = String::from_utf8(output.expect("the reference starts").stdout).unwrap();
    let shown: BTreeSet<&str> = output
        .lines()
        .filter_map(|line| line.strip_suffix("=y"))
        .filter(|name| name.starts_with("_ACL_") || name.starts_with("_DRIVER_"))
        .collect();
    assert!(shown.len() > 50);
    let registry = eximious::registry();
    let terms = records(&registry).into_iter().filter_map(|(kind, meta, _)| match kind {
        "condition" => Some(format!("_ACL_COND_{}", meta.name)),
        "modifier" => Some(format!("_ACL_MOD_{}", meta.name)),
        _ => None,
    });
    let drivers = registry.all_drivers();
    let drivers = drivers.map(|d| format!("_DRIVER_{}_{}", d.kind.name(), d.meta.name));
    let own: BTreeSet<String> =
        terms.chain(drivers).map(|name| name.to_ascii_uppercase()).collect();
    let macros = Macros::new();
    // The packaged program is built without these.
    const BEYOND: [&str; 3] =
        ["_ACL_COND_DCC", "_ACL_COND_DMARC_STATUS", "_DRIVER_TRANSPORT_QUEUEFILE"];
    for name in own.iter().map(String::as_str).chain(shown.iter().copied()) {
        let known = macros.apply(name.as_bytes(), &registry).unwrap().as_ref() == b"y";
        assert_eq!(known, shown.contains(name) || BEYOND.contains(&name), "{name}");
    }
}
