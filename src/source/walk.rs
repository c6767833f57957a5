//! The walk over the inputs: which files there are, and their bytes.

use super::files::Encoding;
use ignore::{DirEntry, WalkBuilder, WalkState};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders of version control. Every other hidden folder is walked, since GitOps repositories keep manifests in them.
const NEVER_WALKED: &[&str] = &[".git", ".hg", ".jj", ".svn"];

/// What to walk.
#[derive(Clone, Copy)]
pub struct WalkOptions<'w> {
    /// Files and folders. A file is read whatever its name and whatever ignore files say of it.
    pub paths: &'w [PathBuf],
    /// Whether a file is read, by its path as shown.
    pub reads: &'w (dyn Fn(&str) -> bool + Sync),
    /// Whether a folder is entered, by its path as shown.
    pub enters: &'w (dyn Fn(&str) -> bool + Sync),
    /// Files larger than this many bytes are passed over with a notice.
    pub largest: u64,
    /// Threads; 0 leaves it to the machine.
    pub threads: usize,
}

/// Something met on the walk.
#[derive(Debug)]
pub enum Met<'b> {
    /// A file with its bytes. The buffer is used again for the next file.
    File {
        /// Where it is.
        path: &'b Path,
        /// Its path as shown.
        shown: String,
        /// Its bytes.
        bytes: &'b [u8],
    },
    /// A path that cannot be read, or is passed over for its size.
    Skipped {
        /// Its path as shown.
        shown: String,
        /// Why.
        reason: String,
        /// True where it should have been readable.
        broken: bool,
    },
}

/// Walks the inputs in parallel and hands every manifest to `visit`, in no order.
///
/// Ignore files (`.gitignore`, `.ignore`, git's own exclude files) are honoured, inside a git repository or not.
/// Symbolic links met on the way are not followed: their target is met by itself where it is part of the inputs, and
/// loops cannot arise. Only regular files are opened, so a pipe never blocks the run. Inputs that overlap are read once,
/// under the most specific name: `. ./deploy a.yaml` reads `deploy` as a folder of its own and `a.yaml` by itself.
pub fn walk(options: &WalkOptions<'_>, visit: &(dyn Fn(Met<'_>) + Sync)) {
    let mut given = Given::default();
    let mut folders: Vec<&PathBuf> = Vec::new();
    let mut buffer = Vec::new();
    for path in options.paths {
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => {
                if given.folder(path) {
                    folders.push(path);
                }
            }
            // Opening a pipe would wait for its writer.
            Ok(meta) if !meta.is_file() => {
                let reason = "not a regular file".to_owned();
                visit(Met::Skipped { shown: shown(path), reason, broken: false });
            }
            Ok(_) if given.file(path) => read(path, options, &mut buffer, visit),
            Ok(_) => {}
            Err(error) => {
                visit(Met::Skipped { shown: shown(path), reason: io_reason(&error), broken: true });
            }
        }
    }
    let Some((first, rest)) = folders.split_first() else { return };
    let mut builder = WalkBuilder::new(first);
    for folder in rest {
        builder.add(folder);
    }
    builder.hidden(false).require_git(false).follow_links(false).threads(options.threads);
    builder.filter_entry(|entry| {
        !(entry.depth() > 0 && entry.file_name().to_str().is_some_and(|name| NEVER_WALKED.contains(&name)))
    });
    builder.build_parallel().run(|| {
        let (mut buffer, given) = (Vec::new(), &given);
        Box::new(move |entry| {
            match entry {
                Ok(entry) if is_left_out(&entry, options) || given.takes(&entry) => return WalkState::Skip,
                Ok(entry) => take(&entry, options, &mut buffer, visit),
                Err(error) => visit(Met::Skipped {
                    shown: error_path(&error).map_or_else(String::new, |p| shown(&p)),
                    reason: error.io_error().map_or_else(|| error.to_string(), io_reason),
                    broken: true,
                }),
            }
            WalkState::Continue
        })
    });
}

/// The inputs by their real places, so that none is read twice.
#[derive(Default)]
struct Given {
    places: BTreeSet<PathBuf>,
    folders: BTreeMap<PathBuf, PathBuf>,
}

