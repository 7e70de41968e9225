//! `-be` over pipes and arguments: what is printed, byte for byte.

use std::io::{Read, Write};

use crate::common::{eximious, file};

/// What is printed for piped input.
fn piped(input: &str) -> String {
    let run = eximious(&["-be"], input.as_bytes());
    assert_eq!(run.status, Some(0), "{input:?}");
    run.out
}

#[test]
fn a_prompt_stands_before_each_line_and_at_the_end() {
    assert_eq!(piped(""), "> \n");
    assert_eq!(piped("a"), "> a\n> \n");
    assert_eq!(piped("${uc:a}\n\n b \n"), "> A\n> \n>  b\n> \n");
    assert_eq!(piped("$\n"), "> Failed: $ not followed by letter, digit, or {\n> \n");
}

#[test]
fn a_backslash_joins_lines() {
    assert_eq!(piped("a  \\\n   b\n"), "> a  b\n> \n");
    assert_eq!(piped("a\\ \r\nb\r\n"), "> ab\n> \n");
    assert_eq!(piped("a\\\n\nb\n"), "> a\n> b\n> \n");
    assert_eq!(piped("a\\"), "> a\n> \n");
    assert_eq!(piped("\\"), "> \n> \n");
}

#[test]
fn a_zero_byte_ends_a_line() {
    assert_eq!(piped("a\0b\nc\n"), "> a\n> c\n> \n");
    assert_eq!(piped("a\\\0\nc\n"), "> ac\n> \n");
}

#[test]
fn a_long_line_is_taken_in_pieces_as_exim_does() {
    let long = "a".repeat(1023);
    assert_eq!(piped(&format!("{long}b\n")), format!("> {long}\n> b\n> \n"));
    assert_eq!(piped(&format!("{long}\n")), format!("> {long}\n> \n> \n"));
}

#[test]
fn variables_are_set() {
    assert_eq!(
        piped("set acl_m_x = ${uc:a} b\n$acl_m_x\nset acl_c0=1\n$acl_c0\n"),
        "> variable m_x set\n> A b\n> variable c0 set\n> 1\n> \n"
    );
    assert_eq!(
        piped("set acl_m_x = 1\nset acl_m_x = ${if eq{a}{b}{x}fail}\n$acl_m_x\n"),
        "> variable m_x set\n> variable m_x set\n> 1\n> \n"
    );
    for (line, answer) in [
        ("set", "set"),
        (" set acl_m_x = 1", " set acl_m_x = 1"),
        ("set acl_m_x = ${nosuch:x}", "oops: NULL"),
        ("set acl_m_x", "\"=\" missing after ACL \"'-be'\" modifier"),
        (
            "set foo = 1",
            "invalid variable name after \"set\" in ACL modifier \"set foo = 1\" (must start \
             \"acl_c\" or \"acl_m\")",
        ),
        (
            "set acl_mx = 1",
            "invalid variable name after \"set\" in ACL modifier \"set acl_mx = 1\" (digit or \
             underscore must follow acl_c or acl_m)",
        ),
        (
            "set acl_m_a.b = 1",
            "invalid character \".\" in variable name in ACL modifier \"set acl_m_a.b = 1\"",
        ),
        (
            "set dkim_verify_statusx = 2",
            "invalid variable name after \"set\" in ACL modifier \"set dkim_verify_statusx = 2\" \
             (only \"dkim_verify_status\" or \"dkim_verify_reason\" permitted)",
        ),
    ] {
        assert_eq!(piped(line), format!("> {answer}\n> \n"));
    }
}

#[test]
fn values_may_be_tainted() {
    let run = eximious(&["-be"], b"set,t acl_m_x = ab\n$acl_m_x\nset,t acl_m_x = ${uc:x}\n");
    assert_eq!(run.out, "> variable m_x set\n> ab\n> oops: NULL\n> \n");
    assert_eq!(run.err, "attempt to expand tainted string '${uc:x}'\n");
}

#[test]
fn macros_are_defined_and_used() {
    assert_eq!(
        piped("AAA = b c \nxAAAy\nAAA == AAA d\n AAA\n_HAVE_TLS\n"),
        "> Defined macro 'AAA'\n> xb cy\n> Defined macro 'AAA'\n>  b c d\n> y\n> \n"
    );
    // What comes of a macro may be a definition or a setting.
    assert_eq!(
        piped("Aset = set acl_m_x = 3\nAset\n$acl_m_x\n"),
        "> Defined macro 'Aset'\n> variable m_x set\n> 3\n> \n"
    );
}

