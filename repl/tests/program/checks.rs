//! What `eximious check` is given, and what it says of real configurations.

use crate::common::{eximious, file};

#[test]
fn a_folder_is_no_configuration() {
    let refused = eximious(&["check", "/etc"], b"");
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.err.contains("/etc: is a folder"), "{refused:?}");
}

#[test]
fn the_standard_input_is_a_configuration() {
    let checked = eximious(&["check", "-"], b"primary_hostname = x\nbananas = 3\n");
    assert_eq!(checked.status, Some(1), "{checked:?}");
    assert!(checked.out.contains("main option \"bananas\" unknown"), "{checked:?}");
    assert!(checked.out.contains("--> -:2:1"), "{checked:?}");
}

#[test]
fn what_is_no_text_is_refused() {
    let text = b"queue_only\n\xff\xfeq\0u\0";
    let said = "line 2 has a zero byte: that is no text, or it is UTF-16";
    for command in ["check", "fmt"] {
        let refused = eximious(&[command, "-"], text);
        assert_eq!(refused.status, Some(1), "{refused:?}");
        assert!(refused.err.contains(said) && refused.out.is_empty(), "{refused:?}");
    }
}

#[test]
fn long_lines_are_shown_in_part() {
    let long = "{".repeat(100_000) + "\n";
    let checked = eximious(&["check", "-"], long.as_bytes());
    assert!(checked.out.contains("option setting expected: {{{{"), "{}", checked.out.len());
    assert!(checked.out.len() < 3000 && checked.status == Some(1), "{}", checked.out.len());
    let file = file(&long);
    let tested = eximious(&["test", file.path().to_str().unwrap()], b"");
    assert!(tested.out.contains("TOML parse error at line 1"), "{tested:?}");
    assert!(tested.out.len() < 1500 && tested.status == Some(1), "{}", tested.out.len());
}

#[test]
fn a_pipe_is_not_waited_for() {
    let place = tempfile::TempDir::with_prefix("eximious-").unwrap();
    let path = place.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()));
    // Nobody writes to it: it is not opened to look at it.
    let checked = eximious(&["check", path.to_str().unwrap()], b"");
    assert_eq!(checked.status, Some(1), "{checked:?}");
    assert!(checked.err.contains("not a regular file"), "{checked:?}");
}

