//! Patterns for both engines, and what both find.

use std::sync::Arc;

use eximious_pcre::{Attempt, CompileOptions, Regex};

use super::*;

/// What both find, where both can be asked.
#[track_caller]
fn both(pattern: &str, subject: &[u8]) -> Option<Vec<Option<(usize, usize)>>> {
    let linear = Linear::new(pattern.as_bytes(), false).expect(pattern);
    let regex = Arc::new(Regex::new(pattern.as_bytes(), CompileOptions::default()).expect(pattern));
    let mut matcher = regex.matcher();
    let found = matcher.find(subject, Attempt::default()).expect("no limit is met");
    let found: Option<Vec<_>> = found.map(|all| (0..all.len()).map(|n| all.get(n)).collect());
    let mut groups = Vec::new();
    let own = linear.find(subject, 0, &mut groups).then_some(groups);
    assert_eq!(own, found, "{pattern} {subject:?}");
    own
}

#[test]
fn both_find_the_same() {
    for (pattern, subject, whole) in [
        ("a+b", "xaab", Some((1, 4))),
        ("^(a+)+$", "aaa", Some((0, 3))),
        ("a$", "ba\n", Some((1, 2))),
        ("a$", "ba\n\n", None),
        ("(?s)^(.*$)", "a\n", Some((0, 2))),
        ("^(.*$|b)", "a\n", Some((0, 1))),
        ("^[^@]+@(?:[a-z]+\\.)+x$", "a@b.c.x", Some((0, 7))),
        ("(?i)AB(?-i)c|x(?i)|y", "Y", Some((0, 1))),
        ("a|ab", "ab", Some((0, 1))),
        ("(?:a|ab)(c|bcd)(d*)", "abcd", Some((0, 4))),
        ("\\bdyn[\\w.-]*\\d{2,}", "a dyn-12", Some((2, 8))),
        ("[]a]+?[^]b]", "]]c", Some((0, 3))),
        ("[[:^alpha:]]\\x2e", "1.", Some((0, 2))),
        ("((a)|b)+", "ab", Some((0, 2))),
    ] {
        let found = both(pattern, subject.as_bytes());
        assert_eq!(found.and_then(|groups| groups[0]), whole, "{pattern} {subject:?}");
    }
}

#[test]
fn what_may_mean_something_else_stays_pcre2s() {
    for pattern in [
        "(?=a)",
        "(?!a)b",
        "(?<=a)b",
        "(?>a+)b",
        "a++b",
        "(a)\\1",
        "(?R)",
        "(?1)",
        "\\Ga",
        "a\\Kb",
        "(?m)^a",
        "(?x) a",
        "a$b",
        "(a$)?b",
        "(a*)*",
        "(?:a?|b)+",
        "(*UTF8)a",
        "\\Qa\\E",
        "\\p{L}",
        "\\R",
        "\\h",
        "(?<n>a)",
        "(?|a|b)",
        "a{,2}",
        "a{2",
        "a**",
        "^*",
        "[a-\\d]",
        "(",
        "[[.a.]]",
        "[=a=][$a=]",
        "[.a.]",
        "[:alpha:]",
        "[b-a]",
        "a)",
        "\\",
    ] {
        assert!(Linear::new(pattern.as_bytes(), false).is_none(), "{pattern}");
    }
    // It would take too much memory.
    assert!(Linear::new(b"(?:[a-z]{1000}x){1000}", false).is_none());
    // It nests too deep.
    assert!(Linear::new(&[b"(".repeat(9000), b")".repeat(9000)].concat(), false).is_none());
}

#[test]
fn its_time_grows_with_the_text_alone() {
    let linear = Linear::new(b"^(a+)+$", false).expect("a pattern for both");
    let text = [b"a".repeat(50_000), b"!".to_vec()].concat();
    assert!(!linear.find(&text, 0, &mut Vec::new()));
}
