//! `eximious serve --workbench`: a page to try a configuration on, for this machine alone.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use eximious::World;
use eximious::world::Files;
use eximious_workbench::serve::{WorkbenchPage, app};

use crate::refusal::Refusal;
use crate::session::{Session, Setup};

/// How much stack a thread has that evaluates.
const STACK: usize = 16 << 20;
/// How many questions are answered at the same time.
const MOST_THREADS: usize = 4;
/// How many random bytes make a token.
const TOKEN: usize = 16;

/// Its options.
pub fn command() -> Command {
    Command::new("serve")
        .about("a page to try a configuration on, in a browser")
        .long_about(
            "Serves a page, on this machine alone, that has the configuration in an editor, and \
             tries expressions, sessions, ACLs and addresses on it, step by step; and the words \
             of the language. Whoever has the address with its token may use it. Nothing is \
             written: the configuration on the page is a copy, no command is run, and no \
             database server is asked. Ctrl-C ends it.",
        )
        .arg(
            Arg::new("workbench")
                .long("workbench")
                .action(ArgAction::SetTrue)
                .required(true)
                .help("Serves the workbench; there is nothing else to serve yet"),
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("N")
                .value_parser(value_parser!(u16))
                .default_value("0")
                .help("The port of 127.0.0.1; 0 is a free one"),
        )
}

/// Serves until it is ended.
///
/// # Errors
/// The configuration can't be read, or the port can't be had.
pub fn run(matches: &ArgMatches, setup: Setup) -> Result<ExitCode, Refusal> {
    let said = |why: io::Error| {
        let why = eximious::stdlib::wording::reason(&why);
        Refusal::Said(format!("eximious: {why}").into())
    };
    let macros = setup.macros.clone();
    let mut session = Session::start(setup, eximious_world::system())?;
    let (config, _) = session.parts();
    let file = config.and_then(|config| config.sources.files().first().cloned());
    let (name, text) = match file {
        Some(file) => (file.name, file.text.to_vec()),
        None => (b"exim.conf".to_vec(), Vec::new()),
    };
    let system = eximious_world::system();
    let token = (0..TOKEN).map(|_| format!("{:02x}", system.random.below(256)));
    let token: String = token.collect();
    let page = WorkbenchPage {
        token: token.clone(),
        name: String::from_utf8_lossy(&name).into_owned(),
        text: String::from_utf8_lossy(&text).into_owned(),
        macros,
        world: looked_at(system),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .max_blocking_threads(MOST_THREADS)
        .build()
        .map_err(said)?;
    let port = matches.get_one::<u16>("port").copied().unwrap_or(0);
    runtime.block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = tokio::net::TcpListener::bind(address).await.map_err(said)?;
        let address = listener.local_addr().map_err(said)?;
        let line = format!("http://{address}/{token}/\n");
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).map_err(said)?;
        drop(out);
        axum::serve(listener, app(page)).await.map_err(said)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The system as it is only looked at: files are read, names and users looked up, and
/// nothing else is there.
fn looked_at(system: World) -> World {
    World {
        files: Arc::new(LookedAt(system.files)),
        clock: system.clock,
        random: system.random,
        users: system.users,
        host: system.host,
        databases: system.databases,
        dns: system.dns,
        ..World::hermetic()
    }
}

/// Files that are only read.
struct LookedAt(Arc<dyn Files>);

impl Files for LookedAt {
    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files> {
        Arc::new(Self(self.0.clone().seen_by(uid, gid)))
    }

    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        self.0.read(path, limit)
    }

    fn stat(&self, path: &[u8], follow: bool) -> io::Result<eximious::world::Stat> {
        self.0.stat(path, follow)
    }

    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.0.names(path, most)
    }
}
