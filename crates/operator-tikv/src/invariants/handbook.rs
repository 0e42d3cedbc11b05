//! The pages of all rules as one document.

use std::fmt::Write;

use super::page::Page;
use super::registry::pages;

/// Every rule's page, as Markdown.
pub fn handbook() -> String {
    let mut text = String::from(
        "# The rules\n\nOne page per code, printed from the registry; a test keeps this file equal to it. \
         Everything in a table can be set.\n",
    );
    for page in pages() {
        // Writing to a string cannot fail.
        let _ = write_page(&mut text, page);
    }
    text
}

fn write_page(text: &mut String, page: &Page) -> std::fmt::Result {
    writeln!(text, "\n## {}\n\n{}.\n", page.code, sentence(page.summary))?;
    writeln!(text, "- **Broken when:** {}", page.broken_when)?;
    writeln!(text, "- **Kind, entity:** {}, {}", page.kind, page.entity)?;
    writeln!(text, "- **Reads:** {}", page.input)?;
    writeln!(text, "- **Meaning:** {}", page.meaning)?;
    writeln!(text, "- **Evidence:** {}", page.evidence)?;
    writeln!(text, "- **Thresholds come from:** {}", page.origin)?;
    writeln!(text, "- **False alarms:** {}", page.false_alarms)?;
    writeln!(text, "- **What to do:**")?;
    for (number, step) in page.what_to_do.iter().enumerate() {
        writeln!(text, "  {}. {step}", number + 1)?;
    }
    writeln!(text, "\n| setting | default | decides |\n|---|---|---|")?;
    for knob in page.settable() {
        let default = knob.show(knob.default);
        writeln!(
            text,
            "| `{}.{}` | {default} | {} |",
            page.code, knob.name, knob.about
        )?;
    }
    Ok(())
}

fn sentence(summary: &str) -> String {
    let mut letters = summary.chars();
    let first = letters.next().map(|first| first.to_uppercase());
    first.into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE=1` writes the file anew.
    #[test]
    fn the_document_is_what_the_registry_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/INVARIANTS.md");
        let text = handbook();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &text).expect("the document can be written");
        }
        let written = std::fs::read_to_string(path).expect("the document is there");
        assert!(
            written == text,
            "docs/INVARIANTS.md is not what the registry says: run this test with UPDATE=1"
        );
    }
}
