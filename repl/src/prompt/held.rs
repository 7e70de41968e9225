//! What is typed while a run is held up.

use eximious::Str;
use eximious_workbench::debugger::{Breakpoint, Breakpoints, Halt, StopReason, excerpt, why};
use eximious_workbench::trace::quoted;
use eximious_workbench::tree::TraceNode;
use eximious_workbench::variables;

use super::command::PromptWord;

/// Said of what has to wait.
pub const BUSY: &[u8] = b"a run is held up here: :continue lets it go on\n";

/// How many lines around are shown.
const AROUND: u32 = 3;

/// A look at a run, with what was typed behind the command.
pub type Look = fn(&mut Halt<'_>, &str) -> Vec<u8>;

/// Why it stops, and where.
pub fn stopped(halt: &mut Halt<'_>) -> Vec<u8> {
    let head = match halt.reason() {
        StopReason::Breakpoint(number) => format!("breakpoint {number}"),
        StopReason::Refused => "refused".to_owned(),
        StopReason::Changed(changed) => {
            let (from, to) = (quoted(&changed.from), quoted(&changed.to));
            format!("${} was {from}, and is {to}", changed.name)
        }
        _ => "stopped".to_owned(),
    };
    let mut text = format!("-- {head} --\n{}", position(halt));
    if *halt.reason() == StopReason::Refused {
        text += &because(halt);
    }
    text.into_bytes()
}

/// What a command does that is only a look; nothing, where it is none.
pub fn look(word: PromptWord) -> Option<Look> {
    Some(match word {
        PromptWord::Back => {
            |halt, rest| moved(halt, rest, |halt| halt.back(), "no step before is kept")
        }
        PromptWord::Forward => {
            |halt, rest| moved(halt, rest, |halt| halt.forward(), "the run is here")
        }
        PromptWord::Where => |halt, _| position(halt).into_bytes(),
        PromptWord::Frames => |halt, _| frames(halt).into_bytes(),
        PromptWord::Why => |halt, _| because(halt).into_bytes(),
        PromptWord::Vars => |halt, rest| {
            let found = halt.looking(|cx| variables::with_values(cx, rest));
            listed(&found).into_bytes()
        },
        PromptWord::Break => |halt, rest| break_at(halt.points(), rest).into_bytes(),
        PromptWord::Watch => |halt, rest| watch(halt.points(), rest).into_bytes(),
        PromptWord::Delete => |halt, rest| delete(halt.points(), rest).into_bytes(),
        PromptWord::Trace => |halt, _| {
            let nodes = halt.happened();
            super::desk::tree(&nodes).into_bytes()
        },
        _ => return None,
    })
}

/// Expands what was typed, with the values of the step.
pub fn expand(halt: &mut Halt<'_>, text: &[u8]) -> Vec<u8> {
    match halt.expand(text) {
        Ok(value) => [value.bytes(), b"\n"].concat(),
        Err(fail) => [b"Failed: ", fail.shown(), b"\n"].concat(),
    }
}

/// Sets a variable of the run.
pub fn set(halt: &mut Halt<'_>, name: &str, value: &[u8], is_clean: bool) -> Vec<u8> {
    if !halt.is_now() {
        return b"that was: :forward leads to where the run is\n".to_vec();
    }
    match halt.expand(value) {
        Ok(value) => {
            let value = match is_clean {
                true => Str::clean(value.bytes()),
                false => Str::tainted(value.bytes()),
            };
            halt.context().set(name, value);
            Vec::new()
        }
        Err(fail) => [b"Failed: ", fail.shown(), b"\n"].concat(),
    }
}

/// Adds a breakpoint, or lists them.
pub fn break_at(points: &mut Breakpoints, rest: &str) -> String {
    if rest.is_empty() {
        let all = points.list();
        if all.is_empty() {
            return "there are no breakpoints\n".to_owned();
        }
        return all.iter().map(|(number, what)| format!("{number}  {what}\n")).collect();
    }
    match rest.parse::<Breakpoint>() {
        Ok(point) => {
            // The configuration that is read next may have it.
            let missing = points.missing(&point).map(|why| format!("  ({why})"));
            let (what, missing) = (point.to_string(), missing.unwrap_or_default());
            format!("breakpoint {}: {what}{missing}\n", points.add(point))
        }
        Err(why) => format!("{why}\n"),
    }
}

/// Watches a variable.
pub fn watch(points: &mut Breakpoints, rest: &str) -> String {
    if rest.is_empty() {
        return ":watch wants a variable: :watch acl_m_score\n".to_owned();
    }
    let name = rest.trim_start_matches('$');
    format!("breakpoint {}: watch ${name}\n", points.watch(name))
}

/// Takes a breakpoint away.
pub fn delete(points: &mut Breakpoints, rest: &str) -> String {
    match rest.parse() {
        Ok(number) if points.remove(number) => String::new(),
        _ => format!("there is no breakpoint \"{rest}\"; :break lists them\n"),
    }
}

/// Variables, a line each.
pub fn listed(found: &[(String, Str)]) -> String {
    found.iter().map(|(name, value)| format!("${name} = {}\n", quoted(value))).collect()
}

fn moved(halt: &mut Halt<'_>, rest: &str, go: fn(&mut Halt<'_>) -> bool, end: &str) -> Vec<u8> {
    let times: u32 = rest.parse().unwrap_or(1);
    let went = (0..times).take_while(|_| go(halt)).count();
    let mut text = String::new();
    if went < times as usize {
        text += &format!("({end})\n");
    }
    (text + &position(halt)).into_bytes()
}

/// The step, and the lines around it.
fn position(halt: &mut Halt<'_>) -> String {
    let frames = halt.frames();
    let Some(frame) = frames.last().cloned() else { return "at the beginning\n".to_owned() };
    let mut text = format!("{}: {}", frame.name, frame.at);
    if !halt.is_now() {
        let (step, of) = halt.position();
        text += &format!("  (step {step} of {of})");
    }
    if let Some(place) = &frame.place {
        text += &format!("\n   {place}");
        if let Some(lines) = halt.looking(|cx| excerpt(cx, place, AROUND)) {
            text += &format!("\n{lines}");
            return text;
        }
    }
    text + "\n"
}

fn frames(halt: &Halt<'_>) -> String {
    let mut text = String::new();
    for (number, frame) in halt.frames().iter().rev().enumerate() {
        text += &format!("#{number} {}: {}", frame.name, frame.at);
        if let Some(place) = &frame.place {
            text += &format!("  [{place}]");
        }
        text.push('\n');
    }
    text
}

fn because(halt: &Halt<'_>) -> String {
    reasons(&halt.happened())
}

/// What decided of what happened, in lines.
pub fn reasons(happened: &[TraceNode]) -> String {
    let found = why(happened);
    if found.is_empty() {
        return match happened {
            [] => "nothing was decided yet\n".to_owned(),
            _ => "no ACL was asked the last time, and no address was routed\n".to_owned(),
        };
    }
    let mut text = String::new();
    for one in &found {
        text += &one.what;
        if let Some(place) = &one.place {
            text += &format!("  [{place}]");
        }
        text.push('\n');
        one.parts.iter().for_each(|part| text += &format!("  {part}\n"));
    }
    text
}
