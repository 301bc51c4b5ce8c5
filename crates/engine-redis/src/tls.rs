//! Whom we trust to be the Redis that we were told of.

use crate::config::ConnectError;
use fred::{
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, pem::PemObject},
    },
    rustls_native_certs::load_native_certs,
    types::config::{TlsConfig, TlsConnector},
};
use std::{path::Path, sync::Arc};

/// Trusts what the file's authorities have signed, or else those of the system (also `SSL_CERT_FILE`, `SSL_CERT_DIR`).
pub fn config(ca_file: Option<&Path>) -> Result<TlsConfig, ConnectError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(file) => {
            for certificate in authorities(file).map_err(ConnectError::Config)? {
                roots.add(certificate).map_err(|e| ConnectError::Config(format!("{}: {e}", file.display())))?;
            }
        }
        // Some of a system's certificates may be odd; the others count.
        None => drop(roots.add_parsable_certificates(load_native_certs().certs)),
    }
    if roots.is_empty() {
        return Err(ConnectError::Config("this system trusts nobody: name a file in REDIS_CA_FILE".to_owned()));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = builder.with_safe_default_protocol_versions().map_err(|e| ConnectError::Config(e.to_string()))?;
    Ok(TlsConnector::from(config.with_root_certificates(roots).with_no_client_auth()).into())
}

/// The certificates of a PEM file; at least one.
pub fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("{}: there is no certificate in it, as PEM", file.display())),
    }
}
