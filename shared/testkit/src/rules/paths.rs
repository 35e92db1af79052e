//! Every path that a source file names, as it reads from the root of its crate.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Item, ItemMod, Macro, Meta, UseTree,
    spanned::Spanned as _,
    visit::{self, Visit},
};

/// A path, and the line in which it ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) line: usize,
    /// `["crate", "store", "cases"]`; `*` is a segment.
    pub(super) path: Vec<String>,
}

/// Paths in that file, but for those in its tests.
///
/// * `module`: where the file stands: `["domain", "case"]`.
///
/// # Panics
/// When it is no Rust.
pub(super) fn named(source: &str, module: Vec<String>) -> Vec<Named> {
    let file = syn::parse_file(source).expect("Rust");
    let mut reader = Reader { module, found: Vec::new() };
    reader.visit_file(&file);
    reader.found
}

struct Reader {
    module: Vec<String>,
    found: Vec<Named>,
}

impl Reader {
    /// * `path`: of a single word, it may be anything.
    fn note(&mut self, path: Vec<String>, line: usize) {
        self.found.push(Named { line, path: from_root(&self.module, path) });
    }

    fn note_use(&mut self, tree: &UseTree, before: &[String]) {
        let with = |word: String| before.iter().cloned().chain([word]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(one) => self.note_use(&one.tree, &with(one.ident.to_string())),
            UseTree::Group(group) => group.items.iter().for_each(|one| self.note_use(one, before)),
            UseTree::Glob(glob) => self.note(with("*".to_owned()), glob.span().start().line),
            UseTree::Name(name) if name.ident == "self" => self.note(before.to_vec(), name.span().start().line),
            UseTree::Name(name) => self.note(with(name.ident.to_string()), name.span().start().line),
            UseTree::Rename(name) if name.ident == "self" => self.note(before.to_vec(), name.span().start().line),
            UseTree::Rename(name) => self.note(with(name.ident.to_string()), name.span().start().line),
        }
    }

    /// What stands in a macro is no Rust yet: words with `::` between them are taken for a path.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut colons, mut line): (Vec<String>, usize, usize) = (Vec::new(), 0, 0);
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.note_words(&mut path, line);
                    }
                    path.push(word.to_string());
                    (colons, line) = (0, word.span().start().line);
                }
                other => {
                    self.note_words(&mut path, line);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.note_tokens(group.stream());
                    }
                }
            }
        }
        self.note_words(&mut path, line);
    }

    fn note_words(&mut self, path: &mut Vec<String>, line: usize) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.note(path, line);
        }
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item(&mut self, item: &'a Item) {
        if !attributes(item).iter().any(is_test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.note_use(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        if path.segments.len() > 1 {
            let words = path.segments.iter().map(|segment| segment.ident.to_string());
            self.note(words.collect(), path.span().end().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, attribute: &'a Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.note_tokens(list.tokens.clone());
        }
    }

    fn visit_macro(&mut self, call: &'a Macro) {
        visit::visit_macro(self, call);
        self.note_tokens(call.tokens.clone());
    }
}

/// `self` and `super` as what they stand for. A path that begins with neither is one of another crate, or of what was imported.
fn from_root(module: &[String], path: Vec<String>) -> Vec<String> {
    let up = path.iter().take_while(|word| *word == "super" || *word == "self").count();
    if up == 0 {
        return path;
    }
    let above = path[..up].iter().filter(|word| *word == "super").count();
    let kept = module[..module.len().saturating_sub(above)].iter().cloned();
    std::iter::once("crate".to_owned()).chain(kept).chain(path[up..].iter().cloned()).collect()
}

fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|cfg| cfg.is_ident("test"))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
