//! Items whose answers hang on an outside, a configuration or a conversation
//! that a line in a suite can't bring along. The answers are those of a real
//! Exim, recorded with the options and in the sessions named here.

use std::io::{self, Cursor, Read, Write};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eximious::config::Printer;
use eximious::world::{
    Fixture, ForeignAnswer, ForeignError, Host, Libraries, Log, Net, Room, Stream, Target,
};
use eximious::{
    Config, Effects, Engine, ErrorKind, FailClass, Macros, Settings, Str, Taint, World, opt,
};

/// A host with an environment.
struct Environment(&'static [(&'static str, &'static str)], Arc<dyn Host>);

impl Host for Environment {
    fn name(&self) -> Vec<u8> {
        self.1.name()
    }
    fn addresses(&self) -> Vec<IpAddr> {
        self.1.addresses()
    }
    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        let found = self.0.iter().find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, value)| value.as_bytes().to_vec())
    }
    fn environment_names(&self) -> Vec<Vec<u8>> {
        self.0.iter().map(|(name, _)| name.as_bytes().to_vec()).collect()
    }
    fn pid(&self) -> u32 {
        self.1.pid()
    }
    fn ids(&self) -> (u32, u32) {
        (1000, 1001)
    }
    fn load(&self) -> i64 {
        self.1.load()
    }
    fn room(&self, path: &[u8]) -> io::Result<Room> {
        self.1.room(path)
    }
    fn directory(&self) -> Vec<u8> {
        self.1.directory()
    }
}

#[test]
fn the_environment_is_what_the_options_let_in() {
    const VARIABLES: &[(&str, &str)] = &[
        ("FOO", "foo"),
        ("foo", "small"),
        ("BAR", "bar"),
        ("FOOBAR", "a b"),
        ("EMPTY", ""),
        ("TZ", "Europe/Berlin"),
    ];
    let ask = |keep: &str, add: &str, zone: Option<&str>| {
        let mut settings = Settings::default();
        settings.set(opt::KEEP_ENVIRONMENT, Str::from(keep));
        settings.set(opt::ADD_ENVIRONMENT, Str::from(add));
        if let Some(zone) = zone {
            settings.set(opt::TIMEZONE, zone);
        }
        let host = Arc::new(Environment(VARIABLES, World::hermetic().host));
        let world = World { host, ..World::hermetic() };
        let engine = Engine::builder().world(world).settings(settings).build();
        let names = ["FOO", "foo", "BAR", "FOOBAR", "EMPTY", "TZ", "A", " FOO "];
        let answers = names.map(|name| {
            let text = format!("${{env{{{name}}}{{<$value>}}{{-}}}}");
            engine.compile(text).expand(&mut engine.context()).unwrap().display().into_owned()
        });
        answers.join(" ")
    };
    for (keep, add, zone, answers) in [
        ("", "", None, "- - - - - - - -"),
        ("*", "", None, "<foo> <small> <bar> <a b> <> - - -"),
        ("FOO : A", "", None, "<foo> - - - - - - -"),
        ("!BAR : *", "", None, "<foo> <small> - <a b> <> - - -"),
        ("^FOO", "", None, "<foo> - - <a b> - - - -"),
        ("F* : B*", "", None, "- - - - - - - -"),
        ("*R", "", None, "- - <bar> <a b> - - - -"),
        ("*oo", "", None, "- <small> - - - - - -"),
        ("^(?i)FOO$", "", None, "<foo> <small> - - - - - -"),
        ("!foo", "", None, "<foo> - <bar> <a b> <> - - -"),
        ("!^fo : *", "", None, "<foo> - <bar> <a b> <> - - -"),
        ("! foo : *", "", None, "<foo> - <bar> <a b> <> - - -"),
        ("<; foo;FOO", "", None, "<foo> <small> - - - - - -"),
        ("foo : !FOO", "", None, "- <small> <bar> <a b> <> - - -"),
        ("FOO", "A=x y : FOO=over", None, "<over> - - - - - <x y> -"),
        ("", "A=z::b", None, "- - - - - - <z:b> -"),
        ("", "<; A=x:y ; BAD ; FOO=", None, "<> - - - - - <x:y> -"),
        ("", "A=b : A=c", None, "- - - - - - <c> -"),
        ("", "A = b", None, "- - - - - - - -"),
        ("", "A", None, "- - - - - - - -"),
        ("*", "TZ=x", None, "<foo> <small> <bar> <a b> <> - - -"),
        ("TZ", "", Some("UTC"), "- - - - - <Europe/Berlin> - -"),
        ("TZ", "TZ=x", Some("utc"), "- - - - - <x> - -"),
        ("", "", Some("UTC"), "- - - - - - - -"),
        ("", "TZ=x", Some("America/New_York"), "- - - - - <America/New_York> - -"),
        ("TZ", "", Some(""), "- - - - - - - -"),
    ] {
        assert_eq!(ask(keep, add, zone), answers, "{keep} / {add} / {zone:?}");
    }
}

