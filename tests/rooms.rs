//! The rooms of `src`: what a room uses is below it, and the files of a room use each other in no circle.
//!
//! A room is a file or a folder of `src`. What counts is each path that begins with `crate` or `super`, in the file where
//! its name is defined: re-exports are followed. A `mod.rs` names the files of its folder in any case.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// The rooms, the lowest first. Those of one floor do not use each other.
const FLOORS: [&[&str]; 14] = [
    &["pivoting"],
    &["kernel"],
    &["error", "options"],
    &["element", "selection"],
    &["matrix"],
    &["batch", "team", "usage"],
    &["blas"],
    &["lu"],
    &["protocol"],
    &["os"],
    &["server"],
    &["client"],
    &["files"],
    &["cli"],
];

/// The executable, the crate's face, and what is there for the benchmarks: they may use everything.
const ABOVE_ALL: [&str; 3] = ["main", "", "internals"];

/// Comments, strings and characters: what is no code.
static NO_CODE: LazyLock<Regex> = LazyLock::new(|| {
    let no_code = r#"//[^\n]*|(?s:/\*.*?\*/)|r"[^"]*"|"(?:\\(?s:.)|[^"\\])*"|'(?:\\u\{\w*\}|\\.|[^'\\])'"#;
    Regex::new(no_code).expect("a regular expression")
});
static INLINE_MODULE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:#\[cfg\(test\)\]\s*)?\bmod \$?\w+ \{").expect("a regular expression"));
static PATH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(?:crate|super)::(?:super::)*").expect("a regular expression"));
static USE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\buse\s([^;]+);").expect("a regular expression"));

/// A path or a module, as the names between `::`; a module's begin below the crate.
type Names = Vec<String>;

/// The modules that are files, each with its code and the names that it takes from others.
struct Tree(BTreeMap<Names, Module>);

struct Module {
    file: String,
    code: String,
    uses: BTreeMap<String, Names>,
}

impl Tree {
    /// From files by their paths below `src`.
    fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tree = Tree(BTreeMap::new());
        for (file, text) in files {
            let names = file.trim_end_matches(".rs").split('/').map(str::to_owned);
            let module: Names = names.filter(|name| name != "mod" && name != "lib").collect();
            if module.iter().all(|name| !name.starts_with("tests")) {
                let module_of_file = Module { file: file.to_owned(), code: code(text), uses: BTreeMap::new() };
                tree.0.insert(module, module_of_file);
            }
        }
        let uses: Vec<_> = tree.0.keys().map(|module| (module.clone(), tree.uses(module))).collect();
        for (module, uses) in uses {
            tree.0.get_mut(&module).expect("a module of the tree").uses = uses;
        }
        tree
    }

    /// The names that a module takes from other modules of the crate, and what they are there.
    fn uses(&self, module: &Names) -> BTreeMap<String, Names> {
        let paths = USE.captures_iter(&self.0[module].code).flat_map(|found| expand(found[1].trim()));
        let own = paths.filter_map(|path| {
            let child = [&module[..], &path[..1]].concat();
            let path =
                if self.0.contains_key(&child) { [&child[..], &path[1..]].concat() } else { absolute(&path, module)? };
            Some((path.last()?.clone(), path))
        });
        own.collect()
    }

    /// The module in which a path ends, and the first name that is none of a module's.
    fn resolve(&self, mut path: Names) -> (Names, Option<String>) {
        loop {
            let modules = (0..=path.len()).rev().map(|len| path[..len].to_vec());
            let module = modules.into_iter().find(|module| self.0.contains_key(module)).unwrap_or_default();
            let name = path.get(module.len());
            let used = name.and_then(|name| self.0.get(&module)?.uses.get(name));
            match used {
                Some(used) if *used != path[..=module.len()] => path = [&used[..], &path[module.len() + 1..]].concat(),
                _ => return (module.clone(), name.cloned()),
            }
        }
    }

    /// What a module uses: other modules, each with the path that says so.
    fn used_by(&self, module: &Names) -> BTreeMap<Names, String> {
        let code = &self.0[module].code;
        let paths = PATH.find_iter(code).flat_map(|found| expand(&code[found.start()..]));
        let used = paths.filter_map(|path| {
            let (used, _) = self.resolve(absolute(&path, module)?);
            (used != *module).then(|| (used, path.join("::")))
        });
        used.collect()
    }

    /// Each use that goes up or stays on its floor, and a circle of each room that has one.
    fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        for (module, Module { file, .. }) in &self.0 {
            if ABOVE_ALL.contains(&room(module)) {
                continue;
            }
            let Some(own) = floor(module) else {
                violations.push(format!("src/{file}: expected a room of FLOORS, got {}", room(module)));
                continue;
            };
            for (used, path) in self.used_by(module) {
                if room(&used) != room(module) && floor(&used).is_none_or(|floor| floor >= own) {
                    let target = self.0.get(&used).map_or("lib.rs", |module| &module.file);
                    violations.push(format!("src/{file}: expected paths into lower rooms, got {path} in src/{target}"));
                }
            }
        }
        let circles = FLOORS.concat().into_iter().filter_map(|room| self.circle(room));
        violations.extend(circles.map(|circle| format!("expected no circle, got src/{}", circle.join(" -> src/"))));
        violations
    }

    /// Files of a room that use each other in a circle; the first one stands at the end as well.
    fn circle(&self, name: &str) -> Option<Vec<&str>> {
        let modules: BTreeSet<&Names> = self.0.keys().filter(|module| room(module) == name).collect();
        let mut done = BTreeSet::new();
        modules.iter().find_map(|module| self.circle_from(module, &modules, &mut Vec::new(), &mut done))
    }

    fn circle_from<'t>(
        &'t self,
        module: &Names,
        room: &BTreeSet<&Names>,
        way: &mut Vec<&'t str>,
        done: &mut BTreeSet<&'t str>,
    ) -> Option<Vec<&'t str>> {
        let file: &str = &self.0[module].file;
        if let Some(at) = way.iter().position(|&before| before == file) {
            return Some([&way[at..], &[file]].concat());
        }
        if !done.insert(file) {
            return None;
        }
        way.push(file);
        let used = self.used_by(module).into_keys().filter(|used| room.contains(used));
        let circle = used.into_iter().find_map(|used| self.circle_from(&used, room, way, done));
        way.pop();
        circle
    }
}

