//! Files that a container sees: paths followed through the mounts of ConfigMaps.

use super::container::{Container, Lookup, Mount};
use crate::known::Known;
use crate::yaml::Text;

/// The text of the file at `path`, where a ConfigMap of the inputs holds it. `directory` is what the path is relative
/// to, after the container's own working directory.
pub(super) fn read(
    path: &str,
    directory: Option<&str>,
    container: &Container,
    lookup: &dyn Lookup,
) -> Option<Text> {
    let base = container.working_dir.as_deref();
    let directory = match (base, directory) {
        (Some(base), Some(directory)) => Some(join(base, directory)),
        (base, directory) => base.or(directory).map(str::to_owned),
    };
    let absolute = match &directory {
        _ if path.starts_with('/') => Some(join("", path)),
        Some(directory) => Some(join(directory, path)),
        None => None,
    };
    let found = match absolute {
        Some(path) => container.mounts.iter().rev().find_map(|mount| key_at(mount, &path)),
        None => by_name(path, &container.mounts),
    };
    let (config_map, key) = found?;
    match lookup.config_map_key(&config_map, &key) {
        Known::Set(text, _) | Known::Default(text, _) => Some(text),
        _ => None,
    }
}

/// The ConfigMap and the key behind an absolute path.
fn key_at(mount: &Mount, path: &str) -> Option<(String, String)> {
    let config_map = mount.config_map.clone()?;
    let root = join("", &mount.path);
    let inside = match &mount.sub_path {
        Some(file) if root == path => file.as_str(),
        Some(_) => return None,
        None => path.strip_prefix(&root)?.strip_prefix('/')?,
    };
    Some((config_map, key_of(mount, inside)?))
}

fn key_of(mount: &Mount, inside: &str) -> Option<String> {
    if mount.items.is_empty() {
        return (!inside.contains('/')).then(|| inside.to_owned());
    }
    mount.items.iter().find(|(_, path)| path == inside).map(|(key, _)| key.clone())
}

/// For a relative path whose directory is unknown: the one mounted file of that name.
fn by_name(path: &str, mounts: &[Mount]) -> Option<(String, String)> {
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    let ends_so = |path: &str| path.rsplit('/').next() == Some(name);
    let mut found = mounts.iter().filter_map(|mount| {
        let config_map = mount.config_map.clone()?;
        let inside = match &mount.sub_path {
            Some(file) => ends_so(&mount.path).then_some(file.as_str())?,
            None => match mount.items.iter().find(|(_, path)| ends_so(path)) {
                Some((_, path)) => path.as_str(),
                None => name,
            },
        };
        Some((config_map, key_of(mount, inside)?))
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Joins two paths and resolves `.` and `..`. An absolute second path stands alone.
fn join(base: &str, path: &str) -> String {
    let base = if path.starts_with('/') { "" } else { base };
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};

    struct Echo;

    impl Lookup for Echo {
        fn config_map_key(&self, name: &str, key: &str) -> Known<Text> {
            let span = Span::new(FileId(0), 0, 0);
            Known::Set(Text::opaque(format!("{name}:{key}"), span), span)
        }

        fn config_map_keys(&self, _name: &str) -> Option<Vec<(String, Text)>> {
            None
        }
    }

    fn mount(path: &str, config_map: &str, sub_path: &str, items: &[(&str, &str)]) -> Mount {
        Mount {
            path: path.to_owned(),
            config_map: (!config_map.is_empty()).then(|| config_map.to_owned()),
            sub_path: (!sub_path.is_empty()).then(|| sub_path.to_owned()),
            items: items.iter().map(|(key, path)| (key.to_string(), path.to_string())).collect(),
            span: Span::new(FileId(0), 0, 0),
        }
    }

    #[test]
    fn a_path_leads_to_a_key() {
        let mounts = vec![
            mount("/models", "", "", &[]),
            mount("/etc/engine/", "engine", "", &[]),
            mount("/opt/run.sh", "scripts", "start", &[]),
            mount("/items", "picked", "", &[("a.yaml", "deep/b.yaml")]),
        ];
        let container = Container { mounts, working_dir: Some("/etc".to_owned()), ..Container::default() };
        for (path, directory, expect) in [
            ("/etc/engine/x.yaml", None, Some("engine:x.yaml")),
            ("/etc/./engine/y/../x.yaml", None, Some("engine:x.yaml")),
            ("engine/x.yaml", None, Some("engine:x.yaml")),
            ("x.yaml", Some("engine"), Some("engine:x.yaml")),
            ("./x.yaml", Some("/etc/engine"), Some("engine:x.yaml")),
            ("/opt/run.sh", None, Some("scripts:start")),
            ("/opt/other.sh", None, None),
            ("/items/deep/b.yaml", None, Some("picked:a.yaml")),
            ("/items/a.yaml", None, None),
            ("/etc/engine/sub/x.yaml", None, None),
            ("/models/x.yaml", None, None),
            ("", None, None),
        ] {
            let found = read(path, directory, &container, &Echo).map(|text| text.value);
            assert_eq!(found.as_deref(), expect, "{path} in {directory:?}");
        }
    }

    #[test]
    fn a_relative_path_is_found_by_its_name_where_only_one_file_has_it() {
        let one = mount("/workspace/run.sh", "scripts", "run.sh", &[]);
        let container = Container { mounts: vec![one.clone()], ..Container::default() };
        let text = read("./run.sh", None, &container, &Echo).map(|text| text.value);
        assert_eq!(text.as_deref(), Some("scripts:run.sh"));
        let container =
            Container { mounts: vec![one, mount("/other", "x", "", &[])], ..Container::default() };
        assert!(read("./run.sh", None, &container, &Echo).is_none());
    }
}
