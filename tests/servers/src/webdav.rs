//! Servers that speak WebDAV, configured as `shared/facts` measured them.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use tempfile::TempDir;

use crate::process::{Plan, Server, free_port};

/// The user that all of them know.
pub const USER: &str = "ada";
/// The password that goes with it.
pub const PASSWORD: &str = "test-password";
/// The SHA-1 of the password, as `htpasswd -s` writes it.
const HTPASSWD: &str = "ada:{SHA}eJy+BAeECxwgQcszRS/2Dxm/WMw=\n";

const BASIC: &str = "AuthType Basic\n  AuthName dav\n  AuthUserFile {root}/passwords";

/// Where Debian puts the modules of Apache and PHP's sabre/dav.
const MODULES: &str = "/usr/lib/apache2/modules";

impl Server {
    /// Apache with `mod_dav_fs`.
    pub fn apache() -> Self {
        Self::apache_with(folder_with_data(), "Apache", BASIC, "auth_basic", "", "401 Unauthorized")
    }

    /// Apache that asks for Digest and nothing else.
    pub fn apache_with_digest() -> Self {
        Self::apache_with(
            folder_with_data(),
            "Apache with Digest",
            "AuthType Digest\n  AuthName dav\n  AuthDigestProvider file\n  AuthUserFile {root}/digest",
            "auth_digest",
            "",
            "401 Unauthorized",
        )
    }

    /// Apache that speaks TLS and HTTP/2, with the [certificates] of an authority of its own, and
    /// wants to see one of the client's, too.
    ///
    /// [certificates]: Server::certificate
    pub fn apache_with_tls() -> Self {
        let folder = folder_with_data();
        make_certificates(folder.path());
        Self::apache_with(
            folder,
            "Apache with TLS",
            BASIC,
            "auth_basic ssl http2",
            "Protocols h2 http/1.1\nSSLEngine on\nSSLVerifyClient require\n\
             SSLCertificateFile {root}/server.pem\nSSLCACertificateFile {root}/authority.pem\n\
             CustomLog {root}/data.log \"%H %m %>s\"\n",
            // So it answers who does not speak TLS.
            "400 Bad Request",
        )
    }

