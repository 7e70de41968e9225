//! The pages of events.

use std::fmt::Write;

use eximious::stdlib::event::{self, EventDef};

use super::wrap;

/// The page of an event.
pub fn page(name: &str) -> Option<String> {
    let EventDef { name, raised, data, answer, option } =
        event::ALL.iter().find(|event| event.name == name)?;
    let mut text = format!("{name} (event)\n\n");
    wrap(raised, &mut text);
    let answer = if answer.is_empty() { "means nothing" } else { answer };
    let _ = write!(
        text,
        "\n  Data:    $event_data is {data}\n  Answer:  {answer}\n  Option:  {option}\n  \
         Source:  specification 61\n"
    );
    Some(text)
}

/// All events, a line for each.
pub fn list() -> String {
    event::ALL.iter().map(|event| format!("  {:<19} {}\n", event.name, event.raised)).collect()
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    event::ALL.iter().map(|event| event.name)
}
