//! What the rules are told: plain values, readable from Python.

use pyo3::prelude::*;

#[pyclass(frozen, get_all, eq, from_py_object, module = "conclave_sealing")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafFacts {
    pub leaf: u32,
    pub signature_key: Vec<u8>,
    pub account_key: Option<Vec<u8>>,
    /// The encoded Invitation, without its binding.
    pub invitation: Option<Vec<u8>>,
}

#[pyclass(frozen, get_all, eq, from_py_object, module = "conclave_sealing")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupFacts {
    pub group_id: Vec<u8>,
    pub epoch: u64,
    pub own_leaf: u32,
    /// In leaf order.
    pub roster: Vec<LeafFacts>,
    pub meeting: Vec<u8>,
    pub authenticator: Vec<u8>,
}

#[pyclass(frozen, get_all, eq, from_py_object, module = "conclave_sealing")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPackageFacts {
    #[pyo3(name = "ref")]
    pub reference: Vec<u8>,
    pub signature_key: Vec<u8>,
    pub account_key: Option<Vec<u8>>,
    pub invitation: Option<Vec<u8>>,
}

#[pyclass(frozen, get_all, eq, from_py_object, module = "conclave_sealing")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFacts {
    pub sender: u32,
    pub adds: Vec<KeyPackageFacts>,
    pub removes: Vec<u32>,
    pub meeting: Option<Vec<u8>>,
    pub psks: Vec<Vec<u8>>,
}

#[pyclass(frozen, get_all, eq, skip_from_py_object, module = "conclave_sealing")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub before: GroupFacts,
    pub after: GroupFacts,
    pub commit: CommitFacts,
}

#[pyclass(frozen, get_all, eq, skip_from_py_object, module = "conclave_sealing")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    pub by: u32,
    pub is_replaced: bool,
}

#[pyclass(frozen, get_all, eq, skip_from_py_object, module = "conclave_sealing")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub sender: u32,
    pub epoch: u64,
    pub content: Vec<u8>,
    pub aad: Vec<u8>,
}

#[pymethods]
impl LeafFacts {
    #[new]
    #[pyo3(signature = (leaf, signature_key, account_key=None, invitation=None))]
    fn new(
        leaf: u32,
        signature_key: Vec<u8>,
        account_key: Option<Vec<u8>>,
        invitation: Option<Vec<u8>>,
    ) -> Self {
        Self {
            leaf,
            signature_key,
            account_key,
            invitation,
        }
    }
}

#[pymethods]
impl GroupFacts {
    #[new]
    fn new(
        group_id: Vec<u8>,
        epoch: u64,
        own_leaf: u32,
        roster: Vec<LeafFacts>,
        meeting: Vec<u8>,
        authenticator: Vec<u8>,
    ) -> Self {
        Self {
            group_id,
            epoch,
            own_leaf,
            roster,
            meeting,
            authenticator,
        }
    }
}

#[pymethods]
impl KeyPackageFacts {
    #[new]
    #[pyo3(signature = (reference, signature_key, account_key=None, invitation=None))]
    fn new(
        reference: Vec<u8>,
        signature_key: Vec<u8>,
        account_key: Option<Vec<u8>>,
        invitation: Option<Vec<u8>>,
    ) -> Self {
        Self {
            reference,
            signature_key,
            account_key,
            invitation,
        }
    }
}

#[pymethods]
impl CommitFacts {
    #[new]
    #[pyo3(signature = (sender, adds, removes, meeting, psks))]
    fn new(
        sender: u32,
        adds: Vec<KeyPackageFacts>,
        removes: Vec<u32>,
        meeting: Option<Vec<u8>>,
        psks: Vec<Vec<u8>>,
    ) -> Self {
        Self {
            sender,
            adds,
            removes,
            meeting,
            psks,
        }
    }
}
