//! Options of a configuration are set, and what was changed is written out.

use eximious::config::ConfigPlace::{Authenticator, Main, Router, Transport};
use eximious::{Config, Engine, Macros, World, opt};

const TEXT: &str = "\
# What this host is called.
primary_hostname = mx.example
QUOTA = 5M
hide spool_directory = /var/\\
  # said in a comment
  spool
no_accept_8bitmime
LIMIT = message_size_limit = QUOTA
LIMIT

.ifdef QUOTA
smtp_accept_max = 7   
.endif
begin routers
one:
	driver = accept
	# who
	condition = yes
	condition = ${if eq{a}{a}}
	verify_only

two:
  driver = accept
  verify_only
begin transports
t:
  driver = smtp
";

fn config() -> Config {
    Config::parse(TEXT).expect("a configuration")
}

fn text(config: &Config) -> String {
    let files: Vec<_> = config.changed_files().collect();
    let [file] = files[..] else { panic!("{} files", files.len()) };
    String::from_utf8(file.text.to_vec()).expect("text")
}

/// What `diff` would show of the change.
fn changed(before: &Config, after: &Config) -> Vec<String> {
    let old = String::from_utf8(before.sources.files()[0].text.to_vec()).expect("text");
    let new = text(after);
    let shown = |tag: char, lines: &str, other: &str| {
        let gone = lines.lines().filter(|line| !other.lines().any(|l| l == *line));
        gone.map(|line| format!("{tag}{line}")).collect::<Vec<_>>()
    };
    [shown('-', &old, &new), shown('+', &new, &old)].concat()
}

#[test]
fn a_setting_is_changed_in_its_place() {
    let mut config = config();
    let before = self::config();
    config.set(Main, "primary_hostname", " mail.example ").expect("a name");
    config.set(Main, "spool_directory", "/spool").expect("a directory");
    config.set(Main, "accept_8bitmime", "true").expect("a switch");
    config.set(Main, "smtp_accept_max", "9").expect("a number");
    assert_eq!(
        changed(&before, &config),
        [
            "-primary_hostname = mx.example",
            "-hide spool_directory = /var/\\",
            "-  spool",
            "-no_accept_8bitmime",
            "-smtp_accept_max = 7   ",
            "+primary_hostname = mail.example",
            "+hide spool_directory = /spool",
            "+accept_8bitmime = true",
            "+smtp_accept_max = 9   ",
        ]
    );
    assert_eq!(config.settings.get(opt::SPOOL_DIRECTORY).bytes(), b"/spool");
    assert!(config.hidden.contains("spool_directory"));
    // What is written is what is in force.
    let again = Config::parse(text(&config)).expect("a configuration");
    assert_eq!(again.settings, config.settings);
    let engine = Engine::builder().build().load(config);
    assert_eq!(engine.engine().settings().get(opt::SMTP_ACCEPT_MAX), 9);
}

#[test]
fn macros_hold_in_what_is_set() {
    let mut config = config();
    config.set(Main, "message_size_limit", "1QUOTA").expect("a size");
    assert_eq!(config.settings.get(opt::MESSAGE_SIZE_LIMIT).bytes(), b"15M");
    let text = text(&config);
    assert!(text.contains("\nmessage_size_limit = 1QUOTA\n"), "{text}");
    assert!(text.contains("LIMIT = message_size_limit = QUOTA\n"), "{text}");
}

#[test]
fn options_of_instances_are_set() {
    let (before, mut config) = (config(), config());
    config.set(Router("one"), "domains", "a.example : b.example").expect("domains");
    config.set(Router("one"), "condition", "no").expect("a condition");
    config.set(Router("one"), "domains", "a.example").expect("domains");
    config.set(Transport("t"), "hosts", "mail.example").expect("hosts");
    assert_eq!(
        changed(&before, &config),
        [
            "-\tcondition = yes",
            "-\tcondition = ${if eq{a}{a}}",
            "+\tdomains = a.example",
            "+\tcondition = no",
            "+  hosts = mail.example",
        ]
    );
    config.unset(Router("one"), "condition").expect("gone");
    config.unset(Router("one"), "domains").expect("gone");
    config.unset(Router("one"), "domains").expect("gone already");
    assert!(text(&config).contains("\n\t# who\n\tverify_only\n\ntwo:\n"), "{}", text(&config));
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    let mut config = config();
    let before = config.settings.clone();
    let mut refused = |place, option: &str, text: &str| {
        config.set(place, option, text).expect_err("refused").to_string()
    };
    assert_eq!(
        refused(Main, "accept_8bitmime", "bananas"),
        "Exim configuration error in line 7 of text:\n  \"bananas\" is not a valid value for \
         the \"accept_8bitmime\" option"
    );
    assert_eq!(
        refused(Main, "recipients_max_reject", "maybe"),
        "Exim configuration error in line 14 of text:\n  \"maybe\" is not a valid value for \
         the \"recipients_max_reject\" option"
    );
    assert_eq!(
        refused(Main, "bananas", "7"),
        "Exim configuration error:\n  main option \"bananas\" unknown"
    );
    assert_eq!(
        refused(Router("one"), "hosts", "x"),
        "Exim configuration error for one router:\n  option \"hosts\" unknown"
    );
    assert_eq!(
        refused(Authenticator("x"), "driver", "plaintext"),
        "Exim configuration error:\n  there is no authenticator x"
    );
    assert!(refused(Main, "qualify_domain", "a\nbegin acl").contains("no single line"));
    assert!(refused(Main, "qualify_domain", "a\\").contains("no single line"));
    // What is checked when all is read counts as well.
    assert!(refused(Main, "log_selector", "+bananas").contains("bananas"));
    assert!(refused(Router("two"), "driver", "manualroute").contains("two router"));
    assert_eq!(config.settings, before);
    assert_eq!(config.changed_files().count(), 0);
}

#[test]
fn a_value_with_a_condition_in_it_is_left_alone() {
    let text = "qualify_domain = a\\\n.ifdef _HAVE_IPV6\n.b\\\n.endif\n.c\n";
    let mut config = Config::parse(text).expect("a configuration");
    let wrong = config.set(Main, "qualify_domain", "d").expect_err("refused").to_string();
    assert!(wrong.contains("there is a condition or an inclusion in it"), "{wrong}");
}

#[test]
fn an_included_file_is_changed_itself() {
    let folder = std::env::temp_dir().join(format!("eximious-set-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let inner = write("inner", "smtp_accept_max = 5\r\n# end\r\n");
    let outer = write("outer", &format!(".include {inner}\nqualify_domain = ITS.example"));
    let mut macros = Macros::new();
    macros.set(b"ITS", b"its");
    let world = World { ..eximious_world::system() };
    let engine = Engine::builder().world(world).build();
    let read = Config::read(outer.as_bytes(), macros, engine.world(), engine.registry());
    let mut config = read.expect("a configuration");
    std::fs::remove_dir_all(&folder).expect("it goes");
    config.set(Main, "smtp_accept_max", "6").expect("a number");
    config.set(Main, "recipients_max", "8").expect("a number");
    let files = config.changed_files();
    let texts: Vec<_> = files.map(|f| String::from_utf8_lossy(&f.text).into_owned()).collect();
    let outermost = format!(".include {inner}\nqualify_domain = ITS.example\nrecipients_max = 8\n");
    assert_eq!(texts, ["smtp_accept_max = 6\r\n# end\r\n", &outermost]);
    assert_eq!(config.settings.get(opt::QUALIFY_DOMAIN).bytes(), b"its.example");
}
