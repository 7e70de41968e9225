//! Chores of the workspace: `cargo xtask pages [--check]` writes the pages that
//! are made from the registry, or says that they are stale.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use eximious::{Effects, Meta, TaintRule};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pages"] => pages(false),
        ["pages", "--check"] => pages(true),
        _ => {
            eprintln!("usage: cargo xtask pages [--check]");
            ExitCode::from(2)
        }
    }
}

fn pages(check: bool) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut stale = false;
    for (name, text) in [("COMPATIBILITY.md", compatibility(&root))] {
        let path = root.join(name);
        let current = std::fs::read_to_string(&path).unwrap_or_default();
        if current == text {
            continue;
        }
        if check {
            eprintln!("{name} is stale: cargo xtask pages");
            stale = true;
        } else if let Err(error) = std::fs::write(&path, text) {
            eprintln!("{name}: {error}");
            stale = true;
        }
    }
    if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn compatibility(root: &Path) -> String {
    let registry = eximious::stdlib::registry();
    let mut page = String::from(
        "# Compatibility with Exim\n\n\
         This page is made from the registry (`cargo xtask pages`). The language is that of \
         Exim 4.100's specification; the program it is compared with, line by line in every test \
         run, is 4.98.2. A name without a remark works; *not yet* means that it is known, is \
         parsed, and gives a clear error when it is used.\n",
    );
    section(&mut page, "Expansion items", registry.all_items().map(|r| &r.meta));
    section(&mut page, "Operators", registry.all_operators().map(|r| &r.meta));
    section(&mut page, "Conditions", registry.all_conditions().map(|r| &r.meta));
    section(&mut page, "Lookup types", registry.all_lookups().map(|r| &r.meta));
    section(&mut page, "Variables", registry.all_variables().map(|r| &r.meta));
    page.push_str("\n## Known differences\n\nEach is tested to differ still.\n\n");
    let list = std::fs::read_to_string(root.join("tests/known-differences.txt"));
    let mut reason = String::new();
    for line in list.unwrap_or_default().lines() {
        if let Some(text) = line.strip_prefix("# ") {
            reason.push_str(text);
            reason.push(' ');
        } else if let Some(text) = line.strip_prefix("> ") {
            let _ = writeln!(page, "- `{text}`: {}", reason.trim());
            reason.clear();
        }
    }
    page
}

fn section<'a>(page: &mut String, title: &str, metas: impl Iterator<Item = &'a Meta>) {
    let mut rows: Vec<&Meta> = metas.collect();
    rows.sort_by_key(|m| m.name);
    let _ = write!(
        page,
        "\n## {title} ({})\n\n| name | what it is | effects | taint | remark |\n|---|---|---|---|---|\n",
        rows.len()
    );
    for meta in rows {
        let mut name = format!("`{}`", meta.name);
        for alias in meta.aliases {
            let _ = write!(name, ", `{alias}`");
        }
        let remark = match (meta.needs, meta.since) {
            _ if !meta.until.is_empty() => format!("gone with {}", meta.until),
            ("", "") => String::new(),
            ("", since) => format!("since {since}"),
            (needs, _) => format!("*not yet*: {needs}"),
        };
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {remark} |",
            meta.summary.replace('|', "\\|"),
            effects(meta.effects),
            taint(meta.taint),
        );
    }
}

fn effects(effects: Effects) -> String {
    effects.iter_names().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>().join(", ")
}

fn taint(rule: TaintRule) -> &'static str {
    match rule {
        TaintRule::Arguments => "of its arguments",
        TaintRule::Clean => "clean",
        TaintRule::Tainted => "tainted",
        TaintRule::Result => "of its result",
        TaintRule::Quoted => "quoted",
    }
}
