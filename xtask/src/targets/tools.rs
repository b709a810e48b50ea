//! Compilers for other systems, and Wine, from Debian.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt;

pub(super) const RUSTC: &str = "/usr/bin/rustc";
pub(super) const RUSTDOC: &str = "/usr/bin/rustdoc";
const WINE: &str = "/usr/lib/wine/wine64";
const LINKER: &str = "x86_64-w64-mingw32-gcc";

/// A package, and a file of it that is used.
const COMPILERS: [(&str, &str); 2] =
    [("rustc-web", RUSTC), ("rust-web-src", "/usr/lib/rustlib/src/rust/library/std/Cargo.toml")];
const FOR_WINDOWS: [(&str, &str); 3] = [
    ("gcc-mingw-w64-x86-64", "/usr/bin/x86_64-w64-mingw32-gcc"),
    ("g++-mingw-w64-x86-64", "/usr/bin/x86_64-w64-mingw32-g++"),
    ("wine64", WINE),
];

/// Writes an empty file where a compiler would write one.
const CC: &str = r#"#!/bin/sh
case "$*" in *--version*) echo "clang version 17.0.0"; exit 0;; esac
out=
while [ $# -gt 0 ]; do
    case "$1" in -o) out=$2; shift;; -o*) out=${1#-o};; esac
    shift
done
[ -z "$out" ] || : > "$out"
"#;
const AR: &str = r#"#!/bin/sh
for file in "$@"; do
    case "$file" in *.a|*.lib) printf '!<arch>\n' > "$file"; exit 0;; esac
done
"#;

/// The standard library asks this DLL for random numbers, which the Wine of Debian 12 lacks.
const RANDOM: &str = "bcryptprimitives.dll";
const RANDOM_IN_C: &str = r"#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
    return RtlGenRandom(data, (ULONG)size);
}
";

/// Installs the compiler of Debian and the source of its standard library.
pub(super) fn install() -> bool {
    install_missing(&COMPILERS)
}

/// Installs Wine and the linker, and makes a folder for what Wine keeps.
pub(super) fn install_wine(folder: &Path) -> bool {
    install_missing(&FOR_WINDOWS)
        && match make_wine(folder) {
            Ok(()) => true,
            Err(error) => {
                eprintln!("cannot set up Wine: {error}");
                false
            }
        }
}

fn install_missing(packages: &[(&str, &str)]) -> bool {
    let missing = packages.iter().filter(|(_, file)| !Path::new(file).exists());
    let missing: Vec<_> = missing.map(|(package, _)| *package).collect();
    missing.is_empty() || apt::install("targets", &missing)
}

/// A folder with programs `cc` and `ar` that compile nothing.
pub(super) fn stub_compiler(folder: &Path) -> Option<PathBuf> {
    let folder = folder.join("stub");
    let made = fs::create_dir_all(&folder)
        .and_then(|()| program(&folder.join("cc"), CC))
        .and_then(|()| program(&folder.join("ar"), AR));
    match made {
        Ok(()) => Some(folder),
        Err(error) => {
            eprintln!("cannot write {folder:?}: {error}");
            None
        }
    }
}

#[cfg(unix)]
fn program(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn program(_: &Path, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Has cargo link for Windows, and run what it linked.
pub(super) fn link_for_windows(cargo: &mut Command, folder: &Path) {
    cargo
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", LINKER)
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", WINE);
    wine(cargo, folder);
}

fn wine<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command.env("WINEPREFIX", folder.join("wine")).env("WINEDEBUG", "-all")
}

fn make_wine(folder: &Path) -> io::Result<()> {
    let system = folder.join("wine/drive_c/windows/system32");
    if system.join(RANDOM).exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    // Its first start makes the folder, whatever program it runs.
    wine(&mut Command::new(WINE), folder).args(["cmd", "/c", "exit"]).status()?;
    let source = folder.join("random.c");
    fs::write(&source, RANDOM_IN_C)?;
    let mut linker = Command::new(LINKER);
    linker.arg("-shared").arg("-o").arg(system.join(RANDOM)).arg(&source).arg("-ladvapi32");
    match linker.status()?.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{LINKER} could not make {RANDOM}"))),
    }
}
