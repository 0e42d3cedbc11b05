//! Who is asked, in which order, and what became of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use operator_core::{Error, Fault, Result};

use super::endpoint::Endpoint;

/// The members of PD that are known.
#[derive(Debug)]
pub(super) struct Members {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    endpoints: Vec<Endpoint>,
}

impl Members {
    pub(super) fn new(given: Vec<Endpoint>) -> Self {
        Self {
            state: Mutex::new(State { endpoints: given }),
        }
    }

    /// Who may be asked, best first.
    pub(super) fn order(&self) -> Vec<Endpoint> {
        self.lock().endpoints.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One read's way round the endpoints: each is asked once.
pub(super) struct Round {
    operation: &'static str,
    errors: Vec<Error>,
}

impl Round {
    pub(super) fn new(operation: &'static str) -> Self {
        Self {
            operation,
            errors: Vec::new(),
        }
    }

    pub(super) fn failed(&mut self, endpoint: &Endpoint, fault: Fault) {
        self.errors
            .push(Error::new(self.operation, fault).at(endpoint.origin()));
    }

    /// The error that accounts for each endpoint.
    pub(super) fn exhausted<T>(self) -> Result<T> {
        Err(Error::new(self.operation, Fault::Exhausted(self.errors)).at("PD"))
    }
}
