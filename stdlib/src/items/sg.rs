//! `sg`.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{
    Bindings, Call, Effects, Example, Fail, Item, ItemRun, Meta, Str, Taint, TaintRule,
};
use eximious_pcre::Attempt;

use crate::pattern::{PatternFinder, captures, give_back, take_matcher};

/// `${sg{subject}{regex}{replacement}}`.
pub static SG: Item = Item {
    meta: Meta::new("sg", Effects::EXPAND, TaintRule::Result)
        .syntax("${sg{<subject>}{<regex>}{<replacement>}}")
        .summary("Replaces all matches of a regular expression.")
        .docs(
            "Like Perl's `s///g`. All three arguments are expanded first; the replacement is \
             expanded again for each match, with `$0`, `$1`, … set, so a dollar for it has to \
             be protected. The result is tainted where something of a tainted subject is \
             left in it, or a replacement is.",
        )
        .examples(&[
            Example::new("${sg{abcdefabcdef}{abc}{xyz}}", "xyzdefxyzdef"),
            Example::new("${sg{abcdef}{^(...)(...)\\$}{\\$2\\$1}}", "defabc"),
            Example::new("${sg{1=A 4=D 3=C}{\\N(\\d+)=\\N}{K\\$1=}}", "K1=A K4=D K3=C"),
        ])
        .source("specification 11.5"),
    shape: ItemShape::Braces { min: 3, max: 3 },
    run: ItemRun::Lazy(|call| call.scoped_for(Bindings::CAPTURES, run)),
};

fn run(call: &mut Call<'_>) -> Result<Str, Fail> {
    let (subject, pattern, replacement) = (call.text(0)?, call.text(1)?, call.text(2)?);
    call.check_closed()?;
    let pattern = pattern.bytes();
    let mut matcher = take_matcher(call, pattern, false)?;
    let result = replace(call, &mut matcher, &subject, &replacement);
    give_back(call, pattern, false, matcher);
    result
}

fn replace(
    call: &mut Call<'_>,
    matcher: &mut PatternFinder,
    subject: &Str,
    replacement: &Str,
) -> Result<Str, Fail> {
    let bytes = subject.bytes();
    // What is put together is as tainted as its pieces.
    let (mut out, mut taint) = (Vec::with_capacity(bytes.len()), Taint::Clean);
    let (mut at, mut copied) = (0, 0);
    let mut anchored_not_empty = false;
    // Where nothing is to be expanded, nobody looks at `$0`, `$1`, …
    let plain = replacement.is_plain();
    while at <= bytes.len() {
        // What is read up to the match is counted behind it.
        call.charge_match(0)?;
        let found = matcher.find(bytes, Attempt { start: at, anchored_not_empty });
        let Some(groups) = found else {
            // After an empty match, go on behind the next byte.
            if !anchored_not_empty || at >= bytes.len() {
                break;
            }
            call.charge(1)?;
            anchored_not_empty = false;
            at += 1;
            continue;
        };
        let (start, end) = groups.get(0).unwrap_or((at, at));
        if !plain {
            call.set_captures(captures(subject, groups));
        }
        let piece = call.round(out.len(), |call| call.expand_again(replacement))?;
        call.charge(end.saturating_sub(at) + piece.bytes().len())?;
        call.check_length(out.len() + start.saturating_sub(copied) + piece.bytes().len())?;
        if start > copied {
            out.extend_from_slice(&bytes[copied..start]);
            taint = taint.with(subject.taint());
        }
        out.extend_from_slice(piece.bytes());
        taint = taint.with(piece.taint());
        copied = end.max(copied);
        anchored_not_empty = start == end;
        at = end;
    }
    call.check_length(out.len() + bytes.len() - copied)?;
    if copied < bytes.len() {
        out.extend_from_slice(&bytes[copied..]);
        taint = taint.with(subject.taint());
    }
    Ok(Str::from(out).stamped(taint))
}
