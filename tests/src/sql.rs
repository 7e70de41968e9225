//! Servers for the lookup types `mysql` and `pgsql`.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eximious::world::{Server as At, ServerAddress, ServerError, SqlAnswer, SqlKind, World};

use crate::fixtures::replace;
use crate::ours::Ours;
use crate::reference::{Answer, Reference};
use crate::servers::{Home, Server, free_port, program};
use crate::suite::Suite;
use crate::{root, show};

/// A server with the tables that the suites know.
pub struct Sql {
    /// The process.
    pub server: Server,
    port: u16,
    /// Which of the two it is.
    pub kind: SqlKind,
    daemon: PathBuf,
}

const ELSEWHERE: &str = "such servers are started elsewhere";

/// What stands in suites for a server's directory and port.
const NAMES: [[&[u8]; 2]; 2] = [[b"MYDIR", b"MYPORT"], [b"PGDIR", b"PGPORT"]];

impl Sql {
    /// A MariaDB server; `None` where that is not installed.
    pub fn mariadb() -> Option<Self> {
        let (daemon, install) = (program("mariadbd")?, program("mariadb-install-db")?);
        let home = Home::new("mysql");
        let data = format!("--datadir={}", home.path().join("data").display());
        let auth = ["--auth-root-authentication-method=normal", "--skip-test-db"];
        home.run(home.command(&install).args(["--no-defaults", &data]).args(auth));
        Some(Self::start(SqlKind::Mysql, home, daemon, free_port()))
    }

    /// A PostgreSQL server; `None` where that is not installed.
    pub fn postgresql() -> Option<Self> {
        let daemon = program("/usr/lib/postgresql/*/bin/postgres")?;
        let home = Home::new("postgres");
        let initdb = daemon.with_file_name("initdb");
        // Everybody who comes through the socket is let in; the user of the
        // suites must show a password elsewhere.
        let auth = ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"];
        let place = ["-U", "postgres", "-D", "data"];
        home.run(home.command(&initdb).args(auth).args(place));
        let sql = Self::start(SqlKind::Pgsql, home, daemon, free_port());
        sql.script("pgsql-databases.sql");
        Some(sql)
    }

    fn start(kind: SqlKind, home: Home, daemon: PathBuf, port: u16) -> Self {
        let mut command = home.command(&daemon);
        let directory = home.path().display().to_string();
        let socket = match kind {
            SqlKind::Mysql => {
                command.args(["--no-defaults", "--bind-address=127.0.0.1,::1"]);
                command.args(["--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"]);
                command.args(["--plugin-maturity=unknown", "--local-infile=1"]);
                command.arg(format!("--datadir={directory}/data"));
                command.arg(format!("--socket={directory}/sock"));
                command.arg(format!("--port={port}"));
                home.path().join("sock")
            }
            SqlKind::Pgsql => {
                command.args(["-D", "data", "-k", &directory, "-p", &port.to_string()]);
                command.args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1,::1"]);
                home.path().join(format!(".s.PGSQL.{port}"))
            }
            SqlKind::Firebird | SqlKind::Oracle => unreachable!("{ELSEWHERE}"),
        };
        let admin = Admin { kind, directory, port };
        let ready = || UnixStream::connect(&socket).is_ok() && admin.can("select 1");
        Self { server: Server::start(home, &mut command, ready), port, kind, daemon }
    }

    /// Ends it; the function starts it again.
    pub fn end(self) -> impl FnOnce() -> Self {
        let (kind, daemon, port) = (self.kind, self.daemon, self.port);
        let home = self.server.stop();
        move || Self::start(kind, home, daemon, port)
    }

    fn directory(&self) -> &Path {
        self.server.home().path()
    }

    /// Does what a text says, as the server's owner.
    pub fn admin(&self, text: &str) {
        let directory = self.directory().display().to_string();
        let admin = Admin { kind: self.kind, directory, port: self.port };
        assert!(admin.can(text), "{text}");
    }

