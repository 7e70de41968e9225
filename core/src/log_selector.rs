//! What is logged: `log_selector` (specification 53.15).

bitflags::bitflags! {
    /// What is logged, of what may or may not be.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub struct LogSelector: u128 {
        /// `M8S=`: what MAIL said of the body.
        const EIGHT_BIT_MIME = 1;
        /// `warn` statements that were skipped, as a condition could not be told.
        const ACL_WARN_SKIPPED = 1 << 1;
        /// Addresses that were rewritten.
        const ADDRESS_REWRITE = 1 << 2;
        /// All addresses that a delivered one came from.
        const ALL_PARENTS = 1 << 3;
        /// The arguments that the program was called with.
        const ARGUMENTS = 1 << 4;
        /// `Ci=`: a name for the connection.
        const CONNECTION_ID = 1 << 5;
        /// Connections that were turned away.
        const CONNECTION_REJECT = 1 << 6;
        /// Deliveries that were put off because of load.
        const DELAY_DELIVERY = 1 << 7;
        /// `DT=`: the time that a delivery took.
        const DELIVER_TIME = 1 << 8;
        /// `S=` in lines of deliveries.
        const DELIVERY_SIZE = 1 << 9;
        /// `DKIM=`: a domain whose signature is good.
        const DKIM = 1 << 10;
        /// A line for each signature.
        const DKIM_VERBOSE = 1 << 11;
        /// `DMARC` where it accepts.
        const DMARC = 1 << 12;
        /// `DMARC=`: its status.
        const DMARC_VERBOSE = 1 << 13;
        /// Lists in the DNS that did not answer.
        const DNSLIST_DEFER = 1 << 14;
        /// `DS`: names that were found securely.
        const DNSSEC = 1 << 15;
        /// `DSN`: reports that were asked for.
        const DSN = 1 << 16;
        /// `ETRN` commands.
        const ETRN = 1 << 17;
        /// Names and addresses of hosts that were not found.
        const HOST_LOOKUP_FAILED = 1 << 18;
        /// Ident servers that did not answer.
        const IDENT_TIMEOUT = 1 << 19;
        /// `I=`: the address and port that a client connected to.
        const INCOMING_INTERFACE = 1 << 20;
        /// The client's port, behind its address.
        const INCOMING_PORT = 1 << 21;
        /// Connections that ended unexpectedly.
        const LOST_INCOMING_CONNECTION = 1 << 22;
        /// Times have three decimal places.
        const MILLISEC = 1 << 23;
        /// `id=`: what the message's `Message-ID:` says.
        const MSG_ID = 1 << 24;
        /// `id*=`: the `Message-ID:` that was made for a message.
        const MSG_ID_CREATED = 1 << 25;
        /// `I=` in lines of deliveries.
        const OUTGOING_INTERFACE = 1 << 26;
        /// The server's port in lines of deliveries.
        const OUTGOING_PORT = 1 << 27;
        /// The process's number, behind the time.
        const PID = 1 << 28;
        /// `L`: whether the client did not wait for replies.
        const PIPELINING = 1 << 29;
        /// How a conversation went, in detail.
        const PROTOCOL_DETAIL = 1 << 30;
        /// `PRX=`: the proxy that a connection came through.
        const PROXY = 1 << 31;
        /// The begin and end of runs of the queue.
        const QUEUE_RUN = 1 << 32;
        /// `QT=`: the time in the queue, for each recipient.
        const QUEUE_TIME = 1 << 33;
        /// Times in the queue begin when the message is there.
        const QUEUE_TIME_EXCLUSIVE = 1 << 34;
        /// `QT=`: the time in the queue, when a message is done with.
        const QUEUE_TIME_OVERALL = 1 << 35;
        /// `RT=`: the time that it took to receive a message.
        const RECEIVE_TIME = 1 << 36;
        /// `for …`: a message's recipients.
        const RECEIVED_RECIPIENTS = 1 << 37;
        /// `from …`: a message's sender, before it was rewritten.
        const RECEIVED_SENDER = 1 << 38;
        /// The headers of rejected messages, in the log of rejections.
        const REJECTED_HEADER = 1 << 39;
        /// Addresses whose time has not come yet.
        const RETRY_DEFER = 1 << 40;
        /// `P=` in lines of deliveries.
        const RETURN_PATH_ON_DELIVERY = 1 << 41;
        /// `F=` in lines of deliveries.
        const SENDER_ON_DELIVERY = 1 << 42;
        /// Why a sender could not be verified.
        const SENDER_VERIFY_FAIL = 1 << 43;
        /// Messages that are too big.
        const SIZE_REJECT = 1 << 44;
        /// Messages that a run of the queue passed over.
        const SKIP_DELIVERY = 1 << 45;
        /// `C=`: what a server said of a message that it took.
        const SMTP_CONFIRMATION = 1 << 46;
        /// The begin and end of SMTP connections.
        const SMTP_CONNECTION = 1 << 47;
        /// Messages that were begun and never came.
        const SMTP_INCOMPLETE_TRANSACTION = 1 << 48;
        /// The sender that MAIL's AUTH gave.
        const SMTP_MAILAUTH = 1 << 49;
        /// Connections without a MAIL command.
        const SMTP_NO_MAIL = 1 << 50;
        /// Commands that were out of place.
        const SMTP_PROTOCOL_ERROR = 1 << 51;
        /// Commands that were no commands.
        const SMTP_SYNTAX_ERROR = 1 << 52;
        /// `SPF` where it passes.
        const SPF = 1 << 53;
        /// `SPF=`: its result.
        const SPF_VERBOSE = 1 << 54;
        /// `T=`: the subject.
        const SUBJECT = 1 << 55;
        /// `CV=`: whether the other side's certificate was verified.
        const TLS_CERTIFICATE_VERIFIED = 1 << 56;
        /// `X=`: the cipher.
        const TLS_CIPHER = 1 << 57;
        /// Other names of protocols, where TLS comes first.
        const TLS_ON_CONNECT = 1 << 58;
        /// `DN=`: whom the other side's certificate names.
        const TLS_PEERDN = 1 << 59;
        /// `*` behind the cipher of a session that was resumed.
        const TLS_RESUMPTION = 1 << 60;
        /// `SNI=`: the name that the client asked for.
        const TLS_SNI = 1 << 61;
        /// Names that could not be looked up for a list.
        const UNKNOWN_IN_LIST = 1 << 62;
    }
}

