//! Just enough Markdown: headings, fences, list items and paragraphs, each with its line.

use super::PageError;

/// One block of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// 1-based line of the page where it starts.
    pub(super) line: usize,
    pub(super) content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Level and text.
    Heading(usize, String),
    /// Info string and lines.
    Fence(String, Vec<String>),
    /// An item of a list, on one line, without its bullet.
    Item(String),
    /// Any other text, on one line.
    Paragraph(String),
}

/// The blocks of a body whose first line is line `first_line` of the page.
pub(super) fn read(body: &str, first_line: usize) -> Result<Vec<Block>, PageError> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    let mut lines = body.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let number = first_line + at;
        let text = line.trim();
        if text.is_empty() {
            open = false;
        } else if let Some((fence, info)) = opening(line) {
            let mut content = Vec::new();
            loop {
                // A fence that opens inside another one of the same form means that the first was left open.
                match lines.next().map(|(_, line)| line) {
                    Some(line) if closes(line, fence) => break,
                    Some(line) if opening(line).is_none_or(|(inner, _)| inner != fence) => {
                        content.push(line.to_owned());
                    }
                    _ => return Err(PageError::new(number, "this fence is never closed")),
                }
            }
            blocks.push(Block { line: number, content: Content::Fence(info.to_owned(), content) });
            open = false;
        } else if let Some((level, text)) = heading(line) {
            blocks.push(Block { line: number, content: Content::Heading(level, text.to_owned()) });
            open = false;
        } else if let Some(item) = text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")) {
            blocks.push(Block { line: number, content: Content::Item(item.trim().to_owned()) });
            open = true;
        } else if let (true, Some(Content::Item(so_far) | Content::Paragraph(so_far))) =
            (open, blocks.last_mut().map(|block| &mut block.content))
        {
            so_far.push(' ');
            so_far.push_str(text);
        } else {
            blocks.push(Block { line: number, content: Content::Paragraph(text.to_owned()) });
            open = true;
        }
    }
    Ok(blocks)
}

/// The fence that a line opens, and its info string.
fn opening(line: &str) -> Option<(&str, &str)> {
    let mark = if line.starts_with('~') { '~' } else { '`' };
    let info = line.trim_start_matches(mark);
    let fence = line.strip_suffix(info)?;
    (fence.len() >= 3 && !info.contains('`')).then(|| (fence, info.trim()))
}

fn closes(line: &str, fence: &str) -> bool {
    let line = line.trim_end();
    let mark = if fence.starts_with('~') { '~' } else { '`' };
    line.len() >= fence.len() && line.chars().all(|c| c == mark)
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| (level, text.trim()))
}
