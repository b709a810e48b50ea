//! Old storages at a WebDAV server, and at doubles of Dropbox and Google Drive.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use db_to_cloud_test_doubles::drive::Space;
use db_to_cloud_test_servers::{PASSWORD, Server};

use super::{copy, documents, expected, fixture, import, state_of};
use crate::clouds::Cloud;
use crate::world::{Run, World};

fn world() -> World {
    World::with_cloud(&[], "new".to_owned())
}

/// The files of the fixture, by the names that the package gave to its drive.
fn files() -> Vec<(String, String)> {
    let world = world();
    copy(&fixture(), &world.path("old"));
    let text = |(name, bytes)| (name, String::from_utf8(bytes).unwrap());
    world.tree("old").into_iter().map(text).collect()
}

#[test]
fn a_webdav_collection_is_imported_and_only_read() {
    let server = Server::apache();
    let (data, world) = (server.data(), world());
    copy(&fixture(), &data.join("old notes"));
    fs::write(data.join("old notes/docs/50% of it?.json"), r#"{"doc":1,"_rev":1}"#).unwrap();
    let before = state_of(&data);
    let url = server.url().replace("http://", "webdav://ada@") + "/old notes";
    world.write("password", PASSWORD);
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(world.path("password"), private).unwrap();
    let line = ["import", &url, "new", "--from-password-file", "password"];
    let run = Run::of(world.command(line).env_remove("WEBDAV_PASSWORD"));
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("docs/50% of it?.json: the log does not name this"), "{run:?}");
    let mut all = expected();
    all.insert("\"50% of it?\"".into(), ("1".into(), "1".into()));
    assert_eq!(documents(&world), all);
    assert_eq!(state_of(&data), before);
    // Beside it is place for the new one.
    let beside = world.run(["import", &url, &url.replace("old notes", "new")]);
    assert_eq!(beside.code, Some(3), "{beside:?}");
    let wrong = import(&world, 1, &url.replace("old notes", "missing"), &[]);
    assert!(wrong.stderr.contains("there is no storage in"), "{wrong:?}");
}

/// Sends a request, which must go well.
fn post(port: u16, path: &str, token: &str, headers: &[(&str, &str)], body: &str) {
    let mut line = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let headers: String = headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    line.write_all((head + body).as_bytes()).unwrap();
    let mut answer = Vec::new();
    line.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// What the package's drive writes: `docs/Upper Case.json` in the app's folder.
#[test]
fn an_app_folder_of_dropbox_is_imported_and_only_read() {
    let cloud = Cloud::dropbox();
    cloud.login();
    let (service, token) = (&cloud.service, cloud.service.token());
    for (name, content) in files() {
        let arg = format!(r#"{{"path":"/{name}","mode":"overwrite","mute":true}}"#);
        let headers = [("Dropbox-API-Arg", &*arg), ("Content-Type", "application/octet-stream")];
        post(service.port(), "/2/files/upload", &token, &headers, &content);
    }
    let state = || service.paths().into_iter().map(|path| (service.content(&path), path));
    let before: Vec<_> = state().collect();
    service.requests().forget();
    cloud.run(0, &["import", "dropbox:/", "new"]);
    assert_eq!(documents(&cloud.world), expected());
    let asked = service.requests().by_route();
    let reads = ["files/download", "files/list_folder"];
    assert!(asked.keys().all(|route| reads.contains(&route.as_str())), "{asked:?}");
    assert!(state().eq(before.iter().cloned()));
    // The new storage may be a folder beside the old files.
    cloud.run(0, &["import", "dropbox:/", "dropbox:/new"]);
    let old = |path: &&String| !path.starts_with("/new/");
    assert_eq!(service.paths().iter().filter(old).count(), before.len());
    cloud.run(2, &["import", "dropbox:/", "dropbox:/"]);
}

/// What the package's drive makes of `docs/Upper Case.json`: a name with a slash, in no folder.
#[test]
fn the_hidden_folder_of_google_drive_is_imported_and_only_read() {
    let cloud = Cloud::drive();
    cloud.login("hidden", &[Space::AppData]);
    let service = &cloud.service;
    let token = service.token_for(&[Space::AppData]);
    // Two devices may both have made it; the older one is empty. The lock is never deleted.
    let mut all = vec![("meta.json".to_owned(), "{}".to_owned())];
    all.extend(files());
    all.push(("lock.json".to_owned(), "{}".to_owned()));
    for (name, content) in all {
        let json = "Content-Type: application/json; charset=UTF-8";
        let body = format!(
            "--x\r\n{json}\r\n\r\n{{\"name\":{name:?},\"parents\":[\"appDataFolder\"]}}\r\n\
             --x\r\nContent-Type: text/plain\r\n\r\n{content}\r\n--x--\r\n"
        );
        let headers = [("Content-Type", "multipart/related; boundary=x")];
        let path = "/upload/drive/v3/files?uploadType=multipart";
        post(service.port(), path, &token, &headers, &body);
    }
    let before = service.stored(Space::AppData);
    service.requests().forget();
    service.set_pages(5, false);
    cloud.run(0, &["import", "gdrive-appdata:/", "new"]);
    assert_eq!(documents(&cloud.world), expected());
    let asked = service.requests().by_route();
    let reads = ["files.list", "files.media"];
    assert!(asked.keys().all(|route| reads.contains(&route.as_str())), "{asked:?}");
    assert_eq!(service.stored(Space::AppData), before);
    let visible = cloud.run(2, &["import", "gdrive:/notes", "newer"]);
    assert!(visible.stderr.contains("write gdrive-appdata:/"), "{visible:?}");
}