/// The words that `log_selector` knows, in order.
const WORDS: &[(&str, LogSelector)] = &[
    ("8bitmime", LogSelector::EIGHT_BIT_MIME),
    ("acl_warn_skipped", LogSelector::ACL_WARN_SKIPPED),
    ("address_rewrite", LogSelector::ADDRESS_REWRITE),
    ("all", LogSelector::all()),
    ("all_parents", LogSelector::ALL_PARENTS),
    ("arguments", LogSelector::ARGUMENTS),
    ("connection_id", LogSelector::CONNECTION_ID),
    ("connection_reject", LogSelector::CONNECTION_REJECT),
    ("delay_delivery", LogSelector::DELAY_DELIVERY),
    ("deliver_time", LogSelector::DELIVER_TIME),
    ("delivery_size", LogSelector::DELIVERY_SIZE),
    ("dkim", LogSelector::DKIM),
    ("dkim_verbose", LogSelector::DKIM_VERBOSE),
    ("dmarc", LogSelector::DMARC),
    ("dmarc_verbose", LogSelector::DMARC_VERBOSE),
    ("dnslist_defer", LogSelector::DNSLIST_DEFER),
    ("dnssec", LogSelector::DNSSEC),
    ("dsn", LogSelector::DSN),
    ("etrn", LogSelector::ETRN),
    ("host_lookup_failed", LogSelector::HOST_LOOKUP_FAILED),
    ("ident_timeout", LogSelector::IDENT_TIMEOUT),
    ("incoming_interface", LogSelector::INCOMING_INTERFACE),
    ("incoming_port", LogSelector::INCOMING_PORT),
    ("lost_incoming_connection", LogSelector::LOST_INCOMING_CONNECTION),
    ("millisec", LogSelector::MILLISEC),
    ("msg_id", LogSelector::MSG_ID),
    ("msg_id_created", LogSelector::MSG_ID_CREATED),
    ("outgoing_interface", LogSelector::OUTGOING_INTERFACE),
    ("outgoing_port", LogSelector::OUTGOING_PORT),
    ("pid", LogSelector::PID),
    ("pipelining", LogSelector::PIPELINING),
    ("protocol_detail", LogSelector::PROTOCOL_DETAIL),
    ("proxy", LogSelector::PROXY),
    ("queue_run", LogSelector::QUEUE_RUN),
    ("queue_time", LogSelector::QUEUE_TIME),
    ("queue_time_exclusive", LogSelector::QUEUE_TIME_EXCLUSIVE),
    ("queue_time_overall", LogSelector::QUEUE_TIME_OVERALL),
    ("receive_time", LogSelector::RECEIVE_TIME),
    ("received_recipients", LogSelector::RECEIVED_RECIPIENTS),
    ("received_sender", LogSelector::RECEIVED_SENDER),
    ("rejected_header", LogSelector::REJECTED_HEADER),
    ("rejected_headers", LogSelector::REJECTED_HEADER),
    ("retry_defer", LogSelector::RETRY_DEFER),
    ("return_path_on_delivery", LogSelector::RETURN_PATH_ON_DELIVERY),
    ("sender_on_delivery", LogSelector::SENDER_ON_DELIVERY),
    ("sender_verify_fail", LogSelector::SENDER_VERIFY_FAIL),
    ("size_reject", LogSelector::SIZE_REJECT),
    ("skip_delivery", LogSelector::SKIP_DELIVERY),
    ("smtp_confirmation", LogSelector::SMTP_CONFIRMATION),
    ("smtp_connection", LogSelector::SMTP_CONNECTION),
    ("smtp_incomplete_transaction", LogSelector::SMTP_INCOMPLETE_TRANSACTION),
    ("smtp_mailauth", LogSelector::SMTP_MAILAUTH),
    ("smtp_no_mail", LogSelector::SMTP_NO_MAIL),
    ("smtp_protocol_error", LogSelector::SMTP_PROTOCOL_ERROR),
    ("smtp_syntax_error", LogSelector::SMTP_SYNTAX_ERROR),
    ("spf", LogSelector::SPF),
    ("spf_verbose", LogSelector::SPF_VERBOSE),
    ("subject", LogSelector::SUBJECT),
    ("tls_certificate_verified", LogSelector::TLS_CERTIFICATE_VERIFIED),
    ("tls_cipher", LogSelector::TLS_CIPHER),
    ("tls_on_connect", LogSelector::TLS_ON_CONNECT),
    ("tls_peerdn", LogSelector::TLS_PEERDN),
    ("tls_resumption", LogSelector::TLS_RESUMPTION),
    ("tls_sni", LogSelector::TLS_SNI),
    ("unknown_in_list", LogSelector::UNKNOWN_IN_LIST),
];

