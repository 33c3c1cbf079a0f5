//! One member of one group: state, and the calls of the engine contract. No Python, no rule about
//! roles, no clock but the library's own.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{SystemTime, UNIX_EPOCH};

use openmls::group::{MlsGroupJoinConfig, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, StagedWelcome};
use openmls::prelude::tls_codec::{DeserializeBytes as _, Serialize as _};
use openmls::prelude::{
    BasicCredential, CredentialWithKey, GroupId, HpkeAeadType, HpkeConfig, HpkeKdfType,
    HpkeKemType, HpkeKeyPair, KeyPackage, LeafNodeIndex, Lifetime, MlsGroup, MlsMessageBodyIn,
    MlsMessageIn, MlsMessageOut, OpenMlsCrypto as _, OpenMlsProvider as _, OpenMlsRand as _,
    PreSharedKeyProposal, Proposal, ProtocolVersion, SignatureScheme,
};
use openmls::schedule::PreSharedKeyId;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;

use crate::credential::{self, Known};
use crate::facts::{Applied, CommitFacts, GroupFacts, KeyPackageFacts, Removed};
use crate::refusal::{Failure, Outcome, Reason, of_commit, of_welcome, refuse};
use crate::rules;

const PSK_ID: &[u8] = b"conclave link v1";
pub(crate) const PAST_EPOCHS: u64 = 3;
const PADDING: usize = 256;
const DAY: u64 = 24 * 60 * 60;
pub(crate) const HPKE: HpkeConfig = HpkeConfig(
    HpkeKemType::DhKem25519,
    HpkeKdfType::HkdfSha256,
    HpkeAeadType::AesGcm128,
);

pub enum Done {
    Applied(Box<Applied>),
    Removed(Removed),
}

/// Says why a commit is not taken; `None`: fine.
pub type Judge<'a> = &'a dyn Fn(&GroupFacts, &CommitFacts) -> Option<String>;

pub struct Changes {
    pub adds: Vec<Vec<u8>>,
    pub removes: Vec<u32>,
    pub meeting: Option<Vec<u8>>,
    pub with_psk: bool,
    pub aad: Vec<u8>,
}

/// Everything the library keeps, as it was at one moment.
type Snapshot = HashMap<Vec<u8>, Vec<u8>>;

pub struct Engine {
    pub(crate) provider: OpenMlsRustCrypto,
    pub(crate) signer: SignatureKeyPair,
    identity: Vec<u8>,
    pub(crate) known: Known,
    pub(crate) r#box: HpkeKeyPair,
    psk: Option<Vec<u8>>,
    pub(crate) group: Option<MlsGroup>,
    pub(crate) before_last: Option<Snapshot>,
}

fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING)
        .max_past_epochs(PAST_EPOCHS as usize)
        .use_ratchet_tree_extension(true)
        .build()
}

fn lifetime() -> Lifetime {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    Lifetime::init(now.saturating_sub(DAY), now + 30 * DAY)
}

pub(crate) fn encode(message: &MlsMessageOut) -> Outcome<Vec<u8>> {
    message
        .tls_serialize_detached()
        .or(Err(Failure::Misuse("the message cannot be encoded")))
}

pub(crate) fn decode(bytes: &[u8]) -> Outcome<MlsMessageBodyIn> {
    match MlsMessageIn::tls_deserialize_exact_bytes(bytes) {
        Ok(message) => Ok(message.extract()),
        Err(error) => refuse(Reason::Malformed, error.to_string()),
    }
}

impl Engine {
    pub fn new(seed: [u8; 32], identity: Vec<u8>) -> Outcome<Self> {
        let provider = OpenMlsRustCrypto::default();
        let public = ed25519_dalek::SigningKey::from_bytes(&seed)
            .verifying_key()
            .to_bytes();
        credential::verify(provider.crypto(), &identity, &public).map_err(Failure::Misuse)?;
        let r#box = provider
            .rand()
            .random_vec(32)
            .ok()
            .and_then(|ikm| provider.crypto().derive_hpke_keypair(HPKE, &ikm).ok())
            .ok_or(Failure::Misuse("no HPKE key could be made"))?;
        Ok(Self {
            signer: SignatureKeyPair::from_raw(
                SignatureScheme::ED25519,
                seed.to_vec(),
                public.to_vec(),
            ),
            provider,
            identity,
            known: Known::default(),
            r#box,
            psk: None,
            group: None,
            before_last: None,
        })
    }

