//! Things that nothing uses.

use std::collections::HashSet;

use eximious_core::{DriverKind, DriverOpt, Str};
use eximious_grammar::Span;
use eximious_stdlib::options::opt::router::{manualroute, redirect};

use crate::tools::check::names::Names;
use crate::tools::check::{Lint, Severity, Spot};

/// W203.
pub(super) static LIST_UNUSED: Lint = Lint {
    code: "W203",
    name: "list-unused",
    severity: Severity::Warning,
    summary: "A named list is never used.",
    docs: "Nothing has `+name` in it, and no `${listnamed:…}` names it.",
    bad: "domainlist local = example.com\nqualify_domain = example.com\n",
    good: "domainlist local = example.com\nhold_domains = +local\n",
    run: |survey, findings| {
        let lists = &survey.config.list_uses;
        let names = Names::new(lists.iter().map(|list| list.name.as_slice()));
        let mut used: HashSet<&[u8]> = HashSet::new();
        for text in &survey.texts {
            let named = memchr::memmem::find(&text.text, b"listnamed").is_some();
            names.each_in(&text.text, |name, at| {
                if named || text.text[..at].ends_with(b"+") {
                    used.insert(name);
                }
            });
        }
        let rewrite = survey.config.rewrite.iter().map(|(_, line)| line);
        for line in rewrite.chain(survey.config.retry.iter().map(|(_, line)| line)) {
            names.each_in(&survey.config.lines[*line].text, |name, _| {
                used.insert(name);
            });
        }
        for list in lists {
            if !used.contains(list.name.as_slice()) && !survey.left_out(&list.name) {
                let shown = String::from_utf8_lossy(&list.name);
                let message = format!("the list {shown} is never used");
                findings.add(survey.line(list.line), message);
            }
        }
    },
};

/// W204.
pub(super) static ACL_UNUSED: Lint = Lint {
    code: "W204",
    name: "acl-unused",
    severity: Severity::Warning,
    summary: "An ACL is never used.",
    docs: "No option, no `acl =` and no `${acl{…}}` names it.",
    bad: "begin acl\ncheck:\n  deny\n",
    good: "acl_smtp_rcpt = check\nbegin acl\ncheck:\n  deny\n",
    run: |survey, findings| {
        for (acl, used) in survey.config.acls.iter().zip(&survey.acls) {
            if !used.named && !survey.left_out(acl.name.bytes()) {
                let message = format!("the ACL {} is never used", acl.name.display());
                findings.add(survey.line(acl.line), message);
            }
        }
    },
};

/// Options of routers with words in them that may name transports.
const ROUTES: [DriverOpt<Str>; 3] =
    [manualroute::ROUTE_LIST, manualroute::ROUTE_DATA, redirect::DATA];

/// W205.
pub(super) static TRANSPORT_UNUSED: Lint = Lint {
    code: "W205",
    name: "transport-unused",
    severity: Severity::Warning,
    summary: "A transport is never used.",
    docs: "No router and no option names it.",
    bad: "begin transports\nt:\n  driver = smtp\n",
    good: "begin routers\nr:\n  driver = accept\n  transport = t\nbegin transports\nt:\n  driver = smtp\n",
    run: |survey, findings| {
        let transports = survey.config.instances(DriverKind::Transport);
        let names = Names::new(transports.iter().map(|transport| transport.name.bytes()));
        let mut used: HashSet<&[u8]> = HashSet::new();
        // A name that is made when a message is routed may be any of them.
        let mut any = false;
        for text in &survey.texts {
            let Some(option) = text.option() else { continue };
            if crate::tools::check::uses::names_transport(option) {
                any |= text.text.contains(&b'$');
                used.insert(&text.text);
            }
            if ROUTES.iter().any(|one| one.is(option)) {
                names.each_in(&text.text, |name, _| {
                    used.insert(name);
                });
            }
        }
        for transport in transports {
            let name = transport.name.bytes();
            if !any && !used.contains(name) && !survey.left_out(name) {
                let message = format!("the transport {} is never used", transport.name.display());
                let span = Span::new(0, name.len());
                findings.add(Spot::Line(transport.line, span), message);
            }
        }
    },
};
