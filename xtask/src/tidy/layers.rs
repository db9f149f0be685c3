//! ARCHITECTURE.md lists the layers of the HTTP path, outermost first. The list is compared with the code.

use anyhow::{Context, Result, bail};

use super::source::{SourceFile, Token};
use crate::project::Project;

const STACK: &str = "dgate-proxy/src/stack.rs";
const PAGE: &str = "ARCHITECTURE.md";
/// Services that are not put on by a layer: where a part begins.
const INNERMOST: &[&str] = &["Send", "Dispatch"];

pub(crate) fn check(project: &Project) -> Result<()> {
    let stack = SourceFile { path: STACK.to_owned(), text: project.read(STACK)? };
    let built = built(&stack.tokens()?).with_context(|| STACK)?;
    let listed = listed(&project.read(PAGE)?).with_context(|| PAGE)?;
    if built != listed {
        bail!("{PAGE} lists\n  {}\nand {STACK} builds\n  {}", listed.join(" > "), built.join(" > "));
    }
    Ok(())
}

/// The layers that the function `stack` puts on, outermost first. The code goes from the inside out.
fn built(tokens: &[Token]) -> Result<Vec<String>> {
    let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let begin =
        texts.windows(2).position(|pair| pair == ["fn", "stack"]).context("there is no function `stack`")?;
    let body = texts[begin..].iter().position(|text| *text == "{").context("`stack` has no body")? + begin;
    let mut layers = Vec::new();
    for (index, text) in texts.iter().enumerate().skip(body) {
        match text.strip_suffix("Layer") {
            Some(layer) if !layer.is_empty() => layers.push(layer.to_owned()),
            _ if INNERMOST.contains(text) => layers.push((*text).to_owned()),
            // The three slots are told apart by what is put into them: `Slotted::wrap(attempt, upstream_slot)`.
            _ if *text == "Slotted" => {
                let slot = texts[index..].iter().find_map(|text| text.strip_suffix("_slot"));
                layers.push(format!("Slotted ({})", slot.context("`Slotted` without a slot")?));
            }
            _ => {}
        }
    }
    layers.reverse();
    Ok(layers)
}

/// The names in the list between the two marks: of each item what stands in its first pair of backticks, and the
/// slot in parentheses after it.
fn listed(page: &str) -> Result<Vec<String>> {
    let (_, rest) = page.split_once("<!-- layers -->").context("there is no `<!-- layers -->`")?;
    let (list, _) = rest.split_once("<!-- /layers -->").context("there is no `<!-- /layers -->`")?;
    let items = list.lines().map(str::trim).filter(|line| line.starts_with("- "));
    items
        .map(|item| {
            let (_, rest) = item.split_once('`').with_context(|| item.to_owned())?;
            let (name, rest) = rest.split_once('`').with_context(|| item.to_owned())?;
            let slot = rest.strip_prefix(" (").and_then(|rest| rest.split_once(')'));
            Ok(slot.map_or_else(|| name.to_owned(), |(slot, _)| format!("{name} ({slot})")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_from_the_inside_out() {
        let text = "use crate::edge::ObserveLayer;
            pub(crate) fn stack(parts: Parts) -> (Edge, ObserveLayer) {
                let attempt = Send::default();
                // Not a layer: RetryLayer.
                let attempt = Slotted::wrap(attempt, upstream_slot);
                let attempt = TimeoutLayer::default().layer(attempt);
                ObserveLayer::new().layer(attempt)
            }";
        let stack = SourceFile { path: STACK.to_owned(), text: text.to_owned() };
        let built = built(&stack.tokens().unwrap()).unwrap();
        assert_eq!(built, ["Observe", "Timeout", "Slotted (upstream)", "Send"]);
    }

    #[test]
    fn the_page_names_one_layer_an_item() {
        let page = "text `Code`\n<!-- layers -->\nEdge:\n\n- `Observe`: sees `all`.\n- `Slotted` (edge): an embedder's.\n<!-- /layers -->\n- `Other`";
        assert_eq!(listed(page).unwrap(), ["Observe", "Slotted (edge)"]);
        assert!(listed("- `Observe`").is_err());
    }
}
