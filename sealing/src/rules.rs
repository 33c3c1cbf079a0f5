//! Rules of the group that hold whatever the roles are: exactly two extensions, no proposal of a
//! kind or origin that we do not know, nobody's credential changes (docs/reference/
//! sealing-protocol.md, 3). Who may do what is the judge's affair, not this module's.

use openmls::framing::Sender;
use openmls::group::{GroupContext, QueuedProposal, StagedCommit};
use openmls::prelude::OpenMlsCrypto;
use openmls::prelude::tls_codec::{DeserializeBytes as _, Serialize as _};
use openmls::prelude::{
    Capabilities, Ciphersuite, Extension, ExtensionType, Extensions, KeyPackage, LeafNodeIndex,
    MlsGroup, Proposal, ProposalOrRefType, RequiredCapabilitiesExtension, UnknownExtension,
};
use openmls::schedule::{PreSharedKeyId, psk::Psk};

use crate::credential::Known;
use crate::facts::{CommitFacts, GroupFacts, KeyPackageFacts, LeafFacts};
use crate::refusal::{Outcome, Reason, refuse};

pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
pub const MEETING: u16 = 0xF0C0;
/// Thirty days, the day back, and an hour for rounding.
const MAX_LIFETIME_S: u64 = 31 * 24 * 3600 + 3600;

pub fn capabilities() -> Capabilities {
    Capabilities::new(
        None,
        Some(&[SUITE]),
        Some(&[ExtensionType::Unknown(MEETING)]),
        None,
        None,
    )
}

fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(&[ExtensionType::Unknown(MEETING)], &[], &[])
}

/// The whole list, as it goes into every GroupContext.
pub fn extensions(meeting: &[u8]) -> Outcome<Extensions<GroupContext>> {
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required()),
        Extension::Unknown(MEETING, UnknownExtension(meeting.to_vec())),
    ])
    .or_else(|error| refuse(Reason::Forbidden, error.to_string()))
}

/// The bytes of 0xF0C0 of a context that has exactly the two extensions, in their order.
pub fn meeting(found: &Extensions<GroupContext>) -> Outcome<Vec<u8>> {
    let mut rest = found.iter();
    match (rest.next(), rest.next(), rest.next()) {
        (
            Some(Extension::RequiredCapabilities(first)),
            Some(Extension::Unknown(MEETING, UnknownExtension(bytes))),
            None,
        ) if *first == required() => Ok(bytes.clone()),
        _ => refuse(Reason::Forbidden, "other extensions than the two"),
    }
}

/// The leaves in leaf order; an error when one's credential is not in order.
pub fn roster(
    known: &Known,
    crypto: &impl OpenMlsCrypto,
    members: impl Iterator<Item = openmls::group::Member>,
) -> Outcome<Vec<LeafFacts>> {
    let mut leaves = Vec::new();
    for member in members {
        match known.of_leaf(crypto, &member.credential, &member.signature_key) {
            Ok(proven) => leaves.push(LeafFacts {
                leaf: member.index.u32(),
                signature_key: member.signature_key,
                account_key: proven.account_key,
                invitation: proven.invitation,
            }),
            Err(detail) => return refuse(Reason::Forbidden, detail),
        }
    }
    leaves.sort_by_key(|leaf| leaf.leaf);
    Ok(leaves)
}

pub fn group_facts(
    known: &Known,
    crypto: &impl OpenMlsCrypto,
    group: &MlsGroup,
) -> Outcome<GroupFacts> {
    Ok(GroupFacts {
        group_id: group.group_id().as_slice().to_vec(),
        epoch: group.epoch().as_u64(),
        own_leaf: group.own_leaf_index().u32(),
        roster: roster(known, crypto, group.members())?,
        meeting: meeting(group.extensions())?,
        authenticator: group.epoch_authenticator().as_slice().to_vec(),
    })
}

/// An external PSK's id. openmls keeps the id of a proposal to itself; its encoding is public.
fn psk_id(proposal: &openmls::prelude::PreSharedKeyProposal) -> Option<Vec<u8>> {
    let bytes = proposal.tls_serialize_detached().ok()?;
    match PreSharedKeyId::tls_deserialize_exact_bytes(&bytes)
        .ok()?
        .psk()
    {
        Psk::External(external) => Some(external.psk_id().to_vec()),
        Psk::Resumption(_) => None,
    }
}

