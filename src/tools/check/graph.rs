//! Which ACL is used where.

use eximious_core::AclPhases;
use eximious_grammar::expansion::{Arg, Seq, Tree};

use super::names::Names;
use super::survey::{Survey, Use};

/// Where an ACL is used.
#[derive(Clone, Debug)]
pub struct AclUse {
    /// Its name.
    pub name: Vec<u8>,
    /// The ACLs of a conversation that it is, or is called from.
    pub phases: AclPhases,
    /// Whether anything names it.
    pub named: bool,
}

/// The phase that an option sets the ACL for.
pub(in crate::tools) fn phase_of(option: &str) -> Option<AclPhases> {
    Some(match option {
        "acl_smtp_connect" => AclPhases::CONNECT,
        "acl_smtp_helo" => AclPhases::HELO,
        "acl_smtp_starttls" => AclPhases::STARTTLS,
        "acl_smtp_auth" => AclPhases::AUTH,
        "acl_smtp_mail" => AclPhases::MAIL,
        "acl_smtp_mailauth" => AclPhases::MAILAUTH,
        "acl_smtp_rcpt" => AclPhases::RCPT,
        "acl_smtp_predata" => AclPhases::PREDATA,
        "acl_smtp_data" => AclPhases::DATA,
        "acl_smtp_data_prdr" => AclPhases::PRDR,
        "acl_smtp_mime" => AclPhases::MIME,
        "acl_smtp_dkim" => AclPhases::DKIM,
        "acl_smtp_quit" => AclPhases::QUIT,
        "acl_smtp_notquit" => AclPhases::NOTQUIT,
        "acl_smtp_etrn" => AclPhases::ETRN,
        "acl_smtp_expn" => AclPhases::EXPN,
        "acl_smtp_vrfy" => AclPhases::VRFY,
        "acl_smtp_wellknown" => AclPhases::WELLKNOWN,
        "acl_smtp_atrn" => AclPhases::ATRN,
        "acl_not_smtp" => AclPhases::NOT_SMTP,
        "acl_not_smtp_mime" => AclPhases::NOT_SMTP_MIME,
        "acl_not_smtp_start" => AclPhases::NOT_SMTP_START,
        _ => return None,
    })
}

/// What a text that names an ACL says: its name, without arguments; `None` where
/// it is expanded first.
pub(super) fn acl_named(text: &[u8]) -> Option<&[u8]> {
    let name = text.split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
    name.filter(|name| !name.contains(&b'$'))
}

/// Whether a name stands in a text as a word of its own, and not as a variable.
pub(super) fn mentions(text: &[u8], name: &[u8]) -> bool {
    memchr::memmem::find_iter(text, name).any(|at| stands_alone(text, at, name.len()))
}

fn stands_alone(text: &[u8], at: usize, length: usize) -> bool {
    let part = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'$');
    let before = at.checked_sub(1).and_then(|n| text.get(n));
    !before.is_some_and(part) && !text.get(at + length).is_some_and(part)
}

/// What `${acl{…}}` and the condition `acl` call.
pub(super) fn acls_called(survey: &Survey<'_>, tree: &Tree) -> Vec<Seq> {
    let registry = survey.registry;
    let items = tree.calls().iter().filter(|call| registry.item_at(call.def).meta.name == "acl");
    let items = items.map(|call| tree.view().call_args(call).first());
    let conditions =
        tree.conds().iter().filter(|cond| registry.condition_at(cond.def).meta.name == "acl");
    let conditions = conditions.map(|condition| tree.view().cond_args(condition).first());
    let firsts = items.chain(conditions);
    firsts.filter_map(|first| first.and_then(text_of)).collect()
}

fn text_of(arg: &Arg) -> Option<Seq> {
    match arg {
        Arg::Text(seq) => Some(*seq),
        _ => None,
    }
}

/// Where each ACL of the configuration is used. What is expanded first could
/// name any ACL whose name could be part of it; all then count as named.
pub(super) fn uses(survey: &Survey<'_>) -> Vec<AclUse> {
    let mut all: Vec<AclUse> = survey
        .config
        .acls
        .iter()
        .map(|acl| AclUse {
            name: acl.name.bytes().to_vec(),
            phases: AclPhases::empty(),
            named: false,
        })
        .collect();
    // Whom each ACL calls, by number.
    let mut calls: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
    let names = Names::new(survey.config.acls.iter().map(|acl| acl.name.bytes()));
    for text in &survey.texts {
        let option = text.option().map_or("", |option| option.meta.name);
        let caller = match text.of {
            Use::Acl(acl, _) => survey.acl(acl.name.bytes()),
            _ => None,
        };
        let mut called: Vec<&[u8]> = Vec::new();
        let names_acl =
            phase_of(option).is_some() || text.term().is_some_and(|term| term.meta.name == "acl");
        if names_acl {
            match acl_named(&text.text) {
                Some(name) => called.push(name),
                // Any name that stands in the text may come out of it.
                None => names.each_in(&text.text, |name, at| {
                    if stands_alone(&text.text, at, name.len()) {
                        called.push(name);
                    }
                }),
            }
        }
        if let Some(tree) = &text.tree {
            let firsts = acls_called(survey, tree);
            called.extend(firsts.into_iter().filter_map(|first| tree.view().literal(first)));
        }
        for called in called.into_iter().filter_map(|name| survey.acl(name)) {
            all[called].named = true;
            match (phase_of(option), caller) {
                (Some(phase), _) => all[called].phases |= phase,
                (None, Some(caller)) => calls[caller].push(called),
                (None, None) => all[called].phases |= AclPhases::all(),
            }
        }
    }
    // What an ACL calls runs in its phases.
    let mut changed: Vec<usize> = (0..all.len()).collect();
    while let Some(caller) = changed.pop() {
        let phases = all[caller].phases;
        for called in &calls[caller] {
            if !all[*called].phases.contains(phases) {
                all[*called].phases |= phases;
                changed.push(*called);
            }
        }
    }
    all
}
