//! What every command that reads manifests sets up: configuration and inputs.

use super::Failure;
use super::args::{InputArgs, When};
use crate::Request;
use crate::config::{self, Config, Profile};
use crate::inventory::Overlay;
use crate::rules::known_rules;
use crate::source::{Encoding, FileId, Files, SourceFile};
use std::fmt::Write as _;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

/// The effective configuration, with the file that it comes from.
pub(crate) struct Setup {
    /// The configuration.
    pub(crate) config: Config,
    /// The file, as the first of the files that findings may point into.
    file: Option<SourceFile>,
}

impl Setup {
    /// Reads the configuration that the arguments ask for.
    ///
    /// # Errors
    /// Where a file that is named cannot be read, or where a configuration has errors: all of them, with their places.
    pub(crate) fn read(args: &InputArgs) -> Result<Setup, Failure> {
        let known = known_rules();
        let here = here()?;
        let found = match &args.config {
            _ if args.no_config => None,
            Some(path) => {
                let absolute = here.join(path);
                let folder = absolute.parent().unwrap_or(&here);
                Some((path.clone(), config::prefix(folder, &here)))
            }
            None => config::find(&here).map(|found| (relative(&found.path, &here), found.prefix)),
        };
        let Some((path, prefix)) = found else {
            return Ok(Setup { config: Config::new(&known), file: None });
        };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::usage(format!("{}: cannot read the configuration: {error}", path.display()))
        })?;
        let file = SourceFile::new(crate::source::shown(&path), text.into(), Encoding::Utf8);
        let (mut config, errors) = config::parse(&file.text, FileId(0), &known);
        if !errors.is_empty() {
            return Err(Failure::usage(describe(&errors, &file)));
        }
        config.set_prefix(prefix);
        Ok(Setup { config, file: Some(file) })
    }

    /// What to lint. `overlays` take the place of files.
    pub(crate) fn request(
        &self,
        args: &InputArgs,
        paths: &[PathBuf],
        overlays: Vec<Overlay>,
        profile: Profile,
    ) -> Request<'_> {
        let mut files = Files::default();
        if let Some(file) = &self.file {
            files.add(file.clone());
        }
        let paths = paths.iter().filter(|path| !is_stdin(path)).cloned().collect();
        Request { paths, overlays, config: &self.config, profile, files, threads: args.threads }
    }
}

/// True for the path that stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Standard input, where it is an input.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn stdin(args: &InputArgs) -> Result<Vec<Overlay>, Failure> {
    let mut overlays = Vec::new();
    if args.paths.iter().any(|path| is_stdin(path)) {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        // In the form in which the walk would show the file whose place it takes.
        overlays.push(Overlay { path: crate::source::shown(Path::new(&args.stdin_filename)), bytes });
    }
    Ok(overlays)
}

/// The working directory.
///
/// # Errors
/// Where it is gone or may not be read.
pub(crate) fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir()
        .map_err(|error| Failure::usage(format!("the working directory cannot be read: {error}")))
}

/// The shorter of a path and its way from the working directory.
fn relative(path: &Path, here: &Path) -> PathBuf {
    if let Ok(rest) = path.strip_prefix(here) {
        return rest.to_owned();
    }
    let folder = path.parent().unwrap_or(path);
    let up = here.ancestors().take_while(|a| *a != folder).count();
    let mut way: PathBuf = std::iter::repeat_n("..", up).collect();
    way.push(path.file_name().unwrap_or_default());
    way
}

fn describe(errors: &[config::ConfigError], file: &SourceFile) -> String {
    let mut text = "the configuration has errors".to_owned();
    for error in errors {
        let at = file.line_column(error.span.start);
        let _ = write!(text, "\n  {}:{}:{}: {}", file.path, at.line, at.column, error.message);
        if let Some(help) = &error.help {
            let _ = write!(text, " ({help})");
        }
    }
    text
}

/// Whether to use colour on standard output. Source: no-color.org and bixense.com/clicolors.
pub(crate) fn color(when: When) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if set("NO_COLOR") => false,
        When::Auto if set("CLICOLOR_FORCE") || set("FORCE_COLOR") => true,
        When::Auto => std::io::stdout().is_terminal(),
    }
}