#[test]
fn the_environment_is_shown_as_exim_shows_it() {
    const VARIABLES: &[(&str, &str)] = &[("Z}$Y", "4"), ("FOO", "1"), ("X-Y", "3")];
    let settings = "timezone = Europe/Berlin\nkeep_environment = FOO : ^Z\n\
        add_environment = A-B=3 : FOO=2\n";
    let host = Arc::new(Environment(VARIABLES, World::hermetic().host));
    let world = World { host, ..Fixture::new().file("/c", settings).world() };
    let registry = eximious::registry();
    let config = Config::read(b"/c", Macros::new(), &world, &registry).unwrap();
    let mut printer = Printer {
        config: &config,
        registry: &registry,
        world: &world,
        values_only: false,
        admin: true,
        version: "",
    };
    let text = |printer: &Printer| printer.print(&[b"environment".to_vec()]).text;
    assert_eq!(text(&printer), b"A-B=3\nFOO=2\nTZ=Europe/Berlin\nZ}$Y=4\n");
    printer.values_only = true;
    assert_eq!(text(&printer), b"A-B\nFOO\nTZ\nZ}$Y\n");
}

#[test]
fn results_of_authentication() {
    // Sessions of `exim -bh`, with a name server that knows pass.example.
    let ask = |variables: &[(&str, &str)]| {
        let engine = Engine::builder().build();
        let mut cx = engine.context();
        for (name, value) in variables {
            cx.set(name, Str::tainted(value.as_bytes()));
        }
        let value = engine.compile("${authresults{h.example}}").expand(&mut cx).unwrap();
        value.display().strip_prefix("Authentication-Results: h.example").unwrap().to_owned()
    };
    let host = ("sender_host_address", "192.0.2.7");
    let known = ("sender_host_name", "pass.example");
    let plain = ("sender_host_authenticated", "PLAIN");
    let login = ("sender_host_authenticated", "LOGIN");
    for (variables, added) in [
        (&[][..], ""),
        (&[host], ""),
        (&[host, known], ";\n\tiprev=pass (pass.example) smtp.remote-ip=192.0.2.7"),
        (&[host, ("host_lookup_failed", "1")], ";\n\tiprev=fail smtp.remote-ip=192.0.2.7"),
        (&[host, ("host_lookup_deferred", "1")], ";\n\tiprev=temperror smtp.remote-ip=192.0.2.7"),
        (&[plain, ("authenticated_id", "us er")], ";\n\tauth=pass (PLAIN) smtp.auth=us er"),
        (&[login], ";\n\tauth=pass (LOGIN, no id saved)"),
        (
            &[login, ("authenticated_sender", "x@y")],
            ";\n\tauth=pass (LOGIN, no id saved) smtp.mailfrom=x@y",
        ),
        (
            &[host, known, plain, ("authenticated_id", "us er"), ("authenticated_sender", "x@y")],
            ";\n\tiprev=pass (pass.example) smtp.remote-ip=192.0.2.7\
             ;\n\tauth=pass (PLAIN) smtp.auth=us er smtp.mailfrom=x@y",
        ),
        (
            &[("spf_result", "softfail"), ("sender_address_domain", "b.c")],
            ";\n\tspf=softfail smtp.mailfrom=b.c",
        ),
        (
            &[("spf_result", "fail"), ("sender_helo_name", "bad.example")],
            ";\n\tspf=fail smtp.helo=bad.example",
        ),
        (
            &[
                ("spf_result", "neutral"),
                ("spf_result_guessed", "yes"),
                ("sender_address_domain", "b.c"),
            ],
            ";\n\tspf=neutral (best guess record for domain) smtp.mailfrom=b.c",
        ),
    ] {
        assert_eq!(ask(variables), added, "{variables:?}");
    }
}

/// Functions that answer what their name says.
struct Functions;

