//! Servers that speak S3.

use crate::process::{Plan, Server, free_port};

/// The access key id that all of them take.
pub const KEY_ID: &str = "test-key-id";
/// The secret that goes with it.
pub const SECRET: &str = "test-secret-key";

impl Server {
    /// MinIO: checks credentials; conditional writes are atomic.
    pub fn minio() -> Self {
        let (folder, port) = (temporary(), free_port());
        let data = folder.path().join("data").display().to_string();
        let address = format!("127.0.0.1:{port}");
        let console = format!("127.0.0.1:{}", free_port());
        let arguments =
            ["server", &data, "--address", &address, "--console-address", &console, "--quiet"];
        let plan = Plan {
            name: "MinIO",
            program: "minio",
            arguments: &arguments.map(str::to_owned),
            environment: &[
                ("MINIO_ROOT_USER", KEY_ID.to_owned()),
                ("MINIO_ROOT_PASSWORD", SECRET.to_owned()),
                ("MINIO_BROWSER", "off".to_owned()),
                // With a region set it refuses others, as AWS does.
                ("MINIO_SITE_REGION", "us-east-1".to_owned()),
                ("HOME", folder.path().display().to_string()),
            ],
            ready: ("/minio/health/ready", "200 OK"),
        };
        Self::start(folder, port, &plan)
    }

    /// A new bucket of MinIO or rclone, for tests without a client of S3: buckets are folders there.
    pub fn make_bucket(&self, name: &str) {
        std::fs::create_dir(self.folder().join("data").join(name)).expect("a bucket can be made");
    }

    /// LocalStack: believes any credentials; conditional writes are atomic.
    pub fn localstack() -> Self {
        let (folder, port) = (temporary(), free_port());
        let plan = Plan {
            name: "LocalStack",
            program: "localstack/bin/python",
            arguments: &["-m", "localstack.runtime.main"].map(str::to_owned),
            environment: &[
                ("SERVICES", "s3".to_owned()),
                ("EAGER_SERVICE_LOADING", "1".to_owned()),
                ("GATEWAY_LISTEN", format!("127.0.0.1:{port}")),
                ("DISABLE_EVENTS", "1".to_owned()),
                ("SKIP_SSL_CERT_DOWNLOAD", "1".to_owned()),
                // Else two of them share a folder.
                ("FILESYSTEM_ROOT", folder.path().display().to_string()),
                ("TMPDIR", folder.path().display().to_string()),
            ],
            ready: ("/_localstack/health", r#""s3": "running""#),
        };
        Self::start(folder, port, &plan)
    }

    /// moto: believes any credentials; keeps all in memory.
    pub fn moto() -> Self {
        let (folder, port) = (temporary(), free_port());
        let arguments = ["-H", "127.0.0.1", "-p", &port.to_string()];
        let plan = Plan {
            name: "moto",
            program: "moto/bin/moto_server",
            arguments: &arguments.map(str::to_owned),
            environment: &[],
            ready: ("/moto-api/", "200 OK"),
        };
        Self::start(folder, port, &plan)
    }

    /// `rclone serve s3`: ignores conditions.
    pub fn rclone() -> Self {
        let (folder, port) = (temporary(), free_port());
        std::fs::create_dir(folder.path().join("data")).expect("a folder can be made");
        let keys = format!("{KEY_ID},{SECRET}");
        let address = format!("127.0.0.1:{port}");
        let arguments = ["serve", "s3", "--auth-key", &keys, "data", "--addr", &address];
        let plan = Plan {
            name: "rclone",
            program: "rclone/bin/rclone",
            arguments: &arguments.map(str::to_owned),
            environment: &[("RCLONE_CONFIG", "/dev/null".to_owned())],
            // It refuses what is not signed, and thereby answers.
            ready: ("/", "HTTP/1.1 "),
        };
        Self::start(folder, port, &plan)
    }
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}
