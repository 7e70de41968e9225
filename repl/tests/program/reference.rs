//! The same input for the real program and for this one: the same output.

use crate::common::{eximious, file, reference, run};

/// Without a name, Exim asks the name server for one whenever it starts.
const CONFIG: &str = "primary_hostname = host.example\n";

/// Fails where the two differ.
fn compare(program: &str, args: &[&str], input: &[u8]) {
    let theirs = run(program, args, input);
    let ours = eximious(args, input);
    assert_eq!(ours, theirs, "{args:?} {}", input.escape_ascii());
}

#[test]
fn pipes() {
    let Some(program) = reference() else { return };
    let config = file(CONFIG);
    let args = ["-C", config.path().to_str().unwrap(), "-be"];
    for input in [
        "",
        "\n",
        "a",
        "a \n",
        " a\n",
        "\ta\n",
        "a\\\nb\n",
        "a  \\\n   b\n",
        "a\\  \n   b\n",
        "a\\\n\nb\n",
        "a\\",
        "a\\\\\nb\n",
        "  \\\na\n",
        "a\\\n  \\\n\nb",
        "a\r\nb\r\n",
        "a\\\r\nb\n",
        "a\0b\nc\n",
        "\0a\nc\n",
        "a\\\0\nc\n",
        "#abc\n",
        "$\n",
        "a\x0cb \x0c\n",
        "set acl_m_x = abc\n$acl_m_x\n",
        "set,t acl_m_x = abc\n${expand:$acl_m_x}\n",
        "set  acl_m_x = abc\n",
        "set acl_m_x\n",
        "set acl_m_x = ${foo}\n",
        "set acl_m-x = 1\n",
        "set \n",
        "set =\n",
        "set,tacl_m_x = 1\n",
        "set acl_m_x == 1\n$acl_m_x\n",
        "A = b\nA\nxAy\n A\n",
        "AAA = b\nAA = c\nAAA AA\n",
        "A = B\nB = c\nA B\n",
        "Abc\n",
        "A = x\nA == A y\nA\n A = 3\n",
        "A = b\nset acl_m_A = A\n$acl_m_b\n",
        "A.b = z\n",
        "_HAVE_TLS\n_HAVE_IPV6x\nx _FOO _HAVE_TLS\nx A _HAVE_TLS\n",
        "A = 1\nA_HAVE_TLS = 1\n",
        "A\\\n = 1 A\nA\n",
        "AB = 1\nxA\\\nB\n",
        "A =\nxAx\n",
        "A = a # c\nA\n",
    ] {
        compare(&program, &args, input.as_bytes());
    }
    for length in [1020, 1022, 1023, 1024, 5000] {
        let line = "a".repeat(length);
        for end in ["\nx\n", "\\\nx\n", "   b\nx\n", ""] {
            compare(&program, &args, format!("{line}{end}").as_bytes());
        }
    }
}

#[test]
fn random_lines() {
    let Some(program) = reference() else { return };
    let config = file(CONFIG);
    let name = config.path().to_str().unwrap();
    let pieces: [&[u8]; 40] = [
        b"A",
        b"B",
        b"AB",
        b"Ab",
        b"A_1",
        b" = ",
        b"=",
        b"==",
        b" ",
        b"  ",
        b"\t",
        b"\\\n",
        b"\\ \n",
        b"\n",
        b"\n",
        b"\n",
        b"\r\n",
        b"\0",
        b"a",
        b"b",
        b"set ",
        b"set,t ",
        b"acl_m_x",
        b"acl_c1",
        b"acl_m",
        b"${uc:x}",
        b"$acl_m_x",
        b"\\",
        b"$",
        b"_HAVE_TLS",
        b"_HAVE_",
        b"\x0b",
        b"\x0c",
        b"#",
        b"\xc3\xa9",
        b"A = b\n",
        b"B == A c\n",
        b"set acl_m_x = A\n",
        b"dkim_verify_status",
        b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ];
    let values = ["-DA=", "-DA=x", "-DA=B", "-DA= y ", "-DA=set acl_c1 = 3", "-DAB=z"];
    let mut random = fastrand::Rng::with_seed(20_261_120);
    for _ in 0..200 {
        let count = random.usize(1..40);
        let input: Vec<u8> =
            (0..count).flat_map(|_| pieces[random.usize(0..pieces.len())]).copied().collect();
        let mut args = vec!["-C", name];
        if random.bool() {
            args.push(values[random.usize(0..values.len())]);
        }
        args.push("-be");
        compare(&program, &args, &input);
    }
}