/// The room of a module; that of the crate's face has no name.
fn room(module: &Names) -> &str {
    module.first().map_or("", String::as_str)
}

fn floor(module: &Names) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room(module)))
}

/// The text without comments, literals and modules of tests. In other modules inside of a file `super` is the file itself.
fn code(text: &str) -> String {
    let mut code = NO_CODE.replace_all(text, " ").into_owned();
    let mut start = 0;
    while let Some(found) = INLINE_MODULE.find_at(&code, start) {
        let body = found.end()..found.end() + block_length(&code[found.end()..]);
        if found.as_str().starts_with('#') {
            start = found.start();
            code.replace_range(start..body.end, "");
        } else {
            start = found.end();
            let with_self = code[body.clone()].replace("super::", "self::");
            code.replace_range(body, &with_self);
        }
    }
    code
}

/// Bytes up to the brace that closes a block, which has been opened before.
fn block_length(code: &str) -> usize {
    let mut depth = 1;
    let closes = |byte: u8| {
        depth += i32::from(byte == b'{') - i32::from(byte == b'}');
        depth == 0
    };
    code.bytes().position(closes).map_or(code.len(), |at| at + 1)
}

/// The paths at the beginning of a text: `a::{b, c::d}` is `a::b` and `a::c::d`. A glob, an alias and `self` end one.
fn expand(text: &str) -> Vec<Names> {
    let text = text.trim_start();
    let name = &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())];
    let Some(rest) = text[name.len()..].strip_prefix("::") else {
        return if name.is_empty() || name == "self" { vec![vec![]] } else { vec![vec![name.to_owned()]] };
    };
    let below = match rest.strip_prefix('{') {
        Some(group) => parts(group).into_iter().flat_map(expand).collect(),
        None => expand(rest),
    };
    below.into_iter().map(|path| [vec![name.to_owned()], path].concat()).collect()
}

/// What stands between the commas of a group, up to its closing brace.
fn parts(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if c == '}' && start == at + 1 {
            break;
        }
    }
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

/// A path in a module, counted from the crate; `None` if it begins with the name of another crate.
fn absolute(path: &Names, module: &Names) -> Option<Names> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" => Some([&module[..module.len().saturating_sub(supers)], &path[supers..]].concat()),
        _ => None,
    }
}

