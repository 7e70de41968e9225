//! Variables that follow the configuration, the clock and the file system. The
//! answers were recorded from Exim, with the same settings in a file and the
//! clock set by faketime.

use std::path::Path;
use std::sync::Arc;

use eximious::{Context, Engine, Ids, Settings, Str, World, opt};

use eximious::world::{Civil, Clock, Moment};

/// A clock that stands still, with the system's zones.
struct Stopped(Moment, Arc<dyn Clock>);

impl Clock for Stopped {
    fn now(&self) -> Moment {
        self.0
    }
    fn civil(&self, moment: Moment, zone: Option<&str>) -> Civil {
        self.1.civil(moment, zone)
    }
}

fn at(seconds: i64, nanos: u32) -> World {
    let world = eximious_world::system();
    let clock = Arc::new(Stopped(Moment { seconds, nanos }, world.clock.clone()));
    World { clock, ..world }
}

fn context(world: World, change: impl FnOnce(&mut Settings)) -> Context {
    let mut settings = Settings::default();
    change(&mut settings);
    Engine::builder().world(world).settings(settings).build().context()
}

fn expand(cx: &mut Context, text: &str) -> String {
    let engine = cx.engine().clone();
    match engine.expand_once(text.as_bytes(), cx) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => format!("Failed: {fail}"),
    }
}

#[test]
fn times_follow_the_timezone() {
    let show = "$tod_bsdinbox ; $tod_full ; $tod_log ; $tod_zulu ; $tod_logfile ; $tod_zone";
    for (zone, said) in [
        (
            "America/St_Johns",
            "Sun Jul 05 20:34:09 2026 ; Sun, 05 Jul 2026 20:34:09 -0230 ; 2026-07-05 20:34:09 ; \
             20260705230409Z ; 20260705 ; -0230",
        ),
        (
            "Asia/Kolkata",
            "Mon Jul 06 04:34:09 2026 ; Mon, 06 Jul 2026 04:34:09 +0530 ; 2026-07-06 04:34:09 ; \
             20260705230409Z ; 20260706 ; +0530",
        ),
        (
            "utc",
            "Sun Jul 05 23:04:09 2026 ; Sun, 05 Jul 2026 23:04:09 +0000 ; 2026-07-05 23:04:09 ; \
             20260705230409Z ; 20260705 ; +0000",
        ),
        (
            "EST5EDT",
            "Sun Jul 05 19:04:09 2026 ; Sun, 05 Jul 2026 19:04:09 -0400 ; 2026-07-05 19:04:09 ; \
             20260705230409Z ; 20260705 ; -0400",
        ),
        (
            ":Europe/Paris",
            "Mon Jul 06 01:04:09 2026 ; Mon, 06 Jul 2026 01:04:09 +0200 ; 2026-07-06 01:04:09 ; \
             20260705230409Z ; 20260706 ; +0200",
        ),
        (
            "ABC-5:45",
            "Mon Jul 06 04:49:09 2026 ; Mon, 06 Jul 2026 04:49:09 +0545 ; 2026-07-06 04:49:09 ; \
             20260705230409Z ; 20260706 ; +0545",
        ),
        (
            "Nowhere/Land",
            "Sun Jul 05 23:04:09 2026 ; Sun, 05 Jul 2026 23:04:09 +0000 ; 2026-07-05 23:04:09 ; \
             20260705230409Z ; 20260705 ; +0000",
        ),
    ] {
        let cx = &mut context(at(1_783_292_649, 0), |s| s.set(opt::TIMEZONE, zone));
        assert_eq!(expand(cx, show), said, "{zone}");
    }
}

#[test]
fn a_log_stamp_may_have_milliseconds() {
    let cx = &mut context(at(1_783_292_649, 7_999_999), |s| {
        s.set(opt::TIMEZONE, "UTC");
        s.set(opt::LOG_SELECTOR, "+millisec");
    });
    assert_eq!(
        expand(cx, "$tod_log $tod_epoch $tod_epoch_l"),
        "2026-07-05 23:04:09.007 1783292649 1783292649007999"
    );
}

