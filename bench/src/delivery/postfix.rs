//! Postfix beside both programs, where it is there: as it comes, without TLS and name
//! look-ups.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::daemon;

/// Where `tests/setup` unpacks it, without its version.
const UNPACKED: &str = "/usr/local/lib/eximious-tests";

const MAIN: &str = "compatibility_level = 3.6\nqueue_directory = DIR/queue\n\
    command_directory = POST/usr/sbin\ndaemon_directory = POST/usr/lib/postfix/sbin\n\
    data_directory = DIR/data\nshlib_directory = POST/usr/lib/postfix\n\
    meta_directory = POST/etc/postfix\nmail_owner = mail\nsetgid_group = daemon\n\
    default_privs = nobody\ninet_protocols = ipv4\ninet_interfaces = 127.0.0.1\n\
    myhostname = postfix.test\nmydestination =\nmynetworks = 127.0.0.0/8\n\
    maillog_file = DIR/log/mail\nmaillog_file_prefixes = DIR\n\
    import_environment = MAIL_CONFIG LD_LIBRARY_PATH\nalias_maps =\n\
    local_recipient_maps =\nsmtpd_peername_lookup = no\nsmtp_host_lookup = native\n\
    smtpd_tls_security_level = none\nsmtp_tls_security_level = none\n\
    smtpd_relay_restrictions = permit_mynetworks, reject\n";

const SERVICES: &str = "127.0.0.1:PORT inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n\
    proxymap unix - - n - - proxymap\nqmgr unix n - n 300 1 qmgr\n\
    rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n\
    defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nsmtp unix - - n - - smtp\n\
    virtual unix - n n - - virtual\nlocal unix - n n - - local\n\
    error unix - - n - - error\nretry unix - - n - - error\n\
    anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
    postlog unix-dgram n - n - 1 postlogd\n";

/// A Postfix that runs from where it is unpacked.
pub struct Postfix {
    folder: TempDir,
    master: Child,
    pub place: SocketAddr,
}

impl Postfix {
    /// Its files, where they are (what `POSTFIX_ROOT` names, or where the tests have it).
    pub fn root() -> Option<PathBuf> {
        let named = std::env::var_os("POSTFIX_ROOT").map(PathBuf::from);
        let unpacked = std::fs::read_dir(UNPACKED).into_iter().flatten().flatten();
        let places = named.into_iter().chain(unpacked.map(|entry| entry.path()));
        let has_it = |root: &PathBuf| root.join("usr/lib/postfix/sbin/master").is_file();
        let mut found: Vec<PathBuf> = places.filter(has_it).collect();
        found.sort();
        found.pop()
    }

    /// Starts it, with more in its configuration; `DIR` is its folder.
    pub fn start(root: &Path, more: &str) -> Self {
        let folder = daemon::folder();
        let at = folder.path().display().to_string();
        let folders = format!(
            "chmod a+rx {at} && mkdir -p {at}/data {at}/log {at}/mail {at}/queue/pid && \
             cd {at}/queue && mkdir active bounce corrupt defer deferred flush hold incoming \
             private saved trace maildrop public && chown mail {at}/data [abcdfhimpst]* && \
             chown root pid && chgrp daemon maildrop public && chmod 730 maildrop && \
             chmod 710 public && chmod a+rwx {at}/mail"
        );
        let made = Command::new("sh").args(["-c", &folders]).status();
        assert!(made.is_ok_and(|status| status.success()), "Postfix's directories are made");
        let place = daemon::free_place();
        let root_name = root.display().to_string();
        let main = [MAIN, more].concat().replace("DIR", &at).replace("POST", &root_name);
        std::fs::write(folder.path().join("main.cf"), main).expect("the configuration");
        let services = SERVICES.replace("PORT", &place.port().to_string());
        std::fs::write(folder.path().join("master.cf"), services).expect("the services");
        let mut command = Command::new(root.join("usr/lib/postfix/sbin/master"));
        command.arg("-d").arg("-c").arg(folder.path()).env("MAIL_CONFIG", folder.path());
        command.env("LD_LIBRARY_PATH", root.join("usr/lib/postfix")).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let master = command.spawn().expect("Postfix starts");
        daemon::await_listener(place);
        Self { folder, master, place }
    }

    /// Where it logs.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log/mail")
    }

    /// Sees to it that its log says of so many messages that they are delivered.
    pub fn has_delivered(&self, count: usize) {
        let log = std::fs::read_to_string(self.log()).expect("the log");
        let told = || log.lines().filter(|line| line.contains(" status="));
        let other: Vec<&str> = told().filter(|line| !line.contains("=sent ")).take(3).collect();
        assert_eq!((told().count(), other), (count, vec![]), "Postfix has delivered each message");
    }
}

impl Drop for Postfix {
    /// Ends what it has started, too.
    fn drop(&mut self) {
        let group = format!("-{}", self.master.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = self.master.wait();
    }
}
