//! A server with TLS, and the authority that signed its certificate.

#![allow(dead_code)] // each test uses a part of it

use super::{Server, free_port};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Signs certificates; all its files are in a directory of its own.
pub struct Authority {
    dir: tempfile::TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let authority = Self { dir: tempfile::tempdir().expect("a directory for certificates") };
        let [key, file] = ["ca.key", "ca.pem"].map(|name| authority.path(name));
        openssl(
            &["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
            &["-subj", "/CN=tests", "-keyout", &key, "-out", &file],
        );
        authority
    }

    /// Its own certificate.
    pub fn file(&self) -> PathBuf {
        self.path("ca.pem").into()
    }

    /// A server, and its port with TLS, whose certificate is for `name` ("IP:127.0.0.1", "DNS:redis.test").
    pub fn server(&self, name: &str) -> (Server, u16) {
        let [ca_key, ca, key, request, file, extension] =
            ["ca.key", "ca.pem", "server.key", "server.csr", "server.pem", "server.ext"].map(|name| self.path(name));
        std::fs::write(&extension, format!("subjectAltName={name}\nbasicConstraints=CA:FALSE\n")).expect("a file");
        openssl(
            &["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            &["-subj", "/CN=redis", "-keyout", &key, "-out", &request],
        );
        openssl(
            &["x509", "-req", "-days", "2", "-CAcreateserial", "-CA", &ca, "-CAkey", &ca_key],
            &["-in", &request, "-extfile", &extension, "-out", &file],
        );
        let port = free_port();
        let options = ["--save", "", "--tls-auth-clients", "no", "--tls-cert-file", &file, "--tls-key-file", &key];
        let tls = ["--tls-ca-cert-file", &ca, "--tls-port", &port.to_string()];
        (Server::with("redis-server", &[&options[..], &tls[..]].concat()), port)
    }

    fn path(&self, name: &str) -> String {
        Path::join(self.dir.path(), name).display().to_string()
    }
}

fn openssl(what: &[&str], how: &[&str]) {
    let done =
        Command::new("openssl").args(what).args(how).output().expect("openssl (Debian: apt-get install openssl)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
