//! The pages of words that stand in the values of options and conditions: what `log_selector`
//! selects, types of records, scanners, results, errors that rules for retries name. And those
//! of macros that are there from the start.

use std::fmt::Write;

use eximious::acl::SCANNERS;
use eximious::config::{Config, Printer};
use eximious::stdlib::variables::VERSION;
use eximious::{LogSelector, Macros, Registry, World};

use super::wrap;

/// Words of one kind: what each is one of, how it is written, and where the specification
/// says so.
struct Family {
    /// The options, conditions and lookups in whose values the words stand.
    within: &'static [&'static str],
    kind: &'static str,
    source: &'static str,
    /// Before and behind the word, as it is written.
    form: (&'static str, &'static str),
    words: &'static [(&'static str, &'static str)],
}

const LOG: Family = Family {
    within: &["log_selector"],
    kind: "log selector",
    source: "53.15",
    form: ("log_selector = +", ""),
    words: &[
        ("8bitmime", "M8S= in lines of arrival: what MAIL said of the body."),
        (
            "acl_warn_skipped",
            "warn statements that were skipped, as a condition could not be told.",
        ),
        ("address_rewrite", "Addresses that were rewritten."),
        ("all", "All that there is to select."),
        ("all_parents", "All addresses that a delivered one came from."),
        ("arguments", "The arguments that the program was called with."),
        ("connection_id", "Ci=: a name for the connection."),
        ("connection_reject", "Connections that were turned away."),
        ("delay_delivery", "Deliveries that were put off because of load."),
        ("deliver_time", "DT= in lines of deliveries: the time that it took."),
        ("delivery_size", "S= in lines of deliveries: the message's size."),
        ("dkim", "DKIM= in lines of arrival: a domain whose signature is good."),
        ("dkim_verbose", "A line for each DKIM signature."),
        ("dmarc", "DMARC in lines of arrival and refusal, where it accepts."),
        ("dmarc_verbose", "DMARC= in lines of arrival and refusal: its status."),
        ("dnslist_defer", "Lists in the DNS that did not answer."),
        ("dnssec", "DS: names that were found securely."),
        ("dsn", "DSN: reports that were asked for."),
        ("etrn", "ETRN commands."),
        ("host_lookup_failed", "Names and addresses of hosts that were not found."),
        ("ident_timeout", "Ident servers that did not answer."),
        ("incoming_interface", "I= in lines of arrival: the address and port that a client used."),
        ("incoming_port", "The client's port, behind its address."),
        ("lost_incoming_connection", "Connections that ended unexpectedly."),
        ("millisec", "Times have three decimal places."),
        ("msg_id", "id= in lines of arrival: what Message-ID: says."),
        ("msg_id_created", "id*= in lines of arrival: the Message-ID: that was made."),
        ("outgoing_interface", "I= in lines of deliveries: the address that was used here."),
        ("outgoing_port", "The server's port, behind its address."),
        ("pid", "The process's number, behind the time."),
        ("pipelining", "L: whether the client did not wait for replies."),
        ("protocol_detail", "How a conversation went, in detail."),
        ("proxy", "PRX=: the proxy that a connection came through."),
        ("queue_run", "The begin and end of runs of the queue."),
        ("queue_time", "QT= in lines of deliveries: the time in the queue."),
        ("queue_time_exclusive", "Times in the queue begin when the message is there."),
        ("queue_time_overall", "QT= in the line Completed: the time in the queue."),
        ("receive_time", "RT= in lines of arrival: the time that it took."),
        ("received_recipients", "for ... in lines of arrival: the message's recipients."),
        ("received_sender", "from ... in lines of arrival: the sender before it was rewritten."),
        ("rejected_header", "The headers of rejected messages, in the log of rejections."),
        ("rejected_headers", "Another name of rejected_header."),
        ("retry_defer", "Addresses whose time has not come yet."),
        (
            "return_path_on_delivery",
            "P= in lines of deliveries and failures: the sender that went out.",
        ),
        ("sender_on_delivery", "F= in lines of deliveries: the sender."),
        ("sender_verify_fail", "Why a sender could not be verified."),
        ("size_reject", "Messages that are too big."),
        ("skip_delivery", "Messages that a run of the queue passed over."),
        ("smtp_confirmation", "C= in lines of deliveries: what the server said."),
        ("smtp_connection", "The begin and end of SMTP connections."),
        ("smtp_incomplete_transaction", "Messages that were begun and never came."),
        ("smtp_mailauth", "The sender that MAIL's AUTH gave."),
        ("smtp_no_mail", "Connections without a MAIL command, with what was said."),
        ("smtp_protocol_error", "Commands that were out of place."),
        ("smtp_syntax_error", "Commands that were no commands."),
        ("spf", "SPF in lines of arrival and refusal, where it passes."),
        ("spf_verbose", "SPF= in lines of arrival and refusal: its result."),
        ("subject", "T= in lines of arrival: the subject."),
        ("tls_certificate_verified", "CV=: whether the other side's certificate was verified."),
        ("tls_cipher", "X=: the version and cipher of TLS."),
        ("tls_on_connect", "Other names of protocols, where TLS comes first."),
        ("tls_peerdn", "DN=: whom the other side's certificate names."),
        ("tls_resumption", "* behind the cipher of a session that was resumed."),
        ("tls_sni", "SNI= in lines of arrival: the name that the client asked for."),
        ("unknown_in_list", "Names that could not be looked up for a list."),
    ],
};

