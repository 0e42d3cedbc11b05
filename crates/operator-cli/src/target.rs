//! From what the command line names to what can be looked at.

use operator_tikv::{PdClient, TikvSubject};

use crate::args::Target;

/// The cluster that the command line names.
pub(crate) fn subject(target: &Target) -> Result<TikvSubject, String> {
    let pd = PdClient::new(&target.pd).map_err(|error| format!("--pd: {error:#}"))?;
    Ok(TikvSubject::new(pd))
}
