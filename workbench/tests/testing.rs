//! Tests of configurations: what is given is there, nothing else is, and what does not come
//! is said.

use eximious::World;
use eximious_workbench::testing::file::TestFile;
use eximious_workbench::testing::{FileResult, Suite, TestMachine, TestResult, json_report, junit};

fn machine() -> TestMachine {
    let World { files, users, clock, .. } = World::hermetic();
    TestMachine { files, users, clock }
}

const CONFIGURATION: &str = r#"
text = """
primary_hostname = mx.example
acl_smtp_connect = connect
acl_smtp_rcpt = rcpt
acl_smtp_data = data
event_action = ${if eq{$event_name}{x}{y}}
begin acl
connect:
  drop hosts = 192.0.2.66
       message = not you
  accept
rcpt:
  warn set acl_m_limit = ${lookup mysql{select x from y where z='${quote_mysql:$local_part}'}{$value}{none}}
  defer condition = ${if eq{$local_part}{later}}
  deny condition = ${if eq{$local_part}{bob}{${if eq{${run{/bin/score bob}}}{bad}{yes}}}}
  accept verify = recipient
  deny message = unknown: $acl_verify_message
data:
  warn add_header = X-Limit: $acl_m_limit
       remove_header = X-Secret
  accept
subject:
  accept condition = ${if eq{$h_subject:}{hi}}
begin routers
mx:
  driver = dnslookup
  domains = far.example
  transport = smtp
  no_more
local:
  driver = accept
  check_local_user
  transport = file
begin transports
smtp:
  driver = smtp
file:
  driver = appendfile
  file = /var/mail/$local_part_data
"""
[given]
time = 2026-11-22T12:00:00+01:00
users = ["ann", "bob:/srv/bob", "carl:/:7:8"]
zone = """
far.example. MX 10 mx.far.example.
mx.far.example. A 192.0.2.25
"""
[[given.lookup]]
type = "mysql"
key = "select x from y where z='ann'"
answer = "7"
[[given.command]]
command = "/bin/score bob"
output = "bad"
"#;

/// Runs the tests of a text behind the configuration.
fn results(tests: &str) -> Vec<TestResult> {
    let file = TestFile::parse(&format!("{CONFIGURATION}{tests}")).unwrap();
    let suite = Suite::new("own.eximtest.toml", file, &machine()).unwrap();
    suite.tests.iter().map(|test| suite.run(test, None)).collect()
}

/// What does not come as it must, a line each.
fn mismatches(tests: &str) -> Vec<String> {
    let line = |one: &TestResult| {
        let all = one.mismatches.iter().map(|m| {
            format!("{}: {}: {} / {}", one.name, m.what, m.expected, m.came.replace('\n', " | "))
        });
        all.collect::<Vec<_>>()
    };
    results(tests).iter().flat_map(line).collect()
}

#[test]
fn sessions_come_as_they_must() {
    let tests = r#"
[[case]]
name = "a whole message"
recipient = "ann@mx.example"
message = "From: a@b.example\nX-Secret: 1\nSubject: hi\n\nhello\n"
[case.expect]
verdict = "accept"
code = 250
accepted = ["ann@mx.example"]
headers_added = ["X-Limit: 7"]
headers_removed = ["X-Secret"]
variables = { acl_m_limit = "7", received_protocol = "esmtp" }
log = ["<= sender@example.org"]
no_log = ["rejected"]

[[case]]
name = "{who}"
recipient = "{who}"
expect = { verdict = "{verdict}", at = "{at}" }
[case.table]
columns = ["who", "verdict", "at"]
rows = [["later@mx.example", "defer", "rcpt"], ["bob@mx.example", "deny", "rcpt"],
        ["carol@mx.example", "deny", "rcpt"], ["x@far.example", "accept", "nowhere"]]

[[case]]
name = "not you"
client = "192.0.2.66:99"
expect = { verdict = "drop", at = "connect", code = 550, reply = "not you" }

[[case]]
name = "the client's lines"
lines = ["HELO me", "VRFY ann", "MAIL FROM:<>", "RCPT TO:<ann@mx.example>"]
expect = { code = 250, accepted = ["ann@mx.example"] }

[[case]]
name = "an event"
lines = ["HELO me", "RCPT TO:<ann@mx.example>"]
expect = { code = 503, events = ["smtp:fail:protocol"] }

[[case]]
name = "by itself"
acl = "rcpt"
recipient = "ann@mx.example"
given.lookup = [{ type = "mysql", defer = "no server" }]
expect = { verdict = "accept", log = ["no server"] }

[[case]]
name = "a message by itself"
acl = "subject"
message = "Subject: hi\n\nbody\n"
variables = { acl_m_limit = "3" }
expect = { verdict = "accept", variables = { acl_m_limit = "3" } }

[[expand]]
text = "${extract{2}{:}{${lookup passwd{carl}}}}"
is = "7"

[[expand]]
text = "$tod_log $h_subject:"
is = "2026-11-22 11:00:00 hi"
message = "Subject: hi\n\n"
tainted = true

[[expand]]
text = "${if foo}"
fails = "unknown condition \"foo\""

[[route]]
address = "x@far.example"
goes = ["mx/smtp/mx.far.example [192.0.2.25]"]

[[route]]
address = "carol@mx.example"
fails = "Unrouteable"
"#;
    assert_eq!(mismatches(tests), [""; 0]);
}

