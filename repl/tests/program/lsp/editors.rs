//! Real editors with the files in `editors/`, without a terminal.

use std::fs;
use std::path::Path;
use std::process::Command;

use eximious_tests::root;

const TEXT: &str = "primary_hostnam = a\nhostlist  relays=192.0.2.1\nhost_lookup = +relays\n";
const NEAT: &str = "primary_hostnam = a\nhostlist relays = 192.0.2.1\nhost_lookup = +relays\n";

/// A folder with a configuration and a script, and the name of the program's folder.
fn place(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("exim.conf"), TEXT).unwrap();
    fs::write(folder.path().join("script"), script).unwrap();
    folder
}

/// Runs an editor in the folder; `None` where there is no such editor.
fn run(editor: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_eximious")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("timeout");
    command.arg("60").arg(editor).args(arguments).current_dir(folder);
    let output = command.env("PATH", path).env("HOME", folder).output().unwrap();
    if output.status.code() == Some(127) {
        eprintln!("LEFT OUT: no {editor}");
        return None;
    }
    let said = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&said).replace("\r\n", "\n"))
}

#[test]
fn neovim_shows_finds_and_lays_out() {
    let folder = place(
        "local buf = vim.api.nvim_get_current_buf()\n\
         vim.wait(20000, function() return #vim.diagnostic.get(buf) > 0 end, 50)\n\
         for _, d in ipairs(vim.diagnostic.get(buf)) do\n\
           io.stdout:write(('%d:%d %s\\n'):format(d.lnum + 1, d.col + 1, d.message))\n\
         end\n\
         local params = { textDocument = { uri = vim.uri_from_bufnr(buf) },\n\
           position = { line = 2, character = 16 } }\n\
         for _, one in pairs(vim.lsp.buf_request_sync(buf, 'textDocument/definition', params, 9000)) do\n\
           local start = one.result[1].range.start\n\
           io.stdout:write(('defined at %d:%d\\n'):format(start.line + 1, start.character + 1))\n\
         end\n\
         if vim.lsp.buf.format then vim.lsp.buf.format() else vim.lsp.buf.formatting_sync(nil, 9000) end\n\
         io.stdout:write(table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\\n') .. '\\n')\n",
    );
    let plugin = format!("source {}", root().join("editors/nvim/exim.lua").display());
    let arguments = [
        "--headless",
        "-u",
        "NONE",
        "-c",
        &plugin,
        "-c",
        "edit exim.conf",
        "-c",
        "luafile script",
        "-c",
        "qa!",
    ];
    let Some(said) = run("nvim", &arguments, folder.path()) else { return };
    let wanted = format!(
        "1:1 main option \"primary_hostnam\" unknown\ndid you mean primary_hostname?\n\
         defined at 2:11\n{NEAT}"
    );
    assert!(said.contains(&wanted), "{said}");
}

#[test]
fn vim_lists_mistakes_and_lays_out() {
    let folder = place(
        "silent make!\n\
         let found = filter(getqflist(), 'v:val.valid')\n\
         call map(found, 'bufname(v:val.bufnr) . \":\" . v:val.lnum . \" \" . v:val.text')\n\
         normal! gggqG\n\
         call writefile(found + getline(1, '$'), 'said')\n\
         qa!\n",
    );
    let Some(said) = vim("exim.conf", folder.path()) else { return };
    assert_eq!(said, format!("exim.conf:1 main option \"primary_hostnam\" unknown\n{NEAT}"));
}

/// What Vim with a file open has written as it ran the script.
fn vim(file: &str, folder: &Path) -> Option<String> {
    let plugin = format!("source {}", root().join("editors/vim/exim.vim").display());
    let edit = format!("edit {file}");
    let commands = ["filetype on", &plugin, &edit, "source script", "qa!"];
    let commands = commands.into_iter().flat_map(|command| ["-c", command]);
    let arguments: Vec<&str> = ["-Nu", "NONE", "-es"].into_iter().chain(commands).collect();
    run("vim", &arguments, folder)?;
    Some(fs::read_to_string(folder.join("said")).unwrap())
}

#[test]
fn vim_checks_what_includes_a_fragment() {
    let folder = place(
        "let found = []\n\
         for file in ['rcpt.exim', 'mail.exim', 'alone.exim']\n\
           execute 'edit parts/' . file\n\
           silent make!\n\
           for one in filter(getqflist(), 'v:val.valid')\n\
             call add(found, file . ': ' . fnamemodify(bufname(one.bufnr), ':t') . ':' . one.lnum)\n\
           endfor\n\
         endfor\n\
         call writefile(found, 'said')\n\
         qa!\n",
    );
    let parts = folder.path().join("parts");
    fs::create_dir(&parts).unwrap();
    let main = format!(
        "PARTS = {}\nhostlist relays = 192.0.2.1\nacl_smtp_rcpt = rcpt\nbegin acl\n\
         .include parts/rcpt.exim\n",
        parts.display()
    );
    fs::write(folder.path().join("exim.conf"), main).unwrap();
    for (name, text) in [
        ("rcpt.exim", "rcpt:\n  accept hosts = +relays\n.include_if_exists PARTS/mail.exim\n"),
        ("mail.exim", "  deny hosts = +nosuch\n"),
        ("alone.exim", "primary_hostnam = a\n"),
    ] {
        fs::write(parts.join(name), text).unwrap();
    }
    let Some(said) = vim("exim.conf", folder.path()) else { return };
    let wanted = "rcpt.exim: mail.exim:1\nmail.exim: mail.exim:1\nalone.exim: alone.exim:1\n";
    assert_eq!(said, wanted);
}

#[test]
fn emacs_shows_finds_and_lays_out() {
    let folder = place(
        "(require 'exim-mode)\n\
         (unless (require 'eglot nil t) (princ \"no eglot\\n\") (kill-emacs))\n\
         (setq eglot-sync-connect 20)\n\
         (find-file \"exim.conf\")\n\
         (apply #'eglot (eglot--guess-contact))\n\
         (let ((n 0)) (while (and (< n 200) (null (flymake-diagnostics)))\n\
           (flymake-start) (accept-process-output nil 0.1) (setq n (1+ n))))\n\
         (dolist (d (flymake-diagnostics))\n\
           (princ (format \"%d %s\\n\" (flymake-diagnostic-beg d) (flymake-diagnostic-text d))))\n\
         (eglot-format-buffer)\n\
         (princ (buffer-string))\n",
    );
    let modes = root().join("editors/emacs").display().to_string();
    let arguments = ["--batch", "-q", "-L", &modes, "-l", "script"];
    let Some(said) = run("emacs", &arguments, folder.path()) else { return };
    if said.contains("no eglot") {
        eprintln!("LEFT OUT: no eglot");
        return;
    }
    assert!(said.contains("main option \"primary_hostnam\" unknown"), "{said}");
    assert!(said.contains(NEAT), "{said}");
}