const RECORDS: Family = Family {
    within: &["dnsdb"],
    kind: "type of dnsdb",
    source: "9.10",
    form: ("${lookup dnsdb{", "=NAME}}"),
    words: &[
        ("a", "The IPv4 addresses of a name."),
        ("a+", "The IPv6 addresses of a name, and then the IPv4 ones."),
        ("aaaa", "The IPv6 addresses of a name."),
        ("cname", "The name that a name stands for."),
        ("csa", "Whether a host may say HELO with a name: Y or N, ? where nobody says so."),
        ("mx", "Hosts that take mail for a domain, each behind its preference."),
        ("mxh", "The same without preferences."),
        ("ns", "The name servers of a zone."),
        ("ptr", "The name of an address, which is written as ever."),
        ("soa", "The first name server of a zone."),
        ("spf", "Records of the type SPF, which is no longer used; most publish txt."),
        ("srv", "Hosts that have a service: priority, weight, port, name."),
        ("tlsa", "What DANE says of a service's certificate."),
        ("txt", "Texts of a name; behind another separator, the strings of each are apart: >\\n;."),
        ("zns", "The name servers of the zone that a name is in, wherever that begins."),
    ],
};

const RESULTS: [Family; 3] = [
    Family {
        within: &["spf", "spf_guess"],
        kind: "result of spf",
        source: "58.2",
        form: ("spf = ", ""),
        words: &[
            ("pass", "The client may send mail for the domain."),
            ("fail", "The client must not send mail for the domain."),
            ("softfail", "The client should not send mail for the domain, which is not sure yet."),
            ("none", "The domain says nothing."),
            ("neutral", "The domain says that it says nothing of the client."),
            ("permerror", "The domain's record can't be read."),
            ("temperror", "The DNS did not answer."),
            ("err_perm", "The older name of permerror."),
            ("err_temp", "The older name of temperror."),
            ("invalid", "There is no name to ask about."),
        ],
    },
    Family {
        within: &["dkim_status"],
        kind: "result of dkim_status",
        source: "58.1.2",
        form: ("dkim_status = ", ""),
        words: &[
            ("pass", "The signature is good."),
            ("fail", "The message, or what is signed of its header, is another one."),
            ("invalid", "The signature or its key can't be used; $dkim_verify_reason says why."),
            ("none", "There is no signature."),
        ],
    },
    Family {
        within: &["dmarc_status"],
        kind: "result of dmarc_status",
        source: "58.3.3",
        form: ("dmarc_status = ", ""),
        words: &[
            ("accept", "SPF or DKIM pass for the author's domain."),
            ("reject", "They do not, and the domain wants the message refused."),
            ("quarantine", "They do not, and the domain wants the message put aside."),
            ("none", "They do not, and the domain wants nothing done."),
            ("norecord", "The author's domain says nothing."),
            ("nofrom", "There is no author's domain."),
            ("temperror", "The DNS did not answer."),
            (
                "off",
                "Nothing was verified: the client has logged in, or the configuration says so.",
            ),
        ],
    },
];

const RETRIES: Family = Family {
    within: &["retry"],
    kind: "error of rules for retries",
    source: "32.5",
    form: ("* ", " F,2h,15m"),
    words: &[
        ("auth_failed", "No login at a host in hosts_require_auth."),
        (
            "data_4xx",
            "A 4xx reply to DATA, or to the message; digits may stand for both x, or the second.",
        ),
        ("mail_4xx", "A 4xx reply to MAIL; digits may stand for both x, or the first."),
        ("rcpt_4xx", "A 4xx reply to RCPT; digits may stand for both x, or the first."),
        ("lost_connection", "The server closed the connection unexpectedly."),
        ("lookup", "The DNS did not answer for a host."),
        ("refused", "A connection was refused."),
        ("refused_MX", "A connection to a host of an MX record was refused."),
        ("refused_A", "A connection to a host of no MX record was refused."),
        ("timeout", "There was a timeout while connecting, or later."),
        ("timeout_MX", "The same, with a host of an MX record."),
        ("timeout_A", "The same, with a host of no MX record."),
        ("timeout_connect", "There was a timeout while connecting."),
        ("timeout_connect_MX", "The same, with a host of an MX record."),
        ("timeout_connect_A", "The same, with a host of no MX record."),
        ("timeout_DNS", "Is no longer used: lookup is what is meant."),
        ("tls_required", "There was no TLS with a host that must have it."),
        ("quota", "A mailbox is full."),
        ("quota_<time>", "A mailbox is full that was not read for that time."),
    ],
};