#[test]
fn options() {
    let Some(program) = reference() else { return };
    let config = file(CONFIG);
    let name = config.path().to_str().unwrap();
    for option in [
        "-A",
        "-Ac",
        "-Ax",
        "-B7",
        "-bx",
        "-b",
        "-be0",
        "-bnq",
        "-bmx",
        "-btx",
        "-bdx",
        "-bpx",
        "-bI",
        "-bPx",
        "-br",
        "-c",
        "-dx",
        "-d+foo",
        "-d-all",
        "-d=1",
        "-E",
        "-e",
        "-eq",
        "-ez",
        "-Ffoo",
        "-ffoo@bar",
        "-G",
        "-g",
        "-H",
        "-h",
        "-h5",
        "-h5x",
        "-hx",
        "-i",
        "-ix",
        "-Lfoo",
        "-Mx",
        "-m",
        "-mx",
        "-n",
        "-nx",
        "-Ofoo",
        "-o",
        "-oB",
        "-oBx",
        "-oB3",
        "-oD",
        "-odb",
        "-odx",
        "-oee",
        "-oex",
        "-oi",
        "-oitrue",
        "-oix",
        "-oMx",
        "-om",
        "-or5m",
        "-orx",
        "-os",
        "-osx",
        "-ov",
        "-oX25",
        "-oY",
        "-P",
        "-pd",
        "-pfoo:bar",
        "-Q",
        "-s",
        "-T",
        "-t",
        "-ti",
        "-tx",
        "-tls-on-connect",
        "-tlsx",
        "-U",
        "-u",
        "-V",
        "-v",
        "-vx",
        "-x",
        "-xx",
        "-Z",
        "-",
        "--foo",
        "-D",
        "-Da=1",
        "-DA.b=1",
        "-DA=1",
        "-D A = 1 ",
        "-DAbcdefghijklmnopqrstuvwxyz=1",
    ] {
        let text = "Abcdefghijklmnopqrstuvwxyz = 1";
        compare(&program, &["-C", name, option, "-be", "xA", text], b"");
    }
    for args in [
        &["-be", "-C"][..],
        &["-be", "-f"],
        &["-be", "-L"],
        &["-be", "-O"],
        &["-be", "-oA"],
        &["-be", "-oMa"],
        &["-be", "-oMr"],
        &["-be", "-oP"],
        &["-be", "-or"],
        &["-be", "-p"],
        &["-be", "-z"],
        &["-be", "-bf"],
        &["-be", "-bfd"],
        &["-be", "-Mset"],
        &["-be", "-bem"],
        &["-bem", "/nonexistent", "x"],
        &["-oMa", "::1.25", "-be", "$sender_host_address $sender_host_port"],
        &["-oMa", "[1.2.3.4]x", "-be", "x"],
        &["-oMr", "a", "-oMr", "b", "-be", "x"],
        &["-oMm", "x", "-be", "x"],
        &["-f", "a b", "-be", "$sender_address"],
        &["-f", "a", "-be", "$sender_address"],
        &["-f", "<>", "-be", "$sender_address|"],
        &["-be", "$authenticated_id $sender_ident $sender_address $authenticated_sender"],
        &["-DA=1", "-DA=2", "-be", "x"],
        &["-bI:help"],
        &["-bI:nosuch"],
    ] {
        compare(&program, &[&["-C", name], args].concat(), b"");
    }
}