#[test]
fn parts_of_debians_configuration_are_read_in_their_sections() {
    let place = tempfile::TempDir::with_prefix("eximious-").unwrap();
    let write = |folder: &str, text: &str| {
        let folder = place.path().join("conf.d").join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("10_one");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    for (folder, text) in [
        ("main", "domainlist x = a.example\n"),
        ("acl", "c:\n  accept domains = +local_domains\n"),
        ("acl", "# the first part\nbegin acl\n"),
        ("auth", "plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n"),
        ("retry", "* * F,2h,15m\n"),
        ("router", "r:\n  driver = accept\n  transport = elsewhere\n"),
        ("transport", "t:\n  driver = smtp\n"),
    ] {
        let path = write(folder, text);
        let checked = eximious(&["check", &path], b"");
        assert_eq!(checked.out, "0 errors, 0 warnings\n", "{folder}: {checked:?}");
    }
    let template = place.path().join("exim4.conf.template");
    let text = "UPEX4CmacrosUPEX4C = 1\nbegin transports\nt:\n  driver = smtp\n";
    std::fs::write(&template, text).unwrap();
    let checked = eximious(&["check", template.to_str().unwrap()], b"");
    assert_eq!(checked.out, "0 errors, 0 warnings\n", "{checked:?}");
    // Words in capitals are macros of other parts, whatever they are there.
    let parts = [
        (
            "router",
            "a:\n  driver = accept\n  transport = t\n  domains = lsearch;DIR/x\n  SITE_OPTIONS\n\
                  b:\n  driver = accept\n  SITE_CONDITION\n  transport = t\n\
                  c:\n  driver = accept\n  condition = ${if exists{/x}SITE_BRANCHES\n  \
                  group = ${extract{1}{:}SITE_LIST}\n  transport = t\n",
        ),
        (
            "auth",
            "a:\n  driver = cram_md5\n  public_name = X\n  client_name = \
                  \"${lookup{$host}nwildlsearch{DIR/passwd}{\\$value}}\"\n  hide client_secret = x\n",
        ),
        ("acl", "a:\n  SITE_STATEMENT\n  deny control = SITE_CONTROL\n"),
        ("main", "message_size_limit = SITE_LIMIT\ntrusted_users = SITE_USERS\n"),
    ];
    let paths: Vec<String> = parts.iter().map(|(folder, text)| write(folder, text)).collect();
    let together: Vec<&str> =
        ["check"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let checked = eximious(&together, b"");
    assert_eq!(checked.out, "0 errors, 0 warnings\n".repeat(4), "{checked:?}");
    for (text, code) in [
        ("r:\n  driver = accept\n  domains = lsearch;dir/x\n", "E117"),
        ("r:\n  driver = accept\n  transprot = X\n", "E102"),
        ("r:\n  driver = accept\n  condition = ${if eq{X}{DIR_X}\n", "E103"),
    ] {
        let checked = eximious(&["check", &write("router", text)], b"");
        assert!(checked.out.contains(&format!("error[{code}]")), "{text}: {checked:?}");
    }
    let wrong = write("router", "r:\n  driver = accept\n  transprot = x\n");
    let checked = eximious(&["check", &wrong], b"");
    assert!(checked.out.contains(&format!("{wrong}:3:")), "{checked:?}");
}

#[test]
fn slashes_in_braces_separate_nothing() {
    let text = "acl_smtp_rcpt = a\nbegin acl\na:\n  warn set acl_c_limit = 7\n  \
                deny ratelimit = ${eval:$acl_c_limit / 2} / 1h / per_rcpt / $sender_address\n  \
                accept domains = a.example\n";
    let config = file(text);
    let checked = eximious(&["check", config.path().to_str().unwrap()], b"");
    assert_eq!(checked.out, "0 errors, 0 warnings\n");
}

#[test]
fn what_was_meant_is_named() {
    let text = "LOCAL_HOSTS = 192.0.2.1\nhostlist x = LOCAL_HOST : LOCAL_HOSTS\n\
                host_lookup = +x\nacl_smtp_rcpt = one\nbegin acl\none\n  accept\n\
                begin routers\nr1\n  driver = accept\n";
    let config = file(text);
    let checked = eximious(&["check", config.path().to_str().unwrap()], b"").out;
    for said in [
        "warning[W217]: there is no macro LOCAL_HOST\n",
        "help: did you mean LOCAL_HOSTS?",
        "help: a name has a colon behind it: one:",
        "help: a name has a colon behind it: r1:",
    ] {
        assert!(checked.contains(said), "{said}: {checked}");
    }
}

#[test]
fn of_what_debian_makes_unused_parts_are_not_told() {
    let unused = "UPEX4CmacrosUPEX4C = 1\nbegin transports\nt:\n  driver = smtp\n";
    let made = "#########\n# WARNING\n# This file was generated dynamically from\n\
                # and is made by update-exim4.conf\n";
    for (text, answer) in
        [(unused.to_owned(), "2 warnings"), (format!("{made}{unused}"), "0 warnings")]
    {
        let config = file(&text);
        let checked = eximious(&["check", config.path().to_str().unwrap()], b"");
        assert!(checked.out.ends_with(&format!("0 errors, {answer}\n")), "{checked:?}");
    }
}

#[test]
fn what_nobody_wrote_is_no_configuration() {
    let long = format!("primary_hostname = {}\n", "a".repeat(5 << 20));
    for text in [long, "a = b\n".repeat(1_000_001)] {
        let config = file(&text);
        let path = config.path().to_str().unwrap();
        let including = file(&format!(".include {path}\n"));
        for path in [path, including.path().to_str().unwrap()] {
            let checked = eximious(&["check", path], b"");
            assert_eq!((checked.status, checked.out.as_str()), (Some(1), ""), "{}", checked.err);
            assert!(checked.err.contains(" configuration\n"), "{}", checked.err);
        }
        let laid_out = eximious(&["fmt", "--check", path], b"");
        assert!(laid_out.err.contains("no configuration"), "{}", laid_out.err);
    }
    // Of a line with many mistakes, the first few are shown, and all are counted.
    let config = file(&format!("hostlist x = {}\n", "+a : ".repeat(100)));
    let checked = eximious(&["check", config.path().to_str().unwrap()], b"").out;
    assert_eq!(checked.matches("--> ").count(), 20, "{checked}");
    assert!(checked.contains("note: more of this line is not shown"), "{checked}");
    assert!(checked.contains("\n100 errors, "), "{checked}");
}
