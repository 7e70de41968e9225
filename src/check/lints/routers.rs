//! Routers that no address comes to.

use crate::check::{Lint, Severity};
use crate::config::Instance;

/// Options that let only some addresses in.
const CONDITIONS: [&str; 13] = [
    "address_test",
    "check_local_user",
    "condition",
    "domains",
    "expn",
    "local_part_prefix",
    "local_part_suffix",
    "local_parts",
    "require_files",
    "senders",
    "verify",
    "verify_recipient",
    "verify_sender",
];

/// W206.
pub(super) static ROUTER_UNREACHABLE: Lint = Lint {
    code: "W206",
    name: "router-unreachable",
    severity: Severity::Warning,
    summary: "No address ever comes to a router.",
    docs: "A router before it takes every address: it accepts without a condition, or has \
           `no_more` and no condition.",
    bad: "begin routers\na:\n  driver = accept\n  transport = t\nb:\n  driver = redirect\n  data = x@y.example\nbegin transports\nt:\n  driver = smtp\n",
    good: "begin routers\nb:\n  driver = redirect\n  data = x@y.example\na:\n  driver = accept\n  transport = t\nbegin transports\nt:\n  driver = smtp\n",
    run: |survey, findings| {
        let routers = &survey.config.routers;
        let Some(last) = routers.iter().position(takes_all) else { return };
        for router in &routers[last + 1..] {
            let message = format!(
                "no address comes to {}: {} takes every one",
                router.name.display(),
                routers[last].name.display()
            );
            findings.add(survey.line(router.line), message);
        }
    },
};

/// Whether no address passes a router.
fn takes_all(router: &Instance) -> bool {
    let options = &router.options;
    let limited = CONDITIONS.iter().any(|name| options.get(name).is_some());
    let passes = options.flag("unseen") == Some(true)
        || options.text("unseen").is_some()
        || options.flag("verify_only") == Some(true)
        || options.text("self").is_some_and(|text| text.bytes().starts_with(b"pass"))
        || options.flag("pass_on_timeout") == Some(true);
    let ends = router.driver_name() == "accept" || options.flag("more") == Some(false);
    ends && !limited && !passes
}
