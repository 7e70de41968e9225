use std::sync::Arc;

use eximious_core::world::{Files, Fixture};
use eximious_core::{LogSelector, OptionError, OptionValue, Preset, Str};
use eximious_stdlib::options::opt;

use super::*;
use eximious_core::world::Stat;
use std::io;

/// Files by name.
struct Named(Vec<(&'static str, &'static str)>);

impl Files for Named {
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn Files> {
        self
    }
    fn read(&self, path: &[u8], _: u64) -> io::Result<Arc<[u8]>> {
        let found = self.0.iter().find(|(name, _)| name.as_bytes() == path);
        found.map(|(_, text)| text.as_bytes().into()).ok_or(io::ErrorKind::NotFound.into())
    }
    fn stat(&self, _: &[u8], _: bool) -> io::Result<Stat> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn read_all(files: Vec<(&'static str, &'static str)>) -> Result<Config, String> {
    let world = World { files: Arc::new(Named(files)), ..World::hermetic() };
    let registry = crate::registry();
    Config::read(b"/no : /c", Macros::new(), &world, &registry).map_err(|why| why.to_string())
}

fn read(text: &'static str) -> Result<Config, String> {
    read_all(vec![("/c", text), ("/d", "primary_hostname = d\n"), ("/e", "\nfoo\n")])
}

fn host(text: &'static str) -> String {
    match read(text) {
        Ok(config) => {
            config.settings.given(opt::PRIMARY_HOSTNAME).map_or("-".into(), |h| h.display().into())
        }
        Err(why) => {
            why.replace("Exim configuration error in line ", "L").replace(" of /c:\n  ", ": ")
        }
    }
}

#[test]
fn names_have_a_length() {
    let long = "a".repeat(63);
    let wrong = format!("exim item name too long (>64), unable to use \"{long}\" (truncated)");
    for (head, more) in [
        ("begin routers\n", ":\n driver = redirect\n data = x\n"),
        ("begin transports\n", " :\n driver = pipe\n"),
        ("begin authenticators\n", ":\n driver = plaintext\n"),
        ("begin acl\n", ":\n accept\n"),
        ("domainlist ", " = x\n"),
    ] {
        let read = |name: &str| {
            let world = Fixture::new().file("/c", [head, name, more].concat()).world();
            Config::read(b"/c", Macros::new(), &world, &crate::registry())
        };
        assert_eq!(read(&long).err(), None, "{head}");
        let said = read(&format!("{long}a")).err().map(|why| why.message().to_vec());
        let expected = (!head.starts_with("domain")).then(|| wrong.clone().into_bytes());
        assert_eq!(said, expected, "{head}");
    }
    let option = format!("begin routers\nr:\n driver = redirect\n {long}a = x\n");
    let world = Fixture::new().file("/c", option).world();
    let error = Config::read(b"/c", Macros::new(), &world, &crate::registry()).unwrap_err();
    assert_eq!(error.message(), wrong.as_bytes());
}

#[test]
fn options_and_their_errors() {
    for (text, answer) in [
        ("primary_hostname = a b \\\n  c  \n", "a b c"),
        ("primary_hostname=z", "z"),
        (" primary_hostname = z\n", "z"),
        ("primary_hostname = \"a\\x41\"\n", "aA"),
        ("hide primary_hostname = z\n", "z"),
        ("# x\n  # y\nprimary_hostname = a\\\n# c\nb\\\n\nc\n", "L7: main option \"c\" unknown"),
        (
            "primary_hostname = a\nprimary_hostname = b\n",
            "L2: \"primary_hostname\" option set for the second time",
        ),
        ("foo = bar\n", "L1: main option \"foo\" unknown"),
        ("no_foo\n", "L1: main option \"no_foo\" unknown"),
        ("hide\n", "L1: main option \"\" unknown"),
        ("9foo = 1\n", "L1: option setting expected: 9foo = 1"),
        // Only a space may stand behind the word of a condition: such a line is skipped.
        (".endif\r\nprimary_hostname = a\\\n.endif\t\n.elsex \\\nb\n", "ab"),
        (".ifdef X\nfoo\n.else\tX\nfoo\n.endif \nprimary_hostname = a\n", "a"),
        (".endif\n", "L1: .endif without matching .ifdef"),
        (".foo\n", "L1: option setting expected: .foo"),
        ("primary_hostname\n", "L1: unexpected end of line (data missing) after primary_hostname"),
        ("primary_hostname foo\n", "L1: missing \"=\" after primary_hostname"),
        ("no_primary_hostname\n", "L1: negation prefix applied to a non-boolean option"),
        (
            "no_print_topbitchars = 1\n",
            "L1: extra characters follow boolean option no_print_topbitchars",
        ),
        (
            "no_print_topbitchars # why\n",
            "L1: extra characters follow boolean option no_print_topbitchars \
            (# is comment only at line start)",
        ),
        (
            "return_size_limit = 1x\n",
            "L1: extra characters follow integer value for return_size_limit",
        ),
        ("begin acl\na:\n  accept\n  : x\n", "L4: missing or malformed ACL name"),
        ("begin acl\na:\n  accept\n  ! hosts : x\n", "L4: missing or malformed ACL name"),
        (
            "print_topbitchars = maybe\n",
            "L1: \"maybe\" is not a valid value for the \"print_topbitchars\" option",
        ),
        ("message_body_visible = x\n", "L1: integer expected for message_body_visible"),
        ("begin foo\n", "L1: \"foo\" is not a known configuration section name"),
        ("begin ACLS\nbegin Router\nbegin retrys\n", "-"),
        ("begin\n", "L1: main option \"begin\" unknown"),
        ("primary_hostname = x\nbegin acl\nfoo:\n", "x"),
        ("Foo\n", "L1: malformed macro definition"),
        ("PRIM = primary_hostname = q\nPRIM\n", "q"),
        ("drop_cr\nqueue_only\nacl_smtp_rcpt = x\n", "-"),
    ] {
        assert_eq!(host(text), answer, "{text}");
    }
    assert!(
        read("not_check_rfc2047_length\nprint_topbitchars = yes")
            .unwrap()
            .settings
            .get(opt::PRINT_TOPBITCHARS)
    );
    assert_eq!(
        read("message_body_visible = 1K\n").unwrap().settings.get(opt::MESSAGE_BODY_VISIBLE),
        1024
    );
    assert_eq!(read("\n\nbegin acl\n\n# end").unwrap().count, 5);
}

#[test]
fn conditions_and_inclusions() {
    for (text, answer) in [
        (".ifdef A\nfoo\n.else\nprimary_hostname = x\n.endif\n", "x"),
        (".ifdef _HAVE_PRDR\nprimary_hostname = y\n.elifdef _HAVE_IPV6\nfoo\n.endif\n", "y"),
        (".ifndef A\n.ifdef _HAVE_IPV6\nprimary_hostname = y\n.endif\n.endif it\n", "y"),
        (".ifdef A\n.ifdef _HAVE_IPV6\nfoo\n.else\nfoo\n.endif\n.endif\n", "-"),
        ("primary_hostname = \\\n.ifdef A\nx\\\n.else\ny\\\n.endif\nz\n", "yz"),
        ("primary_hostname = a\\ \\\n\nb\n", "ab"),
        ("primary_hostname = a\\\\\\\n \nb\n", "a\\b"),
        ("primary_hostname = a\\\\\nb\n", "a\\b"),
        (".ifdef A\n", "L1: Unexpected end of configuration file: .endif missing"),
        (".endif\n", "L1: .endif without matching .ifdef"),
        (".else\n", "L1: .else without matching .ifdef"),
        (".include d\n", "d"),
        (".include \"/d\"\n", "d"),
        (".include_if_exists /x\n", "-"),
        (".include_if_exists x\n", "L1: .include specifies a non-absolute path \"x\""),
        ("\n.include x\n", "L2: failed to open included configuration file /x"),
        (".include e\n", "L2 of /e:\n  main option \"foo\" unknown"),
        (".include c\n", "L1: failed to open included configuration file /c"),
    ] {
        assert_eq!(host(text), answer, "{text}");
    }
}

#[test]
fn named_lists() {
    let config =
        read("domainlist a = x : y ; z\nhide hostlist a=<; b\nlocalpartlist l =\n").unwrap();
    let list =
        |kind, name: &str| config.settings.lists.get(kind, name.as_bytes()).expect(name).clone();
    assert_eq!(list(ListKind::Domain, "a").text, Str::from("x : y ; z"));
    assert!(list(ListKind::Host, "a").hidden);
    assert!(list(ListKind::LocalPart, "l").text.is_empty());
    for (text, answer) in [
        (
            "domainlist a = x\ndomainlist a = y\n",
            "L2: duplicate name \"a\" for a named domain list",
        ),
        ("domainlist a-b = x\n", "L1: missing '=' after \"a\""),
        ("domainlist\n", "L1: unrecognized configuration line"),
        ("domainlist a = x\ndomainlist a\n", "L2: duplicate name \"a\" for a named domain list"),
        ("domainlist a = \"x\" ; y\n", "L1: extra characters follow string value for a"),
    ] {
        assert_eq!(host(text), answer, "{text}");
    }
}

#[test]
fn some_options_are_expanded_at_the_start() {
    let config =
        read("spool_directory = /x${uc:y}\nlocalhost_number = ${if eq{a}{a}{3}}\n").unwrap();
    let engine = config.build(Engine::builder());
    assert_eq!(engine.settings().get(opt::SPOOL_DIRECTORY), Str::from("/xY"));
    assert_eq!(engine.settings().get(opt::LOCALHOST_NUMBER), Str::from("3"));
    let why = read("localhost_number = 17\n").unwrap_err();
    assert!(
        why.ends_with("localhost_number is greater than the maximum allowed value (16)"),
        "{why}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let files = read_all(vec![]);
    assert_eq!(files.unwrap_err(), "non-existent configuration file(s): /no : /c");
}

#[test]
fn a_log_selector_may_ask_for_milliseconds() {
    for (text, millisec) in [
        ("", false),
        ("log_selector = +millisec\n", true),
        ("log_selector = \"+millisec\"\n", true),
        ("log_selector = +all\n", true),
        ("log_selector = +all -millisec\n", false),
        ("log_selector = -all +millisec\n", true),
        ("log_selector = +millisec-millisec\n", false),
        ("log_selector = +millisec+pid\n", true),
        ("log_selector = +all_parents\n", false),
    ] {
        let selector = read(text).unwrap().settings.log_selector();
        assert_eq!(selector.contains(crate::LogSelector::MILLISEC), millisec, "{text}");
    }
}

#[test]
fn defaults_are_as_their_records_are_read() {
    let registry = eximious_stdlib::registry();
    for option in registry.all_options() {
        let read = values::default(option);
        let preset = match option.preset() {
            Preset::None => None,
            Preset::Flag(flag) => Some(OptionValue::Flag(flag)),
            Preset::Number(number) => Some(OptionValue::Number(number)),
            // The rest is made of its text when it is asked for.
            Preset::Text(text) => match read {
                Some(OptionValue::Text(_)) => Some(OptionValue::Text(Str::fixed(text))),
                _ => read.clone(),
            },
        };
        assert_eq!(preset, read, "{}", option.meta.name);
    }
}

#[test]
fn options_are_set_by_names_that_there_are() {
    let registry = eximious_stdlib::registry();
    let mut settings = Settings::default();
    let mut set = |name: &str, value| settings.set_value(&registry, name.as_bytes(), value);
    assert_eq!(set("bananas", OptionValue::Flag(true)), Err(OptionError::Unknown));
    assert_eq!(set("recipients_max", OptionValue::Flag(true)), Err(OptionError::Kind));
    assert_eq!(set("print_topbitchars", OptionValue::Flag(true)), Ok(()));
    assert_eq!(set("log_selector", OptionValue::Text("+pid".into())), Ok(()));
    assert!(settings.get(opt::PRINT_TOPBITCHARS) && !settings.get(opt::STRICT_ACL_VARS));
    assert!(settings.log_selector().contains(LogSelector::PID));
}

#[test]
fn threads_may_share_it() {
    fn shared<T: Send + Sync>() {}
    shared::<Config>();
    shared::<ConfigError>();
}
