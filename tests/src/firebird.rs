//! A server for the lookup type `ibase`.

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use eximious::world::{Server as At, ServerAddress};

use crate::fixtures::replace;
use crate::root;
use crate::servers::{Home, Server, free_port, program};

/// A Firebird server with the tables that the suite knows.
pub struct Firebird {
    /// The process.
    pub server: Server,
    port: u16,
    daemon: PathBuf,
}

impl Firebird {
    /// One that is set like this besides; `None` where it is not installed.
    pub fn start(settings: &str) -> Option<Self> {
        let (daemon, shell) = (program("firebird")?, program("isql-fb")?);
        let home = Home::new("firebird");
        let port = free_port();
        let directory = home.path().display().to_string();
        // Its users are in a database of its own, not in the system's.
        home.write(
            "firebird.conf",
            format!(
                "RemoteServicePort = {port}\nRemoteBindAddress = localhost\n\
                 SecurityDatabase = {directory}/users.fdb\nDatabaseAccess = Full\n{settings}"
            ),
        );
        home.write(
            "databases.conf",
            format!(
                "db = {directory}/db.fdb\nsecurity.db = {directory}/users.fdb\n{{\n\
                 RemoteAccess = false\nDefaultDbCachePages = 50\n}}\n"
            ),
        );
        home.write("plugins.conf", "");
        let tables = std::fs::read_to_string(root().join("tests/data/sql/ibase.sql"));
        let tables = tables.expect("the tables").replace("FBDIR", &directory);
        let script = home.write("tables.sql", tables);
        // It owns the files, so that it is nobody's business who it is.
        let mut command = environment(&home, &shell);
        home.run(command.args(["-quiet", "-bail", "-user", "sysdba", "-input"]).arg(script));
        Some(Self::run(home, daemon, port))
    }

    fn run(home: Home, daemon: PathBuf, port: u16) -> Self {
        let mut command = environment(&home, &daemon);
        let ready = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        Self { server: Server::start(home, &mut command, ready), port, daemon }
    }

    /// Ends it; the function starts it again.
    pub fn end(self) -> impl FnOnce() -> Self {
        let (daemon, port) = (self.daemon, self.port);
        let home = self.server.stop();
        move || Self::run(home, daemon, port)
    }

    fn directory(&self) -> &Path {
        self.server.home().path()
    }

    /// A text with the directory and the port in it.
    pub fn fill(&self, text: &[u8]) -> Vec<u8> {
        let directory = self.directory().as_os_str().as_encoded_bytes();
        let text = replace(text, b"FBDIR", directory);
        replace(&text, b"FBPORT", self.port.to_string().as_bytes())
    }

    /// A text without them.
    pub fn hide(&self, text: &[u8]) -> String {
        let directory = self.directory().as_os_str().as_encoded_bytes();
        let text = replace(text, directory, b"FBDIR");
        let text = replace(&text, self.port.to_string().as_bytes(), b"FBPORT");
        String::from_utf8_lossy(&text).into_owned()
    }

    /// A configuration.
    pub fn config(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory().join(name);
        std::fs::write(&path, self.fill(text.as_bytes())).expect("a configuration");
        path
    }

    /// Where it is, for the world.
    pub fn at(&self) -> At {
        At {
            address: ServerAddress::Tcp { host: "127.0.0.1".into(), port: Some(self.port) },
            database: b"db".to_vec(),
            user: b"u".to_vec(),
            password: b"secret".to_vec(),
            group: None,
            environment: Vec::new(),
        }
    }
}

/// A command with everything in the server's directory.
fn environment(home: &Home, program: &Path) -> Command {
    let mut command = home.command(program);
    for name in ["FIREBIRD", "FIREBIRD_LOCK", "FIREBIRD_TMP"] {
        command.env(name, home.path());
    }
    command
}
