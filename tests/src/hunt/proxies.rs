//! What a proxy says before a session (the PROXY protocol), and what it changes of who the
//! client is.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

const HEAD: &str = "primary_hostname = me.test
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
keep_environment =
tls_advertise_hosts =
queue_only
received_header_text = Received: by here
proxy_protocol_timeout = 1s
smtp_banner = $proxy_session ea=$proxy_external_address ep=$proxy_external_port \
la=$proxy_local_address lp=$proxy_local_port sh=$sender_host_address sp=$sender_host_port";

/// Whom to speak it with.
const PROXIES: &[&str] = &[
    "192.0.2.1",
    "192.0.2.1",
    "192.0.2.1",
    "192.0.2.0/24",
    "*",
    "!192.0.2.7 : *",
    "client.test",
    "!client.test : 192.0.2.1",
    "@[] : 192.0.2.1",
    "${if eq{$sender_host_address}{192.0.2.1}{*}}",
    "2001:db8::/32 : 192.0.2.0/24",
    "192.0.2.2",
    "",
];

/// Options that hang on who the client is.
const OPTIONS: &[&str] = &[
    "host_lookup = *",
    "host_lookup = 192.0.2.7",
    "host_lookup = !192.0.2.1 : *",
    "host_lookup_order = byaddr",
    "host_reject_connection = 192.0.2.7",
    "host_reject_connection = 192.0.2.1",
    "host_reject_connection = seven.test",
    "hosts_connection_nolog = 192.0.2.7",
    "hosts_connection_nolog = 192.0.2.1",
    "sender_unqualified_hosts = 192.0.2.7",
    "sender_unqualified_hosts = 192.0.2.1",
    "recipient_unqualified_hosts = !192.0.2.1 : *",
    "helo_verify_hosts = 192.0.2.7",
    "helo_try_verify_hosts = *",
    "helo_accept_junk_hosts = 192.0.2.7",
    "hosts_require_helo = 192.0.2.7",
    "pipelining_advertise_hosts = 192.0.2.1",
    "pipelining_connect_advertise_hosts =",
    "pipelining_connect_advertise_hosts = 192.0.2.7",
    "chunking_advertise_hosts = 192.0.2.7",
    "dsn_advertise_hosts = 2001:db8::/32",
    "smtputf8_advertise_hosts = 192.0.2.7",
    "prdr_enable",
    "smtp_accept_max_nonmail = 1",
    "smtp_accept_max_nonmail_hosts = 192.0.2.7",
    "smtp_max_synprot_errors = 1",
    "smtp_max_unknown_commands = 1",
    "smtp_enforce_sync = false",
    "ignore_fromline_hosts = 192.0.2.7",
    "log_selector = +all -pid -millisec -unknown_in_list -arguments -connection_id -receive_time",
    "log_selector = +proxy +incoming_port",
    "log_selector = +proxy +incoming_interface +smtp_connection",
    "log_selector = -proxy +smtp_no_mail",
    "smtp_active_hostname = ${if eq{$sender_host_address}{192.0.2.7}{seven.test}{other.test}}",
    "message_size_limit = ${if eq{$sender_host_address}{192.0.2.7}{10}{1000}}",
    "rfc1413_hosts = *",
    "smtp_return_error_details",
    "smtp_ratelimit_hosts = 192.0.2.7",
    "smtp_load_reserve = 1000",
];

/// What ACLs know of it.
const CONNECT: &[&str] = &[
    "accept",
    "accept logwrite = c $sender_fullhost <$sender_host_name> $sender_rcvhost",
    "deny hosts = 192.0.2.7",
    "deny hosts = 192.0.2.1\n  accept",
    "drop hosts = 2001:db8::/32\n  accept",
    "deny !verify = reverse_host_lookup\n  accept",
    "deny condition = ${if and{{bool{$proxy_session}}{!def:proxy_external_address}}}\n  accept",
    "accept logwrite = $received_ip_address $received_port $interface_address $interface_port",
    "deny message = $proxy_external_address $proxy_local_port\n  accept",
    "warn control = no_pipelining\n  accept",
    "warn control = no_enforce_sync\n  accept",
    "warn ratelimit = 0.5 / 1h / strict / per_conn\n       logwrite = $sender_rate_limit\n  accept",
    "accept delay = 0s",
    "warn hosts = seven.test : *.test\n       logwrite = named $host_data\n  accept",
];

const TAIL: &str = "rcpt:
  warn logwrite = $sender_fullhost <$sender_host_name> <$sender_ident> $proxy_session \
