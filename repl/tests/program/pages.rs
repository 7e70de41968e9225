//! `eximious list`, `eximious help`, `-bV`.

use crate::common::{self, eximious};

fn said(args: &[&str]) -> String {
    let run = eximious(args, b"");
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{args:?}");
    run.out
}

#[test]
fn the_list_has_every_word() {
    let registry = eximious::registry();
    let list: serde_json::Value = serde_json::from_str(&said(&["list", "--json"])).unwrap();
    let list = list.as_array().unwrap();
    let count = registry.all_items().count()
        + registry.all_operators().count()
        + registry.all_conditions().count()
        + registry.all_variables().count()
        + registry.all_lookups().count()
        + registry.all_options().count()
        + registry.all_acl_terms().count()
        + registry.all_acl_controls().count()
        + registry.all_acl_verifies().count()
        + eximious::stdlib::acl::VERBS.len();
    // The sign of negation is the grammar's own.
    assert_eq!(list.len(), count + 1);
    for record in list {
        let keys: Vec<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
        for key in [
            "aliases", "docs", "effects", "examples", "kind", "name", "needs", "since", "source",
            "summary", "syntax", "taint",
        ] {
            assert!(keys.contains(&key), "{record}");
        }
    }
    let lookup = list.iter().find(|r| r["kind"] == "item" && r["name"] == "lookup").unwrap();
    assert!(lookup["effects"].as_array().unwrap().contains(&serde_json::json!("lookup")));
    assert_eq!(said(&["list", "variables"]).lines().count(), registry.all_variables().count());
    // A name of two words need not be in quotes, and what help lists is listed.
    for name in ["main options", "router options", "acl verbs"] {
        let words: Vec<&str> = name.split(' ').collect();
        let listed = said(&["list", name]);
        assert_eq!(said(&[&["list"], &words[..]].concat()), listed);
        let page = said(&[&["help"], &words[..]].concat());
        assert!(page.contains(&listed), "{page}");
    }
    assert!(said(&["help", "drivers"]).contains(&said(&["list", "drivers"])));
    let items = said(&["list", "item"]);
    assert!(items.lines().all(|line| line.starts_with("item ")), "{items}");
}

#[test]
fn unknown_kinds_and_names_get_suggestions() {
    for (args, complaint) in [
        (
            &["list", "operatrs"][..],
            "eximious: \"operatrs\" is not a kind of word: did you mean \"operators\"?\n",
        ),
        (
            &["list", "-x"],
            "eximious: unexpected argument '-x' found\n\n  tip: to pass '-x' as a value, use \
             '-- -x'\n\nUsage: eximious list [OPTIONS] [KIND]...\n",
        ),
        (&["help", "chekc"], "eximious: nothing is called \"chekc\": did you mean check?\n"),
        (&["help", "extrakt"], "eximious: nothing is called \"extrakt\": did you mean extract?\n"),
        (&["help", ".includ"], "eximious: nothing is called \".includ\": did you mean .include?\n"),
        (
            &["help", "qqqqqqqqqq"],
            "eximious: nothing is called \"qqqqqqqqqq\"; \"eximious list\" shows all names\n",
        ),
    ] {
        let run = eximious(args, b"");
        assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (Some(1), "", complaint));
    }
}