    fn apache_with(
        folder: TempDir,
        name: &'static str,
        sign_in: &str,
        more_modules: &str,
        more: &str,
        ready: &str,
    ) -> Self {
        let port = free_port();
        let root = folder.path().display().to_string();
        let modules =
            ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "dav", "dav_fs"];
        let load = |module: &str| format!("LoadModule {module}_module {MODULES}/mod_{module}.so\n");
        let loads: String = modules.into_iter().chain(more_modules.split(' ')).map(load).collect();
        let [sign_in, more] = [sign_in, more].map(|text| text.replace("{root}", &root));
        let config = format!(
            "ServerRoot {root}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {root}/pid\n\
             ErrorLog {root}/errors\nDefaultRuntimeDir {root}\nUser www-data\nGroup www-data\n{loads}\
             KeepAlive On\nMaxKeepAliveRequests 0\nDocumentRoot {root}/data\n\
             DavLockDB {root}/state/locks\n<Directory {root}/data>\n  Dav On\n  {sign_in}\n  \
             Require valid-user\n</Directory>\n{more}"
        );
        write(&folder, "httpd.conf", &config);
        let arguments = ["-DFOREGROUND", "-f", &format!("{root}/httpd.conf")].map(str::to_owned);
        Self::start(
            folder,
            port,
            &Plan {
                name,
                program: "/usr/sbin/apache2",
                arguments: &arguments,
                environment: &[],
                ready: ("/", ready),
            },
        )
    }

    /// nginx with `dav-ext`: knows no conditions.
    pub fn nginx() -> Self {
        let (folder, port) = (folder_with_data(), free_port());
        let root = folder.path().display().to_string();
        let config = format!(
            "load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;\nuser www-data;\n\
             worker_processes 2;\npid {root}/pid;\nerror_log {root}/errors;\n\
             events {{ worker_connections 512; }}\nhttp {{\n  access_log off;\n  \
             client_body_temp_path {root}/state/body;\n  proxy_temp_path {root}/state/proxy;\n  \
             fastcgi_temp_path {root}/state/fastcgi;\n  uwsgi_temp_path {root}/state/uwsgi;\n  \
             scgi_temp_path {root}/state/scgi;\n  dav_ext_lock_zone zone=davlock:10m;\n  server {{\n    \
             listen 127.0.0.1:{port};\n    root {root}/data;\n    client_max_body_size 0;\n    \
             keepalive_requests 1000000;\n    location / {{\n      \
             dav_methods PUT DELETE MKCOL COPY MOVE;\n      \
             dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;\n      dav_ext_lock zone=davlock;\n      \
             create_full_put_path off;\n      auth_basic dav;\n      \
             auth_basic_user_file {root}/passwords;\n    }}\n  }}\n}}\n"
        );
        write(&folder, "nginx.conf", &config);
        let arguments = [
            "-e",
            &format!("{root}/errors"),
            "-c",
            &format!("{root}/nginx.conf"),
            "-g",
            "daemon off;",
        ];
        Self::start(
            folder,
            port,
            &Plan {
                name: "nginx",
                program: "/usr/sbin/nginx",
                arguments: &arguments.map(str::to_owned),
                environment: &[],
                ready: ("/", "401 Unauthorized"),
            },
        )
    }

    /// lighttpd with `mod_webdav`.
    pub fn lighttpd() -> Self {
        let (folder, port) = (folder_with_data(), free_port());
        let root = folder.path().display().to_string();
        // As root it becomes another user; for others that is an error.
        let user = if is_root() {
            "server.username = \"www-data\"\nserver.groupname = \"www-data\"\n"
        } else {
            ""
        };
        let config = format!(
            "server.modules = (\"mod_auth\",\"mod_authn_file\",\"mod_webdav\")\n\
             server.bind = \"127.0.0.1\"\nserver.port = {port}\n{user}\
             server.document-root = \"{root}/data\"\nserver.errorlog = \"{root}/state/errors\"\n\
             server.pid-file = \"{root}/pid\"\nserver.upload-dirs = (\"{root}/state\")\n\
             server.max-keep-alive-requests = 100000\n\
             mimetype.assign = (\"\" => \"application/octet-stream\")\nauth.backend = \"plain\"\n\
             auth.backend.plain.userfile = \"{root}/plain\"\n\
             auth.require = (\"/\" => (\"method\"=>\"basic\",\"realm\"=>\"dav\",\"require\"=>\"valid-user\"))\n\
             webdav.activate = \"enable\"\nwebdav.is-readonly = \"disable\"\n\
             webdav.sqlite-db-name = \"{root}/state/webdav.db\"\n"
        );
        write(&folder, "lighttpd.conf", &config);
        let arguments = ["-D", "-f", &format!("{root}/lighttpd.conf")].map(str::to_owned);
        Self::start(
            folder,
            port,
            &Plan {
                name: "lighttpd",
                program: "/usr/sbin/lighttpd",
                arguments: &arguments,
                environment: &[],
                ready: ("/", "401 Unauthorized"),
            },
        )
    }

    /// WsgiDAV on cheroot.
    pub fn wsgidav() -> Self {
        let (folder, port) = (folder_with_data(), free_port());
        let root = folder.path().display().to_string();
        let config = format!(
            "host: 127.0.0.1\nport: {port}\nserver: cheroot\nprovider_mapping:\n  \"/\": \"{root}/data\"\n\
             http_authenticator:\n  domain_controller: null\n  accept_basic: true\n  \
             accept_digest: true\n  default_to_digest: false\nsimple_dc:\n  user_mapping:\n    \
             \"*\": {{ \"{USER}\": {{ password: \"{PASSWORD}\" }} }}\nlock_storage: true\n\
             property_manager: true\nlogging: {{ enable: false }}\n\
             server_args: {{ request_queue_size: 256 }}\n"
        );
        write(&folder, "wsgidav.yaml", &config);
        let arguments = ["-c", &format!("{root}/wsgidav.yaml")].map(str::to_owned);
        Self::start(
            folder,
            port,
            &Plan {
                name: "WsgiDAV",
                program: "wsgidav/bin/wsgidav",
                arguments: &arguments,
                environment: &[],
                ready: ("/", "401 "),
            },
        )
    }

    /// sabre/dav, the engine of Nextcloud and ownCloud, with its plain backend for files, whose
    /// failures it does not notice: losers of a race are told that they have won.
    pub fn sabre() -> Self {
        Self::sabre_with("sabre/dav", "", "/")
    }

    /// The same with PHP's warnings taken for errors, under an address as Nextcloud has it.
    pub fn sabre_as_cloud() -> Self {
        let strict = "set_error_handler(function($n,$s,$f,$l){ \
                      if (error_reporting() & $n) throw new ErrorException($s,0,$n,$f,$l); });\n\
                      error_reporting(E_WARNING);";
        Self::sabre_with("sabre/dav as a cloud", strict, "/remote.php/dav/files/ada/")
    }

    fn sabre_with(name: &'static str, handler: &str, base: &str) -> Self {
        let (folder, port) = (folder_with_data(), free_port());
        let root = folder.path().display().to_string();
        let script = format!(
            "<?php\nerror_reporting(0); ini_set('display_errors','0');\ndate_default_timezone_set('UTC');\n\
             require_once 'Sabre/autoload.php';\nuse Sabre\\DAV;\n\
             class Known extends DAV\\Auth\\Backend\\AbstractBasic {{\n  \
             protected function validateUserPass($u,$p){{ return $u==='{USER}' && $p==='{PASSWORD}'; }}\n}}\n\
             {handler}\n$server = new DAV\\Server(new DAV\\FS\\Directory('{root}/data'));\n\
             $server->setBaseUri('{base}');\n\
             $server->addPlugin(new DAV\\Locks\\Plugin(new DAV\\Locks\\Backend\\File('{root}/state/locks')));\n\
             $server->addPlugin(new DAV\\Auth\\Plugin(new Known(),'dav'));\n$server->exec();\n"
        );
        write(&folder, "server.php", &script);
        let address = format!("127.0.0.1:{port}");
        let script = format!("{root}/server.php");
        let arguments = ["-d", "display_errors=0", "-S", &address, &script].map(str::to_owned);
        Self::start(
            folder,
            port,
            &Plan {
                name,
                program: "/usr/bin/php",
                arguments: &arguments,
                environment: &[("PHP_CLI_SERVER_WORKERS", "16".to_owned())],
                ready: (base, "401 "),
            },
        )
    }

    /// `rclone serve webdav`: knows no conditions, answers a second MKCOL as the first.
    pub fn rclone_webdav() -> Self {
        let (folder, port) = (folder_with_data(), free_port());
        let address = format!("127.0.0.1:{port}");
        let arguments =
            ["serve", "webdav", "data", "--addr", &address, "--user", USER, "--pass", PASSWORD];
        Self::start(
            folder,
            port,
            &Plan {
                name: "rclone",
                program: "rclone/bin/rclone",
                arguments: &arguments.map(str::to_owned),
                environment: &[("RCLONE_CONFIG", "/dev/null".to_owned())],
                ready: ("/", "401 "),
            },
        )
    }

    /// The file of a certificate of [`Server::apache_with_tls`]: `authority`, whom the server and the
    /// clients trust, or `client`, with its private key.
    pub fn certificate(&self, name: &str) -> std::path::PathBuf {
        self.folder().join(format!("{name}.pem"))
    }

    /// What a server of WebDAV stores, as files.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder().join("data")
    }
}

