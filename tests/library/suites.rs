//! Every line of every suite has the answer that stands beside it.

use eximious_tests::fixtures::Fixtures;
use eximious_tests::ours::Ours;
use eximious_tests::suite::Suite;
use eximious_tests::{root, show};

#[test]
fn lines_have_their_answers() {
    let fixtures = Fixtures::new();
    let (mut wrong, mut total) = (Vec::new(), 0);
    for suite in Suite::all() {
        let mut ours = match &suite.message {
            Some(name) => Ours::with_message(&root().join("tests/data/messages").join(name)),
            None => Ours::new(),
        };
        for case in &suite.cases {
            total += 1;
            let answer = fixtures.hide(&ours.answer(&fixtures.fill(&case.input)));
            if answer != case.output {
                wrong.push(format!(
                    "{}:{}: {}\n    should be {}\n    but is    {}",
                    suite.path.file_name().unwrap_or_default().to_string_lossy(),
                    case.number,
                    show(&case.input),
                    show(&case.output),
                    show(&answer),
                ));
            }
        }
    }
    println!("{total} lines");
    assert!(wrong.is_empty(), "{} of {total} lines:\n{}", wrong.len(), wrong.join("\n"));
}