#[test]
fn options_show_in_their_variables() {
    let cx = &mut context(at(0, 0), |s| {
        s.set(opt::PRIMARY_HOSTNAME, "P.h");
        s.set(opt::QUALIFY_DOMAIN, "Q.d");
        s.set(opt::QUALIFY_RECIPIENT, "R.d");
        s.set(opt::SMTP_ACTIVE_HOSTNAME, "act.x");
        s.set(opt::EXIM_VERSION, "9.9-x");
        s.set(opt::LOCALHOST_NUMBER, "3");
        s.set(opt::BOUNCE_RETURN_SIZE_LIMIT, 1001);
        s.set(opt::EXIM_PATH, "/a/b");
        s.set(opt::SPF_GUESS, "v=spf1 x");
        s.set(opt::EXIM_USER, Ids(vec![65534]));
        s.set(opt::EXIM_GROUP, Ids(vec![1]));
    });
    assert_eq!(expand(cx, "$primary_hostname $smtp_active_hostname"), "P.h P.h");
    assert_eq!(expand(cx, "$qualify_domain $qualify_recipient"), "Q.d R.d");
    assert_eq!(expand(cx, "$exim_version $version_number"), "9.9-x 9.9-x");
    assert_eq!(expand(cx, "$localhost_number $exim_path"), "3 /a/b");
    assert_eq!(expand(cx, "$bounce_return_size_limit $return_size_limit"), "1001 1001");
    assert_eq!(expand(cx, "$spf_guess $exim_uid $exim_gid"), "v=spf1 x 65534 1");
    let cx = &mut context(at(0, 0), |s| {
        s.set(opt::PRIMARY_HOSTNAME, "P.h");
        s.set(opt::QUALIFY_DOMAIN, "Q.d");
    });
    assert_eq!(expand(cx, "$qualify_recipient"), "Q.d");
    let cx = &mut context(at(0, 0), |s| s.set(opt::PRIMARY_HOSTNAME, "P.h"));
    assert_eq!(expand(cx, "$qualify_domain $qualify_recipient"), "P.h P.h");
}

#[test]
fn the_configuration_has_a_directory() {
    let cwd = std::env::current_dir().expect("a working directory").display().to_string();
    for (file, directory) in [
        ("/etc/exim4/exim4.conf", "/etc/exim4".to_owned()),
        ("/xx.conf", "/".to_owned()),
        ("/tmp//sub//c.conf", "/tmp//sub/".to_owned()),
        ("c.conf", format!("{cwd}/")),
        ("./c.conf", format!("{cwd}/.")),
        ("sub/c.conf", format!("{cwd}/sub")),
        ("../x/c.conf", format!("{cwd}/../x")),
        ("", ".".to_owned()),
    ] {
        let cx = &mut context(eximious_world::system(), |s| s.config_file = file.into());
        assert_eq!(expand(cx, "$config_file:$config_dir"), format!("{file}:{directory}"));
    }
}

/// Whether there is room where log files and the queue would lie.
fn room(spool: &Path, log: &str) -> (bool, bool) {
    let cx = &mut context(eximious_world::system(), |s| {
        s.set(opt::SPOOL_DIRECTORY, Str::from(spool.as_os_str().as_encoded_bytes()));
        s.set(opt::LOG_FILE_PATH, log);
    });
    let number = |text: String| text.parse::<i64>().expect("a number") != -1;
    let found = (number(expand(cx, "$log_space")), number(expand(cx, "$spool_space")));
    assert_eq!(number(expand(cx, "$log_inodes")), found.0, "{log}");
    assert_eq!(number(expand(cx, "$spool_inodes")), found.1, "{log}");
    found
}

#[test]
fn room_is_looked_for_where_the_files_are() {
    let dir = tempfile::TempDir::new().expect("a directory");
    let spool = dir.path();
    let path = spool.display();
    assert_eq!(room(spool, &format!("{path}/%slog")), (true, true));
    assert_eq!(room(spool, &format!("{path}/none/%slog")), (false, true));
    assert_eq!(room(spool, &format!("{path}/a%s/log")), (false, true));
    assert_eq!(room(spool, &format!("syslog : {path}/%slog")), (true, true));
    assert_eq!(room(spool, &format!("{path}/%slog : syslog")), (true, true));
    assert_eq!(room(spool, "syslog"), (false, true));
    assert_eq!(room(&spool.join("none"), &format!("{path}/%slog")), (true, false));
    // An empty item is the queue's own folder for logs.
    assert_eq!(room(spool, ""), (false, true));
    std::fs::create_dir(spool.join("log")).expect("a directory");
    assert_eq!(room(spool, ""), (true, true));
    assert_eq!(room(spool, ": syslog"), (true, true));
}

