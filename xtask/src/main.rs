//! Chores of the workspace: `cargo xtask pages [--check]` writes the pages that
//! are made from the registry, or says that they are stale; `cargo xtask api [--check]` does
//! the same with the list of what the library offers; `cargo xtask features` checks
//! that the library can be built in parts; `cargo xtask hunt KIND` looks for faults beside
//! a real Exim (`tests/src/hunt.rs`); `cargo xtask pgo` builds the program by a profile of
//! what it does.

mod api;
mod features;
mod pgo;
mod textmate;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use eximious::acl::SCANNERS;
use eximious::debugging::DebugSelector;
use eximious::{
    AclTermKind, DriverKind, Effects, Meta, OptionDef, OptionEffect, OptionPlace, Runs, TaintRule,
};
use eximious_workbench::testing::file::TestFile;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pages"] => pages(false),
        ["pages", "--check"] => pages(true),
        ["api"] => api::run(&root(), false),
        ["api", "--check"] => api::run(&root(), true),
        ["features"] => features::check(&root()),
        ["pgo"] => pgo::run(&root()),
        ["hunt", ref wanted @ ..] => hunt(wanted),
        _ => {
            eprintln!("usage: cargo xtask pages [--check]");
            eprintln!("       cargo xtask api [--check]");
            eprintln!("       cargo xtask features");
            eprintln!("       cargo xtask pgo");
            eprintln!("       cargo xtask hunt KIND --seed N [--count N]");
            ExitCode::from(2)
        }
    }
}

/// The folder of the workspace: that of the package where cargo starts this, and else where
/// one stands.
fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR");
    own.map_or_else(|| PathBuf::from("."), |own| Path::new(&own).join(".."))
}

/// The cargo that runs this, in the workspace.
fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

/// Where builds go.
fn target(root: &Path) -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let folder = root.join(folder.unwrap_or_else(|| "target".into()));
    std::fs::canonicalize(&folder).unwrap_or(folder)
}

/// Builds the program, and starts the hunt beside it: the tests have all that it needs,
/// and other chores do without them.
fn hunt(wanted: &[&str]) -> ExitCode {
    let root = root();
    let mut build = cargo(&root);
    build.args(["build", "-q", "-p", "eximious-repl", "-p", "eximious-tests", "--all-features"]);
    if !build.status().is_ok_and(|status| status.success()) {
        return ExitCode::from(2);
    }
    let folder = target(&root).join("debug");
    let mut hunt = Command::new(folder.join("hunt"));
    hunt.args(wanted).env("EXIMIOUS_PROGRAM", folder.join("eximious"));
    match hunt.status().ok().and_then(|status| status.code()) {
        Some(code) => ExitCode::from(u8::try_from(code).unwrap_or(2)),
        None => ExitCode::from(2),
    }
}

