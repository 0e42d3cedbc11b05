//! `operator completions` and `operator man`: made from the command line's own words.

use std::fs;

use clap::CommandFactory;

use crate::args::{Args, Completions, Man};
use crate::context::print;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

pub(crate) fn completions(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "operator", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Healthy)
}

pub(crate) fn man(args: &Man) -> Outcome {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Args::command())
            .render(&mut page)
            .map_err(|error| Failure::local(format!("cannot write the page: {error}")))?;
        print(&String::from_utf8_lossy(&page))?;
        return Ok(Exit::Healthy);
    };
    let failed = |error| Failure::local(format!("cannot write to {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Args::command(), folder).map_err(failed)?;
    let mut pages: Vec<String> = fs::read_dir(folder)
        .map_err(failed)?
        .flatten()
        .map(|entry| entry.path().display().to_string())
        .filter(|path| path.ends_with(".1"))
        .collect();
    pages.sort();
    print(
        &pages
            .iter()
            .map(|page| format!("{page}\n"))
            .collect::<String>(),
    )?;
    Ok(Exit::Healthy)
}