impl Libraries for Functions {
    fn call(
        &self,
        file: &[u8],
        function: &[u8],
        args: &[Vec<u8>],
    ) -> Result<ForeignAnswer, ForeignError> {
        let missing = |what: &[u8]| format!("{}: not there", String::from_utf8_lossy(what));
        if file != b"/x.so" {
            return Err(ForeignError::Open(missing(file)));
        }
        let code = std::str::from_utf8(function).ok().and_then(|name| name.parse().ok());
        let Some(code) = code else { return Err(ForeignError::Find(missing(function))) };
        Ok(ForeignAnswer { code, text: args.first().cloned() })
    }
}

/// What was written to the panic log.
#[derive(Default)]
struct Panics(Mutex<Vec<String>>);

impl Log for Panics {
    fn main(&self, _: &[u8]) {}
    fn panic(&self, line: &[u8]) {
        self.0.lock().unwrap().push(String::from_utf8_lossy(line).into_owned());
    }
    fn debug(&self, _: &[u8]) {}
}

#[test]
fn functions_of_shared_objects() {
    let log = Arc::new(Panics::default());
    let world = World { libraries: Arc::new(Functions), log: log.clone(), ..World::hermetic() };
    let engine = Engine::builder().world(world).build();
    let ask = |text: &str| {
        let mut cx = engine.context();
        cx.set("local_part", Str::tainted(b"/x.so".as_slice()));
        let result = engine.compile(text).expand(&mut cx);
        let answer = match result {
            Ok(value) => value.display().into_owned(),
            Err(fail) => format!("{:?}: {fail}", fail.class()),
        };
        (answer, std::mem::take(&mut *log.0.lock().unwrap()).join("|"))
    };
    for (text, answer, panics) in [
        ("${dlfunc{/x.so}{0}{yes}}", "yes", ""),
        ("[${dlfunc{/x.so}{0}}]", "[]", ""),
        ("${dlfunc{/x.so}{2}{why}}", "Error: why", ""),
        ("${dlfunc{/x.so}{2}}", "Error: (no message)", ""),
        ("${dlfunc{/x.so}{4}{why}}", "Forced: why", ""),
        ("${dlfunc{/x.so}{3}{why}}", "Error: why", "dlfunc{/x.so}{3} failed (3): why"),
        (
            "${dlfunc{/x.so}{-1}}",
            "Error: (no message)",
            "dlfunc{/x.so}{-1} failed (-1): (no message)",
        ),
        (
            "${dlfunc{/y.so}{f}}",
            "Error: dlopen \"/y.so\" failed: /y.so: not there",
            "dlopen \"/y.so\" failed: /y.so: not there",
        ),
        (
            "${dlfunc{/x.so}{f}}",
            "Error: dlsym \"f\" in \"/x.so\" failed: f: not there",
            "dlsym \"f\" in \"/x.so\" failed: f: not there",
        ),
        ("${dlfunc{$local_part}{0}}", "Error: Tainted filename '/x.so'", ""),
    ] {
        assert_eq!(ask(text), (answer.to_owned(), panics.to_owned()), "{text}");
    }
    let forbidden = Engine::builder().world(World::hermetic()).forbid(Effects::FOREIGN).build();
    let fail = forbidden.compile("${dlfunc{/x.so}{0}}").expand(&mut forbidden.context());
    assert_eq!(fail.unwrap_err().kind(), ErrorKind::Forbidden);
}

#[test]
fn tainted_names_open_nothing() {
    let fixture = Fixture::new().file("/a", "one\ntwo\n");
    let log = Arc::new(Panics::default());
    let host = Arc::new(Environment(&[], World::hermetic().host));
    let world = World { log: log.clone(), host, ..fixture.world() };
    let engine = Engine::builder().world(world).build();
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(b"/a".as_slice()));
    let fail = engine.compile("${readfile{$local_part}}").expand(&mut cx).unwrap_err();
    let words = "failed to open /a: Permission denied (euid=1000 egid=1001)";
    assert_eq!((fail.kind(), fail.class()), (ErrorKind::Taint, FailClass::Error));
    assert_eq!(fail.to_string(), words);
    assert_eq!(*log.0.lock().unwrap(), ["Tainted filename '/a'"]);
    assert!(fixture.asked().is_empty());
    // A list of ours makes the name clean; the contents are clean, too.
    let text = "${readfile{${if inlist{$local_part}{/a:/b}{$value}{}}}{,}}";
    let value = engine.compile(text).expand(&mut cx).unwrap();
    assert_eq!((value.display().as_ref(), value.taint()), ("one,two,", Taint::Clean));
}