$proxy_external_address $proxy_external_port $proxy_local_address $proxy_local_port \
$smtp_count_at_connection_start
  accept hosts = 192.0.2.7
         message = seven
  deny hosts = +relay
  accept
quit:
  accept logwrite = quit $sender_host_address $sender_host_port $proxy_session
notquit:
  accept logwrite = $smtp_notquit_reason $sender_host_address $proxy_external_address";

/// A configuration, a header, and a session.
pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Dialogue);
    quarry.fixed("+++ exim.conf").fixed(HEAD);
    quarry.fixed(format!("hosts_proxy = {}", rng.pick(PROXIES)));
    for option in rng.options(5, OPTIONS) {
        quarry.loose(option);
    }
    quarry.fixed("hostlist relay = 192.0.2.2 : 198.51.100.0/24\nacl_smtp_rcpt = rcpt");
    quarry.loose("acl_smtp_connect = c");
    quarry.loose("acl_smtp_quit = quit").loose("acl_smtp_notquit = notquit");
    if rng.chance(3) {
        quarry.loose("acl_smtp_helo = accept logwrite = helo $sender_helo_name $sender_host_name");
    }
    if rng.chance(3) {
        quarry.loose("acl_smtp_data = accept logwrite = $h_received: $sender_rcvhost");
    }
    quarry.fixed(format!("begin acl\nc:\n  {}", rng.pick(CONNECT))).fixed(TAIL);
    let client = rng.pick(&["192.0.2.1", "192.0.2.1", "192.0.2.1", "2001:db8::1", "192.0.2.2"]);
    quarry.fixed(format!("? hunt -bh {client}.4000"));
    let header = match rng.u32(..10) {
        0..=3 => format!(">\\ {}", line(rng)),
        4..=7 => format!(">\\ {}", block(rng)),
        8 => format!(">\\ {}", wrong(rng)),
        _ => "> EHLO client.test".to_owned(),
    };
    quarry.loose(header.clone());
    // The rest of a header may come later, or never; the real one wants all in one piece.
    if is_whole(&header) {
        commands(rng, &mut quarry);
    }
    quarry.fixed("& log/main*\n& log/reject*");
    quarry
}

/// Whether a header has its end, or is none.
fn is_whole(header: &str) -> bool {
    let bytes = crate::escapes::unescaped(header.trim_start_matches(">\\ "));
    match bytes.get(14..16) {
        Some(length) if bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n") => {
            bytes.len() >= 16 + usize::from(u16::from_be_bytes([length[0], length[1]]))
        }
        _ => bytes.ends_with(b"\n") || !bytes.starts_with(b"P") && !bytes.starts_with(b"\r"),
    }
}

const FOUR: &[&str] = &[
    "192.0.2.7",
    "192.0.2.7",
    "192.0.2.7",
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.3",
    "192.0.2.8",
    "198.51.100.9",
    "127.0.0.1",
    "10.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
];

const SIX: &[&str] = &["2001:db8::1", "2001:db8::7", "::1", "fe80::1", "2001:db8:1:2:3:4:5:6"];

/// A header of version 1.
fn line(rng: &mut Rng) -> String {
    let (family, all) = if rng.chance(3) { ("TCP6", SIX) } else { ("TCP4", FOUR) };
    let mut port = || match rng.u32(..3) {
        0 => 25,
        1 => rng.u16(1..),
        _ => 1 + rng.u16(..3),
    };
    let (one, other) = (port(), port());
    let text = format!("PROXY {family} {} {} {one} {other}", rng.pick(all), rng.pick(all));
    match rng.u32(..12) {
        0 => "PROXY UNKNOWN\\r\\n".to_owned(),
        1 => "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\\r\\n".to_owned(),
        // The rest never comes.
        2 => text[..rng.usize(..text.len())].to_owned(),
        _ => text + "\\r\\n",
    }
}