#[test]
fn messages() {
    let Some(program) = reference() else { return };
    let config = file(CONFIG);
    let name = config.path().to_str().unwrap();
    // What differs from run to run is left out: the identification, the date.
    let steady = "${filter{<\\n $message_headers_raw}{!match{$item}{^(Resent-)?(Message-I|Dat)}}}";
    let texts = [
        "$message_size|$body_linecount|$message_linecount|$max_received_linelength",
        "$received_count|$body_zerocount|$recipients|$recipients_count|$sender_address",
        "$h_subject:|$message_body",
        steady,
    ];
    for text in [
        "Subject: x\n\nbody\n",
        "Subject: x",
        "Subject: x\n\na\n.\nb\n",
        "Subject: x\r\n\r\na\r\nb\r\n",
        "",
        "\nbody\n",
        "no header\nx: y\n\nbody\n",
        "Subject: x\nno header\nx: y\n\nbody\n",
        "Received: x\nReceived: y\nSubject: x\n\nbody\n",
        "From foo@bar Fri Jan  5 12:55 GMT 1997\nSubject: x\n\nbody\n",
        "From foo Fri, 5 Jan 97 12:55:01\nSubject: x\n\nbody\n",
        " x: y\nSubject: x\n\nbody\n",
        "To: a@b, \"x\" <c@d>\nCc: (foo) e@f\nBcc: g\nResent-To: z@z\n\nb\n",
        "To: a@b, c@d\nBcc: g@h\n\nb\n",
        "To: undisclosed: ;\nSubject: x\n\nb\n",
        "To: a@b, bad@@x, c\nSubject: x\n\nb\n",
        "From: q\nSender: z@z\nMessage-ID: <a@b>\nDate: now\n\nb",
        "Resent-From: q\nFrom: z\n\nb",
        "Return-Path: q\nEnvelope-To: z\nDelivery-Date: x\nX: y\n\nb",
    ] {
        let message = file(text);
        let path = message.path().to_str().unwrap();
        for options in [&[][..], &["-t"], &["-i"], &["-f", "q@r"], &["-F", "a b.c"]] {
            let args = [&["-C", name], options, &["-bem", path], &texts[..]].concat();
            compare(&program, &args, b"");
        }
        compare(&program, &["-C", name, "-bem", path], b"$h_subject:\n");
    }
}

#[test]
fn configurations() {
    let Some(program) = reference() else { return };
    let texts = [
        "$primary_hostname $qualify_domain|$qualify_recipient|$spool_directory",
        "$localhost_number",
        "A",
    ];
    for text in [
        "primary_hostname = a b \\\n  c  \n",
        "primary_hostname = \"a\\tb\"\n",
        "primary_hostname = \"a\n",
        "primary_hostname = \"a\" b\n",
        "primary_hostname\n",
        "primary_hostname foo\n",
        "primary_hostname = a\nprimary_hostname = b\n",
        "# x\n  # y\nprimary_hostname = a\\\n# c\nb\\\n\nc\n",
        "foo = bar\n",
        "9foo = 1\n",
        "no_primary_hostname\n",
        "print_topbitchars = maybe\n",
        "no_print_topbitchars = 1\n",
        "hide\n",
        "hide qualify_domain = q\n",
        "begin foo\n",
        "primary_hostname = x\nbegin retry\n",
        "A = x\nA == A y\nprimary_hostname = A\n",
        "A\n",
        ".ifdef A\nfoo\n.else\nprimary_hostname = x\n.endif\n",
        ".ifdef A\n",
        ".endif\n",
        ".elifdef A\n",
        ".include /nonexistent\n",
        ".include_if_exists x\n",
        ".foo\n",
        "domainlist a\n",
        "domainlist a = x\ndomainlist a = y\n",
        "domainlistx = x\n",
        "message_body_visible = x\n",
        "message_body_visible = 1KB\n",
        "message_body_visible = 3G\n",
        "localhost_number = 17\n",
        "localhost_number = x\n",
        "localhost_number = 5k\n",
        "localhost_number = 0x5\n",
        "localhost_number = 010\n",
        "localhost_number = $tod_zone\n",
        "spool_directory = /x${uc:y}\n",
        "spool_directory = ${nosuch:y}\n",
    ] {
        let config = file(text);
        let name = config.path().to_str().unwrap();
        let args = [&["-C", name, "-be"], &texts[..]].concat();
        let (ours, theirs) = (eximious(&args, b""), run(&program, &args, b""));
        assert_eq!(ours, theirs, "{text}");
    }
}