/// What is logged unless told otherwise.
const USUAL: &[LogSelector] = &[
    LogSelector::ACL_WARN_SKIPPED,
    LogSelector::CONNECTION_REJECT,
    LogSelector::DELAY_DELIVERY,
    LogSelector::DKIM,
    LogSelector::DNSLIST_DEFER,
    LogSelector::ETRN,
    LogSelector::HOST_LOOKUP_FAILED,
    LogSelector::LOST_INCOMING_CONNECTION,
    LogSelector::MSG_ID,
    LogSelector::OUTGOING_INTERFACE,
    LogSelector::QUEUE_RUN,
    LogSelector::REJECTED_HEADER,
    LogSelector::RETRY_DEFER,
    LogSelector::SENDER_VERIFY_FAIL,
    LogSelector::SIZE_REJECT,
    LogSelector::SKIP_DELIVERY,
    LogSelector::SMTP_CONFIRMATION,
    LogSelector::TLS_CERTIFICATE_VERIFIED,
    LogSelector::TLS_CIPHER,
];

impl Default for LogSelector {
    fn default() -> Self {
        USUAL.iter().copied().collect()
    }
}

/// Why a text is no `log_selector`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LogSelectorError {
    /// What stands where a sign is expected: `subject`.
    NoSign(Vec<u8>),
    /// A word that is not known, with its sign: `+subjects`.
    Unknown(Vec<u8>),
}

impl LogSelectorError {
    /// Exim's words.
    pub fn message(&self) -> Vec<u8> {
        match self {
            Self::NoSign(rest) => {
                let head = b"malformed log_selector setting: + or - expected but found \"";
                [head.as_slice(), rest, b"\""].concat()
            }
            Self::Unknown(word) => [b"unknown log_selector setting: ", &word[..]].concat(),
        }
    }
}

impl LogSelector {
    /// The words that the option knows, in order.
    pub fn words() -> impl DoubleEndedIterator<Item = &'static str> + Clone {
        WORDS.iter().map(|(word, _)| *word)
    }

    /// The word for what one bit selects; nothing where there are several, or none.
    pub fn word(self) -> Option<&'static str> {
        WORDS.iter().find(|(_, items)| *items == self).map(|(word, _)| *word)
    }

    /// What an option's text selects: words with a plus or minus before each,
    /// which count one after the other.
    ///
    /// # Errors
    /// The first mistake, as Exim tells of it.
    pub fn parse(text: &[u8]) -> Result<Self, LogSelectorError> {
        let mut selected = Self::default();
        let mut rest = trim_start(text);
        while let Some((sign, after)) = rest.split_first() {
            if !matches!(sign, b'+' | b'-') {
                return Err(LogSelectorError::NoSign(rest.to_vec()));
            }
            let end = after.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
            let (name, after) = after.split_at(end.unwrap_or(after.len()));
            let found = WORDS.iter().find(|(word, _)| word.as_bytes() == name);
            let Some((_, items)) = found else {
                return Err(LogSelectorError::Unknown([&[*sign], name].concat()));
            };
            selected.set(*items, *sign == b'+');
            rest = trim_start(after);
        }
        Ok(selected)
    }
}

/// A text without the white space that it begins with.
fn trim_start(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 11;
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_one_after_the_other() {
        assert_eq!(LogSelector::parse(b" "), Ok(LogSelector::default()));
        let all = LogSelector::parse(b"+all").unwrap();
        assert!(LogSelector::words().count() == all.iter().count() + 2);
        assert_eq!(LogSelector::parse(b"+all-all +pid"), Ok(LogSelector::PID));
        let some = LogSelector::parse(b"+subject -etrn").unwrap();
        assert!(some.contains(LogSelector::SUBJECT | LogSelector::SIZE_REJECT));
        assert!(!some.contains(LogSelector::ETRN));
        let unknown = LogSelectorError::Unknown(b"-foo".to_vec());
        assert_eq!(LogSelector::parse(b"+pid -foo"), Err(unknown));
        let signless = LogSelectorError::NoSign(b"pid +all".to_vec());
        assert_eq!(LogSelector::parse(b"pid +all"), Err(signless));
    }
}
