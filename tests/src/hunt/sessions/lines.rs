//! What a client says.

use fastrand::Rng;

use super::super::Quarry;
use crate::dice::Dice;

/// Adds the lines of a session.
pub(super) fn add(rng: &mut Rng, quarry: &mut Quarry) {
    if !rng.chance(6) {
        let hello = [
            "EHLO client.test",
            "EHLO client.test",
            "HELO twin1.test",
            "EHLO x",
            "ehlo [192.0.2.1]",
        ];
        quarry.loose(format!("> {}", rng.pick(&hello)));
    }
    for _ in 0..rng.usize(2..14) {
        // What follows belongs to it: a message, a chunk.
        let mut lines = match rng.u32(..20) {
            0..=2 => vec![format!("> {}", mail(rng))],
            3..=7 => vec![format!("> {}", recipient(rng))],
            8 | 9 => vec!["> DATA".to_owned(), format!(">\\ {}", message(rng))],
            10 => vec![chunk(rng)],
            11 => vec![format!(">\\ {}", raw(rng))],
            // What works.
            12..=14 => vec![
                format!("> MAIL FROM:<{}>", rng.pick(&["ann@me.test", "", "bad@me.test"])),
                format!("> RCPT TO:<{}>", rng.pick(&["bob@me.test", "list@me.test", "ann"])),
            ],
            _ => vec![format!("> {}", odd(rng))],
        };
        if rng.chance(8) {
            lines[0] = lines[0].replacen('>', ">&", 1);
        }
        quarry.loose(lines.join("\n"));
    }
    match rng.u32(..8) {
        0 => {}
        1 => {
            let cut =
                ["MAIL FROM:<a", "QUIT", "RSET\\r", "\\r", "EHLO client.test", "\\0", "NOOP\\n"];
            quarry.loose(format!(">\\ {}", rng.pick(&cut)));
        }
        2 => {
            quarry.loose("> DATA").loose(">\\ Subject: x\\r\\n\\r\\ncut off");
        }
        _ => {
            quarry.loose("> QUIT");
        }
    }
}

fn spelled(rng: &mut Rng, word: &str) -> String {
    match rng.u32(..14) {
        0 => word.to_lowercase(),
        1 => word.replace(' ', "  "),
        2 => format!("{word} "),
        3 => word.replace(':', ": "),
        4 => word.replace(':', " :"),
        5 => word.chars().map(|c| if rng.bool() { c.to_ascii_lowercase() } else { c }).collect(),
        _ => word.to_owned(),
    }
}

fn address(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "<ann@me.test>",
        "<ann@me.test>",
        "<bob@me.test>",
        "<bob@me.test>",
        "<no@me.test>",
        "<void@me.test>",
        "<later@me.test>",
        "<gone@me.test>",
        "<nobody@me.test>",
        "<list@me.test>",
        "<>",
        "<rw@me.test>",
        "<x@smtp.test>",
        "x@smtp.test",
        "ann@me.test",
        "<ann>",
        "<@a.test,@b.test:ann@me.test>",
        "<@a.test:ann@me.test>",
        "<@a.test@b.test:ann@me.test>",
        "<\"a b\"@me.test>",
        "<\"a\\\\\"b\"@me.test>",
        "<\"\"@me.test>",
        "<\"ann\"@me.test>",
        "<ann@me.test",
        "ann@me.test>",
        "<<ann@me.test>>",
        "<<<ann@me.test>>>",
        "<<ann@me.test>",
        "<ann@me.test.>",
        "<ann@me.test..>",
        "<ann@[192.0.2.1]>",
        "<ann@[IPv6:2001:db8::1]>",
        "<ann@[x]>",
        "<postmaster>",
        "<Postmaster>",
        "<postmaster@>",
        "<ann@@me.test>",
        "<a(c)b@me.test>",
        "<ann(c)@me.test>",
        "<ann@me.test> (c)",
        "(c)<ann@me.test>",
        "Ann <ann@me.test>",
        "\"Ann\" <ann@me.test>",
        "<ann@me..test>",
        "< ann@me.test >",
        "<ann @ me.test>",
        "<bad@me.test>",
        "",
        "<ann@>",
        "<@me.test>",
        "<@>",
        "<.ann@me.test>",
        "<ann.@me.test>",
        "<a..b@me.test>",
        "<a.b@me.test>",
        "<ann@-me.test>",
        "<ann@me_x.test>",
        "<ANN@ME.TEST>",
        "<ann+x@me.test>",
        "<a@b@me.test>",
        "<ann@me.test>x",
        "<ann@me.test>,<bob@me.test>",
        "<ann@me.test>;",
        "<ann@xn--mller-kva.test>",
        "<:ann@me.test>",
        "<@a.test,ann@me.test>",
        "ann@me.test bob",
        "<|x@me.test>",
        "</x@me.test>",
        "<ann%b@me.test>",
        "<a!b>",
    ])
}

