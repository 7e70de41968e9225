//! Many questions to both programs, some at a time.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard};

use eximious_tests::reference::keep_asked_again;

use super::locked;

/// How many are asked at a time: most of the time they wait.
const AT_ONCE: usize = 12;

/// Asks each question that has what the variable `only` says in it, and sees whether both
/// answers are alike. Where they are not, it is asked as often again as `again` says: on a busy
/// machine, time may run out where it should not.
pub fn are_alike<Q: Copy + Debug + Send>(
    questions: Vec<Q>,
    only: &str,
    again: usize,
    ask: impl Fn(Q) -> [String; 2] + Sync,
) {
    let only = std::env::var(only).unwrap_or_default();
    let named = questions.into_iter().map(|one| (format!("{one:?}"), one));
    let mut named: Vec<(String, Q)> = named.filter(|(name, _)| name.contains(&only)).collect();
    if only.is_empty() {
        keep_asked_again(&mut named, |(name, _)| name);
    }
    assert!(!named.is_empty());
    let left: Mutex<VecDeque<Q>> = Mutex::new(named.into_iter().map(|(_, one)| one).collect());
    let differences = Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                while let Some(question) = { locked(&left).pop_front() } {
                    let mut answers = ask(question);
                    for _ in 0..again {
                        if answers[0] != answers[1] {
                            answers = ask(question);
                        }
                    }
                    let [exims, ours] = answers;
                    if exims != ours {
                        let changes = similar::TextDiff::from_lines(&exims, &ours);
                        let changes = changes.unified_diff().context_radius(20).to_string();
                        locked(&differences).push(format!("== {question:?}\n{changes}"));
                    }
                }
            });
        }
    });
    let differences: MutexGuard<'_, Vec<String>> = locked(&differences);
    assert!(differences.is_empty(), "{}: {}", differences.len(), differences.join("\n"));
}