fn pages(check: bool) -> ExitCode {
    let root = root();
    let mut stale = false;
    for (name, text) in [
        ("COMPATIBILITY.md", compatibility(&root)),
        ("editors/vscode/syntaxes/exim.tmLanguage.json", textmate::grammar(&eximious::registry())),
        ("docs/eximtest.schema.json", format!("{:#}\n", TestFile::schema())),
    ] {
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

/// What was an experiment of some release, and how it stands here.
const SYSTEMS: &str = include_str!("compatibility/systems.md");

/// What is to be known of TLS by those who come from a GnuTLS build.
const TLS: &str = include_str!("compatibility/tls.md");

/// What is meant otherwise than in the program it is compared with.
const DIFFERENCES: &str = include_str!("compatibility/differences.md");

fn compatibility(root: &Path) -> String {
    let registry = eximious::registry();
    let mut page = String::from(
        "# Compatibility with Exim\n\n\
         This page is made from the registry (`cargo xtask pages`). The language is that of \
         Exim 4.100's specification; the program it is compared with, line by line in every test \
         run, is 4.98.2. A name without a remark works, and one that needs something works where \
         that is there; *not yet* means that it is known, is parsed, and gives a clear error when \
         it is used.\n",
    );
    section(&mut page, "Expansion items", registry.all_items().map(|r| &r.meta));
    section(&mut page, "Operators", registry.all_operators().map(|r| &r.meta));
    section(&mut page, "Conditions", registry.all_conditions().map(|r| &r.meta));
    section(&mut page, "Lookup types", registry.all_lookups().map(|r| &r.meta));
    section(&mut page, "Variables", registry.all_variables().map(|r| &r.meta));
    for (title, kind) in
        [("ACL conditions", AclTermKind::Condition), ("ACL modifiers", AclTermKind::Modifier)]
    {
        let terms = registry.all_acl_terms().filter(|term| term.kind == kind);
        runs(&mut page, title, terms.map(|term| (&term.meta, &term.run)));
    }
    let controls = registry.all_acl_controls().map(|one| (&one.meta, &one.run));
    runs(&mut page, "What `control` may name", controls);
    let verifies = registry.all_acl_verifies().map(|one| (&one.meta, &one.run));
    runs(&mut page, "What `verify` may name", verifies);
    for kind in [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator] {
        let title = format!("Drivers: {}s", kind.name());
        let drivers = registry.all_drivers().filter(|driver| driver.kind == kind);
        runs(&mut page, &title, drivers.map(|driver| (&driver.meta, &driver.run)));
    }
    let scanners = SCANNERS.iter().map(|scanner| (&scanner.meta, &scanner.run));
    runs(&mut page, "Malware scanners (`av_scanner`)", scanners);
    let main: Vec<&OptionDef> =
        registry.all_options().filter(|option| option.place == OptionPlace::Main).collect();
    options(&mut page, "Main options", &main);
    for kind in [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator] {
        let own = |option: &&OptionDef| match option.place {
            OptionPlace::Generic(of) | OptionPlace::Driver(of, _) => of == kind,
            OptionPlace::Main => false,
        };
        let all: Vec<&OptionDef> = registry.all_options().filter(own).collect();
        options(&mut page, &format!("Options of {}s", kind.name()), &all);
    }
    page.push_str(&["\n", SYSTEMS].concat());
    let selectors = DebugSelector::names();
    let _ = write!(
        page,
        "\n## Selectors of `-d` ({})\n\n| name | what is told |\n|---|---|\n",
        selectors.len()
    );
    for one in selectors {
        let _ = writeln!(page, "| `{}` | {} |", one.name, cell(one.tells));
    }
    page.push_str(&["\n", TLS, "\n", DIFFERENCES].concat());
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
        let remark = remark(meta, false);
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {remark} |",
            cell(meta.summary),
            effects(meta.effects),
            taint(meta.taint),
        );
    }
}

/// What runs, or does not yet.
fn runs<'a>(page: &mut String, title: &str, all: impl Iterator<Item = (&'a Meta, &'a Runs)>) {
    let mut rows: Vec<_> = all.collect();
    rows.sort_by_key(|(meta, _)| meta.name);
    let count = rows.len();
    let _ =
        write!(page, "\n## {title} ({count})\n\n| name | what it is | remark |\n|---|---|---|\n");
    for (meta, run) in rows {
        let remark = remark(meta, run.is_not_yet());
        let _ = writeln!(page, "| `{}` | {} | {remark} |", meta.name, cell(meta.summary));
    }
}

/// Options, and which drivers have them.
fn options(page: &mut String, title: &str, all: &[&OptionDef]) {
    let count = all.len();
    let _ = write!(
        page,
        "\n## {title} ({count})\n\n| name | of | what it is | remark |\n|---|---|---|---|\n"
    );
    for option in all {
        let of = match option.place {
            OptionPlace::Driver(_, driver) => format!("`{driver}`"),
            OptionPlace::Generic(_) => "all".to_owned(),
            OptionPlace::Main => String::new(),
        };
        let not_yet = option.effect == OptionEffect::NotYet;
        let meta = &option.meta;
        let remark = match option.effect {
            OptionEffect::Never(why) => format!("no effect: {why}"),
            _ => remark(meta, not_yet),
        };
        let _ = writeln!(page, "| `{}` | {of} | {} | {remark} |", meta.name, cell(meta.summary));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn remark(meta: &Meta, not_yet: bool) -> String {
    let gone = (!meta.until.is_empty()).then(|| format!("gone with {}", meta.until));
    let not_yet = match meta.needs {
        "" if not_yet => Some("*not yet*".to_owned()),
        "" => None,
        needs if not_yet => Some(format!("*not yet*: {needs}")),
        needs => Some(format!("needs {needs}")),
    };
    let since = (!meta.since.is_empty()).then(|| format!("since {}", meta.since));
    gone.or(not_yet).or(since).unwrap_or_default()
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