    pub fn signature_key(&self) -> &[u8] {
        self.signer.public()
    }

    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.identity.clone()).into(),
            signature_key: self.signer.public().into(),
        }
    }

    /// An encoded KeyPackage (MLSMessage) and its reference.
    pub fn key_package(&self) -> Outcome<(Vec<u8>, Vec<u8>)> {
        let made = KeyPackage::builder()
            .key_package_lifetime(lifetime())
            .leaf_node_capabilities(rules::capabilities())
            .build(
                rules::SUITE,
                &self.provider,
                &self.signer,
                self.credential(),
            )
            .or(Err(Failure::Misuse("the KeyPackage cannot be made")))?;
        let reference = made
            .key_package()
            .hash_ref(self.provider.crypto())
            .or(Err(Failure::Misuse("the KeyPackage has no reference")))?;
        let bytes = encode(&MlsMessageOut::from(made.key_package().clone()))?;
        Ok((bytes, reference.as_slice().to_vec()))
    }

    fn checked(&self, bytes: &[u8]) -> Outcome<(KeyPackage, KeyPackageFacts)> {
        let MlsMessageBodyIn::KeyPackage(found) = decode(bytes)? else {
            return refuse(Reason::Malformed, "not a KeyPackage");
        };
        let crypto = self.provider.crypto();
        let key_package = match found.validate(crypto, ProtocolVersion::Mls10) {
            Ok(key_package) => key_package,
            Err(error) => return refuse(Reason::Forged, error.to_string()),
        };
        let facts = rules::newcomer(&self.known, crypto, &key_package)?;
        Ok((key_package, facts))
    }

    pub fn inspect(&self, bytes: &[u8]) -> Outcome<KeyPackageFacts> {
        self.checked(bytes).map(|(_, facts)| facts)
    }

    pub fn create(&mut self, group_id: &[u8], meeting: &[u8]) -> Outcome<GroupFacts> {
        let config = config();
        let group = MlsGroup::builder()
            .with_group_id(GroupId::from_slice(group_id))
            .ciphersuite(rules::SUITE)
            .with_wire_format_policy(config.wire_format_policy())
            .padding_size(PADDING)
            .max_past_epochs(PAST_EPOCHS as usize)
            .use_ratchet_tree_extension(true)
            .lifetime(lifetime())
            .with_capabilities(rules::capabilities())
            .with_group_context_extensions(rules::extensions(meeting)?)
            .replace_old_group()
            .build(&self.provider, &self.signer, self.credential())
            .or(Err(Failure::Misuse("the group cannot be made")))?;
        let facts = rules::group_facts(&self.known, self.provider.crypto(), &group)?;
        self.group = Some(group);
        self.before_last = None;
        Ok(facts)
    }

    pub fn set_psk(&mut self, psk: &[u8]) -> Outcome<()> {
        PreSharedKeyId::external(PSK_ID.to_vec(), vec![0; 32])
            .store(&self.provider, psk)
            .or(Err(Failure::Misuse("the PSK cannot be kept")))?;
        self.psk = Some(psk.to_vec());
        Ok(())
    }

    /// A failed join leaves everything as it was: the library throws the KeyPackage away with the
    /// first Welcome that names it, so it is put back.
    pub fn join(&mut self, welcome: &[u8]) -> Outcome<GroupFacts> {
        let MlsMessageBodyIn::Welcome(welcome) = decode(welcome)? else {
            return refuse(Reason::Malformed, "not a Welcome");
        };
        let snapshot = self.snapshot();
        let joined = guarded(|| {
            let staged = StagedWelcome::build_from_welcome(&self.provider, &config(), welcome)
                .and_then(|builder| builder.replace_old_group().build())
                .map_err(|error| of_welcome(&error))?;
            let crypto = self.provider.crypto();
            rules::meeting(staged.group_context().extensions())?;
            rules::roster(&self.known, crypto, staged.members())?;
            let group = staged
                .into_group(&self.provider)
                .map_err(|error| of_welcome(&error))?;
            let facts = rules::group_facts(&self.known, crypto, &group)?;
            Ok((group, facts))
        });
        match joined {
            Ok((group, facts)) => {
                self.group = Some(group);
                self.before_last = None;
                Ok(facts)
            }
            Err(failure) => {
                self.restore_values(snapshot);
                Err(failure)
            }
        }
    }

    pub fn facts(&self) -> Outcome<GroupFacts> {
        rules::group_facts(&self.known, self.provider.crypto(), self.present()?)
    }

    pub(crate) fn present(&self) -> Outcome<&MlsGroup> {
        self.group.as_ref().ok_or(Failure::Misuse("no group"))
    }

    /// Stages a commit. One that the judge refuses is not staged.
    pub fn commit(
        &mut self,
        changes: Changes,
        judge: Option<Judge<'_>>,
    ) -> Outcome<(Vec<u8>, Option<Vec<u8>>)> {
        let mut adds = Vec::with_capacity(changes.adds.len());
        for bytes in &changes.adds {
            adds.push(self.checked(bytes)?.0);
        }
        let before = self.facts()?;
        let group = self.group.as_mut().ok_or(Failure::Misuse("no group"))?;
        if group.pending_commit().is_some() {
            clear(group, &self.provider)?;
        }
        group.set_aad(changes.aad);
        let mut builder = group
            .commit_builder()
            .consume_proposal_store(false)
            .propose_removals(changes.removes.iter().copied().map(LeafNodeIndex::new))
            .propose_adds(adds);
        if let Some(meeting) = &changes.meeting {
            builder = builder
                .propose_group_context_extensions(rules::extensions(meeting)?)
                .map_err(|error| of_commit(&error))?;
        }
        if changes.with_psk {
            let nonce = self
                .provider
                .rand()
                .random_vec(32)
                .or(Err(Failure::Misuse("no randomness")))?;
            let id = PreSharedKeyId::external(PSK_ID.to_vec(), nonce);
            builder = builder.add_proposal(Proposal::PreSharedKey(Box::new(
                PreSharedKeyProposal::new(id),
            )));
        }
        let bundle = builder
            .load_psks(self.provider.storage())
            .and_then(|loaded| {
                loaded.build(
                    self.provider.rand(),
                    self.provider.crypto(),
                    &self.signer,
                    |_| true,
                )
            })
            .map_err(|error| of_commit(&error))?
            .stage_commit(&self.provider)
            .or(Err(Failure::Misuse("the commit cannot be staged")))?;
        if let Some(judge) = judge {
            let judged = group.pending_commit().map_or_else(
                || Err(Failure::Misuse("nothing was staged")),
                |staged| {
                    let crypto = self.provider.crypto();
                    rules::commit_facts(&self.known, crypto, group, group.own_leaf_index(), staged)
                },
            );
            let refused = match judged {
                Ok(facts) => judge(&before, &facts),
                Err(failure) => {
                    clear(group, &self.provider)?;
                    return Err(failure);
                }
            };
            if let Some(detail) = refused {
                clear(group, &self.provider)?;
                return refuse(Reason::Forbidden, detail);
            }
        }
        let (commit, welcome, _) = bundle.into_messages();
        Ok((encode(&commit)?, welcome.as_ref().map(encode).transpose()?))
    }

    pub fn merge(&mut self) -> Outcome<Applied> {
        let before = self.facts()?;
        let snapshot = self.snapshot();
        let group = self.group.as_mut().ok_or(Failure::Misuse("no group"))?;
        let own = group.own_leaf_index();
        let crypto = self.provider.crypto();
        let commit = match group.pending_commit() {
            Some(staged) => rules::commit_facts(&self.known, crypto, group, own, staged)?,
            None => return Err(Failure::Misuse("no commit is staged")),
        };
        group
            .merge_pending_commit(&self.provider)
            .or(Err(Failure::Misuse("the commit cannot be merged")))?;
        let after = rules::group_facts(&self.known, crypto, group)?;
        self.before_last = Some(snapshot);
        Ok(Applied {
            before,
            after,
            commit,
        })
    }

    pub fn discard(&mut self) -> Outcome<()> {
        match self.group.as_mut() {
            Some(group) if group.pending_commit().is_some() => clear(group, &self.provider),
            _ => Ok(()),
        }
    }

    /// Back to the state before the last commit; false when there is none.
    pub fn undo(&mut self) -> Outcome<bool> {
        match self.before_last.take() {
            Some(snapshot) => {
                self.restore(snapshot)?;
                self.discard()?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    pub fn export_secret(&self, label: &str, context: &[u8], length: usize) -> Outcome<Vec<u8>> {
        self.present()?
            .export_secret(self.provider.crypto(), label, context, length)
            .or(Err(Failure::Misuse("nothing can be exported")))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        match self.provider.storage().values.read() {
            Ok(values) => values.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }

    pub(crate) fn restore_values(&self, snapshot: Snapshot) {
        match self.provider.storage().values.write() {
            Ok(mut values) => *values = snapshot,
            Err(poisoned) => *poisoned.into_inner() = snapshot,
        }
    }

    /// Back to `snapshot`, except for the PSK, which may have come since.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) -> Outcome<()> {
        let id = self.present()?.group_id().clone();
        self.restore_values(snapshot);
        self.group = MlsGroup::load(self.provider.storage(), &id)
            .or(Err(Failure::Misuse("the earlier state cannot be read")))?;
        match self.psk.clone() {
            Some(psk) => self.set_psk(&psk),
            None => Ok(()),
        }
    }
}

fn clear(group: &mut MlsGroup, provider: &OpenMlsRustCrypto) -> Outcome<()> {
    group
        .clear_pending_commit(provider.storage())
        .or(Err(Failure::Misuse("the staged commit cannot be dropped")))
}

/// What a stranger sent must end in a refusal, even where the library would panic over it. The
/// caller puts the state back.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| refuse(Reason::Malformed, "the library gave up on it"))
}
