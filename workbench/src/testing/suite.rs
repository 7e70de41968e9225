//! A test file with its configuration, made ready, and the tests in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use eximious::world::{Files, Fixture, Group, User, Users};
use eximious::{Config, Engine, Loaded, Macros, World};
use eximious_mta::smtp::SmtpServer;

use super::faults;
use super::file::{Case, CaseTable, Cell, ExpandCase, GivenWorld, RouteCase, TestFile};
use super::world::{self, TestMachine};

/// A test file with its configuration, made ready.
pub struct Suite {
    /// The file's name.
    pub name: String,
    /// What is given for all of its tests.
    pub given: GivenWorld,
    /// The tests, each row of a table one of its own.
    pub tests: Vec<ConfigTest>,
    pub(super) loaded: Loaded,
    pub(super) server: Arc<SmtpServer>,
    pub(super) machine: TestMachine,
}

/// A test.
#[derive(Clone, Debug)]
pub struct ConfigTest {
    /// What it is called.
    pub name: String,
    /// What it tests.
    pub what: Tested,
}

/// What a test is about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Tested {
    /// A session, or an ACL.
    Case(Box<Case>),
    /// An expression.
    Expand(ExpandCase),
    /// An address.
    Route(RouteCase),
}

/// How long a test file may be.
const LARGEST: u64 = 16 << 20;

impl Suite {
    /// Reads a test file and its configuration.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn read(path: &str, machine: &TestMachine) -> Result<Self, String> {
        let text = machine.files.read(path.as_bytes(), LARGEST);
        let text = text.map_err(|why| format!("{path}: {}", reason(&why)))?;
        let text = std::str::from_utf8(&text).map_err(|_| format!("{path}: it is no UTF-8"))?;
        let file = TestFile::parse(text).map_err(|why| format!("{path}: {why}"))?;
        Self::new(path, file, machine).map_err(|why| format!("{path}: {why}"))
    }

    /// A test file, and its configuration.
    ///
    /// # Errors
    /// What is wrong with the configuration, or with what is given.
    pub fn new(name: &str, file: TestFile, machine: &TestMachine) -> Result<Self, String> {
        let mut macros = Macros::new();
        for (name, value) in &file.macros {
            if !macros.set(name.as_bytes(), value.as_bytes()) {
                return Err(format!("\"{name}\" is no name of a macro"));
            }
        }
        let given = world::world(&file.given, machine)?;
        let registry = eximious::registry();
        let builder = world::with_lookups(Engine::builder(), &registry, &answers(&file))?;
        let config = match (&file.text, &file.config) {
            (Some(text), None) => {
                let fixture = Fixture::new().file("/exim.conf", text);
                let reading = reading(fixture.world().files, &given);
                Config::read(b"/exim.conf", macros, &reading, builder.registry())
            }
            (None, Some(path)) => {
                let path = beside(name, path);
                let reading = reading(machine.files.clone(), &given);
                Config::read(path.as_bytes(), macros, &reading, builder.registry())
            }
            (Some(_), Some(_)) => {
                return Err("it has both config and text: one of them is enough".to_owned());
            }
            (None, None) => {
                return Err("it wants a configuration: config = \"FILE\", or text".to_owned());
            }
        };
        let config = config.map_err(|why| format!("{why:#}"))?;
        let tests = tests(&file)?;
        faults::look(&file.given, &tests, builder.registry())?;
        let engine = config.build(builder.world(given));
        let server = Arc::new(SmtpServer::new(&config, &engine));
        Ok(Self {
            name: name.to_owned(),
            tests,
            given: file.given,
            loaded: engine.load(config),
            server,
            machine: machine.clone(),
        })
    }

    /// The configuration, made ready.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }
}

/// What is said of a fault of a file.
fn reason(why: &std::io::Error) -> String {
    eximious::stdlib::wording::reason(why)
}

/// A path that begins where another file is.
fn beside(file: &str, path: &str) -> String {
    match file.rfind('/') {
        Some(end) if !path.starts_with('/') => format!("{}/{path}", &file[..end]),
        _ => path.to_owned(),
    }
}

/// The world that a configuration is read in: users that it names exist.
fn reading(files: Arc<dyn Files>, given: &World) -> World {
    let users = Arc::new(Anybody(given.users.clone()));
    World { files, users, ..given.clone() }
}

/// Which types of look-ups have answers that are given, anywhere in the file.
fn answers(file: &TestFile) -> BTreeSet<String> {
    let given = [&file.given].into_iter();
    let all = given
        .chain(file.case.iter().map(|one| &one.given))
        .chain(file.expand.iter().map(|one| &one.given))
        .chain(file.route.iter().map(|one| &one.given));
    all.flat_map(|given| given.lookup.iter().map(|one| one.kind.clone())).collect()
}

