//! What comes from others: commits and messages, and the sending of messages.

use openmls::prelude::{
    ContentType, MlsMessageBodyIn, OpenMlsProvider as _, ProcessedMessage, ProcessedMessageContent,
    ProtocolMessage, Sender, StagedCommit, WireFormat,
};

use crate::engine::{Done, Engine, Judge, PAST_EPOCHS, decode, encode, guarded};
use crate::facts::{Applied, Opened, Removed};
use crate::refusal::{Failure, Outcome, Reason, of_message, refuse};
use crate::rules;

impl Engine {
    /// A message of this group, as PrivateMessage, of the wanted kind, in an epoch still held.
    fn framed(&self, bytes: &[u8], wanted: ContentType, back: u64) -> Outcome<ProtocolMessage> {
        let message: ProtocolMessage = match decode(bytes)? {
            MlsMessageBodyIn::PrivateMessage(message) => message.into(),
            MlsMessageBodyIn::PublicMessage(_) => {
                return refuse(Reason::Forbidden, "a PublicMessage");
            }
            _ => return refuse(Reason::Malformed, "not a message of a group"),
        };
        let group = self.present()?;
        if message.is_external() || message.wire_format() != WireFormat::PrivateMessage {
            return refuse(Reason::Forbidden, "from outside the group");
        }
        if message.group_id() != group.group_id() {
            return refuse(Reason::WrongGroup, "another group's");
        }
        if message.content_type() == ContentType::Proposal {
            return refuse(Reason::Forbidden, "a standalone proposal");
        }
        if message.content_type() != wanted {
            return refuse(Reason::Malformed, "another content type");
        }
        let (now, sent) = (group.epoch().as_u64(), message.epoch().as_u64());
        if sent > now || now - sent > back {
            return refuse(Reason::WrongEpoch, "of an epoch that is not held");
        }
        Ok(message)
    }

    fn process(&mut self, message: ProtocolMessage) -> Outcome<ProcessedMessage> {
        let group = self.group.as_mut().ok_or(Failure::Misuse("no group"))?;
        guarded(|| {
            group
                .process_message(&self.provider, message)
                .map_err(|error| of_message(&error))
        })
    }

    /// Somebody else's commit. Refused leaves the group exactly as it was: the state is put back,
    /// so that the same bytes can be judged again.
    pub fn apply(&mut self, bytes: &[u8], judge: Option<Judge<'_>>) -> Outcome<Done> {
        let message = self.framed(bytes, ContentType::Commit, 0)?;
        let snapshot = self.snapshot();
        match self.take(message, judge) {
            Ok(done) => {
                self.before_last = Some(snapshot);
                Ok(done)
            }
            Err(failure) => {
                self.restore(snapshot)?;
                Err(failure)
            }
        }
    }

    fn take(&mut self, message: ProtocolMessage, judge: Option<Judge<'_>>) -> Outcome<Done> {
        let before = self.facts()?;
        let processed = self.process(message)?;
        let Sender::Member(sender) = *processed.sender() else {
            return refuse(Reason::Forbidden, "not by a member");
        };
        let staged: StagedCommit = match processed.into_content() {
            ProcessedMessageContent::StagedCommitMessage(staged) => *staged,
            ProcessedMessageContent::OwnPrivateMessage
            | ProcessedMessageContent::OwnPendingCommit => {
                return refuse(Reason::Own, "our own commit");
            }
            _ => return refuse(Reason::Forbidden, "not a commit"),
        };
        let group = self.group.as_mut().ok_or(Failure::Misuse("no group"))?;
        let crypto = self.provider.crypto();
        let commit = rules::commit_facts(&self.known, crypto, group, sender, &staged)?;
        if let Some(detail) = judge.and_then(|judge| judge(&before, &commit)) {
            return refuse(Reason::Forbidden, detail);
        }
        let is_removed = staged.self_removed();
        group
            .merge_staged_commit(&self.provider, staged)
            .or(Err(Failure::Misuse("the commit cannot be merged")))?;
        if is_removed {
            let own = self.signer.public();
            return Ok(Done::Removed(Removed {
                by: sender.u32(),
                is_replaced: commit.adds.iter().any(|add| add.signature_key == own),
            }));
        }
        let after = rules::group_facts(&self.known, crypto, group)?;
        Ok(Done::Applied(Box::new(Applied {
            before,
            after,
            commit,
        })))
    }

    pub fn protect(&mut self, content: &[u8], aad: Vec<u8>) -> Outcome<(Vec<u8>, u64)> {
        let group = self.group.as_mut().ok_or(Failure::Misuse("no group"))?;
        group.set_aad(aad);
        let message = group
            .create_message(&self.provider, &self.signer, content)
            .or(Err(Failure::Misuse("not a member any more")))?;
        Ok((encode(&message)?, group.epoch().as_u64()))
    }

    pub fn open(&mut self, bytes: &[u8]) -> Outcome<Opened> {
        let message = self.framed(bytes, ContentType::Application, PAST_EPOCHS)?;
        let processed = self.process(message)?;
        let epoch = processed.epoch().as_u64();
        let aad = processed.aad().to_vec();
        let Sender::Member(sender) = *processed.sender() else {
            return refuse(Reason::Forbidden, "not by a member");
        };
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Ok(Opened {
                sender: sender.u32(),
                epoch,
                content: message.into_bytes(),
                aad,
            }),
            ProcessedMessageContent::OwnPrivateMessage => refuse(Reason::Own, "our own message"),
            _ => refuse(Reason::Forbidden, "not an application message"),
        }
    }
}