#[test]
fn a_wrong_definition_is_logged() {
    let config = file("\n\nprimary_hostname = x\n");
    let name = config.path().to_str().unwrap();
    let run = eximious(&["-C", name, "-be"], b"Hello\nA = 1\nA = 2\nAB = 3\nB == 3\n");
    assert_eq!(run.status, Some(0));
    assert_eq!(run.out, "> > Defined macro 'A'\n> > > > \n");
    assert_eq!(
        run.err,
        format!(
            "Exim configuration error in line 3 of {name}:\n  malformed macro definition\n\
             Exim configuration error:\n  macro \"A\" is already defined (use \"==\" if you want \
             to redefine it)\n\
             Exim configuration error:\n  \"AB\" cannot be defined as a macro because previously \
             defined macro \"A\" is a substring\n\
             Exim configuration error:\n  can't redefine an undefined macro \"B\"\n"
        )
    );
    let run = eximious(&["-C", "/dev/null", "-be", "Hello"], b"");
    let wrong = "Exim configuration error in line 0 of /dev/null:\n  malformed macro definition\n";
    assert_eq!(run.err, wrong);
}

#[test]
fn macros_can_not_ask_for_any_amount_of_memory() {
    let mut input = String::new();
    for name in b'A'..=b'Y' {
        let next = char::from(name + 1).to_string().repeat(1000);
        input.push_str(&format!("{} = {next}\n", char::from(name)));
    }
    input.push_str(" AA\n");
    let run = eximious(&["-be"], input.as_bytes());
    assert_eq!(run.status, Some(0));
    assert!(run.err.contains("macros make a line of more than 16 MiB"), "{}", run.err);
}

#[test]
fn arguments_are_expanded_in_order() {
    let args = ["-be", "A = b", "xAx", "set acl_m_x = 1 ", "$acl_m_x|", "", "a\\", "-x"];
    let run = eximious(&args, b"");
    assert_eq!(run.status, Some(0));
    assert_eq!(
        run.out,
        "Defined macro 'A'\nxbx\nvariable m_x set\n1 |\n\nFailed: \\ at end of string\n-x\n"
    );
    let long = "a".repeat(100_000);
    assert_eq!(eximious(&["-be", &long], b"").out, format!("{long}\n"));
}

#[test]
fn a_hundred_thousand_lines_go_through() {
    let input = "${uc:hello}\nplain\n".repeat(50_000);
    assert_eq!(piped(&input), format!("{}> \n", "> HELLO\n> plain\n".repeat(50_000)));
}

/// A program to which one writes, and waits for its answer.
struct Talk {
    child: std::process::Child,
    to: std::process::ChildStdin,
    from: std::process::ChildStdout,
}

impl Talk {
    fn begin() -> Self {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_eximious"))
            .arg("-be")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut talk = Self { child, to, from };
        talk.hear("> ");
        talk
    }

    fn say(&mut self, text: &str) {
        self.to.write_all(text.as_bytes()).unwrap();
    }

