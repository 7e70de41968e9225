//! Spools of their own, with a configuration for each.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use eximious_mta::spool::HeaderFile;
use tempfile::TempDir;

use super::{Run, run};

const CONFIG: &str = "\
    primary_hostname = mail.example\n\
    qualify_domain = here.example\n\
    keep_environment =\n\
    queue_only\n\
    check_spool_space = 0\n\
    check_log_space = 0\n\
    tls_advertise_hosts =\n\
    dsn_advertise_hosts = *\n\
    prdr_enable\n\
    smtputf8_advertise_hosts = *\n\
    acl_smtp_mail = mail\n\
    acl_smtp_rcpt = rcpt\n\
    acl_smtp_data = data\n";

const SECTIONS: &str = "\
    begin acl\n\
    mail:\n accept set acl_c_first = $sender_helo_name\n  set acl_c0 = $primary_hostname\n\
    rcpt:\n accept local_parts = frozen\n  control = freeze\n\
    \x20accept local_parts = slow\n  queue = slow\n\
    \x20accept set acl_m1 = two\\nlines\n  set acl_m_quoted = ${quote_mysql:$local_part}\n\
    data:\n accept add_header = :at_start:X-Start: a\n  add_header = X-End: b\n\
    begin routers\n\
    here:\n driver = accept\n domains = here.example\n transport = box\n\
    begin transports\n\
    box:\n driver = appendfile\n file = DIR/mail/box\n user = nobody\n\
    \x20message_prefix = \"From=$sender_address To=$local_part Helo=$sender_helo_name \
    Protocol=$received_protocol Ident=$sender_ident Lines=$body_linecount C=$acl_c_first \
    M=$acl_m1\\n\"\n message_suffix =\n";

pub const TEXT: &str = "Received: from a by b; now\r\nFrom: Alice <alice@here.example>\r\n\
    Sender: s@here.example\r\nReply-To: r@here.example\r\nTo: b@here.example,\r\n  c@here.example\r\n\
    Cc: d@here.example\r\nBcc: e@here.example\r\nReturn-Path: <x@y>\r\nSubject: hello\r\n\r\n\
    one\r\n..dot\r\n\r\nlast\r\n";

/// A spool of its own, with a configuration for it.
pub struct Place {
    pub directory: TempDir,
    pub config: PathBuf,
}

impl Place {
    pub fn new(more: &str) -> Self {
        let directory = TempDir::new().expect("a directory");
        // The real Exim's user comes here, too.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let mail = directory.path().join("mail");
        fs::create_dir(&mail).unwrap();
        fs::set_permissions(&mail, fs::Permissions::from_mode(0o777)).unwrap();
        let name = directory.path().display().to_string();
        let head = format!("spool_directory = {name}/spool\nlog_file_path = {name}/%slog\n");
        let sections = SECTIONS.replace("DIR", &name);
        let config = directory.path().join("conf");
        fs::write(&config, format!("{head}{CONFIG}{more}{sections}")).unwrap();
        Self { directory, config }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs a program with the configuration.
    pub fn run(&self, program: &str, args: &[&str], input: &str) -> Run {
        let config = self.config.display().to_string();
        let args: Vec<&str> = ["-C", &config].iter().chain(args).copied().collect();
        run(program, &args, input.as_bytes())
    }

    pub fn ours(&self, args: &[&str], input: &str) -> Run {
        self.run(env!("CARGO_BIN_EXE_eximious"), args, input)
    }

    /// The files of a directory of the spool, by their names.
    pub fn files(&self, directory: &str) -> BTreeMap<String, Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.path("spool").join(directory)) else {
            return BTreeMap::new();
        };
        let files = entries.flatten().filter(|entry| entry.path().is_file());
        files
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, fs::read(entry.path()).expect("a file of the spool"))
            })
            .collect()
    }

    /// The only header file in or below a directory, and its message's name.
    pub fn header(&self, directory: &str) -> (String, Vec<u8>) {
        let headers = || {
            let parts = fs::read_dir(self.path("spool").join(directory)).into_iter().flatten();
            let parts = parts.flatten().filter(|entry| entry.path().is_dir());
            let parts = parts.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let all = parts.map(|part| format!("{directory}/{part}")).chain([directory.to_owned()]);
            let files = all.flat_map(|directory| self.files(&directory));
            files.filter(|(name, _)| name.ends_with("-H")).collect::<Vec<_>>()
        };
        // Programs that hand in a report may take a moment.
        let end = Instant::now() + Duration::from_secs(10);
        while headers().is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut found = headers();
        assert_eq!(found.len(), 1, "{directory}");
        let (name, bytes) = found.remove(0);
        (name.trim_end_matches("-H").to_owned(), bytes)
    }
}

/// The real Exim, where it is there and may write to spools of its own.
pub fn exim() -> Option<String> {
    let is_root = fs::metadata("/proc/self").ok()?.uid() == 0;
    super::reference().filter(|_| is_root)
}

/// A header file without what is another one each time: names, times, and what says
/// which program wrote it; ACL variables are in order.
pub fn comparable(bytes: &[u8]) -> HeaderFile {
    let mut file = HeaderFile::decode(bytes).expect("a header file");
    let id = String::from_utf8(std::mem::take(&mut file.id)).unwrap();
    file.received = 0;
    file.values.retain(|value| {
        !value.name.starts_with(b"received_time") && value.name != b"tls_resumption"
    });
    for value in &mut file.values {
        if value.name == b"frozen" {
            value.text = None;
        }
    }
    let is_variable = |name: &[u8]| name == b"aclc" || name == b"aclm";
    file.values.sort_by_key(|value| match is_variable(&value.name) {
        true => (value.name.clone(), value.text.clone()),
        false => (value.name.clone(), None),
    });
    for header in &mut file.headers {
        let line = String::from_utf8_lossy(&header.line).replace(&id, "ID");
        let line = match line.rsplit_once(';') {
            Some((before, _)) if line.starts_with("Received: ") && line.contains("ID") => before,
            _ if line.contains("Date: ") => "Date:",
            _ => &line,
        };
        // The version's length may put a line's end elsewhere.
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let line = words.join(" ");
        header.line = match line.split_once("(Exim ") {
            Some((before, rest)) => {
                [before, rest.split_once(')').map_or("", |(_, after)| after)].concat()
            }
            None => line,
        }
        .into_bytes();
    }
    file
}