impl Given {
    /// Notes a folder; false where it is an input already.
    fn folder(&mut self, path: &Path) -> bool {
        let Ok(place) = path.canonicalize() else { return true };
        self.folders.insert(path.to_owned(), place.clone());
        self.places.insert(place)
    }

    /// Notes a file; false where it is an input already. A symbolic link is not its target.
    fn file(&mut self, path: &Path) -> bool {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (Ok(place), Some(name)) = (parent.canonicalize(), path.file_name()) else { return true };
        self.places.insert(place.join(name))
    }

    /// True for what a walk meets below one input although it is an input of its own.
    fn takes(&self, entry: &DirEntry) -> bool {
        if entry.depth() == 0 || self.places.len() < 2 {
            return false;
        }
        let path = entry.path();
        path.ancestors().nth(entry.depth()).is_some_and(|root| {
            let inside = path.strip_prefix(root).unwrap_or(path);
            self.folders.get(root).is_some_and(|place| self.places.contains(&place.join(inside)))
        })
    }
}

fn is_left_out(entry: &DirEntry, options: &WalkOptions<'_>) -> bool {
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    entry.depth() > 0 && is_folder && !(options.enters)(&shown(entry.path()))
}

fn take(entry: &DirEntry, options: &WalkOptions<'_>, buffer: &mut Vec<u8>, visit: &(dyn Fn(Met<'_>) + Sync)) {
    // The kind is known from the folder, so no pipe is opened.
    let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
    if is_file && is_manifest(entry.path()) {
        read(entry.path(), options, buffer, visit);
    }
}

/// True for the file names that may hold manifests.
fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn read(path: &Path, options: &WalkOptions<'_>, buffer: &mut Vec<u8>, visit: &(dyn Fn(Met<'_>) + Sync)) {
    let shown = shown(path);
    if !(options.reads)(&shown) {
        return;
    }
    match fill(path, options.largest, buffer) {
        Ok(len) => visit(Met::File { path, shown, bytes: buffer.get(..len).unwrap_or(&[]) }),
        Err(Unread::TooLarge(size)) => visit(Met::Skipped {
            shown,
            reason: format!("larger than {} MiB ({} MiB)", options.largest >> 20, size >> 20),
            broken: false,
        }),
        Err(Unread::Io(error)) => visit(Met::Skipped { shown, reason: io_reason(&error), broken: true }),
    }
    // One large file must not leave every thread with a buffer of its size.
    const KEPT: usize = 4 << 20;
    if buffer.len() > KEPT {
        *buffer = Vec::new();
    }
}

enum Unread {
    TooLarge(u64),
    Io(std::io::Error),
}

/// Reads a file into a buffer that is used again; gives the number of bytes.
///
/// A regular file gives fewer bytes than there is room for only at its end, so most files take one read, and their size
/// is never asked.
fn fill(path: &Path, largest: u64, buffer: &mut Vec<u8>) -> Result<usize, Unread> {
    const ROOM: usize = 64 << 10;
    let mut file = File::open(path).map_err(Unread::Io)?;
    let mut len = 0;
    loop {
        if buffer.len() < len + ROOM {
            buffer.resize(len + ROOM.max(len), 0);
        }
        let Some(rest) = buffer.get_mut(len..) else { return Ok(len) };
        let room = rest.len();
        let read = match file.read(rest) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Unread::Io(error)),
        };
        len += read;
        if len as u64 > largest {
            return Err(Unread::TooLarge(len as u64));
        }
        if read < room {
            return Ok(len);
        }
        // The file is large: its size tells whether to go on, and how much room it takes.
        let size = file.metadata().map_err(Unread::Io)?.len();
        if size > largest {
            return Err(Unread::TooLarge(size));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1);
        if buffer.len() < size {
            buffer.resize(size, 0);
        }
    }
}

/// Reads one file again, for a document that a reference needs.
///
/// # Errors
/// What the operating system says.
pub fn read_again(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

fn io_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    // "Permission denied (os error 13)": the number helps nobody.
    let text = text.split(" (os error").next().unwrap_or("").to_owned();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + chars.as_str())
}