    fn hear(&mut self, answer: &str) {
        let mut heard = vec![0; answer.len()];
        self.from.read_exact(&mut heard).unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), answer);
    }

    fn end(mut self) {
        drop(self.to);
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn answers_come_before_the_next_line_is_read() {
    let mut talk = Talk::begin();
    talk.say("a\n");
    talk.hear("a\n> ");
    talk.end();
}

#[test]
fn answers_come_at_once_after_many_lines_that_came_together() {
    let mut talk = Talk::begin();
    // So many are read ahead, on another thread; the last one is not whole.
    let mut many = "${uc:a}\n".repeat(5_000);
    many.push_str("${uc:b");
    // Both pipes fill up: someone has to read meanwhile.
    std::thread::scope(|scope| {
        let Talk { to, from, .. } = &mut talk;
        scope.spawn(|| to.write_all(many.as_bytes()).unwrap());
        let mut heard = vec![0; "A\n> ".len() * 5_000];
        from.read_exact(&mut heard).unwrap();
        assert_eq!(heard, b"A\n> ".repeat(5_000));
    });
    talk.say("}\n");
    talk.hear("B\n> ");
    for (line, answer) in [
        ("X = one", "Defined macro 'X'"),
        (" X", " one"),
        ("set acl_m_a = 7", "variable m_a set"),
        ("$acl_m_a", "7"),
    ] {
        talk.say(&format!("{line}\n"));
        talk.hear(&format!("{answer}\n> "));
    }
    talk.end();
}

#[test]
fn lines_that_are_read_ahead_do_to_each_other_what_they_do_one_by_one() {
    let lines = [
        "${if match{abc}{^a(.)}{$1$nosuch}}",
        "$1 ${uc:x}",
        "A_$N = ${uc:m$N}",
        "x A_$N",
        "A_$N == y",
        " A_$N",
        "A_$N = z",
        "set acl_m_a = $acl_m_a ${length_1:$N}",
        "${length_20:$acl_m_a}",
        "set acl_m_b = ${nosuch:}",
        "[$acl_m_b] ${extract{1}{:}{a:b}{$value}} \\",
        "  $value joined",
        "${if eq{a}{a}{b}",
        "$h_a}:${lc:Q}",
        "",
        "$",
    ];
    let round = |n: usize| lines.map(|line| line.replace("$N", &n.to_string()) + "\n").concat();
    let text: String = (100..300).map(round).collect();
    assert!(text.len() > 32 << 10);
    let together = piped(&text);
    // One by one, nothing is read ahead. The joined lines have one answer.
    let mut talk = Talk::begin();
    let mut answers = Vec::from(b"> ");
    for line in text.split_inclusive('\n') {
        talk.say(line);
        while !line.ends_with("\\\n") && !answered(&mut talk, &mut answers) {}
    }
    answers.extend_from_slice(b"\n");
    talk.end();
    assert_eq!(together, String::from_utf8_lossy(&answers));
}

/// Takes one byte more of an answer; whether it is whole then.
fn answered(talk: &mut Talk, answers: &mut Vec<u8>) -> bool {
    let mut byte = [0];
    talk.from.read_exact(&mut byte).unwrap();
    answers.push(byte[0]);
    answers.ends_with(b"\n> ") || answers.ends_with(b"> > ")
}

#[test]
fn a_message_has_its_values_seen() {
    let message = file("From: a@b.example\nTo: c@d.example\nSubject: hello\n\nbody\n");
    let path = message.path().to_str().unwrap();
    let run = eximious(&["-bem", path], b"$h_subject:\n$message_size $body_linecount\n");
    assert_eq!((run.status, run.out.as_str()), (Some(0), "> hello\n> 55 1\n> \n"));
    let text = "$recipients $recipients_count";
    assert_eq!(eximious(&["-t", "-bem", path, text], b"").out, "c@d.example 1\n");
    // What a message says is tainted.
    let run = eximious(&["-bem", path, "${expand:$h_subject:}"], b"");
    assert!(run.out.starts_with("Failed:"), "{run:?}");
}

#[test]
fn cve_2010_4344_long_log_lines_are_written_whole() {
    let long = "$".repeat(100_000);
    let run = eximious(&["-be", &format!("set,t acl_m_x = {long}")], b"");
    assert_eq!((run.status, run.out.as_str()), (Some(0), "oops: NULL\n"));
    assert_eq!(run.err, format!("attempt to expand tainted string '{long}'\n"));
}

/// What threads find out is told as if one had done it: in order, with the deliveries
/// that were seen before, and with what is logged where it belongs.
#[test]
fn many_addresses_are_told_of_in_order() {
    let config = file(
        "qualify_domain = x.test\nkeep_environment =\nbegin acl\nodd:\n accept message = yes\n  \
         condition = ${if match{$local_part}{\\N[13579]$\\N}}\n deny\n\
         begin routers\none:\n driver = redirect\n condition = ${acl{odd}}\n \
         data = same, ${substr_0_5:$local_part}\n\
         two:\n driver = accept\n debug_print = two sees $local_part\n transport = t\n\
         begin transports\nt:\n driver = appendfile\n file = /dev/null\n user = nobody\n",
    );
    let path = config.path().to_str().expect("a path");
    let addresses: Vec<String> = (0..600).map(|n| format!("user{n:04}")).collect();
    let alone = eximious(&[&["-C", path, "-bt"], &*words(&addresses)].concat(), b"");
    let piped = eximious(&["-C", path, "-bt"], format!("{}\n", addresses.join("\n")).as_bytes());
    assert!(alone.out.matches("duplicate").count() > 100, "{}", alone.out);
    assert_eq!(piped.status, alone.status);
    assert_eq!(piped.out.replace("> ", ""), format!("{}\n", alone.out));
    assert_eq!(piped.err, alone.err);
    assert!(piped.err.contains("two sees user0598"), "{}", piped.err);
}

fn words(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

#[test]
fn the_prompt_keeps_bytes_that_are_no_text() {
    let lines = b":set acl_m_x = \xfc\n$acl_m_x\n${if eq{\xfc}{\n\xfc}{\xe4}}\n";
    let run = eximious(&["repl"], lines);
    let wanted = b"eximious> :set acl_m_x = \xfc\neximious> $acl_m_x\n\xfc\n\
        eximious> ${if eq{\xfc}{\n\xfc}{\xe4}}\n\xe4\n";
    assert_eq!((run.status, run.out), (Some(0), wanted.escape_ascii().to_string()));
}

#[test]
fn a_conversation_at_the_prompt_has_the_message_that_was_read() {
    let config = file(
        "primary_hostname = mx.example\nacl_smtp_rcpt = accept\nacl_smtp_data = data\nbegin acl\n\
         data:\n  deny message = $h_subject: has $message_size bytes\n",
    );
    let message = file("Subject: that\n\nx\n");
    let lines = format!(
        ":from 192.0.2.1 a\n:message {}\n:acl data\n:mail a@b.example\n:rcpt c@d.example\n:data\n",
        message.path().display()
    );
    let run = eximious(&["-C", &config.path().display().to_string(), "repl"], lines.as_bytes());
    assert!(run.out.contains("\ndeny: that has "), "{}", run.out);
    assert!(run.out.contains("\nS: 550 that has "), "{}", run.out);
}