/// All tests of a file; a row of a table is one.
fn tests(file: &TestFile) -> Result<Vec<ConfigTest>, String> {
    let mut all = Vec::new();
    for case in &file.case {
        let own = Case { table: None, ..case.clone() };
        for (name, own) in rows(&case.name, case.table.as_ref(), &own)? {
            all.push(ConfigTest { name, what: Tested::Case(Box::new(own)) });
        }
    }
    for case in &file.expand {
        let own = ExpandCase { table: None, ..case.clone() };
        let name = case.name.as_ref().unwrap_or(&case.text);
        for (name, own) in rows(name, case.table.as_ref(), &own)? {
            all.push(ConfigTest { name, what: Tested::Expand(own) });
        }
    }
    for case in &file.route {
        let own = RouteCase { table: None, ..case.clone() };
        let name = case.name.as_ref().unwrap_or(&case.address);
        for (name, own) in rows(name, case.table.as_ref(), &own)? {
            all.push(ConfigTest { name, what: Tested::Route(own) });
        }
    }
    Ok(all)
}

/// A test for each row of its table.
fn rows<T>(name: &str, table: Option<&CaseTable>, own: &T) -> Result<Vec<(String, T)>, String>
where
    T: Clone + serde::Serialize + serde::de::DeserializeOwned,
{
    let Some(table) = table else { return Ok(vec![(name.to_owned(), own.clone())]) };
    if table.rows.is_empty() {
        return Err(format!("{name}: its table has no rows"));
    }
    let form = serde_json::to_value(own).map_err(|why| why.to_string())?;
    let mut all = Vec::new();
    for (number, row) in table.rows.iter().enumerate() {
        if row.len() != table.columns.len() {
            let (has, wants) = (row.len(), table.columns.len());
            let row = number + 1;
            return Err(format!("{name}: row {row} has {has} values for {wants} columns"));
        }
        let mut filled = form.clone();
        fill(&mut filled, &table.columns, row);
        let values: Vec<_> = row.iter().map(ToString::to_string).collect();
        let named = match name.contains('{') {
            true => filled_text(name, &table.columns, row),
            false => format!("{name} ({})", values.join(", ")),
        };
        let own = serde_json::from_value(filled).map_err(|why| format!("{name}: {why}"))?;
        all.push((named, own));
    }
    Ok(all)
}

fn fill(value: &mut serde_json::Value, columns: &[String], row: &[Cell]) {
    match value {
        serde_json::Value::String(text) if text.contains('{') => {
            *text = filled_text(text, columns, row);
        }
        serde_json::Value::Array(all) => all.iter_mut().for_each(|one| fill(one, columns, row)),
        serde_json::Value::Object(all) => {
            all.values_mut().for_each(|one| fill(one, columns, row));
        }
        _ => {}
    }
}

fn filled_text(text: &str, columns: &[String], row: &[Cell]) -> String {
    let mut out = text.to_owned();
    for (column, cell) in columns.iter().zip(row) {
        out = out.replace(&format!("{{{column}}}"), &cell.to_string());
    }
    out
}

/// Whoever a configuration names is there.
struct Anybody(Arc<dyn Users>);

/// The number of those whom nobody knows.
const NOBODY: u32 = 65_534;

impl Users for Anybody {
    fn user(&self, name: &[u8]) -> std::io::Result<Option<User>> {
        let somebody = || User {
            name: name.to_vec(),
            uid: NOBODY,
            gid: NOBODY,
            gecos: Vec::new(),
            home: b"/".to_vec(),
            shell: Vec::new(),
        };
        Ok(Some(self.0.user(name)?.unwrap_or_else(somebody)))
    }

    fn user_by_id(&self, uid: u32) -> std::io::Result<Option<User>> {
        self.0.user_by_id(uid)
    }

    fn group(&self, name: &[u8]) -> std::io::Result<Option<Group>> {
        let some = || Group { name: name.to_vec(), gid: NOBODY, members: Vec::new() };
        Ok(Some(self.0.group(name)?.unwrap_or_else(some)))
    }

    fn group_by_id(&self, gid: u32) -> std::io::Result<Option<Group>> {
        self.0.group_by_id(gid)
    }

    fn groups_of(&self, user: &[u8], gid: u32) -> std::io::Result<Vec<u32>> {
        self.0.groups_of(user, gid)
    }

    fn crypt(&self, password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
        self.0.crypt(password, setting)
    }

    fn authenticate(
        &self,
        service: &[u8],
        user: &[u8],
        answers: &[Vec<u8>],
    ) -> Result<bool, Vec<u8>> {
        self.0.authenticate(service, user, answers)
    }
}