#[test]
fn old_names_follow_the_inbound_side_until_a_delivery_sets_them() {
    let cx = &mut context(at(0, 0), |_| {});
    cx.set_clean("tls_in_cipher", "TLS1.3:X:256");
    cx.set("tls_in_sni", Str::tainted(&b"a.example"[..]));
    assert_eq!(expand(cx, "$tls_cipher $tls_sni"), "TLS1.3:X:256 a.example");
    assert_eq!(expand(cx, "${if def:tls_cipher {yes}{no}}"), "yes");
    assert!(cx.get("tls_sni").expect("known").expect("a value").taint().is_tainted());
    cx.set_clean("tls_cipher", "out");
    assert_eq!(expand(cx, "$tls_cipher"), "out");
    cx.unset("tls_cipher");
    assert_eq!(expand(cx, "$tls_cipher"), "TLS1.3:X:256");
}

#[test]
fn other_names_stand_for_the_same_value() {
    let cx = &mut context(at(0, 0), |_| {});
    cx.set_clean("received_port", "25");
    cx.set_clean("warnmsg_recipients", "a@b");
    assert_eq!(expand(cx, "$interface_port $warn_message_recipient"), "25 a@b");
}

#[test]
fn hostile_values_of_options_are_no_panic() {
    let cx = &mut context(at(i64::MAX, 999_999_999), |s| {
        s.set(opt::TIMEZONE, Str::from(&b"\xff\0:/../"[..]));
        s.set(opt::LOG_FILE_PATH, Str::from(&b"\xff::%s:"[..]));
        s.set(opt::SPOOL_DIRECTORY, Str::from(&b"\0"[..]));
        s.config_file = Str::from(&b"///"[..]);
    });
    let all = "$tod_full$tod_log$tod_zulu$tod_epoch_l$tod_bsdinbox$tod_zone$log_space$spool_space";
    assert!(!expand(cx, all).is_empty());
    assert_eq!(expand(cx, "$config_dir"), "//");
    let cx = &mut context(at(i64::MIN, 0), |s| s.set(opt::TIMEZONE, "Asia/Kolkata"));
    assert!(!expand(cx, all).is_empty());
}

/// A value from outside goes through as it is, and stays tainted.
fn stays_as_it_is(name: &str, value: &str) {
    let cx = &mut context(at(0, 0), |_| {});
    cx.set(name, Str::tainted(value.as_bytes()));
    for (text, shown) in [
        (format!("${name}"), value.to_owned()),
        (format!("${{{name}}}"), value.to_owned()),
        (format!("a${{{name}}}b"), format!("a{value}b")),
    ] {
        let engine = cx.engine().clone();
        let found = engine.expand_once(text.as_bytes(), cx).expect("a value");
        assert_eq!(found.display(), shown);
        assert!(found.taint().is_tainted(), "{text}");
    }
}

#[test]
fn cve_2019_10149_a_local_part_is_not_expanded() {
    stays_as_it_is("local_part", "${run{/bin/touch\\x20/tmp/x}}");
    stays_as_it_is("local_part", "${local_part:x}$domain");
}

#[test]
fn cve_2014_2957_what_dmarc_found_is_not_expanded() {
    stays_as_it_is("dmarc_used_domain", "${readfile{/etc/passwd}}");
}

#[test]
fn cve_2011_1407_a_signing_identity_is_no_pattern() {
    let cx = &mut context(at(0, 0), |_| {});
    cx.set("dkim_cur_signer", Str::tainted(&b"^(((((a"[..]));
    cx.set("dkim_identity", Str::tainted(&b"^(((((a"[..]));
    assert_eq!(expand(cx, "${if eq{$dkim_cur_signer}{$dkim_identity}{same}{differ}}"), "same");
    stays_as_it_is("dkim_identity", "^(((((a : !b : +c : /etc/passwd");
}

#[test]
fn cve_2011_1764_a_signing_identity_is_no_format() {
    stays_as_it_is("dkim_identity", "%n%s%s%1000000d@%n");
}

#[test]
fn cve_2023_42115_there_are_four_strings_of_an_authentication() {
    let cx = &mut context(at(0, 0), |_| {});
    cx.set_clean("auth4", "x");
    assert_eq!(expand(cx, "$auth1$auth2$auth3$auth4"), "x");
    for beyond in ["auth0", "auth5", "auth10", "auth4294967297"] {
        let said = format!("Failed: unknown variable name \"{beyond}\"");
        assert_eq!(expand(cx, &format!("${beyond}")), said);
    }
}

#[test]
fn cve_2022_3559_captures_outlive_what_they_were_taken_from() {
    let cx = &mut context(at(0, 0), |_| {});
    {
        let subject = Str::tainted(b"a long subject of which a part is kept".repeat(100));
        cx.set("regex1", subject.slice(2, 6));
    }
    for _ in 0..100 {
        assert_eq!(expand(cx, "${uc:$regex1}"), "LONG");
    }
    assert!(cx.get("regex1").expect("known").expect("a value").taint().is_tainted());
}
