//! Main options: messages that come in: headers, domains, sizes, the system filter.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.no("allow_domain_literals")
        .summary("Allows addresses with an IP address for a domain: `user@[192.0.2.1]`."),
    AT.no("allow_utf8_domains").summary("Allows UTF-8 in domains."),
    AT.yes("check_rfc2047_length")
        .summary("Takes an encoded word that is too long for plain text."),
    AT.yes("delivery_date_remove")
        .summary("Removes Delivery-date: headers from messages that come in."),
    AT.no("drop_cr")
        .idle("it means nothing in Exim either")
        .summary("Has no effect; old configurations may still have it.")
        .until("4.100"),
    AT.yes("envelope_to_remove")
        .summary("Removes Envelope-to: headers from messages that come in."),
    AT.yes("extract_addresses_remove_arguments")
        .summary("With `-t`, takes addresses on the command line off the recipients."),
    AT.integer("header_line_maxsize")
        .default("0")
        .summary("The longest header line, put together; zero for no limit."),
    AT.integer("header_maxsize")
        .default("1048576")
        .summary("How much all headers of a message may have together.")
        .docs("A message with more is refused."),
    AT.text("headers_charset")
        .default("UTF-8")
        .summary("The character set that `$h_…` translates encoded words to."),
    AT.hosts("ignore_fromline_hosts")
        .summary("Hosts that may send the line `From …` of UUCP at the beginning of data."),
    AT.no("ignore_fromline_local").summary("Passes over the line `From …` of UUCP in local SMTP."),
    AT.text("local_scan_path")
        .idle("there is no C function local_scan()")
        .summary("Has no effect; the place of code that once could be loaded to scan messages."),
    AT.time("local_scan_timeout")
        .idle("there is no C function local_scan()")
        .default("5m")
        .summary("How long `local_scan()` may take; zero for no limit."),
    AT.no("message_body_newlines").summary(
        "Keeps newlines in `$message_body` and `$message_body_end`, where else spaces are \
             put.",
    ),
    AT.size("message_body_visible")
        .default("500")
        .summary("How many bytes `$message_body` and `$message_body_end` hold."),
    AT.text("message_id_header_domain")
        .expanded()
        .summary("The domain of Message-ID: headers that the program makes."),
    AT.text("message_id_header_text")
        .expanded()
        .summary("A text in Message-ID: headers that the program makes, between the id and `@`."),
    AT.text("message_size_limit")
        .expanded()
        .default("50M")
        .summary("The largest message that is accepted; zero for no limit.")
        .docs("Expanded for each connection; 552 is the answer to larger ones."),
    AT.domains("percent_hack_domains")
        .summary("Domains at which `user%other@domain` goes on to `user@other`."),
    AT.text("qualify_domain")
        .varies()
        .summary("The domain that is added to sender addresses without one.")
        .docs("By default `primary_hostname`."),
    AT.text("qualify_recipient")
        .varies()
        .summary("The domain that is added to recipient addresses without one.")
        .docs("As `qualify_domain`, where it is unset."),
    AT.time("receive_timeout")
        .default("0s")
        .summary("How long a message on standard input is waited for; zero for ever."),
    AT.text("received_header_text")
        .expanded()
        .default(
            "Received: ${if def:sender_rcvhost {from $sender_rcvhost\n\t}{${if def:sender_ident \
             {from ${quote_local_part:$sender_ident} }}${if def:sender_helo_name \
             {(helo=$sender_helo_name)\n\t}}}}by $primary_hostname ${if def:received_protocol \
             {with $received_protocol }}${if def:tls_in_ver        { ($tls_in_ver)}}${if \
             def:tls_in_cipher_std { tls $tls_in_cipher_std\n\t}}(Exim $version_number)\n\t${if \
             def:sender_address {(envelope-from <$sender_address>)\n\t}}id $message_exim_id${if \
             def:received_for {\n\tfor $received_for}}",
        )
        .summary("The Received: header, without its date; expanded for each message.")
        .docs("An empty result adds no header, and loops are then found no more."),
    AT.integer("received_headers_max")
        .default("30")
        .summary("With more Received: headers than this a message counts as caught in a loop."),
    AT.hosts("recipient_unqualified_hosts")
        .summary("Hosts that may give recipients without a domain."),
    AT.text("recipients_max")
        .expanded()
        .default("50000")
        .summary("How many recipients a message may have; zero for no limit."),
    AT.no("recipients_max_reject").summary(
        "Refuses a message with too many recipients altogether, not just those in excess.",
    ),
    AT.yes("return_path_remove")
        .summary("Removes Return-path: headers from messages that come in."),
    AT.hosts("sender_unqualified_hosts").summary("Hosts that may give senders without a domain."),
    AT.no("strip_excess_angle_brackets").summary("Takes `<<a@b>>` for `<a@b>`."),
    AT.no("strip_trailing_dot").summary("Takes the dot off a domain's end."),
    AT.text("system_filter")
        .expanded()
        .summary("The file of the filter that each message goes through before it is routed.")
        .docs("It is an Exim filter, and runs at each try to deliver."),
    AT.text("system_filter_directory_transport")
        .expanded()
        .summary("The transport for what the system filter saves in a directory."),
    AT.text("system_filter_file_transport")
        .expanded()
        .summary("The transport for what the system filter saves in a file."),
    AT.group("system_filter_group")
        .summary("The group that the system filter runs as, where `system_filter_user` is set."),
    AT.text("system_filter_pipe_transport")
        .expanded()
        .summary("The transport for what the system filter pipes into a command."),
    AT.text("system_filter_reply_transport")
        .expanded()
        .summary("The transport for what the system filter answers."),
    AT.user("system_filter_user")
        .summary("The user that the system filter runs as.")
        .docs("With `root` it runs in the delivery process itself."),
];
