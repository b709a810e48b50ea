//! What URLs mean.

use db_to_cloud::ErrorKind;
use db_to_cloud_notes::remote::open;

#[test]
fn a_folder_has_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my cloud");
    let name = path.to_str().unwrap().to_owned();
    let url = url::Url::from_file_path(&path).unwrap();
    assert_eq!(open(&name).unwrap().name, path.canonicalize().unwrap().to_str().unwrap());
    assert_eq!(open(url.as_str()).unwrap().name, open(&name).unwrap().name);
    let missing = open(path.join("drive/notes").to_str().unwrap()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Unavailable, "a drive that is not mounted may come");
}

#[test]
fn what_makes_no_sense_is_said_at_once() {
    for url in ["ftp://ada:hunter2@host/", "file://relative/path", "http://host/"] {
        let error = open(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_feature_that_is_off_is_named() {
    let off = [
        ("s3", cfg!(feature = "s3"), "s3://bucket/notes"),
        ("webdav", cfg!(feature = "webdav"), "webdavs://host/notes"),
        ("dropbox", cfg!(feature = "dropbox"), "dropbox:/notes"),
        ("google-drive", cfg!(feature = "google-drive"), "gdrive:/notes"),
        ("google-drive", cfg!(feature = "google-drive"), "gdrive-appdata:/"),
    ];
    for (feature, is_on, url) in off {
        let result = open(url);
        match is_on {
            true => assert!(!result.is_err_and(|e| e.kind() == ErrorKind::Unsupported), "{url}"),
            false => {
                let error = result.unwrap_err().to_string();
                assert!(error.contains(&format!("--features {feature}")), "{error}");
            }
        }
    }
}

#[test]
fn the_readme_shows_the_ten_lines_as_they_are() {
    let (readme, sync) = (include_str!("../../README.md"), include_str!("../../src/sync.rs"));
    let shown = readme.split("```rust,ignore\n").nth(1).unwrap().split("```").next().unwrap();
    let shown: Vec<_> = shown.lines().map(str::trim).collect();
    let lines = sync.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let lines: Vec<_> = lines.collect();
    assert!(lines.windows(shown.len()).any(|lines| lines == shown), "{shown:#?}");
}
