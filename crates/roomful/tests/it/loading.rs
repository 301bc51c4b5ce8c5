//! What cannot be served is told at start-up.

use crate::support::frontend;
use roomful::assets::{Assets, AssetsError};
use std::{fs, fs::File, os::unix::fs::symlink, path::Path};

fn refused(path: &Path) -> AssetsError {
    let error = Assets::load(path).expect_err("it was taken");
    let text = error.to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    error
}

#[test]
fn a_directory_that_is_missing_or_empty() {
    let root = tempfile::tempdir().unwrap();
    for path in [root.path().join("dist"), root.path().to_owned()] {
        let text = refused(&path).to_string();
        assert!(text.contains("`make run`") && text.contains("`npm --prefix frontend run build`"), "{text}");
    }
    assert!(matches!(refused(&root.path().join("dist")), AssetsError::Missing(_)));
    assert!(matches!(refused(root.path()), AssetsError::NoIndex(_)));
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(refused(&file), AssetsError::Missing(_)));
}

#[test]
fn the_sources() {
    let root = frontend();
    fs::write(root.path().join("index.html"), "").unwrap();
    assert!(matches!(refused(root.path()), AssetsError::Sources(_)));
}

#[test]
fn symbolic_links_are_not_followed() {
    let root = frontend();
    let dist = root.path().join("dist");
    let before = Assets::load(&dist).unwrap().len();
    symlink("/etc", dist.join("etc")).unwrap();
    symlink("/etc/passwd", dist.join("passwd")).unwrap();
    symlink(&dist, dist.join("loop")).unwrap();
    assert_eq!(Assets::load(&dist).unwrap().len(), before);
    fs::remove_file(dist.join("index.html")).unwrap();
    symlink(root.path().join("package.json"), dist.join("index.html")).unwrap();
    assert!(matches!(refused(&dist), AssetsError::NoIndex(_)));
}

#[test]
fn too_much() {
    let root = frontend();
    let dist = root.path().join("dist");
    // Without a byte on the disk.
    let large = File::create(dist.join("large.png")).unwrap();
    large.set_len(64 * 1024 * 1024).unwrap();
    assert!(matches!(refused(&dist), AssetsError::TooMuch(_)));

    let root = frontend();
    let dist = root.path().join("dist");
    (0..2_000).for_each(|number| fs::write(dist.join(format!("{number}.txt")), "").unwrap());
    assert!(matches!(refused(&dist), AssetsError::TooMuch(_)));
}

#[test]
fn names_that_would_need_escapes() {
    let root = frontend();
    let name = root.path().join("dist/two words.txt");
    fs::write(&name, "").unwrap();
    let error = Assets::load(&root.path().join("dist")).unwrap_err();
    assert!(matches!(&error, AssetsError::Name(path) if *path == name), "{error}");
}

#[test]
fn the_default_is_where_vite_builds() {
    assert_eq!(roomful::assets::FRONTEND_DIR.default, Some("frontend/dist"));
}
