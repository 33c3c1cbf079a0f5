//! A DTLS provider that lets the shard see the SRTP secrets which the handshake exports.
//!
//! The WebRTC stack does the handshake and keeps its own receive context; this wrapper only copies
//! the exported secrets (RFC 5764) into a slot that the transport reads once connected. It must
//! never change a byte of what DTLS sends or receives.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion, Fingerprint};
use str0m::crypto::dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion};
use str0m::crypto::{CryptoError, from_feature_flags};

use super::srtp::SrtpSecrets;

/// Where the secrets of one DTLS session turn up.
pub type SecretSlot = Arc<Mutex<Option<SrtpSecrets>>>;

thread_local! {
    /// Slot of the session that was made last on this thread: the stack makes its session while it
    /// is built, and the provider interface has no room to hand something back.
    static LAST_SLOT: RefCell<Option<SecretSlot>> = const { RefCell::new(None) };
}

/// The process' crypto provider (DTLS wrapped) and certificate.
pub struct Crypto {
    pub provider: Arc<CryptoProvider>,
    pub certificate: DtlsCert,
    /// Of the certificate, as written into descriptions.
    pub fingerprint: String,
}

/// One certificate for the life of the process: making one is slow, and clients pin it per session.
pub fn crypto() -> &'static Crypto {
    static CRYPTO: OnceLock<Crypto> = OnceLock::new();
    CRYPTO.get_or_init(|| {
        let mut provider = from_feature_flags();
        let inner = provider.dtls_provider;
        let certificate = inner
            .generate_certificate()
            .expect("the aws-lc-rs provider makes certificates");
        let digest = provider.sha256_provider.sha256(&certificate.certificate);
        let fingerprint = Fingerprint {
            hash_func: "sha-256".to_owned(),
            bytes: digest.to_vec(),
        };
        provider.dtls_provider = Box::leak(Box::new(TapProvider { inner }));
        Crypto {
            provider: Arc::new(provider),
            certificate,
            fingerprint: fingerprint.to_string(),
        }
    })
}

/// The slot of the session that this thread made last.
pub fn take_last_slot() -> Option<SecretSlot> {
    LAST_SLOT.with_borrow_mut(Option::take)
}

#[derive(Debug)]
struct TapProvider {
    inner: &'static dyn DtlsProvider,
}

impl DtlsProvider for TapProvider {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.inner.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        dtls_version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = self.inner.new_dtls(cert, now, dtls_version, mtu)?;
        let slot = SecretSlot::default();
        LAST_SLOT.set(Some(slot.clone()));
        Ok(Box::new(TapSession { inner, slot }))
    }
}

#[derive(Debug)]
struct TapSession {
    inner: Box<dyn DtlsInstance>,
    slot: SecretSlot,
}

impl DtlsInstance for TapSession {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.inner.poll_output(buf);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output
            && let Ok(mut slot) = self.slot.lock()
        {
            *slot = Some(SrtpSecrets::new(material, *profile));
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}