fn error_path(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        _ => None,
    }
}

/// A path as reports show it: with `/`, without a leading `./`.
pub fn shown(path: &Path) -> String {
    let mut text = path.to_string_lossy();
    if cfg!(windows) {
        text = text.replace('\\', "/").into();
    }
    let mut rest = &*text;
    while let Some(next) = rest.strip_prefix("./") {
        rest = next;
    }
    if rest.is_empty() { ".".to_owned() } else { rest.to_owned() }
}

/// Why bytes are no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecoded {
    /// There is a zero byte in them, which no YAML has.
    Binary,
    /// Not UTF-8 from this byte on.
    NotUtf8(usize),
}

/// True where bytes start with the mark of UTF-16.
pub fn is_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// Turns bytes into text: UTF-8 with or without a byte-order mark, or UTF-16 with one.
///
/// # Errors
/// Where the bytes are binary or in another encoding.
pub fn decode(bytes: &[u8]) -> Result<(Arc<str>, Encoding), Undecoded> {
    if !is_utf16(bytes) {
        return utf8(bytes).map(|text| (text.into(), Encoding::Utf8));
    }
    let encoding = if bytes.first() == Some(&0xff) { encoding_rs::UTF_16LE } else { encoding_rs::UTF_16BE };
    // The mark is kept, as in UTF-8, so that offsets count it.
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    if broken || text.contains('\0') { Err(Undecoded::Binary) } else { Ok((text.into(), Encoding::Utf16)) }
}

/// Bytes as the text that they are.
///
/// # Errors
/// Where the bytes are binary or in another encoding.
pub fn utf8(bytes: &[u8]) -> Result<&str, Undecoded> {
    if memchr::memchr(0, bytes).is_some() {
        return Err(Undecoded::Binary);
    }
    std::str::from_utf8(bytes).map_err(|error| Undecoded::NotUtf8(error.valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// What is read of the inputs, by the place in the folder and the path as shown.
    #[track_caller]
    fn check(inputs: &[&str], expected: &[&str]) {
        let root = tempfile::tempdir().unwrap();
        for file in ["a.yaml", "deploy/b.yaml", "deploy/deep/c.yaml", "deploy/ignored.yaml", "notes.txt"] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "a: 1").unwrap();
        }
        std::fs::write(root.path().join(".gitignore"), "ignored.yaml\n").unwrap();
        let paths: Vec<PathBuf> = inputs.iter().map(|input| root.path().join(input)).collect();
        let options =
            WalkOptions { paths: &paths, reads: &|_| true, enters: &|_| true, largest: 1 << 20, threads: 2 };
        let met = Mutex::new(vec![]);
        walk(&options, &|one| {
            if let Met::File { shown, .. } = one {
                met.lock().unwrap().push(shown);
            }
        });
        let mut met = met.into_inner().unwrap();
        met.sort();
        let start = format!("{}/", shown(root.path()));
        let met: Vec<String> = met.into_iter().map(|path| path.replacen(&start, "", 1)).collect();
        assert_eq!(met, expected, "{inputs:?}");
    }

    #[test]
    fn inputs_that_overlap_are_read_once() {
        let all = ["a.yaml", "deploy/b.yaml", "deploy/deep/c.yaml"];
        check(&[""], &all);
        check(&["", ""], &all);
        check(&["", "a.yaml"], &all);
        check(&["a.yaml", "a.yaml"], &["a.yaml"]);
        check(&["", "deploy"], &all);
        check(&["deploy/deep", "", "deploy", "deploy/b.yaml"], &all);
        check(&["deploy/ignored.yaml", "notes.txt"], &["deploy/ignored.yaml", "notes.txt"]);
        check(
            &["", "deploy/ignored.yaml"],
            &["a.yaml", "deploy/b.yaml", "deploy/deep/c.yaml", "deploy/ignored.yaml"],
        );
        check(&["deploy/../deploy", "deploy/deep"], &["deploy/../deploy/b.yaml", "deploy/deep/c.yaml"]);
    }
}
