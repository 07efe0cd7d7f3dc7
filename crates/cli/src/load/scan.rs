//! What a configuration file refers to on disk, found by looking at its text and without parsing it. It may
//! find too much (a comment, a string); what is not there is not loaded.

/// What a file refers to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    /// Local directories of modules, as written.
    pub(super) modules: Vec<String>,
    /// Files that functions read, relative to the module (`false`) or to the root (`true`).
    pub(super) files: Vec<(bool, String)>,
    /// Whether a function reads a file whose name is computed.
    pub(super) computed: bool,
    /// Whether `fileset` lists files.
    pub(super) listed: bool,
}

/// Looks through a `.tf` or `.tf.json` file.
pub(super) fn mentions(text: &str) -> Mentions {
    let mut out = Mentions::default();
    let mut rest = text;
    while let Some(at) = rest.find("source") {
        rest = &rest[at + "source".len()..];
        let tail = rest.trim_start_matches(['"', ' ', '\t']);
        let Some(tail) = tail.strip_prefix(['=', ':']) else {
            continue;
        };
        let Some(s) = literal(tail) else { continue };
        if s == "." || s == ".." || s.starts_with("./") || s.starts_with("../") {
            out.modules.push(s.to_string());
        }
    }
    functions(text, &mut out);
    out
}

/// The text of a string literal at the start, blanks aside.
fn literal(text: &str) -> Option<&str> {
    let inner = text.trim_start_matches([' ', '\t']).strip_prefix('"')?;
    let end = inner.find(['"', '\n'])?;
    inner[end..].starts_with('"').then(|| &inner[..end])
}

/// `file("...")`, `templatefile("...")`, `filebase64(...)`, `fileset(...)`, ...
fn functions(text: &str, out: &mut Mentions) {
    let mut rest = text;
    while let Some(at) = rest.find("file") {
        let before = rest[..at].chars().next_back();
        let boundary =
            before.is_none_or(|c| !c.is_alphanumeric() && c != '_') || rest[..at].ends_with("template");
        rest = &rest[at + "file".len()..];
        let name = rest.chars().take_while(|c| c.is_ascii_alphanumeric()).count();
        let suffix = &rest[..name];
        let known = matches!(suffix, "" | "base64" | "set" | "md5" | "exists")
            || suffix.starts_with("sha")
            || suffix.starts_with("base64sha");
        let Some(args) = rest[name..]
            .trim_start()
            .strip_prefix('(')
            .filter(|_| boundary && known)
        else {
            continue;
        };
        // Only the beginning matters. In JSON the quotes inside of a template are escaped.
        let args: String = args.trim_start().chars().take(1024).collect();
        let args = args.replace("\\\"", "\"");
        match argument(&args).filter(|_| suffix != "set") {
            Some(f) => out.files.push(f),
            None if suffix == "set" => out.listed = true,
            None => out.computed = true,
        }
    }
}

/// A literal path, which may begin with `${path.module}/` or `${path.root}/`.
fn argument(args: &str) -> Option<(bool, String)> {
    let inner = args.strip_prefix('"')?;
    let end = inner.find('"')?;
    let path = &inner[..end];
    let (root, path) = match (
        path.strip_prefix("${path.module}"),
        path.strip_prefix("${path.root}"),
    ) {
        (Some(p), _) => (false, p),
        (_, Some(p)) => (true, p),
        // Terraform reads plain paths relative to where it runs, which is the root.
        _ => (true, path),
    };
    (!path.contains("${")).then(|| (root, path.trim_start_matches('/').to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_modules_are_found_in_both_syntaxes() {
        let m = mentions(
            "module \"a\" {\n  source  = \"../net\"\n}\nmodule \"b\" { source=\"./x/y\" }\nresource \"r\" \"s\" { source_id = \"./no\"\n sourced = \"./no\" }\nmodule c { source = \"terraform-alicloud-modules/vpc/alicloud\" }",
        );
        assert_eq!(m.modules, ["../net", "./x/y"]);
        assert_eq!(mentions(r#"{"module":{"a":{"source": "./m"}}}"#).modules, ["./m"]);
    }

    #[test]
    fn files_of_functions_are_found() {
        let m = mentions(
            "a = file(\"${path.module}/k.pub\")\nb = templatefile( \"t/u.tftpl\", {})\nc = filemd5(\"${path.root}/x\")\nprofile (\"no\")",
        );
        let expected = [(false, "k.pub"), (true, "t/u.tftpl"), (true, "x")];
        assert_eq!(m.files, expected.map(|(r, f)| (r, f.to_string())));
        assert!(!m.computed);
        assert!(mentions("a = file(var.name)").computed);
        assert!(mentions("a = file(\"${path.module}/${var.x}\")").computed);
        assert!(mentions("a = fileset(path.module, \"*.json\")").listed);
        assert_eq!(
            mentions(r#"{"a": "${file(\"x.pub\")}"}"#).files,
            [(true, "x.pub".to_string())]
        );
    }
}
