//! Which OpenSSL is built in. `openssl-sys` asks a crate of this name for a library; in
//! this workspace it gets the system's, linked statically, where its headers and its
//! archives stand (`libssl-dev`), so that a program that needs no TLS loads no library at
//! its start. Else it gets what the real crate of this name builds from its source, which
//! takes `perl` and `make`.
//!
//! `OPENSSL_NO_VENDOR=1` has nobody ask: the system's library is loaded when the program
//! starts, as distributions want it.

// This runs where the program is built, and nowhere else.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The archives that are linked.
const ARCHIVES: [&str; 2] = ["libssl.a", "libcrypto.a"];

/// What `openssl-sys` asks for.
#[derive(Default, Debug)]
pub struct Build {
    directory: Option<PathBuf>,
}

/// Where the library stands.
#[derive(Debug)]
pub struct Artifacts {
    include: PathBuf,
    libraries: PathBuf,
}

impl Build {
    /// Nothing is wished for yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the library looks for its configuration and the certificates that it
    /// believes.
    pub fn openssl_dir(&mut self, path: impl AsRef<Path>) -> &mut Self {
        self.directory = Some(path.as_ref().to_owned());
        self
    }

    /// Finds the library, or builds it.
    ///
    /// # Panics
    /// It is not there, and can't be built: that ends the build of the program, with a
    /// reason.
    #[must_use]
    pub fn build(&mut self) -> Artifacts {
        println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
        match self.directory.is_none().then(of_the_system).flatten() {
            Some(found) => found,
            None => self.build_source(),
        }
    }

    fn build_source(&self) -> Artifacts {
        for tool in ["perl", "make"] {
            let runs = Command::new(tool).arg("--version").output();
            assert!(
                runs.is_ok_and(|run| run.status.success()),
                "OpenSSL's headers and archives are not here (libssl-dev), and to build it takes `{tool}`, which is not here either"
            );
        }
        let mut source = bundled::Build::new();
        // Where Linux has what it believes.
        source.openssl_dir(self.directory.as_deref().unwrap_or(Path::new("/etc/ssl")));
        let made = source.build();
        Artifacts { include: made.include_dir().to_owned(), libraries: made.lib_dir().to_owned() }
    }
}

impl Artifacts {
    /// The folder of the headers.
    #[must_use]
    pub fn include_dir(&self) -> &Path {
        &self.include
    }

    /// The folder of the libraries.
    #[must_use]
    pub fn lib_dir(&self) -> &Path {
        &self.libraries
    }
}

/// The system's library, where it is for the machine that the program is built for. Its
/// archives are linked to from a folder of their own, beside which there is no shared
/// library that would be taken instead.
fn of_the_system() -> Option<Artifacts> {
    if env::var("HOST").ok()? != env::var("TARGET").ok()? {
        return None;
    }
    let include = [variable("includedir"), Some("/usr/include".into())];
    let include = include.into_iter().flatten().find(|at| at.join("openssl/ssl.h").is_file())?;
    let multiarch = Command::new("cc").arg("-print-multiarch").output().ok();
    let multiarch = multiarch.and_then(|run| String::from_utf8(run.stdout).ok());
    let usual = multiarch.map(|name| Path::new("/usr/lib").join(name.trim()));
    let places = [variable("libdir"), usual, Some("/usr/lib64".into()), Some("/usr/lib".into())];
    let has_all = |at: &PathBuf| ARCHIVES.iter().all(|name| at.join(name).is_file());
    let from = places.into_iter().flatten().find(has_all)?;
    let own = Path::new(&env::var_os("OUT_DIR")?).join("openssl").join("lib");
    fs::create_dir_all(&own).ok()?;
    for name in ARCHIVES {
        let link = own.join(name);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(from.join(name), link).ok()?;
        println!("cargo:rerun-if-changed={}", from.join(name).display());
    }
    println!("cargo:rerun-if-changed={}", include.join("openssl/opensslv.h").display());
    Some(Artifacts { include, libraries: own })
}

/// What `pkg-config` says of OpenSSL.
fn variable(name: &str) -> Option<PathBuf> {
    let run = Command::new("pkg-config").arg(format!("--variable={name}")).arg("openssl").output();
    let run = run.ok().filter(|run| run.status.success())?;
    let text = String::from_utf8(run.stdout).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}
