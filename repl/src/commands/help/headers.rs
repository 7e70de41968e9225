//! The pages of header lines: how a configuration reads them, and what the usual ones are for.

use std::fmt::Write;

use eximious::complete::HEADERS;

/// How header lines are read (specification 11.5).
const READING: &str = "\
$h_subject: is the header line's text; $header_subject: is the same. The name ends at its colon,
or at a blank; braces are no way to end it. The case of its letters does not matter, and a line
that is not there is empty; ${if def:h_subject:…} asks whether it is. What comes of a message is
tainted.

  $h_NAME:   encoded words are decoded, into the character set of headers_charset
  $bh_NAME:  encoded words are decoded, in the character set that they have
  $rh_NAME:  as it came, with its blanks and line ends
  $lh_NAME:  as $rh_, for a list: of several lines of the name, each is an item

Of several lines with the same name, all are there, one behind the other; those with addresses
have a comma between them. In an ACL they exist when the header has come; lines that the ACL has
added can be seen in the next one.
";

/// What a usual header line is for, and where that is said.
type Usual = (&'static str, &'static str, &'static str);

/// The usual ones.
const USUAL: &[Usual] = &[
    ("ARC-Authentication-Results", "what a forwarder found of who sent it", "RFC 8617"),
    ("ARC-Message-Signature", "a forwarder's signature of the message", "RFC 8617"),
    ("ARC-Seal", "a forwarder's seal of the chain before it", "RFC 8617"),
    ("Authentication-Results", "what a host found of who sent it", "RFC 8601"),
    ("Auto-Submitted", "that no person has sent it", "RFC 3834"),
    ("Bcc", "recipients whom the others are not told of", "RFC 5322, 3.6.3"),
    ("Cc", "further recipients", "RFC 5322, 3.6.3"),
    ("Content-Transfer-Encoding", "how the body is encoded", "RFC 2045, 6"),
    ("Content-Type", "what kind of body it is", "RFC 2045, 5"),
    ("Date", "when it was written", "RFC 5322, 3.6.1"),
    ("Delivered-To", "for whom it came, which finds loops", "RFC 9228"),
    ("Delivery-Date", "when it came into the mailbox (delivery_date_add)", "specification 24"),
    ("Disposition-Notification-To", "who wants to know that it was read", "RFC 8098, 2.1"),
    ("DKIM-Signature", "a domain's signature of the message", "RFC 6376"),
    ("Envelope-To", "for whom it came into the mailbox (envelope_to_add)", "specification 24"),
    ("Errors-To", "where reports were to go once; the envelope's sender counts", "RFC 2076, 3.5"),
    ("From", "who has written it", "RFC 5322, 3.6.2"),
    ("In-Reply-To", "which message it answers", "RFC 5322, 3.6.4"),
    ("List-Id", "the mailing list that it went through", "RFC 2919"),
    ("List-Unsubscribe", "how to leave the mailing list", "RFC 2369"),
    ("Message-Id", "its name, which no other message has", "RFC 5322, 3.6.4"),
    ("MIME-Version", "that the body is in MIME's form", "RFC 2045, 4"),
    ("Precedence", "bulk, list or junk: no answers by themselves are wanted", "RFC 3834, 2"),
    ("Received", "a host that has passed it on", "RFC 5321, 4.4"),
    ("Received-SPF", "what SPF says of the client", "RFC 7208, 9.1"),
    ("References", "the messages before it in a conversation", "RFC 5322, 3.6.4"),
    ("Reply-To", "where answers go", "RFC 5322, 3.6.2"),
    ("Resent-From", "who has sent it once more", "RFC 5322, 3.6.6"),
    ("Resent-To", "to whom it was sent once more", "RFC 5322, 3.6.6"),
    ("Return-Path", "the envelope's sender, in the mailbox (return_path_add)", "RFC 5321, 4.4"),
    ("Sender", "who has sent it for the author", "RFC 5322, 3.6.2"),
    ("Subject", "what it is about", "RFC 5322, 3.6.5"),
    ("To", "its recipients", "RFC 5322, 3.6.3"),
    ("User-Agent", "the program that has written it", "RFC 5536, 3.2.13"),
    ("X-Failed-Recipients", "whom a report says it did not reach", "specification 49"),
];

/// What the page about all of them is called; an option of a driver is called so, too.
pub const ALL: &str = "headers";

/// The names of the usual ones.
pub fn names() -> impl Iterator<Item = &'static str> {
    USUAL.iter().map(|(name, ..)| *name)
}

/// The page of a header line by the name of its variable, where no other word can be meant.
pub fn page_of_variable(name: &str) -> Option<String> {
    let bare = name.trim_start_matches(['$', '{']);
    // Without a dollar, words such as `header_syntax` are meant.
    let has_dollar = bare.len() < name.len();
    let is_one =
        |prefix: &&str| (has_dollar || prefix.len() < "header_".len()) && bare.starts_with(*prefix);
    HEADERS.iter().any(is_one).then(|| page(name)).flatten()
}

/// The page of a header line, by its name or that of its variable; `header` is about all.
pub fn page(name: &str) -> Option<String> {
    let bare = name.trim_start_matches(['$', '{']).trim_end_matches(['}', ':']);
    let lower = bare.to_ascii_lowercase();
    let of_variable = HEADERS.iter().find_map(|prefix| lower.strip_prefix(*prefix));
    let line = of_variable.unwrap_or(&lower);
    let usual = USUAL.iter().find(|(name, ..)| name.eq_ignore_ascii_case(line));
    let mut text = match (usual, of_variable) {
        (Some((name, what, source)), _) => {
            format!("{name} (header line)\n\n  {what}\n\n  Source:  {source}\n\n")
        }
        (None, Some(line)) if !line.is_empty() => format!("{line} (header line)\n\n"),
        (None, Some(_)) => String::from("header lines\n\n"),
        (None, None) if line == "header" || line == ALL => String::from("header lines\n\n"),
        (None, None) => return None,
    };
    text += READING;
    if usual.is_none() {
        text += "\nThe usual ones:\n\n";
        for (name, what, _) in USUAL {
            let _ = writeln!(text, "  {name:<27} {what}");
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_have_pages_by_all_their_names() {
        for name in ["subject", "Subject", "$h_subject:", "${rheader_subject:}", "bh_SUBJECT"] {
            assert!(page(name).is_some_and(|page| page.starts_with("Subject (")), "{name}");
        }
        assert!(page("$h_x-own:").is_some_and(|page| page.starts_with("x-own (")));
        for name in ["header", "headers", "$h_", "lh_"] {
            let all = page(name).expect("a page");
            assert!(USUAL.iter().all(|(name, ..)| all.contains(name)), "{name}");
        }
        assert_eq!([page("hash"), page("x-own"), page("")], [None, None, None]);
        let of_variable = |name| page_of_variable(name).is_some();
        assert!(of_variable("h_subject") && of_variable("$header_subject"));
        assert!(!of_variable("header_syntax") && !of_variable("subject"));
    }
}
