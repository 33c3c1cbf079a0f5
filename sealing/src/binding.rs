//! The Python face of the engine: `conclave_sealing._mls`. No logic.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::engine::{Changes, Done, Engine};
use crate::facts::{Applied, CommitFacts, GroupFacts, KeyPackageFacts, LeafFacts, Opened, Removed};
use crate::refusal::{Failure, Outcome};

#[pyclass(name = "Engine", module = "conclave_sealing")]
struct PyEngine {
    engine: Engine,
    judge: Option<Py<PyAny>>,
}

/// `Refused(reason, detail)` of the Python package; a `RuntimeError` for a caller's own mistake.
fn raise(py: Python<'_>, failure: Failure) -> PyErr {
    match failure {
        Failure::Misuse(detail) => PyRuntimeError::new_err(detail),
        Failure::Refused(reason, detail) => {
            let made = py
                .import("conclave_sealing.errors")
                .and_then(|module| module.getattr("Refused"))
                .and_then(|class| class.call1((reason.word(), detail)));
            match made {
                Ok(refused) => PyErr::from_value(refused),
                Err(error) => error,
            }
        }
    }
}

fn answer<T>(py: Python<'_>, outcome: Outcome<T>) -> PyResult<T> {
    outcome.map_err(|failure| raise(py, failure))
}

impl PyEngine {
    /// Runs `work` with the Python judge; what the judge raises is raised.
    fn judged<T>(
        &mut self,
        py: Python<'_>,
        work: impl FnOnce(
            &mut Engine,
            Option<&dyn Fn(&GroupFacts, &CommitFacts) -> Option<String>>,
        ) -> Outcome<T>,
    ) -> PyResult<T> {
        let raised = std::cell::RefCell::new(None);
        let asked = self.judge.as_ref().map(|judge| judge.clone_ref(py));
        let ask = |before: &GroupFacts, commit: &CommitFacts| -> Option<String> {
            let judge = asked.as_ref()?.bind(py);
            let answer = judge
                .call1((before.clone(), commit.clone()))
                .and_then(|answer| answer.extract::<Option<String>>());
            answer.unwrap_or_else(|error| {
                *raised.borrow_mut() = Some(error);
                Some("the judge failed".to_owned())
            })
        };
        let judge = asked.is_some().then_some(&ask as &dyn Fn(&_, &_) -> _);
        let outcome = work(&mut self.engine, judge);
        match raised.into_inner() {
            Some(error) => Err(error),
            None => answer(py, outcome),
        }
    }
}

#[pymethods]
impl PyEngine {
    #[new]
    #[pyo3(signature = (seed, credential, judge=None))]
    fn new(
        py: Python<'_>,
        seed: &[u8],
        credential: Vec<u8>,
        judge: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let seed = seed
            .try_into()
            .map_err(|_| PyValueError::new_err("a seed has 32 bytes"))?;
        let engine = answer(py, Engine::new(seed, credential))?;
        Ok(Self { engine, judge })
    }

    #[getter]
    fn signature_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.engine.signature_key())
    }

    #[getter]
    fn box_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.engine.box_key())
    }

    fn key_package(&self, py: Python<'_>) -> PyResult<(Vec<u8>, Vec<u8>)> {
        answer(py, self.engine.key_package())
    }

    fn inspect(&self, py: Python<'_>, key_package: &[u8]) -> PyResult<KeyPackageFacts> {
        answer(py, self.engine.inspect(key_package))
    }

    fn create(&mut self, py: Python<'_>, group_id: &[u8], meeting: &[u8]) -> PyResult<GroupFacts> {
        answer(py, self.engine.create(group_id, meeting))
    }

    fn set_psk(&mut self, py: Python<'_>, psk: &[u8]) -> PyResult<()> {
        answer(py, self.engine.set_psk(psk))
    }

    fn join(&mut self, py: Python<'_>, welcome: &[u8]) -> PyResult<GroupFacts> {
        answer(py, self.engine.join(welcome))
    }

    fn facts(&self, py: Python<'_>) -> PyResult<GroupFacts> {
        answer(py, self.engine.facts())
    }

    #[pyo3(signature = (*, adds=vec![], removes=vec![], meeting=None, with_psk=false, aad=vec![]))]
    fn commit(
        &mut self,
        py: Python<'_>,
        adds: Vec<Vec<u8>>,
        removes: Vec<u32>,
        meeting: Option<Vec<u8>>,
        with_psk: bool,
        aad: Vec<u8>,
    ) -> PyResult<(Vec<u8>, Option<Vec<u8>>)> {
        let changes = Changes {
            adds,
            removes,
            meeting,
            with_psk,
            aad,
        };
        self.judged(py, |engine, judge| engine.commit(changes, judge))
    }

    fn merge(&mut self, py: Python<'_>) -> PyResult<Applied> {
        answer(py, self.engine.merge())
    }

    fn discard(&mut self, py: Python<'_>) -> PyResult<()> {
        answer(py, self.engine.discard())
    }

    fn apply(&mut self, py: Python<'_>, commit: &[u8]) -> PyResult<Py<PyAny>> {
        match self.judged(py, |engine, judge| engine.apply(commit, judge))? {
            Done::Applied(applied) => Ok(Py::new(py, *applied)?.into_any()),
            Done::Removed(removed) => Ok(Py::new(py, removed)?.into_any()),
        }
    }

    fn undo(&mut self, py: Python<'_>) -> PyResult<bool> {
        answer(py, self.engine.undo())
    }

    #[pyo3(signature = (content, aad=vec![]))]
    fn protect(
        &mut self,
        py: Python<'_>,
        content: &[u8],
        aad: Vec<u8>,
    ) -> PyResult<(Vec<u8>, u64)> {
        answer(py, self.engine.protect(content, aad))
    }

    fn open(&mut self, py: Python<'_>, message: &[u8]) -> PyResult<Opened> {
        answer(py, self.engine.open(message))
    }

    fn export_secret(
        &self,
        py: Python<'_>,
        label: &str,
        context: &[u8],
        length: usize,
    ) -> PyResult<Vec<u8>> {
        answer(py, self.engine.export_secret(label, context, length))
    }

    fn seal_to(
        &self,
        py: Python<'_>,
        recipient: &[u8],
        info: &[u8],
        aad: &[u8],
        content: &[u8],
    ) -> PyResult<Vec<u8>> {
        answer(py, self.engine.seal_to(recipient, info, aad, content))
    }

    fn open_box(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.engine.open_box(info, aad, sealed)
    }

    fn sign(&self, py: Python<'_>, content: &[u8]) -> PyResult<Vec<u8>> {
        answer(py, self.engine.sign(content))
    }
}

#[pymodule]
fn _mls(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyEngine>()?;
    module.add_class::<LeafFacts>()?;
    module.add_class::<GroupFacts>()?;
    module.add_class::<KeyPackageFacts>()?;
    module.add_class::<CommitFacts>()?;
    module.add_class::<Applied>()?;
    module.add_class::<Removed>()?;
    module.add_class::<Opened>()
}
