//! A configuration of about 5,000 lines, as a large site could have it.

use std::fmt::Write;

const MACROS: usize = 250;
// Exim takes 32 of each kind at the most.
const LISTS: usize = 128;
const STATEMENTS: usize = 880;
const ROUTERS: usize = 200;
const TRANSPORTS: usize = 120;

/// The text. Everything in it counts: a real Exim takes it without a complaint.
pub fn generate() -> String {
    let mut text = String::with_capacity(200_000);
    main_section(&mut text);
    acls(&mut text);
    routers(&mut text);
    transports(&mut text);
    text += "begin retry\n";
    for n in 0..100 {
        let _ = writeln!(text, "*.retry{n}.example  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h");
    }
    text += "*  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h\n\nbegin rewrite\n";
    for n in 0..100 {
        let _ = writeln!(text, "*@old{n}.example  $1@new{n}.example  Tfrs");
    }
    text += "\nbegin authenticators\n";
    for n in 0..10 {
        let _ = write!(
            text,
            "plain{n}:\n  driver = plaintext\n  public_name = PLAIN{n}\n  \
             server_prompts = :\n  server_set_id = $auth2\n  server_condition = \
             ${{if eq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{/etc/mail/users{n}}}}}}}}}\n"
        );
    }
    text
}

fn main_section(text: &mut String) {
    *text += "# Macros for directories, limits and lists of hosts.\n";
    for n in 0..MACROS {
        let _ = match n % 3 {
            0 => writeln!(text, "DIRECTORY_{n:03} = /srv/mail/volume{n}"),
            1 => writeln!(text, "LIMIT_{n:03} = {}", n * 10),
            _ => writeln!(text, "RELAYS_{n:03} = 192.0.2.{n} : 198.51.100.0/24"),
        };
    }
    for n in 0..60 {
        let _ = write!(
            text,
            ".ifdef SITE_{n}\nqualify_domain = site{n}.example\n.else\n# Site {n} is elsewhere.\n\
             .endif\n"
        );
    }
    *text += "\nprimary_hostname = mx.example\nlog_selector = +all_parents +smtp_confirmation\n\
        acl_smtp_connect = acl_0\nacl_smtp_mail = acl_1\nacl_smtp_rcpt = acl_2\n\
        acl_smtp_data = acl_3\nnever_users = root\nhost_lookup =\nrfc1413_query_timeout = 0s\n\
        message_size_limit = 50M\nignore_bounce_errors_after = 2d\ntimeout_frozen_after = 7d\n\
        smtp_accept_max = 200\nsmtp_accept_queue_per_connection = 50\nno_smtp_enforce_sync\n\n";
    for n in 0..LISTS {
        let limit = n / 3 * 3 % MACROS;
        let _ = match n % 4 {
            0 => writeln!(text, "domainlist local_{n} = @ : *.local{n}.example : example{n}.org"),
            1 => writeln!(
                text,
                "hostlist relays_{n} = <; 127.0.0.1 ; ::1 ; 10.{n}.0.0/16 ; \\\n    \
                 192.0.2.{n}"
            ),
            2 => writeln!(
                text,
                "addresslist blocked_{n} = *@bad{n}.example : lsearch*@;DIRECTORY_{limit:03}/bad"
            ),
            _ => writeln!(text, "localpartlist roles_{n} = postmaster : abuse : role{n}"),
        };
    }
}

fn acls(text: &mut String) {
    *text += "\nbegin acl\n\n";
    for n in 0..STATEMENTS {
        if n % 15 == 0 {
            let _ = write!(text, "\nacl_{}:\n  # What comes from here is let through.\n", n / 15);
        }
        let (macro_n, list) = (n % (MACROS / 3) * 3, n % (LISTS / 4) * 4);
        let _ = match n % 5 {
            0 => write!(
                text,
                "  accept hosts = +relays_{}\n         control = submission/sender_retain\n",
                list + 1
            ),
            1 => write!(
                text,
                "  deny   message = relay not permitted for $sender_host_address\n         \
                 !domains = +local_{list}\n         log_message = relay {n}\n"
            ),
            2 => write!(
                text,
                "  warn   condition = ${{if >{{$message_size}}{{LIMIT_{:03}}}{{yes}}{{no}}}}\n         \
                 set acl_m_size = ${{eval:$message_size/1024}}\n         \
                 logwrite = large: $acl_m_size\n",
                macro_n + 1
            ),
            3 => write!(
                text,
                "  require verify = recipient/callout=30s,defer_ok\n          \
                 message = ${{if def:acl_verify_message{{$acl_verify_message}}{{no}}}}\n"
            ),
            _ => write!(
                text,
                "  defer  ratelimit = {n} / 1h / per_rcpt / $sender_host_address\n         \
                 senders = ${{if exists{{DIRECTORY_{macro_n:03}/list}}\\\n           \
                 {{lsearch;DIRECTORY_{macro_n:03}/list}}}}\n"
            ),
        };
    }
}

fn routers(text: &mut String) {
    *text += "\nbegin routers\n\n";
    for n in 0..ROUTERS {
        let (transport, list) = (n % TRANSPORTS, n % (LISTS / 4) * 4);
        let _ = match n % 3 {
            0 => write!(
                text,
                "router_{n}:\n  driver = accept\n  domains = +local_{list}\n  \
                 local_part_suffix = +* : -*\n  local_part_suffix_optional\n  \
                 check_local_user\n  transport = transport_{transport}\n\n"
            ),
            1 => write!(
                text,
                "router_{n}:\n  driver = redirect\n  domains = +local_{list}\n  allow_fail\n  \
                 data = ${{lookup{{$local_part}}lsearch{{/etc/mail/aliases{n}}}}}\n  \
                 file_transport = transport_{transport}\n  pipe_transport = \
                 transport_{transport}\n\n"
            ),
            _ => write!(
                text,
                "router_{n}:\n  driver = manualroute\n  domains = ! +local_{list}\n  \
                 route_list = * relay{n}.example byname\n  transport = transport_{transport}\n  \
                 host_find_failed = defer\n  no_more\n\n"
            ),
        };
    }
}

fn transports(text: &mut String) {
    *text += "begin transports\n\n";
    for n in 0..TRANSPORTS {
        let directory = n % (MACROS / 3) * 3;
        let _ = match n % 3 {
            0 => write!(
                text,
                "transport_{n}:\n  driver = appendfile\n  directory = \
                 DIRECTORY_{directory:03}/$local_part_data\n  maildir_format\n  \
                 delivery_date_add\n  envelope_to_add\n  mode = 0600\n  quota = 100M\n\n"
            ),
            1 => write!(
                text,
                "transport_{n}:\n  driver = smtp\n  hosts_require_tls = *.secure{n}.example\n  \
                 connect_timeout = 1m\n  max_rcpt = 50\n  interface = <; 192.0.2.{n}\n\n"
            ),
            _ => write!(
                text,
                "transport_{n}:\n  driver = pipe\n  command = /usr/bin/deliver -d \
                 $local_part_data\n  return_output\n  timeout = 10m\n  user = nobody\n\n"
            ),
        };
    }
}