/// Who a KeyPackage says it is; an error when it is not what it has to be beside valid.
pub fn newcomer(
    known: &Known,
    crypto: &impl OpenMlsCrypto,
    key_package: &KeyPackage,
) -> Outcome<KeyPackageFacts> {
    let leaf = key_package.leaf_node();
    if key_package.ciphersuite() != SUITE {
        return refuse(Reason::Forbidden, "another cipher suite");
    }
    if !leaf
        .capabilities()
        .extensions()
        .contains(&ExtensionType::Unknown(MEETING))
    {
        return refuse(Reason::Forbidden, "does not know the extension 0xF0C0");
    }
    let lifetime = key_package.life_time();
    if lifetime.not_after().saturating_sub(lifetime.not_before()) > MAX_LIFETIME_S {
        return refuse(Reason::Forbidden, "too long a lifetime");
    }
    if key_package.extensions().iter().next().is_some() || leaf.extensions().iter().next().is_some()
    {
        return refuse(Reason::Forbidden, "extensions of its own");
    }
    let signature_key = leaf.signature_key().as_slice();
    let reference = match key_package.hash_ref(crypto) {
        Ok(reference) => reference.as_slice().to_vec(),
        Err(error) => return refuse(Reason::Malformed, error.to_string()),
    };
    match known.of_leaf(crypto, leaf.credential(), signature_key) {
        Ok(proven) => Ok(KeyPackageFacts {
            reference,
            signature_key: signature_key.to_vec(),
            account_key: proven.account_key,
            invitation: proven.invitation,
        }),
        Err(detail) => refuse(Reason::Forbidden, detail),
    }
}

fn of_committer(queued: &QueuedProposal, committer: LeafNodeIndex) -> bool {
    matches!(queued.sender(), Sender::Member(leaf) if *leaf == committer)
        && matches!(queued.proposal_or_ref_type(), ProposalOrRefType::Proposal)
}

/// What a commit would do, provided that it does nothing that is always refused.
pub fn commit_facts(
    known: &Known,
    crypto: &impl OpenMlsCrypto,
    group: &MlsGroup,
    committer: LeafNodeIndex,
    staged: &StagedCommit,
) -> Outcome<CommitFacts> {
    let mut facts = CommitFacts {
        sender: committer.u32(),
        adds: Vec::new(),
        removes: Vec::new(),
        meeting: None,
        psks: Vec::new(),
    };
    for queued in staged.queued_proposals() {
        if !of_committer(queued, committer) {
            return refuse(
                Reason::Forbidden,
                "a proposal that is not the committer's own",
            );
        }
        match queued.proposal() {
            Proposal::Add(add) => facts.adds.push(newcomer(known, crypto, add.key_package())?),
            Proposal::Remove(remove) => facts.removes.push(remove.removed().u32()),
            Proposal::PreSharedKey(psk) => match psk_id(psk) {
                Some(id) => facts.psks.push(id),
                None => return refuse(Reason::Forbidden, "a PSK that is not external"),
            },
            Proposal::GroupContextExtensions(change) => {
                let next = meeting(change.extensions())?;
                facts.meeting = (next != meeting(group.extensions())?).then_some(next);
            }
            _ => {
                return refuse(
                    Reason::Forbidden,
                    "a proposal of a kind that is never taken",
                );
            }
        }
    }
    meeting(staged.group_context().extensions())?;
    keeps_itself(group, committer, staged)?;
    Ok(facts)
}

/// The committer's update path leaves credential and signature key as they were.
fn keeps_itself(group: &MlsGroup, committer: LeafNodeIndex, staged: &StagedCommit) -> Outcome<()> {
    let (Some(path), Some(now)) = (
        staged.update_path_leaf_node(),
        group.public_group().leaf(committer),
    ) else {
        return Ok(());
    };
    if path.signature_key() != now.signature_key() || path.credential() != now.credential() {
        return refuse(Reason::Forbidden, "a changed credential or signature key");
    }
    Ok(())
}