fn parameters(rng: &mut Rng, all: &[&'static str]) -> String {
    rng.some(0, 3, "", |rng| match rng.chance(3) {
        true => format!(" {}", rng.pick(all)),
        false => String::new(),
    })
}

fn mail(rng: &mut Rng) -> String {
    let all = [
        "SIZE=10",
        "SIZE=1000",
        "SIZE=99999999999",
        "SIZE=",
        "SIZE",
        "SIZE=x",
        "SIZE=-1",
        "BODY=8BITMIME",
        "BODY=7BIT",
        "BODY=x",
        "BODY",
        "RET=HDRS",
        "RET=FULL",
        "RET=x",
        "RET=",
        "ENVID=a+2Bb",
        "ENVID=a+2",
        "ENVID=",
        "PRDR",
        "PRDR=1",
        "SMTPUTF8",
        "SMTPUTF8=x",
        "AUTH=<>",
        "AUTH=a@b",
        "AUTH=a+40b",
        "AUTH=",
        "NOSUCH",
        "NOSUCH=1",
        "=1",
        "size=20",
        "body=8bitmime",
        "BODY=BINARYMIME",
    ];
    let head = spelled(rng, "MAIL FROM:");
    format!("{head}{}{}", address(rng), parameters(rng, &all))
}

fn recipient(rng: &mut Rng) -> String {
    let all = [
        "NOTIFY=NEVER",
        "NOTIFY=SUCCESS,FAILURE",
        "NOTIFY=x",
        "NOTIFY=",
        "NOTIFY",
        "notify=delay",
        "ORCPT=rfc822;a@b",
        "ORCPT=rfc822;a+40b",
        "ORCPT=",
        "NOSUCH",
        "NOSUCH=1",
        "SIZE=10",
        "NOTIFY=NEVER,DELAY",
        "NOTIFY=DELAY,DELAY",
        "ORCPT=x",
    ];
    let head = spelled(rng, "RCPT TO:");
    format!("{head}{}{}", address(rng), parameters(rng, &all))
}

fn message(rng: &mut Rng) -> String {
    let header = rng.some(0, 4, "", |rng| {
        let lines = [
            "From: ann@me.test\\r\\n",
            "To: bob@me.test\\r\\n",
            "Subject: x\\r\\n",
            "Subject: bad\\r\\n",
            "X: a\\r\\n b\\r\\n",
            "Received: by x\\r\\n",
            "no header\\r\\n",
            "Bcc: x@y\\r\\n",
            "X:\\r\\n",
            "From ann Mon Jan  1 00:00:00 2024\\r\\n",
            "Sender: z@z\\r\\n",
            "X: \\{60:a}\\r\\n",
            " y\\r\\n",
            "X : y\\r\\n",
            "Resent-To: bob\\r\\n",
            "From: bob\\n",
            "X: \\x80\\r\\n",
            "X: a\\0b\\r\\n",
            "Message-ID: <a@b>\\r\\n",
            "Date: x\\r\\n",
        ];
        rng.pick(&lines).to_owned()
    });
    let body = rng.some(0, 3, "", |rng| {
        let lines = [
            "text\\r\\n",
            "..\\r\\n",
            ".x\\r\\n",
            "a\\nb\\r\\n",
            ".\\n",
            "\\x80\\r\\n",
            "\\{30:xy}\\r\\n",
            "a\\rb\\r\\n",
            "\\0\\r\\n",
            "\\n.\\n",
            "\\r.\\r\\n",
        ];
        rng.pick(&lines).to_owned()
    });
    format!("{header}\\r\\n{body}.\\r\\n")
}

fn chunk(rng: &mut Rng) -> String {
    let last = rng.pick(&["", " LAST", " last", " LAST"]);
    match rng.u32(..6) {
        0 => format!(">\\ BDAT 0{last}\\r\\n"),
        1 => format!(">\\ BDAT 5{last}\\r\\nX:y\\r\\n"),
        2 => format!(">\\ BDAT 20{last}\\r\\nSubject: x\\r\\n\\r\\nbody\\r\\n"),
        3 => format!(">\\ BDAT 9{last}\\r\\nx.\\r\\n.\\r\\nab"),
        4 => format!("> BDAT{last}"),
        _ => format!("> BDAT x{last}"),
    }
}

/// Lines with other ends and bytes than they should have.
fn raw(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "NOOP\\n",
        "NOOP\\rNOOP\\r\\n",
        "NOOP\\r\\r\\n",
        "NOOP\\nNOOP\\n",
        "NO\\0OP\\r\\n",
        "MAIL FROM:<ann\\0@me.test>\\r\\n",
        "RCPT TO:<a\\x80b@me.test>\\r\\n",
        "MAIL FROM:<\\xc3\\xa4@me.test>\\r\\n",
        "MAIL FROM:<ann@m\\xc3\\xbcller.test> SMTPUTF8\\r\\n",
        "EHLO m\\xc3\\xbcller.test\\r\\n",
        "\\x80\\r\\n",
        "\\n",
        "\\r\\n",
        "\\r\\n\\r\\nNOOP\\r\\n",
        " NOOP\\r\\n",
        "\\tNOOP\\r\\n",
        "NOOP \\{600:a}\\r\\n",
        "EHLO \\{300:a}.test\\r\\n",
        "RCPT TO:<\\{400:a}@me.test>\\r\\n",
        "MAIL FROM:<ann@\\{300:a}.test>\\r\\n",
        "VRFY \\{900:a}\\r\\n",
        "\\{2100:a}\\r\\n",
        "NOOP \\{17000:a}\\r\\n",
        "VRFY ann\\x07\\r\\n",
        "RCPT TO:<ann@me.test>\\r\\nDATA\\r\\n.\\r\\n",
        "RSET\\r\\nMAIL FROM:<>\\r\\nRCPT TO:<ann@me.test>\\r\\n",
        "EHLO client.test\\r\\nMAIL FROM:<>\\r\\n",
        "DATA\\r\\nSubject: x\\r\\n\\r\\n.\\r\\n",
        "HELO client.test\\nMAIL FROM:<ann@me.test>\\n",
        "RSET\\r\\nQUIT\\r\\nNOOP\\r\\n",
        "VRFY ann\\r\\nNOOP\\r\\n",
    ])
}

