//! `cargo xtask api [--check]`: writes down what the library offers, so that a change of it
//! is seen where it is made; with `--check`, says whether `docs/api.txt` is as it was.
//!
//! It is read from the pages that rustdoc makes, which any toolchain has: the declaration
//! of each item, its methods, and the traits that it has.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

/// The crates that embedders name.
const CRATES: &[&str] = &["eximious", "eximious_mta"];

/// What a page of an item begins with.
const KINDS: &[&str] =
    &["struct.", "enum.", "union.", "trait.", "fn.", "type.", "constant.", "static.", "macro."];

/// Writes the list, or compares it.
pub fn run(root: &Path, check: bool) -> ExitCode {
    let made = crate::cargo(root)
        .args(["doc", "--workspace", "--all-features", "--no-deps", "--quiet"])
        .status();
    if !made.is_ok_and(|status| status.success()) {
        return ExitCode::from(2);
    }
    let folder = crate::target(root).join("doc");
    let mut lines = BTreeSet::new();
    for name in CRATES {
        read_folder(&folder.join(name), name, &mut lines);
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let file = root.join("docs/api.txt");
    let current = std::fs::read_to_string(&file).unwrap_or_default();
    if current == text {
        return ExitCode::SUCCESS;
    }
    if !check {
        return match std::fs::write(&file, text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("docs/api.txt: {why}");
                ExitCode::FAILURE
            }
        };
    }
    let before: BTreeSet<String> = current.lines().map(str::to_owned).collect();
    before.difference(&lines).for_each(|line| eprintln!("- {line}"));
    lines.difference(&before).for_each(|line| eprintln!("+ {line}"));
    eprintln!("what the library offers has changed: cargo xtask api, and a line in CHANGELOG.md");
    ExitCode::FAILURE
}

fn read_folder(folder: &Path, path: &str, lines: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            read_folder(&entry.path(), &format!("{path}::{name}"), lines);
        } else if let Some(item) = name.strip_suffix(".html")
            && let Some(kind) = KINDS.iter().find(|kind| item.starts_with(**kind))
            && let Ok(page) = std::fs::read_to_string(entry.path())
        {
            read_page(&page, &format!("{path}::{}", &item[kind.len()..]), lines);
        }
    }
}

/// Takes down what a page says of an item.
fn read_page(page: &str, path: &str, lines: &mut BTreeSet<String>) {
    // What any type has, by itself or by its kind, says nothing.
    let page = before(page, &["id=\"synthetic-implementations\"", "id=\"implementors\""]);
    if let Some(declared) = between(page, "<pre class=\"rust item-decl\"><code>", "</code></pre>") {
        let declared = plain(declared);
        // The value of a constant is no promise.
        let declared = declared.split(" = ").next().unwrap_or_default();
        lines.insert(format!("{path}: {declared}"));
    }
    let own = before(page, &["id=\"trait-implementations\""]);
    for section in own.split("<section id=\"").skip(1) {
        let is_member = ["method.", "tymethod.", "associatedtype.", "associatedconstant."]
            .iter()
            .any(|kind| section.starts_with(kind));
        if is_member && let Some(head) = between(section, "<h4 class=\"code-header\">", "</h4>") {
            lines.insert(format!("{path}: {}", plain(head)));
        }
    }
    for section in page[own.len()..].split("<section id=\"impl-").skip(1) {
        if let Some(head) = between(section, "<h3 class=\"code-header\">", "</h3>")
            && !head.contains("StructuralPartialEq")
        {
            lines.insert(format!("{path}: {}", plain(head)));
        }
    }
}

/// What stands before the first of some texts.
fn before<'t>(text: &'t str, ends: &[&str]) -> &'t str {
    let end = ends.iter().filter_map(|end| text.find(end)).min();
    &text[..end.unwrap_or(text.len())]
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let rest = &text[text.find(start)? + start.len()..];
    Some(&rest[..rest.find(end)?])
}

/// Text without marks, in one line.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => inside = false,
            letter if !inside => out.push(letter),
            _ => {}
        }
    }
    let out = out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    let out = out.replace("&#39;", "'").replace("&nbsp;", " ").replace("&amp;", "&");
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_an_item_is_and_does() {
        let page = "<pre class=\"rust item-decl\"><code>pub struct <b>One</b>&lt;T&gt;(<i>/* private \
            fields */</i>);</code></pre><section id=\"method.get\" class=\"method\"><h4 \
            class=\"code-header\">pub fn get(&amp;self) -&gt;\n   T</h4></section><h2 \
            id=\"trait-implementations\"><section id=\"impl-Debug\"><h3 class=\"code-header\">impl \
            Debug for One</h3><section id=\"method.fmt\"><h4 class=\"code-header\">fn fmt</h4><h2 \
            id=\"synthetic-implementations\"><section id=\"impl-Send\"><h3 \
            class=\"code-header\">impl Send for One</h3>";
        let mut lines = BTreeSet::new();
        read_page(page, "a::One", &mut lines);
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let expected = [
            "a::One: impl Debug for One",
            "a::One: pub fn get(&self) -> T",
            "a::One: pub struct One<T>(/* private fields */);",
        ];
        assert_eq!(lines, expected);
    }
}