fn families() -> impl Iterator<Item = &'static Family> {
    [&LOG, &RECORDS, &RETRIES].into_iter().chain(&RESULTS)
}

/// The pages of a word of a value.
pub fn pages(name: &str) -> Vec<String> {
    let found = families().filter_map(|family| page(family, name));
    found.chain(scanner(name)).collect()
}

/// The page of a word that stands in the value of an option, a condition or a lookup.
pub fn page_within(owner: &str, name: &str) -> Option<String> {
    if owner == "av_scanner" {
        return scanner(name);
    }
    families().find(|family| family.within.contains(&owner)).and_then(|family| page(family, name))
}

fn page(family: &Family, name: &str) -> Option<String> {
    let selects = family.kind == LOG.kind;
    // `+subject`, as it is written.
    let name = if selects { name.strip_prefix(['+', '-']).unwrap_or(name) } else { name };
    let (word, does) = family.words.iter().find(|(word, _)| *word == name)?;
    let mut text = format!("{word} ({})\n\n", family.kind);
    wrap(does, &mut text);
    let (before, behind) = family.form;
    let _ = write!(text, "\n  Written:  {before}{word}{behind}\n");
    if selects {
        let is_usual = LogSelector::parse(format!("+{word}").as_bytes())
            .is_ok_and(|selected| selected == LogSelector::default());
        let _ = writeln!(text, "  Default:  {}", if is_usual { "logged" } else { "not logged" });
    }
    let _ = writeln!(text, "  Source:   specification {}", family.source);
    Some(text)
}

/// The page of a kind of malware scanner.
fn scanner(name: &str) -> Option<String> {
    let meta = &SCANNERS.iter().find(|scanner| scanner.meta.name == name)?.meta;
    let mut text = format!("{name} (kind of malware scanner)\n\n");
    wrap(meta.summary, &mut text);
    let _ =
        write!(text, "\n  Written:  av_scanner = {}\n  Source:   {}\n", meta.syntax, meta.source);
    Some(text)
}

/// The words that have pages here.
pub fn names() -> impl Iterator<Item = &'static str> {
    let words = families().flat_map(|family| family.words).map(|(word, _)| *word);
    words.chain(SCANNERS.iter().map(|scanner| scanner.meta.name))
}

/// The page of a macro that is there from the start, or could be.
pub fn macro_page(registry: &Registry, world: &World, name: &str) -> Option<String> {
    const HEADS: [(&str, &str); 5] = [
        ("_HAVE_", "the program has a feature"),
        ("_DRIVER_", "there is a driver"),
        ("_OPT_", "there is an option"),
        ("_EXP_", "there is an item, operator, condition or variable of expansions"),
        ("_", "there is what the name tells of"),
    ];
    let (_, what) = HEADS.iter().find(|(head, _)| name.starts_with(head))?;
    if !name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') || name.len() < 2 {
        return None;
    }
    let config = Config::read_text(b"", "", Macros::new(), world, registry);
    let (values_only, admin, version) = (true, true, VERSION);
    let printer = Printer { config: &config, registry, world, values_only, admin, version };
    let printed = printer.print(&[b"macro".to_vec(), name.as_bytes().to_vec()]);
    let value = String::from_utf8_lossy(&printed.text).trim_end().to_owned();
    let has = match value.as_str() {
        text if text.ends_with(" not found") => "no".to_owned(),
        "y" | "" => "yes".to_owned(),
        text => format!("yes: {text}"),
    };
    let mut text = format!("{name} (macro)\n\n");
    wrap(
        &format!(
            "Is there from the start where {what}. .ifdef {name} asks for it; exim -bP macros \
             shows all."
        ),
        &mut text,
    );
    let _ = write!(text, "\n  Here:     {has}\n  Source:   specification 6.9\n");
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_that_select_have_pages() {
        let own: Vec<&str> = LOG.words.iter().map(|(word, _)| *word).collect();
        assert_eq!(own, LogSelector::words().collect::<Vec<_>>());
        let page = |name: &str| pages(name).concat();
        assert!(page("+subject").contains("not logged") && page("msg_id").contains("  logged"));
        assert_eq!(pages("none").len(), 3);
        assert!(SCANNERS.iter().all(|scanner| pages(scanner.meta.name).len() == 1));
    }

    #[test]
    fn macros_say_whether_they_are_there() {
        let registry = eximious::registry();
        let world = World::hermetic();
        let page = |name| macro_page(&registry, &world, name).unwrap_or_default();
        assert!(page("_HAVE_DKIM").contains("Here:     yes"));
        assert!(page("_HAVE_NOSUCH").contains("Here:     no"));
        assert!(page("_EXP_ITEM_MAP").contains("item, operator"));
        assert_eq!([page("_"), page("HAVE")], ["", ""]);
    }
}
