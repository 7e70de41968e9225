//! Comments that are meant for `check`.

use crate::tools::check::{Lint, Severity};

/// W219.
pub(in crate::tools::check) static COMMENT_WITHOUT_EFFECT: Lint = Lint {
    code: "W219",
    name: "comment-without-effect",
    severity: Severity::Warning,
    summary: "A comment for eximious has no effect.",
    docs: "`# eximious: allow E110, W205 the reason` silences these codes in the line below, and \
           `# eximious: target exim-4.98` at the head of a file says which release is meant. This \
           one has another word, a code or a release that there is not, no reason, or nothing to \
           silence.",
    bad: "# eximious: alow W401 the other server needs it\nproxy_required_hosts = 192.0.2.1\n",
    good: "# eximious: allow W401 the other server needs it\nproxy_required_hosts = 192.0.2.1\n",
    // It is looked for where the others are silenced.
    run: |_, _| {},
};