/// The files below a folder, by their paths there.
fn read(folder: &Path, below: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder.join(below)).expect("a folder") {
        let entry = entry.expect("an entry of the folder");
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(folder, &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            files.push((name, fs::read_to_string(entry.path()).expect("a file of text")));
        }
    }
}

#[test]
fn every_room_uses_lower_rooms_only_and_its_files_use_each_other_in_no_circle() {
    let mut files = Vec::new();
    read(&testing::root().join("src"), "", &mut files);
    let tree = Tree::new(files.iter().map(|(file, text)| (&file[..], &text[..])));
    assert!(tree.0.len() > 50, "the source was read");
    let violations = tree.violations();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// The violations of a tree with these files beside a face and two rooms.
fn planted(files: &[(&str, &str)]) -> Vec<String> {
    let fixed = [
        ("lib.rs", "mod lu;\nmod matrix;\nmod server;\npub use lu::Lu;\npub fn release() {}"),
        ("pivoting.rs", "pub enum Pivoting {}"),
        ("matrix.rs", "pub struct MatrixMut;\nmod sealed { use super::MatrixMut; }"),
        ("lu/mod.rs", "mod factors;\nmod solve;\npub use factors::Lu;\n#[cfg(test)]\nmod tests;"),
        ("lu/factors.rs", "use crate::matrix::MatrixMut;\nuse super::solve::solve;\npub struct Lu;"),
        ("lu/solve.rs", "pub fn solve() {}"),
    ];
    let replaced = |file: &str| files.iter().any(|(planted, _)| *planted == file);
    Tree::new(fixed.into_iter().filter(|(file, _)| !replaced(file)).chain(files.iter().copied())).violations()
}

#[test]
fn what_goes_down_is_no_violation() {
    assert_eq!(planted(&[]), [""; 0]);
    assert_eq!(planted(&[("server/mod.rs", "use crate::{Lu, matrix::MatrixMut};")]), [""; 0]);
    assert_eq!(planted(&[("main.rs", "fn main() { crate::server::serve() }")]), [""; 0]);
    let hidden = "// crate::lu::Lu\n/* crate::lu */ const A: &str = \"crate::lu\";\n#[cfg(test)]\nmod tests { use crate::lu::Lu; fn f() {} }";
    assert_eq!(planted(&[("matrix.rs", hidden)]), [""; 0]);
    assert_eq!(planted(&[("lu/tests/mod.rs", "use crate::server::serve;")]), [""; 0]);
}

#[test]
fn what_goes_up_is_named_by_its_file_and_path() {
    let up = |text: &str, path: &str, target: &str| {
        let expected = format!("src/matrix.rs: expected paths into lower rooms, got {path} in src/{target}");
        assert_eq!(planted(&[("matrix.rs", text)]), [expected], "{text}");
    };
    up("use crate::lu::Lu;", "crate::lu::Lu", "lu/factors.rs");
    up("use crate::Lu;", "crate::Lu", "lu/factors.rs");
    up("use super::Lu;", "super::Lu", "lu/factors.rs");
    up(
        "use std::fmt;\nuse crate::{\n    pivoting::Pivoting,\n    lu::{solve::*},\n};",
        "crate::lu::solve",
        "lu/solve.rs",
    );
    up("fn f() { crate::lu::solve::solve() }", "crate::lu::solve::solve", "lu/solve.rs");
    up("fn f() { if 'x' == '\"' { crate::release() } }", "crate::release", "lib.rs");
    up("#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::lu;", "crate::lu", "lu/mod.rs");
    assert_eq!(
        planted(&[("options.rs", "use crate::error::Error;"), ("error.rs", "pub struct Error;")]),
        ["src/options.rs: expected paths into lower rooms, got crate::error::Error in src/error.rs"]
    );
    assert_eq!(planted(&[("attic.rs", "")]), ["src/attic.rs: expected a room of FLOORS, got attic"]);
}

#[test]
fn a_circle_in_a_room_is_named_by_its_files() {
    let circle = ["expected no circle, got src/lu/factors.rs -> src/lu/solve.rs -> src/lu/factors.rs"];
    assert_eq!(planted(&[("lu/solve.rs", "use super::factors::Lu;")]), circle);
    assert_eq!(planted(&[("lu/solve.rs", "use super::{Lu};")]), circle);
    assert_eq!(planted(&[("lu/solve.rs", "fn f(lu: crate::lu::Lu) {}")]), circle);
}
