//! `regex` and `mime_regex` (specification 45.5).

use std::sync::Arc;

use eximious_core::{AclTerm, BodySource, Call, Effects, Fail, Meta, Str, TaintRule, Var};
use eximious_stdlib::lists::elements;
use eximious_stdlib::pattern;
use eximious_stdlib::variables::var;

use super::super::machine::{Answer, Run};
use super::super::words::{self, TermRun};
use super::copy::UNCOPIED;
use crate::mail::mime::Lines;

/// How long a piece of a line is that is looked at by itself.
const LONGEST: usize = 32_766;
/// How much of a decoded part is looked at.
const MOST: usize = 32_767;

static META: Meta = Meta::new("regex", Effects::NONE, TaintRule::Tainted);

/// `$regex1` and so on.
const GROUPS: [Var; 9] = [
    var::REGEX1,
    var::REGEX2,
    var::REGEX3,
    var::REGEX4,
    var::REGEX5,
    var::REGEX6,
    var::REGEX7,
    var::REGEX8,
    var::REGEX9,
];

/// `mime_regex`.
pub(in crate::mail::acl) static MIME_REGEX: AclTerm = words::condition(
    &TermRun::Text(mime_regex),
    words::meta(
        "mime_regex",
        "mime_regex = <list of regular expressions>",
        "specification 45.5",
        "A MIME part matches a regular expression.",
        "The part is decoded and its first 32 kilobytes are searched, newlines and all. \
         `$regex_match_string` has the expression that matched, `$regex1` and so on its groups.",
    ),
)
.phases(words::PARTS)
.effects(Effects::FILES);

/// `regex`.
pub(in crate::mail::acl) static REGEX: AclTerm = words::condition(
    &TermRun::Text(regex),
    words::meta(
        "regex",
        "regex = <list of regular expressions>",
        "specification 45.5",
        "The message matches a regular expression.",
        "Each line of the message, or of the part before it is decoded, is searched by itself, so \
         that an expression can't reach over lines. `$regex_match_string` has the expression that \
         matched, `$regex1` and so on its groups.",
    ),
)
.phases(words::CONTENT.union(words::PARTS))
.effects(Effects::FILES);

/// What matched: the expression, and its groups.
type Matched = (Vec<u8>, Vec<Vec<u8>>);

fn regex(run: &mut Run<'_>, text: &Str) -> Answer {
    let patterns = begin(run, text);
    let part = run.state.scan.part.as_ref().map(|part| part.content.clone());
    let Some(copy) = run.copy() else {
        run.host.log(&[b"regex acl condition: ", UNCOPIED].concat());
        return Answer::Later;
    };
    let source = copy.source();
    if patterns.is_empty() {
        return Answer::No;
    }
    let found = run.cx.call(&META, |call| -> Result<Option<Matched>, Fail> {
        let mut matched = None;
        let mut look = |call: &mut Call<'_>, line: &[u8]| -> Result<bool, Fail> {
            matched = first_match(call, &patterns, line)?;
            Ok(matched.is_none())
        };
        match part {
            Some(content) => {
                let read = content.read(LONGEST, |line| Ok::<_, Stopped>(look(call, line)?));
                read.map_err(|Stopped(fail)| fail)?;
            }
            None => {
                let mut lines = Lines::new(source, 0, LONGEST);
                while let Some(line) = lines.next().map_err(|why| Stopped::from(why).0)? {
                    if !look(call, line.bytes)? {
                        break;
                    }
                }
            }
        }
        Ok(matched)
    });
    end(run, found)
}

fn mime_regex(run: &mut Run<'_>, text: &Str) -> Answer {
    let patterns = begin(run, text);
    let Some(source) = run.decoded_part() else { return Answer::Later };
    let found = run.cx.call(&META, |call| {
        let text = start(&source).map_err(|why| Stopped::from(why).0)?;
        first_match(call, &patterns, &text)
    });
    end(run, found)
}

/// The first bytes of a file.
fn start(source: &Arc<dyn BodySource>) -> std::io::Result<Vec<u8>> {
    let mut text = vec![0; MOST];
    let mut length = 0;
    loop {
        match source.read_at(length as u64, &mut text[length..])? {
            0 => break,
            count => length += count,
        }
    }
    text.truncate(length);
    Ok(text)
}

/// Why no more is looked at.
struct Stopped(Fail);

impl From<Fail> for Stopped {
    fn from(fail: Fail) -> Self {
        Self(fail)
    }
}

impl From<std::io::Error> for Stopped {
    fn from(why: std::io::Error) -> Self {
        Self(Fail::defer(eximious_stdlib::wording::reason(&why)))
    }
}

/// Forgets what matched before; the expressions of a list that can be compiled.
fn begin(run: &mut Run<'_>, text: &Str) -> Vec<Vec<u8>> {
    run.cx.unset_var(var::REGEX_MATCH_STRING);
    GROUPS.iter().for_each(|group| run.cx.unset_var(*group));
    let mut patterns = Vec::new();
    // As Exim has it: what would be false as a condition is no expression.
    let is_one = |pattern: &[u8]| pattern != b"0" && !pattern.eq_ignore_ascii_case(b"false");
    for pattern in elements(text.bytes()).filter(|pattern| is_one(pattern)) {
        let compiled = run.cx.call(&META, |call| pattern::compile(call, &pattern, false).map(drop));
        match compiled {
            Ok(()) => patterns.push(pattern.to_vec()),
            Err(fail) => {
                let head = b"regex acl condition warning - ";
                run.host.log(&[head, fail.message(), b", skipped"].concat());
            }
        }
    }
    // The last one is the first to be looked for.
    patterns.reverse();
    patterns
}

/// The first expression that matches a text.
fn first_match(
    call: &mut Call<'_>,
    patterns: &[Vec<u8>],
    text: &[u8],
) -> Result<Option<Matched>, Fail> {
    for expression in patterns {
        let found = pattern::find_in(call, expression, false, text)?.map(|groups| {
            let group = |range: &Option<(usize, usize)>| {
                range.map_or_else(Vec::new, |(start, end)| text[start..end].to_vec())
            };
            (expression.clone(), groups.iter().skip(1).map(group).collect())
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Shows what matched.
fn end(run: &mut Run<'_>, found: Result<Option<Matched>, Fail>) -> Answer {
    match found {
        Ok(Some((expression, groups))) => {
            run.cx.set_var(var::REGEX_MATCH_STRING, Str::from(expression));
            for (var, group) in GROUPS.iter().zip(groups) {
                run.cx.set_var(*var, Str::tainted(&group[..]));
            }
            Answer::Yes
        }
        Ok(None) => Answer::No,
        Err(fail) => {
            run.logged = Some(Str::from(fail.message()));
            Answer::Later
        }
    }
}