#[test]
fn a_page_has_syntax_summary_and_examples() {
    assert!(said(&["help"]).contains("\n  eximious help "));
    assert!(said(&["help", ".ifdef"]).starts_with(".ifdef (directive)\n  .ifdef <macros> "));
    let page = said(&["help", "sg"]);
    for part in ["sg (item)", "${sg{", "  > ${sg{", "Effects:", "Taint:", "Source:"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    // One name, several words; and names as they are written.
    let page = said(&["help", "length"]);
    assert!(page.contains("length (item)") && page.contains("(operator)"), "{page}");
    assert!(said(&["help", "${length_3:"]).contains("(operator)"));
    assert!(said(&["help", "$primary_hostname"]).contains("(variable)"));
    assert!(said(&["help", "!"]).contains("(condition)"));
}

#[test]
fn all_of_a_kind_are_listed() {
    for (name, parts) in [
        ("commands", ["check ", "hints "]),
        ("codes", ["E101 ", "W218 "]),
        ("routers", ["dnslookup ", "begin routers"]),
        ("conditions", ["match_domain ", "sender_domains "]),
        ("controls", ["submission ", "freeze "]),
        ("acl", ["begin acl", "ratelimit "]),
        ("headers", ["More headers for the reply", "Precedence "]),
        ("trusted_configs", ["EXIMIOUS_TRUSTED_CONFIG_LIST", "-C"]),
    ] {
        let page = said(&["help", name]);
        assert!(parts.iter().all(|part| page.contains(part)), "{name}: {page}");
    }
    let run = eximious(&["help", "smpt"], b"");
    assert!(run.err.contains("did you mean smtp"), "{run:?}");
    assert!(!said(&["help", "header"]).contains("${h_subject:}"));
}

#[test]
fn an_option_has_type_and_default() {
    let page = said(&["help", "callout_positive_expire"]);
    for part in
        ["(main option)", "Type:    time\n", "Default: 1d\n", "Source:  specification 14.23"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("Taint:"), "{page}");
    // One name in several places; and an older name.
    let page = said(&["help", "timeout"]);
    for head in ["(router option of iplookup)", "(transport option of pipe)"] {
        assert!(page.contains(head), "{page}");
    }
    assert!(said(&["help", "return_size_limit"]).starts_with("bounce_return_size_limit ("));
    let all = said(&["list", "options"]).lines().count();
    let registry = eximious::registry();
    assert_eq!(all, registry.all_options().count());
    let routers = said(&["list", "router-options"]);
    assert!(routers.lines().all(|line| line.starts_with("router option ")), "{routers}");
    assert!(routers.contains(" redirect: data "), "{routers}");
    let json = said(&["list", "--json", "main options"]);
    let list: serde_json::Value = serde_json::from_str(&json).unwrap();
    let found = list.as_array().unwrap().iter().find(|r| r["name"] == "check_log_space").unwrap();
    assert_eq!((&found["type"], &found["default"]), (&"kilobytes".into(), &"10M".into()));
}

#[test]
fn every_word_has_a_page() {
    let registry = eximious::registry();
    let names: Vec<&str> = registry
        .all_items()
        .map(|r| r.meta.name)
        .chain(registry.all_operators().map(|r| r.meta.name))
        .chain(registry.all_conditions().map(|r| r.meta.name))
        .chain(registry.all_variables().map(|r| r.meta.name))
        .chain(registry.all_lookups().map(|r| r.meta.name))
        .chain(registry.all_options().map(|r| r.meta.name))
        .collect();
    let pages = said(&[&["help"], names.as_slice()].concat());
    assert!(pages.len() > names.len() * 20);
}

#[test]
fn the_version_says_which_configuration_is_read() {
    for option in ["-bV", "--version"] {
        let text = said(&[option]);
        let head = format!("Exim version 4.100-eximious-{} #", env!("CARGO_PKG_VERSION"));
        assert!(text.starts_with(&head), "{text}");
        let heads = [
            "Support for: Content_Scanning crypteq ",
            "Lookups (built-in): ",
            "Authenticators: cram_md5 ",
        ];
        for head in heads.iter().chain(&["Routers: accept dnslookup ", "Size of off_t: 8"]) {
            assert!(text.lines().any(|line| line.starts_with(head)), "{head}: {text}");
        }
        // What the library for TLS gives is there with it only.
        assert!(text.contains(" OpenSSL ") || !cfg!(feature = "tls"), "{text}");
        let last = text.lines().last().unwrap_or_default();
        let usual = ["/etc/exim4/exim4.conf", "/var/lib/exim4/config.autogenerated"];
        match usual.iter().find(|file| std::path::Path::new(file).exists()) {
            Some(file) => assert_eq!(last, format!("Configuration file is {file}")),
            None => assert!(last.ends_with("-C FILE names one"), "{text}"),
        }
    }
    let config = common::file("primary_hostname = x\nkeep_environment =\n");
    let name = config.path().to_str().unwrap();
    assert!(said(&["-C", name, "-bV"]).ends_with(&format!("Configuration file is {name}\n")));
    assert!(said(&["-bI:help"]).contains("exim -bI:sieve"));
}
