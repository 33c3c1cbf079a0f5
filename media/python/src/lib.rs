//! The PyO3 binding `conclave._media`: types in and out, no logic.
use pyo3::prelude::*;

#[pymodule]
mod _media {}
