//! TLS for browsers, from the certificate files that the administrator names.

use std::{fs, path::Path, sync::Arc};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        version::{TLS12, TLS13},
    },
};

use super::WebError;

/// Reads chain and key.
///
/// # Errors
/// [`WebError::Certificate`], with what to do.
pub(super) fn acceptor(chain: &Path, key: &Path) -> Result<TlsAcceptor, WebError> {
    let wrong = |path: &Path, cause: String| WebError::Certificate {
        path: path.to_owned(),
        cause,
    };
    let read = |path: &Path| {
        fs::read(path).map_err(|error| {
            wrong(
                path,
                format!("{error}; [web] certificate and key name PEM files that the node's user may read"),
            )
        })
    };
    let pem = read(chain)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(chain, format!("{error}; it must be a PEM file")))?;
    if certificates.is_empty() {
        return Err(wrong(
            chain,
            "there is no certificate in it; it begins with -----BEGIN CERTIFICATE-----".to_owned(),
        ));
    }
    let pem = zeroize::Zeroizing::new(read(key)?);
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        wrong(
            key,
            format!("{error}; it must be the private key that belongs to the certificate, as PEM"),
        )
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| wrong(chain, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| wrong(key, format!("{error}; does it belong to the certificate?")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