#[test]
fn taint_goes_where_the_bytes_go() {
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(b"abc".as_slice()));
    for (text, tainted) in [
        ("${hmac{md5}{$local_part}{$local_part}}", false),
        ("${tr{$local_part}{a}{b}}", true),
        ("${tr{abc}{$local_part}{x}}", false),
        ("${tr{xyz}{x}{$local_part}}", true),
        ("${tr{xyz}{a}{$local_part}}", false),
        ("${listquote{:}{$local_part}}", true),
        ("${listquote{$local_part}{x}}", false),
        ("${imapfolder{$local_part}}", true),
        ("${imapfolder{x}{/}{$local_part}}", false),
        ("${prvs{$local_part@b}{x}}", true),
        ("${prvs{a@b}{$local_part}}", false),
        ("${prvscheck{prvs=0001000000=$local_part@b}{x}}", true),
        ("${prvscheck{prvs=0001000000=a@b}{$local_part}}", false),
        ("${prvscheck{prvs=0001000000=$local_part@b}{x}{$prvscheck_keynum}}", true),
        ("${srs_encode{s}{$local_part@b}{c}}", true),
        ("${srs_encode{s}{a@b}{$local_part}}", true),
        ("${srs_encode{$local_part}{a@b}{c}}", false),
        ("${authresults{$local_part}}", true),
        ("${env{$local_part}{$value}{no}}", false),
        ("${if inlist{$local_part}{abc:d}{$value}}", false),
        ("${if inlist{abc}{$local_part:d}{$value}}", true),
        ("${if inlisti{$local_part}{ABC}{$value}}", false),
    ] {
        let value = engine.compile(text).expand(&mut cx).unwrap();
        assert!(!value.is_empty(), "{text}");
        assert_eq!(value.taint().is_tainted(), tainted, "{text}");
    }
}

#[test]
fn a_call_of_an_acl_puts_its_arguments_back() {
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    cx.set("acl_arg1", Str::from("outer"));
    cx.set("acl_narg", Str::from("1"));
    for text in ["${acl{unknown}{a}{b}}", "${if acl{{unknown}{a}{b}}}"] {
        let fail = engine.compile(text).expand(&mut cx).unwrap_err();
        assert_eq!(fail.to_string(), "ERROR from acl \"unknown\"");
        let value = engine.compile("$acl_arg1/$acl_arg2/$acl_narg").expand(&mut cx).unwrap();
        assert_eq!(value.display(), "outer//1");
    }
}

