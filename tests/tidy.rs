//! The rules of the house, enforced: which room may use which, who touches the
//! outside, who prints.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use eximious_tests::root;

/// Each room, and what it may use of the others.
const ROOMS: &[(&str, &str, &[&str])] = &[
    ("grammar", "eximious-grammar", &[]),
    ("mailauth", "eximious-mailauth", &[]),
    ("core", "eximious-core", &["eximious-grammar"]),
    ("bindings/pcre", "eximious-pcre", &[]),
    (
        "stdlib",
        "eximious-stdlib",
        &["eximious-grammar", "eximious-mailauth", "eximious-core", "eximious-pcre"],
    ),
    (
        ".",
        "eximious",
        &[
            "eximious-grammar",
            "eximious-mailauth",
            "eximious-core",
            "eximious-stdlib",
            "eximious-world",
        ],
    ),
    (
        "world",
        "eximious-world",
        &[
            "eximious-core",
            "eximious-crypt",
            "eximious-dlfunc",
            "eximious-exec",
            "eximious-malloc",
            "eximious-netlibs",
            "eximious-openssl",
            "eximious-pam",
            "eximious-sasl",
            "eximious-writeback",
        ],
    ),
    ("mta", "eximious-mta", &["eximious"]),
    ("workbench", "eximious-workbench", &["eximious", "eximious-mta"]),
    (
        "repl",
        "eximious-repl",
        &["eximious", "eximious-world", "eximious-mta", "eximious-workbench"],
    ),
];

/// Rooms that must not touch the outside themselves.
const PURE: &[&str] =
    &["grammar/src", "mailauth/src", "core/src", "stdlib/src", "src", "mta/src", "workbench/src"];

