//! Rules that nothing comes to.

use crate::config::RetryError;
use crate::tools::check::{Lint, Severity};

/// W214.
pub(super) static RULE_UNREACHABLE: Lint = Lint {
    code: "W214",
    name: "rule-unreachable",
    severity: Severity::Warning,
    summary: "A rule for retries is never used.",
    docs: "The first rule that suits an address and an error counts. One before it suits all of \
           them, or has the same pattern and the same error.",
    bad: "begin retry\n* * F,2h,15m\n* quota\n",
    good: "begin retry\n* quota\n* * F,2h,15m\n",
    run: |survey, findings| {
        let rules = &survey.config.retry;
        let all = |error: &RetryError| matches!(error, RetryError::Any);
        let mut ended = false;
        let mut seen = std::collections::HashSet::new();
        for (rule, line) in rules {
            let key = (rule.pattern.bytes(), format!("{:?}", rule.error));
            if ended || seen.contains(&key) {
                findings.add(survey.line(*line), "this rule is never used");
            }
            if rule.senders.is_none() {
                ended |= rule.pattern.bytes() == b"*" && all(&rule.error);
                seen.insert(key);
            }
        }
    },
};