/// A daemon that answers every connection the same, and keeps what it is told.
#[derive(Clone)]
struct Daemon(&'static str, Vec<u8>, Arc<Mutex<Vec<u8>>>);

struct Line(Cursor<Vec<u8>>, Arc<Mutex<Vec<u8>>>);

impl Net for Daemon {
    fn connect(&self, target: &Target, _: Duration) -> io::Result<Box<dyn Stream>> {
        assert_eq!(*target, Target::Unix(self.0.into()));
        Ok(Box::new(Line(Cursor::new(self.1.clone()), self.2.clone())))
    }
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(Vec::new())
    }
    fn service(&self, _: &str) -> Option<u16> {
        None
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Line {
    fn finish_writing(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn set_deadline(&mut self, _: Duration) {}
}

#[test]
fn saslauthd_is_asked() {
    // What a daemon in place of the real one was told by Exim, and what Exim
    // made of its answers; where that printed "(null)", words of ours.
    let ask = |arguments: &str, answer: &[u8]| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let net = Arc::new(Daemon("/var/run/saslauthd/mux", answer.to_vec(), told.clone()));
        let engine = Engine::builder().world(World { net, ..World::hermetic() }).build();
        let text = format!("${{if saslauthd{{{arguments}}}{{yes}}{{no}}}}");
        let answer = match engine.compile(text).expand(&mut engine.context()) {
            Ok(value) => value.display().into_owned(),
            Err(fail) => fail.to_string(),
        };
        (answer, told.lock().unwrap().clone())
    };
    let told = b"\0\x04user\0\x02pw\0\0\0\0".to_vec();
    assert_eq!(ask("{user}{pw}", b"\0\x02OK"), ("yes".into(), told));
    let told = b"\0\x01u\0\0\0\x03 s \0\x01r".to_vec();
    assert_eq!(ask("{u}{}{ s }{r}", b"\0\x02NO"), ("no".into(), told));
    let long = [b"\xff\xffOK".as_slice(), &[b'x'; 70_000]].concat();
    let cases: &[(&[u8], &str)] = &[
        (b"\0\x09OK reason", "yes"),
        (b"\0\x0dNO reason why", "no"),
        (b"\0\x03OK\0", "yes"),
        (b"\0\x10OK", "yes"),
        (b"\0\x02ok", "ok"),
        (b"\0\x04junk", "junk"),
        (b"\0\x01O", "no answer from saslauthd: its length makes no sense"),
        (b"\0\0", "no answer from saslauthd: its length makes no sense"),
        (b"\0", "no answer from saslauthd: it broke off"),
        (&long, "no answer from saslauthd: its length makes no sense"),
    ];
    for (answer, result) in cases {
        assert_eq!(ask("{user}{pw}", answer).0, *result);
    }
    let engine = Engine::builder().build();
    let fail = engine.compile("${if saslauthd{{a}{b}}}").expand(&mut engine.context());
    let words = "cannot connect to saslauthd daemon at /var/run/saslauthd/mux: Permission denied";
    assert_eq!(fail.unwrap_err().to_string(), words);
}

#[test]
fn pwcheck_is_asked() {
    let ask = |argument: &str, answer: &[u8]| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let net = Arc::new(Daemon("/var/pwcheck/pwcheck", answer.to_vec(), told.clone()));
        let engine = Engine::builder().world(World { net, ..World::hermetic() }).build();
        let text = format!("${{if pwcheck{{{argument}}}{{yes}}{{no}}}}");
        let answer = match engine.compile(text).expand(&mut engine.context()) {
            Ok(value) => value.display().into_owned(),
            Err(fail) => fail.to_string(),
        };
        (answer, told.lock().unwrap().clone())
    };
    assert_eq!(ask("user:p:w", b"OK"), ("yes".into(), b"user\0p:w\0".to_vec()));
    assert_eq!(ask("user", b"Incorrect password"), ("no".into(), b"user\0\0".to_vec()));
    for (answer, result) in [
        (b"OK welcome".as_slice(), "yes"),
        (b"ok", "no"),
        (b"O", "no"),
        (b"", "no answer from pwcheck: it broke off"),
        (&[b'x'; 70_000], "no"),
    ] {
        assert_eq!(ask("a:b", answer).0, result);
    }
    let engine = Engine::builder().build();
    let fail = engine.compile("${if pwcheck{a:b}}").expand(&mut engine.context());
    let words = "cannot connect to pwcheck daemon at /var/pwcheck/pwcheck: Permission denied";
    assert_eq!(fail.unwrap_err().to_string(), words);
}

#[test]
fn folders_in_other_character_sets() {
    let ask = |charset: &str, folder: &str| {
        let mut settings = Settings::default();
        settings.set(opt::HEADERS_CHARSET, Str::from(charset));
        let engine = Engine::builder().settings(settings).build();
        let text = format!("${{imapfolder{{{folder}}}}}");
        match engine.compile(text).expand(&mut engine.context()) {
            Ok(value) => value.display().into_owned(),
            Err(fail) => format!("Failed: {fail}"),
        }
    };
    let unknown = "Failed: imapfolder: iconv_open(\"UTF-16BE\", \"nosuch\") failed: Invalid \
                   argument (maybe unsupported conversion)";
    let odd = "Failed: imapfolder: iconv() failed to convert from UTF-16LE: Invalid argument";
    for (charset, folder, answer) in [
        ("ISO-8859-1", "\\xe9\\x80\\xa4", "&AOkAgACk-"),
        ("iso8859-15", "\\xe9\\x80\\xa4", "&AOkAgCCs-"),
        ("windows-1252", "\\xe9\\x80\\xa4", "&AOkgrACk-"),
        ("utf8", "\\xe9\\x80\\xa4", "&kCQ-"),
        ("koi8-r", "\\xe9\\x80\\xa4", "&BBglACVT-"),
        ("cp437", "\\xe9\\x80\\xa4", "&A5gAxwDx-"),
        ("Shift_JIS", "\\x95\\x5c", "&iGg-"),
        ("EUC-JP", "\\xb0\\xa1b", "&Tpw-b"),
        ("GB18030", "a\\xc3\\xa9b", "a&gwU-b"),
        ("UTF-16LE", "ab", "ab"),
        ("UTF-16LE", "a/bc", "&L2FjYg-"),
        ("UTF-16LE", "a&b", odd),
        ("UTF-16LE", "/", "Failed: "),
        ("nosuch", "ab", "ab"),
        ("nosuch", "a/b", unknown),
        ("nosuch", "/", unknown),
        ("", "ab", "ab"),
        ("", "a/b", "a.b"),
    ] {
        assert_eq!(ask(charset, folder), answer, "{charset}: {folder}");
    }
}
