//! Messages that local programs hand in, with options of the command line and of the
//! configuration.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// As in the cases: without the program's version.
const RECEIVED: &str = "received_header_text = Received: from ${if def:sender_rcvhost \
    {$sender_rcvhost}{$sender_ident}} by $primary_hostname with $received_protocol (envelope-from \
    <$sender_address>) id $message_exim_id${if def:received_for { for $received_for}}";

const OPTIONS: &[&str] = &[
    "untrusted_set_sender = *",
    "local_from_check = false",
    "local_from_prefix = a-",
    "local_from_suffix = -a",
    "local_from_check = false\nlocal_sender_retain",
    "qualify_domain = q.test",
    "qualify_recipient = r.test",
    "drop_cr",
    "ignore_fromline_local",
    "message_size_limit = 200",
    "header_maxsize = 300",
    "header_line_maxsize = 60",
    "recipients_max = 2",
    "extract_addresses_remove_arguments = false",
    "message_id_header_domain = id.test",
    "message_id_header_text = x.y",
    "trusted_users = nobody",
    "trusted_groups = nogroup",
    "add_environment = A=b",
    "received_headers_max = 1",
    "print_topbitchars",
    "acl_not_smtp = accept remove_header = subject : x",
    "acl_not_smtp = accept regex = ^a : (",
    "acl_not_smtp_mime = accept decode = default",
    "acl_not_smtp = accept malware = */defer_ok",
    "bounce_return_body = false",
    "acl_not_smtp = deny message = no way",
    "acl_not_smtp = discard",
    "return_path_remove = false",
    "acl_not_smtp = accept add_header = X-A: $sender_address",
    "delivery_date_remove = false",
    "acl_not_smtp = accept control = freeze",
    "acl_not_smtp_start = accept control = submission",
    "acl_not_smtp = accept control = suppress_local_fixups",
    "unknown_login = someone",
    "uucp_from_sender = x$1@u.test",
    "gecos_name = G",
    "gecos_pattern = ^(.*)$",
];

const ARGUMENTS: &[&str] = &[
    "-t",
    "-i",
    "-oi",
    "-odq",
    "-oem",
    "-oee",
    "-oep",
    "-oeq",
    "-f x@y.test",
    "-f <>",
    "-f bad@@",
    "-f x",
    "-F Full\\sName",
    "-F \"A\\sB\"",
    "-oMr proto",
    "-oMa 192.0.2.1",
    "-oMs host.test",
    "-oMt ident",
    "-G",
    "-bnq",
    "-N",
    "-oMai auth",
    "-oMaa plain",
    "-oMas a@b",
    "-m",
    "-oo",
    "-B8BITMIME",
    "-r r@s.test",
    "-h 3",
    "-n",
    "-X /dev/null",
    "-v",
    "-bm",
];

/// A configuration, and messages.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("+++").fixed(RECEIVED);
    for option in rng.options(4, OPTIONS) {
        quarry.loose(option);
    }
    let user = rng.pick(&["", "", "as=nobody "]);
    let arguments = rng.some(0, 4, " ", |rng| rng.pick(ARGUMENTS).to_owned());
    let recipients = rng.some(0, 3, " ", |rng| {
        let all = [
            "a@b.test",
            "c",
            "bad@@",
            "<d@e.test>",
            "a@b.test,f@g.test",
            "A\\s<h@i.test>",
            "\"j\\sk\"@l.test",
        ];
        rng.pick(&all).to_owned()
    });
    let words = [user.trim_end(), &arguments, &recipients];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    // Without an argument, the program says how it is used.
    let words = if recipients.is_empty() && !arguments.contains("-t") {
        [&words[..], &["a@b.test"]].concat()
    } else {
        words
    };
    quarry.fixed(format!("? {}", words.join(" ")));
    for _ in 0..rng.usize(..7) {
        quarry.loose(format!("> {}", field(rng)));
    }
    quarry.loose("> \\n");
    for _ in 0..rng.usize(..4) {
        let all = [
            "body\\n",
            "..\\n",
            ".x\\n",
            "a\\r\\n",
            "From x\\n",
            "\\{50:ab}\\n",
            "\\xe9\\n",
            "last",
            "\\0\\n",
            ".\\n",
        ];
        quarry.loose(format!("> {}", rng.pick(&all)));
    }
    quarry
}

fn field(rng: &mut Rng) -> String {
    let name = rng.pick(&[
        "From",
        "To",
        "Cc",
        "Bcc",
        "Subject",
        "Sender",
        "Reply-To",
        "Date",
        "Message-Id",
        "Received",
        "X",
        "Resent-From",
        "Resent-To",
        "Resent-Bcc",
        "Resent-Sender",
        "Return-Path",
        "Delivery-Date",
        "from",
        "TO",
        "Envelope-To",
        "Resent-Date",
    ]);
    let value = rng.pick(&[
        "a@b.test",
        "a",
        "a@b.test, c@d.test",
        "A B <a@b.test>",
        "\"A\\sB\"\\s<a@b.test>",
        "(c) a@b.test",
        "",
        "Group: a@b.test, c;",
        "bad@@",
        "root",
        "nobody@mail.example",
        "a,\\n b,\\n c",
        "<>",
        "\\xe9@b.test",
        "Mon, 1 Jan 2024 00:00:00 +0000",
        "<id@x>",
        "a@b.test,",
        "\\{20:a@b.test, }c",
        "\"unclosed",
    ]);
    match rng.u32(..20) {
        0 => "no field\\n".to_owned(),
        1 => format!("{name} : {value}\\n"),
        2 => format!("{name}:{value}\\r\\n"),
        3 => "From x@y.test Mon Jan  1 00:00:00 2024\\n".to_owned(),
        _ => format!("{name}: {value}\\n"),
    }
}
