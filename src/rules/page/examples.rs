//! The tested examples of a page: code fences below `###` headings.

use super::blocks::{Block, Content};
use super::{Example, ExampleFile, FenceKind, PageError, Section};

/// The examples of all sections that hold some, checked.
pub(super) fn read(sections: &[Section<'_>], end: usize) -> Result<Vec<Example>, PageError> {
    let mut examples = Vec::new();
    for section in sections {
        let tested = matches!(section.name, "Examples" | "What passes");
        let is_title = |block: &Block| matches!(block.content, Content::Heading(3, _));
        let mut parts =
            section.blocks.split_at(section.blocks.iter().position(is_title).unwrap_or(section.blocks.len()));
        no_fences(parts.0)?;
        while let Some((block, after)) = parts.1.split_first() {
            parts = after.split_at(after.iter().position(is_title).unwrap_or(after.len()));
            if !tested {
                no_fences(parts.0)?;
            } else if let Content::Heading(_, title) = &block.content {
                examples.push(example(title, block.line, parts.0)?);
            }
        }
        if section.name == "Examples" && examples.is_empty() {
            return Err(PageError::new(section.line, "an example is a `###` heading with fences below it"));
        }
    }
    for (good, word) in [(false, "bad"), (true, "good")] {
        if !examples.iter().any(|example: &Example| example.good == good) {
            return Err(PageError::new(end, format!("the page has no {word} example")));
        }
    }
    Ok(examples)
}

/// Fails at a fence that looks like a test and would never run.
fn no_fences(blocks: &[Block]) -> Result<(), PageError> {
    for block in blocks {
        if let Content::Fence(info, _) = &block.content
            && parse_info(info, block.line)?.is_some()
        {
            return Err(PageError::new(
                block.line,
                "a tested fence stands below a `###` heading of the examples",
            ));
        }
    }
    Ok(())
}

fn example(title: &str, line: usize, blocks: &[Block]) -> Result<Example, PageError> {
    let mut files: Vec<ExampleFile> = Vec::new();
    for block in blocks {
        let Content::Fence(info, lines) = &block.content else { continue };
        let Some(info) = parse_info(info, block.line)? else { continue };
        let path = match info.path {
            Some(path) => path.to_owned(),
            None => default_path(info.kind, &files, block.line)?,
        };
        check_path(&path, &files, info.kind, block.line)?;
        files.push(file(path, info.kind, lines, block.line + 1)?);
    }
    if !files.iter().any(|file| matches!(file.kind, FenceKind::Bad | FenceKind::Good)) {
        return Err(PageError::new(line, "an example has a fence marked `bad` or `good`"));
    }
    let good = !files.iter().any(|file| file.kind == FenceKind::Bad);
    if let Some(file) = files.iter().find(|file| good && !file.label_lines.is_empty()) {
        return Err(PageError::new(file.page_line, "a good example has no findings, and so no labels"));
    }
    Ok(Example { title: title.to_owned(), good, files })
}

struct Info<'a> {
    kind: FenceKind,
    path: Option<&'a str>,
}

/// What an info string says; none for a fence in another language that is only shown.
fn parse_info(info: &str, line: usize) -> Result<Option<Info<'_>>, PageError> {
    let mut words = info.split_whitespace();
    let language = words.next().unwrap_or("");
    let mut kind = None;
    let mut path = None;
    for word in words {
        let known = match word {
            "bad" => FenceKind::Bad,
            "good" => FenceKind::Good,
            "fixed" => FenceKind::Fixed,
            "config" => FenceKind::Config,
            _ => {
                let value = word.strip_prefix("file=").filter(|value| !value.is_empty());
                let value = value
                    .ok_or_else(|| PageError::new(line, format!("`{word}` means nothing in a fence")))?;
                if path.replace(value).is_some() {
                    return Err(PageError::new(line, "a fence is one file"));
                }
                continue;
            }
        };
        if kind.replace(known).is_some() {
            return Err(PageError::new(line, "a fence is one of bad, good, fixed and config"));
        }
    }
    match kind {
        Some(kind) => Ok(Some(Info { kind, path })),
        None if matches!(language, "yaml" | "yml" | "json") || path.is_some() => Err(PageError::new(
            line,
            "this fence says neither bad, good, fixed nor config, so it would not be tested",
        )),
        None => Ok(None),
    }
}