/// What is no header of version 1, from its beginning on.
fn wrong(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "PROXY TCP5 192.0.2.7 192.0.2.8 1234 25\\r\\n",
        "PROXY TCP4 192.0.2.777 192.0.2.8 1234 25\\r\\n",
        "PROXY TCP4 seven.test 192.0.2.8 1234 25\\r\\n",
        "PROXY TCP4\\r\\n",
        "PROXY\\r\\n",
        "PROXY \\r\\n",
        "PROXYTCP4 192.0.2.7 192.0.2.8 1234 25\\r\\n",
        "PROXY  TCP4 192.0.2.7 192.0.2.8 1234 25\\r\\n",
        "proxy tcp4 192.0.2.7 192.0.2.8 1234 25\\r\\n",
        "PROXY tcp4 192.0.2.7 192.0.2.8 1234 25\\r\\n",
        "PROXY unknown\\r\\n",
        "PROXY UDP4 192.0.2.7 192.0.2.8 1234 25\\r\\n",
        " PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\\r\\n",
        "\\r\\n",
        "\\n",
        "\\0",
        "\\{300:x}\\r\\n",
        "PROXY TCP4 \\{200:1}\\r\\n",
        "QUIT\\r\\n",
        "GET / HTTP/1.0\\r\\n",
        "\\r\\n\\r\\n\\0\\r\\nQUIT",
        "\\r\\n\\r\\n\\0\\r\\nQUIX\\n\
         \\x21\\x11\\0\\x0c\\xc0\\0\\x02\\x07\\xc0\\0\\x02\\x08\\x04\\xd2\\0\\x19",
        "\\r\\n\\r\\n\\0\\r\\nQUIT\\n",
    ])
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// A header of version 2.
fn block(rng: &mut Rng) -> String {
    let command: u8 = *[0x21, 0x21, 0x21, 0x21, 0x21, 0x20, 0x22, 0x11, 0x31, 0x2f].choose(rng);
    let family: u8 = *[0x11, 0x11, 0x11, 0x11, 0x21, 0x21, 0x00, 0x12, 0x22, 0x41].choose(rng);
    let mut body: Vec<u8> = Vec::new();
    match family >> 4 {
        2 => {
            for _ in 0..2 {
                let address: std::net::Ipv6Addr = rng.pick(SIX).parse().expect("an address");
                body.extend(address.octets());
            }
        }
        _ => {
            for _ in 0..2 {
                let address: std::net::Ipv4Addr = rng.pick(FOUR).parse().expect("an address");
                body.extend(address.octets());
            }
        }
    }
    for _ in 0..2 {
        let port = if rng.chance(12) { 0 } else { rng.u16(..) };
        body.extend(port.to_be_bytes());
    }
    // More is said of the connection.
    for _ in 0..rng.usize(..4) {
        if rng.chance(2) {
            let length = rng.u8(..20);
            body.push(*[1, 2, 3, 4, 5, 0x20, 0x21, 0x30, 0xea].choose(rng));
            body.extend([0, length]);
            body.extend((0..length).map(|_| rng.u8(..)));
        }
    }
    let mut length = body.len() as u16;
    if rng.chance(12) {
        // What is said to be there is not.
        length += rng.u16(1..20);
    }
    let head = [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[command, family], &length.to_be_bytes()];
    shown(&[head.concat(), body].concat())
}

/// One of several numbers.
trait Choose<T> {
    fn choose(&self, rng: &mut Rng) -> &T;
}

impl<T> Choose<T> for [T] {
    fn choose(&self, rng: &mut Rng) -> &T {
        &self[rng.usize(..self.len())]
    }
}

/// What the client says then.
fn commands(rng: &mut Rng, quarry: &mut Quarry) {
    if !rng.chance(6) {
        let all = ["EHLO client.test", "HELO seven.test", "EHLO seven.test", "EHLO [192.0.2.7]"];
        quarry.loose(format!("> {}", rng.pick(&all)));
    }
    for _ in 0..rng.usize(..5) {
        let all = [
            "> MAIL FROM:<a@b.test>\n> RCPT TO:<c@d.test>\n> DATA\n\
             >\\ Subject: x\\r\\n\\r\\n.\\r\\n",
            "> MAIL FROM:<a@b.test>\n> RCPT TO:<c@d.test>\n> DATA\n\
             >\\ Subject: x\\r\\n\\r\\n.\\r\\n",
            "> MAIL FROM:<a>\n> RCPT TO:<c>",
            "> MAIL FROM:<>",
            "> RSET",
            "> NOOP",
            "> VRFY x",
            "> NOSUCH",
            "> HELP",
            "> EHLO x_y",
            "> HELO client.test",
            "> STARTTLS",
            "> PROXY TCP4 192.0.2.3 192.0.2.8 1234 25",
            ">& MAIL FROM:<a@b.test>\n>& RCPT TO:<c@d.test>\n> RSET",
        ];
        quarry.loose(rng.pick(&all));
    }
    if !rng.chance(6) {
        quarry.loose("> QUIT");
    }
}