/// What touches it.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::env::",
    "std::process",
    "SystemTime",
    "Instant::now",
    "TcpStream",
    "UdpSocket",
    "UnixStream",
    "File::open",
    "thread::sleep",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names under `[dependencies]` that are rooms of this house.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if inside {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if name.starts_with("eximious") {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn dependencies_point_one_way() {
    for (folder, name, allowed) in ROOMS {
        let manifest = read(&root().join(folder).join("Cargo.toml"));
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{folder} is not {name}");
        for used in dependencies(&manifest) {
            assert!(allowed.contains(&used.as_str()), "{name} must not use {used}");
        }
    }
}

/// The rooms within `src/`, each with those that it may use; and what the facade calls
/// what is in them.
const FLOOR: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("config", &["engine"]),
    ("mail", &["engine", "config"]),
    ("tools", &["engine", "config", "mail"]),
];

/// The room of each name that stands in the facade.
fn facade() -> Vec<(String, &'static str)> {
    let text = read(&root().join("src/lib.rs"));
    let mut names = Vec::new();
    for (room, _) in FLOOR {
        names.push(((*room).to_owned(), *room));
        let head = format!("pub use {room}::");
        for part in text.split(&head).skip(1) {
            let list = part.split(';').next().unwrap_or_default();
            let words = list.split(|c: char| !c.is_alphanumeric() && c != '_');
            names.extend(words.filter(|w| !w.is_empty()).map(|w| (w.to_owned(), *room)));
        }
    }
    names
}

/// The names that a text takes from the crate's root: `crate::x`, `crate::{x, y::z}`.
fn taken_from_root(text: &str) -> Vec<String> {
    let first = |path: &str| {
        let path = path.trim_start();
        path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned()
    };
    let mut found = Vec::new();
    for part in text.split("crate::").skip(1) {
        match part.strip_prefix('{') {
            None => found.push(first(part)),
            Some(list) => {
                let (mut depth, mut start) = (1, 0);
                for (at, sign) in list.char_indices() {
                    match sign {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 || (depth == 1 && sign == ',') {
                        found.push(first(&list[start..at]));
                        start = at + 1;
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    found
}

#[test]
fn rooms_of_the_library_point_one_way() {
    let facade = facade();
    for (room, allowed) in FLOOR {
        let mut paths = sources(&root().join("src").join(room));
        paths.push(root().join("src").join(format!("{room}.rs")));
        for path in paths {
            let text = read(&path);
            let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            // What tests of a room stand on may lie to its right.
            let code: Vec<_> = code.take_while(|line| *line != "#[cfg(test)]").collect();
            if path.ends_with("tests.rs") || path.ends_with("acl/driver.rs") {
                continue;
            }
            for name in taken_from_root(&code.join("\n")) {
                let Some((_, other)) = facade.iter().find(|(known, _)| *known == name) else {
                    continue;
                };
                let fits = other == room || allowed.contains(other);
                assert!(fits, "{}: {room} must not use {other} ({name})", path.display());
            }
        }
    }
}

#[test]
fn only_the_world_touches_the_outside() {
    for room in PURE {
        for path in sources(&root().join(room)) {
            // It says itself why it stands there.
            if path.ends_with("core/src/world/stopwatch.rs") {
                continue;
            }
            for (number, line) in read(&path).lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in OUTSIDE {
                    assert!(
                        !code.contains(word),
                        "{}:{}: {word} belongs in world/",
                        path.display(),
                        number + 1
                    );
                }
            }
        }
    }
}

#[test]
fn only_the_program_prints() {
    for room in [
        "grammar/src",
        "mailauth/src",
        "core/src",
        "bindings/pcre/src",
        "stdlib/src",
        "src",
        "mta/src",
        "workbench/src",
        "world/src",
    ] {
        for path in sources(&root().join(room)) {
            for (number, line) in read(&path).lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in ["println!", "print!(", "dbg!"] {
                    assert!(
                        !code.contains(word),
                        "{}:{}: {word} belongs in repl/",
                        path.display(),
                        number + 1
                    );
                }
            }
        }
    }
}

/// How variables are reached by any name, which is an embedder's way: code of ours has
/// handles for them (`var::DOMAIN`).
const BY_NAME: &[&str] = &[
    "cx.set(\"",
    "cx.unset(\"",
    "cx.get(\"",
    "cx.value(\"",
    "call.variable(\"",
    "call.set_variable(\"",
];

#[test]
fn variables_have_handles() {
    for room in ["stdlib/src", "src", "mta/src", "workbench/src", "repl/src"] {
        let mut paths = sources(&root().join(room));
        let is_test = |path: &Path| path.components().any(|part| part.as_os_str() == "tests");
        paths.retain(|path| !path.ends_with("tests.rs") && !path.ends_with("acl/driver.rs"));
        paths.retain(|path| !is_test(path.strip_prefix(root()).unwrap_or(path)));
        for path in paths {
            let text = read(&path);
            let code: String = untested(&text).flat_map(str::split_whitespace).collect();
            for way in BY_NAME {
                let mut named = code.match_indices(way).map(|(at, _)| &code[at + way.len()..]);
                // Names of an open family have none.
                let found = named
                    .find(|rest| !["acl_c", "acl_m", "r_"].iter().any(|f| rest.starts_with(f)));
                let name = found.and_then(|rest| rest.split('"').next());
                assert_eq!(name, None, "{}: {way}", path.display());
            }
        }
    }
}

/// What of the code of a file is no comment and no test.
fn untested(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
    code.filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn options_of_drivers_have_handles() {
    // Names that mean nothing else, so that a text with one of them is the option.
    let registry = eximious::registry();
    let mut names: BTreeSet<&str> = registry
        .all_options()
        .filter(|option| option.place != eximious::OptionPlace::Main)
        .flat_map(|option| {
            std::iter::once(option.meta.name).chain(option.meta.aliases.iter().copied())
        })
        .filter(|name| name.contains('_'))
        .collect();
    let mains = registry.options_of(eximious::OptionPlace::Main).map(|option| option.meta.name);
    let variables = registry.all_variables().map(|variable| variable.meta.name);
    let terms = registry.all_acl_terms().map(|term| term.meta.name);
    let controls = registry.all_acl_controls().map(|control| control.meta.name);
    for name in mains.chain(variables).chain(terms).chain(controls) {
        names.remove(name);
    }
    // Fields of what a filter's `mail` makes have such names, too.
    for name in ["once_repeat", "reply_to"] {
        assert!(names.remove(name), "{name}");
    }
    assert!(names.len() > 200, "{}", names.len());
    for room in ["stdlib/src", "src", "mta/src", "workbench/src", "repl/src"] {
        for path in sources(&root().join(room)) {
            let place = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            let is_test = place.ends_with("tests.rs") || place.contains("/tests/");
            // The records and handles, and what became of options in each release.
            let is_table =
                place.starts_with("stdlib/src/options/") || place.ends_with("check/releases.rs");
            if is_test || is_table {
                continue;
            }
            for line in untested(&read(&path)) {
                let parts: Vec<&str> = line.split('"').collect();
                // Bytes are words of the language, such as those of a `route_list`.
                let quoted = parts.windows(2).step_by(2).filter(|pair| !pair[0].ends_with('b'));
                let found: Vec<&str> =
                    quoted.map(|pair| pair[1]).filter(|text| names.contains(text)).collect();
                assert!(found.is_empty(), "{place}: {found:?} has a handle in `opt`");
            }
        }
    }
}

#[test]
fn options_that_nobody_asks_for_say_so() {
    let is_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let mut asked = BTreeSet::new();
    let mut handles = BTreeSet::new();
    for room in ["stdlib/src", "src", "mta/src", "repl/src", "world/src"] {
        for path in sources(&root().join(room)) {
            let place = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            let is_test = place.ends_with("tests.rs") || place.contains("/tests/");
            let is_table = place.starts_with("stdlib/src/options/");
            for line in read(&path).lines() {
                match is_table && !place.ends_with("computed.rs") {
                    // `NAME: Type = "name",`
                    true => {
                        let name = line.trim().split_once(": ").filter(|_| line.contains(" = \""));
                        handles.extend(name.map(|(name, _)| name.to_owned()));
                    }
                    false if is_test => {}
                    false => asked.extend(line.split(|c| !is_word(c)).map(str::to_owned)),
                }
            }
        }
    }
    assert!(handles.len() > 500, "{}", handles.len());
    let registry = eximious::registry();
    let (mut silent, mut wrong) = (Vec::new(), Vec::new());
    for option in registry.all_options() {
        let handle = option.meta.name.to_ascii_uppercase();
        if !handles.contains(&handle) || !option.meta.needs.is_empty() {
            continue;
        }
        match (asked.contains(&handle), option.effect) {
            (false, eximious::OptionEffect::Acts) => silent.push(option.meta.name),
            (true, eximious::OptionEffect::NotYet) => wrong.push(option.meta.name),
            _ => {}
        }
    }
    assert!(silent.is_empty(), "nothing asks for {silent:?}, and they don't say so");
    assert!(wrong.is_empty(), "something asks for {wrong:?}, which say that they do nothing");
}

#[test]
fn unsafe_code_stands_only_in_bindings() {
    // Each of these calls C, and says at each call what makes it sound.
    for room in [
        "grammar/src",
        "mailauth/src",
        "core/src",
        "stdlib/src",
        "src",
        "mta/src",
        "repl/src",
        "world/src",
    ] {
        for path in sources(&root().join(room)) {
            for (number, line) in read(&path).lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                // What stands between quotes is a text.
                let mut words = code
                    .split('"')
                    .step_by(2)
                    .flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'));
                assert!(
                    !words.any(|word| word == "unsafe"),
                    "{}:{}: unsafe code",
                    path.display(),
                    number + 1
                );
            }
        }
    }
    for path in sources(&root().join("bindings")) {
        let text = read(&path);
        let uses = text.lines().filter(|l| {
            let code = l.split("//").next().unwrap_or_default();
            code.contains("unsafe {") || code.contains("unsafe impl")
        });
        let reasons = text.matches("SAFETY:").count();
        let uses = uses.count();
        assert!(reasons >= uses, "{}: {uses} uses, {reasons} reasons", path.display());
    }
}

#[test]
fn files_have_one_subject() {
    // A file that passes 600 lines wants a second look.
    for room in [
        "grammar",
        "mailauth",
        "core",
        "bindings",
        "stdlib",
        "src",
        "world",
        "mta",
        "workbench",
        "repl",
        "tests",
    ] {
        for path in sources(&root().join(room)) {
            let lines = read(&path).lines().count();
            let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            assert!(lines <= 620, "{name}: {lines} lines");
        }
    }
}

#[test]
fn published_weaknesses_have_tests() {
    // The numbers of each weakness that touches what is here; a test is named after it
    // (`cve_YEAR_NUMBER_…`, several numbers where they are of one kind).
    const NAMED: &str = "
        2023 2024 4344 4345 1407 1764 5671 2957 2972 1531 9963 1000369 16943 16944 6789 10149 13917
        15846 16928 28007 28014 27216 28010 28011 28013 28016 28009 28017 28020 28012 28015
        28021 28026 28018 28019 28024 28022 28023 38371 39929 12783 42114 42116 40687 37452 3559
        42115 42117 42118 42119 51766 26794 67896 30232 40684 40685 40686 45185";
    let mut names = String::new();
    for room in [
        "grammar",
        "mailauth",
        "core",
        "stdlib",
        "src",
        "world",
        "mta",
        "workbench",
        "repl",
        "tests",
    ] {
        for path in sources(&root().join(room)) {
            let text = read(&path);
            let lines = text.lines().filter_map(|line| line.trim().strip_prefix("fn cve_"));
            lines.for_each(|line| names.extend(["_", line, "\n"]));
        }
    }
    let missing: Vec<_> =
        NAMED.split_whitespace().filter(|number| !names.contains(&format!("_{number}_"))).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
}

/// The name of the public type that a line defines.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let (kind, rest) = rest.strip_prefix("unsafe ").unwrap_or(rest).split_once(' ')?;
    let is_type = matches!(kind, "struct" | "enum" | "trait" | "type" | "union");
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    is_type.then_some(&rest[..end])
}

#[test]
fn public_types_have_names_of_their_own() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for room in [
        "grammar",
        "mailauth",
        "core",
        "bindings",
        "stdlib",
        "src",
        "world",
        "mta",
        "workbench",
        "repl/src",
    ] {
        for path in sources(&root().join(room)) {
            let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            // What stands in the place of something that is left out has its name.
            let is_stand_in = name.ends_with("/absent.rs");
            if is_stand_in || name.ends_with("tests.rs") || name.contains("/tests/") {
                continue;
            }
            for found in read(&path).lines().filter_map(public_type) {
                places.entry(found.to_owned()).or_default().push(name.clone());
            }
        }
    }
    // A reader who meets a name should know what it is.
    let shared = places.iter().filter(|(_, found)| found.len() > 1);
    let shared: Vec<_> =
        shared.map(|(name, found)| format!("{name}: {}", found.join(", "))).collect();
    assert!(shared.is_empty(), "names of several types:\n{}", shared.join("\n"));
}

#[test]
fn recorded_cases_have_one_subject() {
    // A file of two thousand lines wants to be several, if it has more than one session.
    for folder in ["dialogues", "routing", "submission", "daemon"] {
        let entries = std::fs::read_dir(root().join("tests").join(folder)).expect("cases");
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|end| end == "case") {
                let bytes = std::fs::read(&path).expect("a case");
                let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
                let asks = |line: &&&[u8]| line.starts_with(b"? ") || line.starts_with(b"~ ");
                let is_long = lines.len() > 2000 && lines.iter().filter(asks).count() > 1;
                assert!(!is_long, "{}: {} lines", path.display(), lines.len());
            }
        }
    }
}

/// What a driver does stands in its record, so nobody asks for its name.
#[test]
fn drivers_are_not_told_apart_by_name() {
    let by_name = regex::Regex::new(
        r#"match \w+(\.\w+\(\))*\.driver(_name)?\(\) \{|\.driver(_name)?\(\) [!=]= "|Driver\([^)]*, "[a-z]"#,
    );
    let by_name = by_name.unwrap();
    for room in ["src", "mta/src"] {
        for path in sources(&root().join(room)) {
            let text = read(&path);
            for line in untested(&text) {
                assert!(!by_name.is_match(line), "{}: {line}", path.display());
            }
        }
    }
}