/// The path of a fence that names none.
fn default_path(kind: FenceKind, files: &[ExampleFile], line: usize) -> Result<String, PageError> {
    match kind {
        FenceKind::Config => Ok("gpulint.yaml".to_owned()),
        FenceKind::Fixed => files
            .iter()
            .rev()
            .find(|file| file.kind == FenceKind::Bad)
            .map(|file| file.path.clone())
            .ok_or_else(|| {
                PageError::new(line, "a `fixed` fence stands below the `bad` fence that it fixes")
            }),
        FenceKind::Bad | FenceKind::Good => {
            let names =
                (1..).map(|n| if n == 1 { "example.yaml".to_owned() } else { format!("example-{n}.yaml") });
            let free = |name: &String| !files.iter().any(|file| file.path == *name);
            Ok(names.take(files.len() + 1).find(free).unwrap_or_default())
        }
    }
}

fn check_path(path: &str, files: &[ExampleFile], kind: FenceKind, line: usize) -> Result<(), PageError> {
    let bad_segment = |segment: &str| matches!(segment, "" | "." | "..");
    if path.contains(['\\', ':']) || path.split('/').any(bad_segment) {
        return Err(PageError::new(line, format!("`{path}` is no path inside a repository, with `/`")));
    }
    let fixed = kind == FenceKind::Fixed;
    if files.iter().any(|file| file.path == path && (file.kind == FenceKind::Fixed) == fixed) {
        return Err(PageError::new(line, format!("the example already has a file `{path}`")));
    }
    if fixed && !files.iter().any(|file| file.path == path && file.kind == FenceKind::Bad) {
        return Err(PageError::new(
            line,
            format!("no `bad` fence above is the file `{path}` that this one fixes"),
        ));
    }
    Ok(())
}

fn file(path: String, kind: FenceKind, lines: &[String], page_line: usize) -> Result<ExampleFile, PageError> {
    let mut file = ExampleFile {
        path,
        text: String::new(),
        kind,
        page_line,
        error_lines: Vec::new(),
        label_lines: Vec::new(),
    };
    for (at, line) in lines.iter().enumerate() {
        let (mut text, mut error, mut label) = (line.as_str(), false, false);
        loop {
            if let Some(rest) = without_mark(text, "# error") {
                (text, error) = (rest, true);
            } else if let Some(rest) = without_mark(text, "# label") {
                (text, label) = (rest, true);
            } else {
                break;
            }
        }
        let number = page_line + at;
        if (error || label) && text.is_empty() {
            return Err(PageError::new(number, "a mark stands behind what it marks"));
        }
        if error && kind != FenceKind::Bad {
            return Err(PageError::new(number, "only a `bad` fence has lines marked `# error`"));
        }
        if label && !matches!(kind, FenceKind::Bad | FenceKind::Good) {
            return Err(PageError::new(number, "only a `bad` or `good` fence has lines marked `# label`"));
        }
        file.error_lines.extend(error.then_some(at + 1));
        file.label_lines.extend(label.then_some(at + 1));
        file.text.push_str(text);
        file.text.push('\n');
    }
    if lines.is_empty() {
        return Err(PageError::new(page_line - 1, "this fence is empty"));
    }
    if kind == FenceKind::Bad && file.error_lines.is_empty() {
        return Err(PageError::new(
            page_line - 1,
            "a `bad` fence marks with `# error` the lines that are reported",
        ));
    }
    Ok(file)
}

/// The text before a trailing mark and the blanks in front of it.
fn without_mark<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let before = text.trim_end().strip_suffix(mark)?;
    let trimmed = before.trim_end();
    (before.is_empty() || trimmed.len() < before.len()).then_some(trimmed)
}
