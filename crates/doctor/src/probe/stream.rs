//! A connection to a site, with TLS or without. A bad certificate is noted, and does not end it: what is behind is looked
//! at all the same, and nothing secret is said to it.

use crate::{check::site::Certificate, site::Site};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
            verify_server_name,
        },
        crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
        server::ParsedCertificate,
    },
};

/// From so many seconds on a certificate's end is near.
const NEAR: u64 = 14 * 86_400;

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Whom to trust: the file's authorities, or the system's (also `SSL_CERT_FILE`).
///
/// # Errors
/// What is wrong with the file.
pub fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let Some(file) = ca_file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let name = file.display();
    let pem = std::fs::read(file).map_err(|e| format!("{name} cannot be read: {e}"))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    match roots.add_parsable_certificates(found) {
        (0, _) => Err(format!("{name}: there is no certificate in it, as PEM")),
        _ => Ok(roots),
    }
}

/// Connects to sites.
#[derive(Debug, Clone)]
pub struct Dialer {
    config: Arc<ClientConfig>,
    witness: Arc<Witness>,
}

impl Dialer {
    /// `now`: seconds since 1970.
    ///
    /// # Errors
    /// When TLS cannot be had at all.
    pub fn new(roots: RootCertStore, now: u64) -> Result<Self, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let judge = match roots.is_empty() {
            true => None,
            false => Some(
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                    .build()
                    .map_err(|e| e.to_string())?,
            ),
        };
        let witness = Arc::new(Witness { provider: Arc::clone(&provider), judge, now, seen: Mutex::default() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), witness })
    }

    /// Connects. The caller gives up in time.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn connect(&self, site: &Site) -> Result<Box<dyn Stream>, String> {
        let stream = TcpStream::connect((site.host(), site.port())).await.map_err(|e| e.to_string())?;
        if !site.is_https() {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(site.host().to_owned()).map_err(|_| "this is no host's name".to_owned())?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let stream = connector.connect(name, stream).await.map_err(|e| format!("there is no TLS: {e}"))?;
        Ok(Box::new(stream))
    }

    /// What the certificates were found to be; `None` before there was one.
    #[must_use]
    pub fn certificate(&self) -> Option<Result<Certificate, String>> {
        self.witness.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Lets every certificate pass, and remembers what is to be said of it.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    judge: Option<Arc<WebPkiServerVerifier>>,
    now: u64,
    seen: Mutex<Option<Result<Certificate, String>>>,
}

impl Witness {
    fn look(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Result<Certificate, String> {
        let judge = self.judge.as_ref().ok_or("this system trusts nobody: name authorities with --ca-file")?;
        let ask = |at: u64| {
            let time = UnixTime::since_unix_epoch(Duration::from_secs(at));
            match judge.verify_server_cert(leaf, chain, name, &[], time) {
                Err(Error::InvalidCertificate(fault)) => Some(fault),
                Err(e) => Some(CertificateError::Other(tokio_rustls::rustls::OtherError(Arc::new(e)))),
                Ok(_) => None,
            }
        };
        let mut found = Certificate::default();
        // What is past its time is not asked further, so it is asked as of a moment before.
        let (now, soon) = (ask(self.now), ask(self.now + NEAR));
        let mut fault = now;
        match &fault {
            Some(CertificateError::Expired) => {
                found.expired = Some(self.now);
                fault = None;
            }
            Some(CertificateError::ExpiredContext { not_after, .. }) => {
                found.expired = Some(not_after.as_secs());
                fault = ask(not_after.as_secs());
            }
            Some(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
                found.is_early = true;
                fault = None;
            }
            _ => {
                if let Some(CertificateError::ExpiredContext { not_after, .. }) = soon {
                    found.expiring = Some(not_after.as_secs());
                }
            }
        }
        let parsed = ParsedCertificate::try_from(leaf);
        found.is_other_name = parsed.is_ok_and(|leaf| verify_server_name(&leaf, name).is_err());
        found.untrusted = match fault {
            None | Some(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => None,
            // The latter: by somebody of the same name, with another key.
            Some(CertificateError::UnknownIssuer | CertificateError::BadSignature) => Some("unknown issuer".to_owned()),
            Some(fault) => Some(fault.to_string()),
        };
        Ok(found)
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let seen = self.look(leaf, chain, name);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