    /// The tables as they are in the beginning.
    pub fn reset(&self) {
        self.script(if self.kind == SqlKind::Mysql { "mysql.sql" } else { "pgsql.sql" });
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a MariaDB server answers to a question, as its owner: a row a line, with tabs.
    pub fn rows(&self, database: &str, question: &str) -> String {
        assert_eq!(self.kind, SqlKind::Mysql, "{ELSEWHERE}");
        let socket = format!("-S{}/sock", self.directory().display());
        let mut command = std::process::Command::new("mariadb");
        command.args(["--no-defaults", "-uroot", &socket, "-N", "-B", database, "-e", question]);
        let output = command.output().expect("a client");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn script(&self, name: &str) {
        let file = root().join("tests/data/sql").join(name);
        self.admin(&std::fs::read_to_string(file).expect("the tables"));
    }

    fn names(&self) -> [(&'static [u8], Vec<u8>); 2] {
        let [directory, port] = NAMES[usize::from(self.kind == SqlKind::Pgsql)];
        let path = self.directory().as_os_str().as_encoded_bytes().to_vec();
        [(directory, path), (port, self.port.to_string().into_bytes())]
    }

    /// A text with the directory and the port in it.
    pub fn fill(&self, text: &[u8]) -> Vec<u8> {
        let fill = |text: Vec<u8>, (name, value): (&[u8], Vec<u8>)| replace(&text, name, &value);
        self.names().into_iter().fold(text.to_vec(), fill)
    }

    /// A text without them.
    pub fn hide(&self, text: &[u8]) -> Vec<u8> {
        let hide = |text: Vec<u8>, (name, value): (&[u8], Vec<u8>)| replace(&text, &value, name);
        self.names().into_iter().fold(text.to_vec(), hide)
    }

    /// A configuration.
    pub fn config(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory().join(name);
        std::fs::write(&path, self.fill(text.as_bytes())).expect("a configuration");
        path
    }

    /// A suite, in one conversation; Exim's answers, where it is there, must be
    /// the same, and otherwise those that it gave when the suite was written.
    pub fn suite(&self, name: &str, config: &Path) {
        let suite = Suite::read(&root().join("tests/suites/sql").join(name));
        let lines: Vec<Vec<u8>> = suite.cases.iter().map(|case| self.fill(&case.input)).collect();
        self.reset();
        let theirs = match Reference::find() {
            Some(exim) => exim.with_config(config).ask(&lines, None),
            None => suite.cases.iter().map(|case| Answer::Said(self.fill(&case.output))).collect(),
        };
        self.reset();
        let mut ours = Ours::with_config(config);
        let mut differ = Vec::new();
        for ((case, line), theirs) in suite.cases.iter().zip(&lines).zip(theirs) {
            let said = ours.answer(line);
            if theirs != Answer::Said(said.clone()) {
                let number = case.number;
                let (line, said) = (show(&case.input), show(&self.hide(&said)));
                differ
                    .push(format!("{name}:{number}: {line}\n  ours   {said}\n  theirs {theirs:?}"));
            }
        }
        assert!(differ.is_empty(), "{} differ\n{}", differ.len(), differ.join("\n"));
    }

    /// Where it is, for the world.
    pub fn at(&self) -> At {
        at(self.port)
    }
}

/// A user of the suites at a port.
pub fn at(port: u16) -> At {
    At {
        address: ServerAddress::Tcp { host: "127.0.0.1".into(), port: Some(port) },
        database: b"db".to_vec(),
        user: b"u".to_vec(),
        password: b"secret".to_vec(),
        group: None,
        environment: Vec::new(),
    }
}

/// Asks a server; that takes twenty seconds at the most.
///
/// # Errors
/// As the world says.
pub fn ask(
    world: &World,
    kind: SqlKind,
    at: &At,
    statement: &str,
) -> Result<SqlAnswer, ServerError> {
    world.sql.query(kind, at, statement.as_bytes(), Duration::from_secs(20))
}

/// The server's owner.
struct Admin {
    kind: SqlKind,
    directory: String,
    port: u16,
}

impl Admin {
    fn can(&self, text: &str) -> bool {
        let mut command;
        match self.kind {
            SqlKind::Mysql => {
                command = std::process::Command::new("mariadb");
                command.args(["--no-defaults", "-uroot", &format!("-S{}/sock", self.directory)]);
            }
            SqlKind::Pgsql => {
                command = std::process::Command::new("psql");
                command.args(["-qX", "-h", &self.directory, "-p", &self.port.to_string()]);
                command.args(["-U", "postgres", "-v", "ON_ERROR_STOP=1"]);
            }
            SqlKind::Firebird | SqlKind::Oracle => unreachable!("{ELSEWHERE}"),
        }
        let text = text.to_owned();
        command.stdin(std::process::Stdio::piped());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let Ok(mut child) = command.spawn() else { return false };
        let mut pipe = child.stdin.take().expect("a pipe was asked for");
        // It may end before it has read everything.
        let _ = std::io::Write::write_all(&mut pipe, text.as_bytes());
        drop(pipe);
        child.wait().is_ok_and(|status| status.success())
    }
}