/// An authority, and what it says of a server at 127.0.0.1 and of a client.
fn make_certificates(folder: &Path) {
    let config = "[req]\nprompt=no\ndistinguished_name=name\n[name]\nCN=db-to-cloud test\n\
                  [authority]\nbasicConstraints=critical,CA:TRUE\n\
                  [server]\nbasicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n\
                  extendedKeyUsage=serverAuth\n\
                  [client]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n";
    fs::write(folder.join("openssl.cnf"), config).expect("a file can be written");
    for name in ["authority", "server", "client"] {
        // The key and the certificate come into one file.
        let file = format!("{name}.pem");
        let mut openssl = std::process::Command::new("/usr/bin/openssl");
        openssl.args(["req", "-config", "openssl.cnf", "-x509", "-days", "2", "-nodes"]);
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        openssl.args(["-extensions", name, "-keyout", "key", "-out", "certificate"]);
        if name != "authority" {
            openssl.args(["-CA", "authority.pem", "-CAkey", "authority.pem"]);
        }
        let output = openssl.current_dir(folder).output().expect("openssl can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |part| fs::read(folder.join(part)).expect("openssl has written it");
        fs::write(folder.join(file), [read("key"), read("certificate")].concat())
            .expect("a file can be written");
    }
}

/// A folder with passwords and two places that a server under another user may write to.
fn folder_with_data() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    write(&folder, "passwords", HTPASSWD);
    write(&folder, "plain", &format!("{USER}:{PASSWORD}\n"));
    // MD5 of "ada:dav:test-password".
    write(&folder, "digest", "ada:dav:102a7061a7263e5c62615e1967e9d1dd\n");
    for name in ["data", "state"] {
        let path = folder.path().join(name);
        fs::create_dir(&path).expect("a folder can be made");
        give_to_server(&path);
    }
    if is_root() {
        // Else the other user cannot reach what is in it.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("its permissions can be changed");
    }
    folder
}

/// As root, servers become this user of Debian's.
fn give_to_server(path: &Path) {
    const WWW_DATA: u32 = 33;
    if is_root() {
        chown(path, Some(WWW_DATA), Some(WWW_DATA)).expect("root may give folders away");
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn write(folder: &TempDir, name: &str, text: &str) {
    fs::write(folder.path().join(name), text).expect("a file can be written");
}
