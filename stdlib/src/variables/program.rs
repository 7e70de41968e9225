//! Variables of the program itself and its configuration.

use eximious_core::{Call, Example, Str, Variable};

use super::record::computed;

use crate::options::{localhost_number, opt};

/// The release of Exim whose language this is.
pub const LANGUAGE_VERSION: &str = "4.100";

/// What this program calls itself: `$exim_version`, and with it the banner and `Received:`,
/// the log and `-bV`. Configurations and scripts compare it with Exim's releases, so it
/// begins as that of the language does.
pub const VERSION: &str = concat!("4.100-eximious-", env!("CARGO_PKG_VERSION"));

/// The day of this release. A constant, so that a build can be repeated bit by
/// bit.
pub const RELEASE_DATE: &str = "20-Nov-2026 00:00:00";

/// The records.
pub static ALL: &[Variable] = &[
    computed!(
        "bounce_return_size_limit",
        NONE,
        Clean,
        "How much of a message a bounce returns at the most, in bytes.",
        |call| Ok(Str::from(call.settings().get(opt::BOUNCE_RETURN_SIZE_LIMIT).max(0).to_string())),
        aliases(&["return_size_limit"]),
        examples(&[Example::new("$bounce_return_size_limit", "102400")])
    ),
    computed!(
        "compile_date",
        NONE,
        Clean,
        "The day of this release of eximious, as `20-Nov-2026 00:00:00`.",
        |_| Ok(Str::fixed(RELEASE_DATE)),
        docs("It is a constant of the release, not the time of the build.")
    ),
    computed!(
        "compile_number",
        NONE,
        Clean,
        "How often this release was built; always 1.",
        |_| Ok(Str::fixed("1")),
        examples(&[Example::new("$compile_number", "1")])
    ),
    computed!(
        "config_dir",
        HOST,
        Clean,
        "The directory of the main configuration file, without a slash at its end.",
        config_dir,
        docs(
            "Good for files that lie beside it: `${lookup{$domain}lsearch{$config_dir/routes}}`. \
             Where there is no configuration file it is a dot."
        ),
        examples(&[Example::new("$config_dir", ".")])
    ),
    computed!(
        "config_file",
        NONE,
        Clean,
        "The main configuration file, as it was named.",
        |call| Ok(call.settings().config_file.clone())
    ),
    computed!(
        "exim_path",
        NONE,
        Clean,
        "Where the program lies, for commands that call it again.",
        |call| Ok(call.settings().get(opt::EXIM_PATH)),
        docs("The option `exim_path`; commands in `pipe` transports and scripts call it.")
    ),
    computed!(
        "exim_version",
        NONE,
        Clean,
        "The release of Exim whose language is spoken, and that of eximious.",
        |call| {
            let set = call.settings().text(opt::EXIM_VERSION);
            Ok(set.unwrap_or_else(|| Str::fixed(VERSION)))
        },
        aliases(&["version_number"]),
        docs(
            "Scripts compare it, so it begins with Exim's number, that of the release whose \
             specification this program follows. The banner, `Received:`, the log and `-bV` \
             have the same. The option `exim_version` overrides it, for those who would rather \
             not say."
        ),
        examples(&[Example::new("$exim_version", VERSION)])
    ),
    computed!(
        "localhost_number",
        NONE,
        Clean,
        "The number of this host among those that share a domain; 0 where none is set.",
        |call| Ok(Str::from(localhost_number(call.settings()).unwrap_or(0).to_string())),
        examples(&[Example::new("$localhost_number", "0")])
    ),
    computed!(
        "regex_cachesize",
        NONE,
        Clean,
        "How many compiled patterns Exim's own cache holds; always 0.",
        |_| Ok(Str::fixed("0"))
    ),
    computed!(
        "spool_directory",
        NONE,
        Clean,
        "The directory of the queue and its databases.",
        |call| Ok(call.settings().get(opt::SPOOL_DIRECTORY)),
        docs(
            "The option `spool_directory`. Helpers keep their files there: \
             `spool_directory/db`, `spool_directory/scan` for attachments."
        )
    ),
];

/// Exim completes a relative name with the working directory.
fn config_dir(call: &mut Call<'_>) -> Result<Str, eximious_core::Fail> {
    let file = call.settings().config_file.clone();
    let file = file.bytes();
    if file.is_empty() {
        return Ok(Str::fixed("."));
    }
    let slash = file.iter().rposition(|c| *c == b'/');
    let directory = file[..slash.unwrap_or(0)].to_vec();
    if slash == Some(0) {
        return Ok(Str::fixed("/"));
    }
    if file.starts_with(b"/") {
        return Ok(Str::from(directory));
    }
    let mut path = call.host()?.directory();
    if path != b"/" {
        path.push(b'/');
    }
    path.extend_from_slice(&directory);
    Ok(Str::from(path))
}
