//! From what the command line names to what can be looked at.

use operator_tikv::{PdClient, TikvSubject};

use crate::args::Target;

/// The cluster that the command line names, and how to call it: without the secrets in its URLs.
pub(crate) fn subject(target: &Target) -> Result<(TikvSubject, String), String> {
    let pd = PdClient::new(&target.pd).map_err(|error| format!("--pd: {error:#}"))?;
    let shown = pd.to_string();
    Ok((TikvSubject::new(pd), shown))
}
