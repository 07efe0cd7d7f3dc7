//! Where output goes: a file that appears whole or not at all, or standard output.

use crate::failure::Failure;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Everything holds, or the question is answered.
    Holds,
    /// Something is violated.
    Violated,
    /// Input or usage cannot be used.
    Bad,
    /// Something can be neither proved nor refuted.
    Undecided,
}

impl Code {
    /// The code that counts when several paths were judged: bad input, violated, undecided, holds.
    pub(crate) fn worst(self, other: Code) -> Code {
        let rank = |c| match c {
            Code::Holds => 0,
            Code::Undecided => 1,
            Code::Violated => 2,
            Code::Bad => 3,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Code> for ExitCode {
    fn from(c: Code) -> Self {
        ExitCode::from(match c {
            Code::Holds => 0,
            Code::Violated => 1,
            Code::Bad => 2,
            Code::Undecided => 3,
        })
    }
}

/// Writes to the file, or to standard output where there is none.
pub(crate) fn write(to: Option<&str>, text: &str) -> Result<(), Failure> {
    match to {
        Some(path) if path != "-" => atomically(Path::new(path), text),
        _ => stdout(text),
    }
}

/// A reader that has read enough (`| head`) is no error: nobody is left to be told anything.
fn stdout(text: &str) -> Result<(), Failure> {
    let mut o = std::io::stdout().lock();
    match o.write_all(text.as_bytes()).and_then(|()| o.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(Failure::io("write", "standard output", &e)),
        Ok(()) => Ok(()),
    }
}

/// Writes a file beside its place and moves it there, so that nobody ever sees half of it. Permissions of a
/// file that is replaced are kept; a symbolic link is followed.
pub(crate) fn atomically(path: &Path, text: &str) -> Result<(), Failure> {
    let shown = path.display().to_string();
    let fail = |e: std::io::Error| Failure::io("write", &shown, &e);
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    // A pipe or a device cannot be replaced.
    if std::fs::metadata(&target).is_ok_and(|m| !m.is_file()) {
        return std::fs::write(&target, text).map_err(fail);
    }
    let name = target
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let temp: PathBuf = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let put = || -> std::io::Result<()> {
        let mut f = std::fs::File::create(&temp)?;
        f.write_all(text.as_bytes())?;
        f.sync_all()?;
        if let Ok(m) = std::fs::metadata(&target) {
            std::fs::set_permissions(&temp, m.permissions())?;
        }
        std::fs::rename(&temp, &target)
    };
    put().map_err(|e| {
        // Nothing more can be done about a leftover than to try.
        let _ = std::fs::remove_file(&temp);
        fail(e)
    })
}