fn odd(rng: &mut Rng) -> String {
    let all = [
        "RSET",
        "RSET",
        "NOOP",
        "NOOP x",
        "HELP",
        "HELP x",
        "VRFY ann",
        "VRFY <nobody>",
        "VRFY nobody@me.test",
        "VRFY list",
        "VRFY <ann@me.test>",
        "VRFY Ann <ann@me.test>",
        "VRFY ann@other.test",
        "VRFY x@smtp.test",
        "VRFY a b",
        "VRFY @",
        "EXPN ann",
        "EXPN list",
        "EXPN nobody",
        "EXPN <list@me.test>",
        "EXPN a b",
        "EXPN @",
        "ETRN #x",
        "ETRN x",
        "ETRN @x.test",
        "ETRN #",
        "ETRN #x y",
        "ETRN",
        "EHLO client.test",
        "HELO client.test",
        "EHLO",
        "HELO",
        "EHLO x",
        "HELO x",
        "EHLO [192.0.2.1]",
        "EHLO [IPv6:2001:db8::1]",
        "EHLO [x]",
        "EHLO [192.0.2.1",
        "EHLO (",
        "EHLO a.b.",
        "EHLO .",
        "EHLO a..b",
        "EHLO -a",
        "HELO 192.0.2.1",
        "EHLO twin2.test",
        "EHLO wrong.test",
        "HELO no.such.test",
        "STARTTLS",
        "STARTTLS x",
        "DATA",
        "DATA x",
        "MAIL",
        "RCPT",
        "MAIL x",
        "MAIL TO:<ann@me.test>",
        "RCPT FROM:<ann@me.test>",
        "RCPT TO",
        "NOSUCH",
        "NOSUCH x",
        "",
        " ",
        "QUIT x",
        "VRFY",
        "EXPN",
        "MAILFROM:<a@b>",
        "RCPTTO:<ann@me.test>",
        "MAIL FROM",
        "MAIL FROM:",
        "helo client.test",
        "EHLO a_b",
        "EHLO me.test",
        "HELO me.test",
        "EHLOx",
        "RSETx",
        "NOOPx",
        "DATAx",
        "HELPx",
        "QUITx",
        "VRFYx",
        "SEND FROM:<a@b>",
        "TURN",
        "POST / HTTP/1.1",
        "GET / HTTP/1.0",
        "WIZ",
    ];
    let text = rng.pick(&all);
    spelled(rng, text)
}
