//! Texts that stand in a configuration: words, values, calls of ACLs, things that fail.

use fastrand::Rng;

use crate::dice::Dice;

const WORDS: &[&str] = &[
    "",
    "a",
    "yes",
    "no",
    "true",
    "false",
    "0",
    "1",
    "2",
    "ann",
    "bob",
    "me.test",
    "two words",
    "x:y",
    "550 no",
    "450 later",
    "550 5.7.1 never",
    "250 fine",
    "line\\nnext",
    "<tag>",
    "%s",
    "a/b",
    "*",
    ":",
    "::",
    "<; a;b",
    "+local_domains",
    "!bob",
];

const VALUES: &[&str] = &[
    "$acl_m_a",
    "$acl_m_b",
    "$acl_c_a",
    "$acl_m_none",
    "$acl_arg1",
    "$acl_arg2",
    "$acl_narg",
    "$acl_verify_message",
    "$address_data",
    "$domain",
    "$domain_data",
    "$host_data",
    "$local_part",
    "$local_part_data",
    "$message_size",
    "$rcpt_count",
    "$rcpt_defer_count",
    "$rcpt_fail_count",
    "$recipients_count",
    "$sender_address",
    "$sender_address_domain",
    "$sender_data",
    "$sender_helo_name",
    "$sender_host_address",
    "$sender_verify_failure",
    "$recipient_verify_failure",
    "$smtp_command",
    "$smtp_command_argument",
    "$value",
    "$1",
    "$authenticated_id",
    "$received_protocol",
    "$message_linecount",
    "$dnslist_domain",
    "$callout_address",
    "$parent_local_part",
    "$recipients",
    "$sender_host_name",
];

/// A text; `calls` names ACLs that it may call.
pub fn text(rng: &mut Rng, depth: u32, calls: &[String]) -> String {
    rng.some(1, 3, " ", |rng| piece(rng, depth, calls))
}

fn piece(rng: &mut Rng, depth: u32, calls: &[String]) -> String {
    if depth == 0 || rng.chance(2) {
        return match rng.chance(2) {
            true => rng.pick(WORDS).to_owned(),
            false => rng.pick(VALUES).to_owned(),
        };
    }
    let inner = |rng: &mut Rng| text(rng, depth - 1, calls);
    match rng.u32(..12) {
        0..=2 if !calls.is_empty() => {
            let name = &calls[rng.usize(..calls.len())];
            let arguments = rng.some(0, 2, "", |rng| format!("{{{}}}", inner(rng)));
            match rng.chance(2) {
                true => format!("${{acl{{{name}}}{arguments}}}"),
                false => format!("${{if acl{{{{{name}}}{arguments}}}{{[$value]}}{{not}}}}"),
            }
        }
        3 => format!("${{uc:{}}}", inner(rng)),
        4 => format!("${{if eq{{{}}}{{{}}}{{{}}}{{{}}}}}", inner(rng), inner(rng), inner(rng), "n"),
        5 => format!("${{if def:acl_m_a{{{}}}{{{}}}}}", inner(rng), inner(rng)),
        6 => format!("${{lookup{{{}}}lsearch{{DIR/table}}{{$value}}{{{}}}}}", "ann", inner(rng)),
        7 => format!("${{lookup{{{}}}lsearch{{DIR/table}}{{$value}}fail}}", inner(rng)),
        8 => format!("${{if match{{{}}}{{^(.)}}{{$1}}fail}}", inner(rng)),
        9 if rng.chance(4) => rng
            .pick(&["${if", "$nosuch", "${nosuch:a}", "${if eq{a}{b}{c}fail}", "${acl{nosuch}}"])
            .to_owned(),
        _ => format!("${{quote:{}}}", inner(rng)),
    }
}
