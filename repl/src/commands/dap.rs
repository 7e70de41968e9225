//! `eximious dap`: the debugger for editors, at the standard input and output.

use std::io;
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use eximious::{Config, Engine};
use eximious_workbench::dap::{DapHost, serve};
use eximious_workbench::testing::TestMachine;

use crate::refusal::Refusal;
use crate::session::{Session, Setup};

/// How large a session may be.
const LARGEST: u64 = 64 << 20;

/// Its options.
pub fn command() -> Command {
    Command::new("dap").about("the debugger for editors").long_about(
        "Serves an editor's debugger at the standard input and output, as the Debug Adapter \
         Protocol has it. What is launched is a session, an ACL, an address or an expression \
         of a configuration (config with session, lines, acl, route or expand), or a test \
         (testFile and test). docs/editors.md says how editors are told.",
    )
}

/// Runs it.
///
/// # Errors
/// The client can't be spoken to.
pub fn run(_: &ArgMatches, setup: Setup) -> Result<ExitCode, Refusal> {
    let input = io::BufReader::new(io::stdin());
    match serve(input, &mut io::stdout(), Box::new(Host(setup))) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(why) => Err(Refusal::Said(format!("eximious: {why}").into_bytes())),
    }
}

/// The system.
struct Host(Setup);

impl DapHost for Host {
    fn open(&mut self, path: &str) -> Result<(Config, Engine), String> {
        let setup = Setup { config: Some(path.as_bytes().to_vec()), ..self.0.clone() };
        let mut session =
            Session::start(setup, eximious_world::system()).map_err(|refusal| match refusal {
                Refusal::Said(why) | Refusal::Logged(why) => {
                    String::from_utf8_lossy(&why).into_owned()
                }
            })?;
        let engine = session.engine().clone();
        let (config, _) = session.parts();
        Ok((config.cloned().unwrap_or_else(Config::default), engine))
    }

    fn machine(&self) -> TestMachine {
        super::machine()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = eximious_world::system().files.read(path.as_bytes(), LARGEST);
        let why = |why| format!("{path}: {}", eximious::stdlib::wording::reason(&why));
        text.map(|text| text.to_vec()).map_err(why)
    }
}
