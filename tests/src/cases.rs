//! What files of cases share: the files that belong to them, where those are,
//! and how answers are compared.
//!
//! ```text
//! ## a remark
//! +++ exim.conf
//! the text of a file, up to the next line that begins with one of these signs;
//! DIR stands for the directory in which the files are
//! +++ aliases 600 nobody:mail
//! one with other rights than 644, and of somebody else
//! @ needs /usr/sbin/update-exim4.conf
//! @ scene site-verify
//! $ mkfifo DIR/pipe
//! ```
//!
//! `$` runs a command of the shell after the files are there, and before any
//! question. `@ needs` names a file without which a case is left out. `@ scene`
//! takes all of this from `NAME.scene` in the same folder, which several cases share.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::fixtures::replace;

/// The files of cases in a folder of `tests/`, in order: all of them, or those whose
/// names are given with commas between them.
pub fn files(folder: &str, names: Option<&str>) -> Vec<PathBuf> {
    let folder = crate::root().join("tests").join(folder);
    let entries = std::fs::read_dir(folder).expect("the cases").flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    let wanted = |path: &PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        names.is_none_or(|names| names.split(',').any(|one| one == name))
    };
    paths.retain(|path| path.extension().is_some_and(|end| end == "case") && wanted(path));
    paths.sort();
    paths
}

/// The text of a file of cases.
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is there before a program is asked.
#[derive(Debug, Default)]
pub struct Scene {
    files: Vec<File>,
    commands: Vec<String>,
    needs: Vec<PathBuf>,
    in_file: bool,
}

#[derive(Debug)]
struct File {
    name: String,
    mode: u32,
    owner: Option<String>,
    text: String,
}

/// Where the files of a case are; they go when this does.
#[derive(Debug)]
pub struct Place {
    directory: TempDir,
}

impl Scene {
    /// Takes a line with its end, of a case in this file; false where it is of no such
    /// sort.
    pub fn add(&mut self, case: &Path, whole: &str) -> bool {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        match sign {
            "##" => {}
            "+++" => {
                self.in_file = true;
                self.files.push(File::new(rest));
                return true;
            }
            "$" => self.commands.push(rest.to_owned()),
            "@" => match rest.split_once(' ').expect("a word and what it is about") {
                ("needs", path) => self.needs.push(path.into()),
                ("scene", name) => self.take(&case.with_file_name(name).with_extension("scene")),
                _ => panic!("{}: what is this: {line}", case.display()),
            },
            _ if self.in_file => {
                self.files.last_mut().expect("a file").text.push_str(whole);
                return true;
            }
            _ => return false,
        }
        self.in_file = false;
        true
    }

    /// Takes what several cases share.
    fn take(&mut self, path: &Path) {
        for line in text(path).split_inclusive('\n') {
            let known = self.add(path, line);
            assert!(known || line.trim().is_empty(), "{}: {line}", path.display());
        }
    }

    /// The lines that follow are of no file.
    pub fn end_of_file(&mut self) {
        self.in_file = false;
    }

    /// A file that is needed and that is not there.
    pub fn lacks(&self) -> Option<&Path> {
        self.needs.iter().map(PathBuf::as_path).find(|path| !path.exists())
    }

    /// Whether one of its files has this in its text.
    pub fn mentions(&self, text: &str) -> bool {
        self.files.iter().any(|file| file.text.contains(text))
    }

    /// Makes the files.
    pub fn set_up(&self) -> Place {
        let directory = TempDir::with_prefix("eximious-").expect("a directory");
        let place = Place { directory };
        let open = |path: &Path, mode| {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("rights");
        };
        open(place.path(), 0o755);
        for file in &self.files {
            let path = place.path().join(&file.name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).expect("a directory");
            }
            std::fs::write(&path, place.fill(&file.text)).expect("a file");
            open(&path, file.mode);
            if let Some(owner) = &file.owner {
                let owned = Command::new("chown").arg(owner).arg(&path).status();
                assert!(owned.is_ok_and(|status| status.success()), "{owner}: {}", file.name);
            }
        }
        for command in &self.commands {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(place.fill(command)).current_dir(place.path());
            assert!(shell.status().is_ok_and(|status| status.success()), "{command}");
        }
        place
    }
}

impl File {
    /// From what stands behind its sign.
    fn new(head: &str) -> Self {
        let mut words = head.split_whitespace().map(str::to_owned);
        let name = words.next().expect("a file's name");
        let mode = words.next().unwrap_or_else(|| "644".to_owned());
        let mode = u32::from_str_radix(&mode, 8).expect("a file's rights");
        Self { name, mode, owner: words.next(), text: String::new() }
    }
}

impl Place {
    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Puts the directory in where DIR stands as a word.
    pub fn fill(&self, text: &str) -> String {
        let word = regex::Regex::new(r"\bDIR\b").expect("a regular expression");
        let path = self.path().display().to_string();
        word.replace_all(text, regex::NoExpand(&path)).into_owned()
    }

    /// Puts DIR in for the directory; what is not UTF-8 is shown as an escape.
    pub fn hide(&self, bytes: &[u8]) -> String {
        let bytes = replace(bytes, self.path().as_os_str().as_encoded_bytes(), b"DIR");
        let mut text = String::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().escape_ascii().map(char::from));
        }
        text
    }
}

/// The lines that only one of two texts has where it has them: `-` those of the
/// first, `+` those of the second.
pub fn changes(wanted: &[String], said: &[String]) -> Vec<(char, String)> {
    // The length of the longest common part of what is behind each two places.
    let mut common = vec![vec![0_u32; said.len() + 1]; wanted.len() + 1];
    for (i, one) in wanted.iter().enumerate().rev() {
        for (j, other) in said.iter().enumerate().rev() {
            common[i][j] = match one == other {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut found = Vec::new();
    while i < wanted.len() || j < said.len() {
        if i < wanted.len() && j < said.len() && wanted[i] == said[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == said.len() || i < wanted.len() && common[i + 1][j] >= common[i][j + 1] {
            found.push(('-', wanted[i].clone()));
            i += 1;
        } else {
            found.push(('+', said[j].clone()));
            j += 1;
        }
    }
    found
}

/// Words with spaces between them; quotes hold some together.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