#[test]
fn what_does_not_come_is_said() {
    let tests = r#"
[[case]]
name = "one"
recipient = "carol@mx.example"
expect = { verdict = "accept", code = 250, reply = "Accepted", log = ["<="], variables = { acl_m_limit = "7" }, events = ["x:y"] }
[[expand]]
text = "a"
is = "b"
[[expand]]
text = "${if foo}"
is = "b"
[[route]]
address = "ann@mx.example"
goes = ["mx/smtp"]
"#;
    let log = "H=(client.example) [192.0.2.1] F=<sender@example.org> rejected RCPT \
               <carol@mx.example>: unknown: ";
    assert_eq!(
        mismatches(tests),
        [
            "one: verdict: accept / deny".to_owned(),
            "one: code: 250 / 550".to_owned(),
            "one: reply: Accepted / unknown: ".to_owned(),
            format!("one: log: <= / {}", log),
            "one: $acl_m_limit: 7 / none".to_owned(),
            "one: events: x:y / ".to_owned(),
            "a: the value: b / a".to_owned(),
            "${if foo}: the value: b / Failed: unknown condition \"foo\"".to_owned(),
            "ann@mx.example: where it goes: mx/smtp / local/file".to_owned(),
        ]
    );
}

#[test]
fn files_that_are_wrong_say_where() {
    let wrong = |text: &str| match TestFile::parse(text) {
        Err(why) => why,
        Ok(file) => match Suite::new("x", file, &machine()) {
            Err(why) => why,
            Ok(_) => panic!("{text}"),
        },
    };
    assert!(wrong("config = 3").contains("line 1"), "{}", wrong("config = 3"));
    assert!(wrong("bananas = 3").contains("unknown field `bananas`"));
    assert!(wrong("").contains("it wants a configuration"));
    assert!(wrong("text = \"bananas = 3\"").contains("main option \"bananas\" unknown"));
    assert!(wrong("text = ''\ngiven.zone = 'x'").contains("no line of a zone"));
    assert!(wrong("text = ''\ngiven.time = 2026-11-22").contains("time wants"));
    assert!(wrong("text = ''\n[[given.lookup]]\ntype = 'x'").contains("no look-up type \"x\""));
    for (text, why) in [
        ("", "there is no test in it"),
        ("config = 'x'", "both config and text"),
        ("given.users = ['a:/:1']", "users wants NAME"),
        ("[[case]]\nname = 'a'", "a: it expects nothing"),
        ("[[case]]\nname = 'a'\nexpect = {}", "a: it expects nothing"),
        ("[[route]]\naddress = 'a'", "a: it expects nothing"),
        ("[[case]]\nname = 'a'\nexpect.at = 'foo'", "at is one of connect"),
        ("[[case]]\nname = 'a'\nexpect.verdict = 'yes'", "verdict is one of accept"),
        ("[[expand]]\ntext = 'a'\nvariables = { sendr = 'b' }", "no variable called \"sendr\""),
        ("[[case]]\nname = 'a'\nexpect.variables = { sendr = '' }", "no variable called"),
        ("[[expand]]\ntext = 'a'\ntable = { columns = [], rows = [] }", "its table has no rows"),
    ] {
        let text = format!("text = ''\n{text}");
        assert!(wrong(&text).contains(why), "{text}: {}", wrong(&text));
    }
    let uneven = "text = ''\n[[expand]]\ntext = ''\ntable = { columns = ['a'], rows = [[1, 2]] }";
    assert!(wrong(uneven).contains("row 1 has 2 values for 1 columns"));
}

#[test]
fn reports_are_what_they_are_called() {
    let results = results("[[expand]]\ntext = 'a'\nis = 'a'\n[[expand]]\ntext = '<a>'\nis = 'b'\n");
    let files = [FileResult { name: "x.toml".to_owned(), results: Ok(results) }];
    assert_eq!(files[0].counts(), (1, 1));
    let json = json_report(&files);
    assert_eq!(json["files"][0]["tests"][1]["mismatches"][0]["came"], "<a>");
    let xml = junit(&files).unwrap();
    assert!(xml.contains("failures=\"1\"") && xml.contains("&lt;a&gt;"), "{xml}");
    assert!(files[0].text().starts_with("FAIL x.toml: <a>\n  the value\n    expected: b\n"));
}
