//! Why something that a stranger sent was not taken: the closed list of the contract, and how
//! openmls's errors map to it.

use openmls::group::{
    CreateCommitError, ProcessMessageError, ProposalValidationError, StageCommitError,
    ValidationError, WelcomeError,
};
use openmls::schedule::errors::PskError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Malformed,
    WrongGroup,
    WrongEpoch,
    Forged,
    Forbidden,
    NoPsk,
    NotForUs,
    Own,
}

impl Reason {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Malformed => "malformed",
            Reason::WrongGroup => "wrong-group",
            Reason::WrongEpoch => "wrong-epoch",
            Reason::Forged => "forged",
            Reason::Forbidden => "forbidden",
            Reason::NoPsk => "no-psk",
            Reason::NotForUs => "not-for-us",
            Reason::Own => "own",
        }
    }
}

#[derive(Debug)]
pub enum Failure {
    /// Something that came from outside is not taken.
    Refused(Reason, String),
    /// The caller asked for what cannot be done in this state.
    Misuse(&'static str),
}

pub type Outcome<T> = Result<T, Failure>;

pub fn refuse<T>(reason: Reason, detail: impl Into<String>) -> Outcome<T> {
    Err(Failure::Refused(reason, detail.into()))
}

fn of_psk(error: &PskError) -> Reason {
    match error {
        PskError::KeyNotFound => Reason::NoPsk,
        _ => Reason::Forbidden,
    }
}

fn of_proposal(error: &ProposalValidationError) -> Reason {
    match error {
        ProposalValidationError::Psk(error) => of_psk(error),
        _ => Reason::Forbidden,
    }
}

pub fn of_message<E: std::fmt::Display>(error: &ProcessMessageError<E>) -> Failure {
    let reason = match error {
        ProcessMessageError::IncompatibleWireFormat
        | ProcessMessageError::UnauthorizedExternalCommitMessage
        | ProcessMessageError::UnauthorizedExternalApplicationMessage
        | ProcessMessageError::UnsupportedProposalType => Reason::Forbidden,
        ProcessMessageError::ValidationError(error) => match error {
            ValidationError::WrongGroupId => Reason::WrongGroup,
            ValidationError::WrongEpoch | ValidationError::NoPastEpochData => Reason::WrongEpoch,
            ValidationError::NotACommit
            | ValidationError::InvalidSenderType
            | ValidationError::CommitterIncludedOwnUpdate
            | ValidationError::InvalidExtension(_)
            | ValidationError::UpdatePathError(_) => Reason::Forbidden,
            _ => Reason::Forged,
        },
        ProcessMessageError::InvalidCommit(error) => match error {
            StageCommitError::PskError(error) => of_psk(error),
            StageCommitError::ProposalValidationError(error) => of_proposal(error),
            StageCommitError::EpochMismatch => Reason::WrongEpoch,
            StageCommitError::RequiredPathNotFound
            | StageCommitError::AttemptedSelfRemoval
            | StageCommitError::MissingProposal
            | StageCommitError::TooManyNewMembers
            | StageCommitError::ExternalCommitValidation(_)
            | StageCommitError::GroupContextExtensionsProposalValidationError(_)
            | StageCommitError::LeafNodeValidation(_)
            | StageCommitError::DuplicatePskId(_)
            | StageCommitError::SenderTypeExternal
            | StageCommitError::SenderTypeNewMemberProposal => Reason::Forbidden,
            _ => Reason::Forged,
        },
        _ => Reason::Forged,
    };
    Failure::Refused(reason, error.to_string())
}

pub fn of_welcome<E: std::fmt::Display>(error: &WelcomeError<E>) -> Failure {
    let reason = match error {
        WelcomeError::Psk(error) => of_psk(error),
        WelcomeError::NoMatchingKeyPackage
        | WelcomeError::JoinerSecretNotFound
        | WelcomeError::PrivateInitKeyNotFound
        | WelcomeError::NoMatchingEncryptionKey => Reason::NotForUs,
        WelcomeError::UnsupportedCiphersuite(_)
        | WelcomeError::CiphersuiteMismatch
        | WelcomeError::UnsupportedMlsVersion
        | WelcomeError::UnsupportedCapability
        | WelcomeError::UnsupportedExtensions
        | WelcomeError::LeafNodeValidation(_) => Reason::Forbidden,
        WelcomeError::MissingRatchetTree
        | WelcomeError::NotAWelcomeMessage
        | WelcomeError::MalformedWelcomeMessage => Reason::Malformed,
        _ => Reason::Forged,
    };
    Failure::Refused(reason, error.to_string())
}

pub fn of_commit(error: &CreateCommitError) -> Failure {
    let reason = match error {
        CreateCommitError::PskError(error) => of_psk(error),
        CreateCommitError::ProposalValidationError(error) => of_proposal(error),
        _ => Reason::Forbidden,
    };
    Failure::Refused(reason, error.to_string())
}
