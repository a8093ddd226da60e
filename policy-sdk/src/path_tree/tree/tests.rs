use proptest::prelude::*;

use super::super::search::Match;
use super::*;
use crate::limits::{MAX_SEARCH_STEPS, MAX_TEMPLATE_SEGMENTS};
use crate::path::{CanonicalPath, PathMode, canonicalize};

fn path(text: &str) -> CanonicalPath {
    canonicalize(text.as_bytes(), PathMode::Refuse).unwrap_or_else(|error| panic!("{text}: {error}")).path
}

fn tree<'a>(templates: impl IntoIterator<Item = &'a str>) -> PathTree<()> {
    let mut tree = PathTree::new();
    for template in templates {
        tree.insert(template.parse().unwrap(), ()).unwrap();
    }
    tree
}

fn all<T>(tree: &PathTree<T>, path: &CanonicalPath) -> Vec<String> {
    let spellings = Spellings::of(path);
    let own = tree.all(&spellings).filter(Match::is_own);
    own.map(|found| found.template().to_string()).collect()
}

fn twins<T>(tree: &PathTree<T>, path: &CanonicalPath) -> Vec<String> {
    let spellings = Spellings::of(path);
    let twins = tree.all(&spellings).filter(Match::is_twin);
    twins.map(|found| found.template().to_string()).collect()
}

fn best<'t, T>(tree: &'t PathTree<T>, path: &CanonicalPath) -> Option<(String, &'t T)> {
    let spellings = Spellings::of(path);
    let found = tree.all(&spellings).find(Match::is_own)?;
    Some((found.template().to_string(), found.value))
}

/// Searches to the end and counts the nodes and leaves looked at.
fn steps<T>(tree: &PathTree<T>, path: &CanonicalPath) -> usize {
    let spellings = Spellings::of(path);
    let mut matches = tree.all(&spellings);
    matches.by_ref().for_each(drop);
    assert!(!matches.is_exhausted());
    matches.steps()
}

#[test]
fn the_most_specific_comes_first() {
    let tree = tree(["/**", "/a/**", "/a/{id}", "/a/b", "/a/b/**", "/{x}/b", "/*/**", "/a/b/c"]);
    assert_eq!(all(&tree, &path("/a/b")), ["/a/b", "/a/b/**", "/a/{id}", "/a/**", "/{x}/b", "/*/**", "/**"]);
    assert_eq!(all(&tree, &path("/a")), ["/a/**", "/*/**", "/**"]);
    assert_eq!(all(&tree, &path("/")), ["/**"]);
}

#[test]
fn a_search_goes_back_when_the_literal_leads_nowhere() {
    let tree = tree(["/a/b/c", "/a/{x}/d", "/{y}/b/e"]);
    for (text, template) in [("/a/b/c", "/a/b/c"), ("/a/b/d", "/a/{x}/d"), ("/a/b/e", "/{y}/b/e")] {
        assert_eq!(best(&tree, &path(text)).unwrap().0, template);
    }
    assert!(best(&tree, &path("/a/b/f")).is_none());
}

#[test]
fn nothing_matches_in_an_empty_tree() {
    let tree = PathTree::<()>::default();
    assert!(tree.is_empty());
    assert!(best(&tree, &path("/")).is_none());
}

#[test]
fn a_match_gives_its_captures() {
    let mut tree = PathTree::new();
    tree.insert("/t/{tenant}/o/{id}".parse().unwrap(), 7).unwrap();
    let path = path("/t/acme/o/caf%c3%a9");
    let spellings = Spellings::of(&path);
    let found = tree.all(&spellings).next().unwrap();
    assert_eq!(*found.value, 7);
    let captures: Vec<_> = found.captures().iter().map(|(name, text)| format!("{name}={text}")).collect();
    assert_eq!(captures, ["tenant=acme", "id=café"]);
}

#[test]
fn a_template_for_the_same_paths_is_refused_with_the_one_there() {
    let mut tree = tree(["/a/{id}", "/a/**", "/@"]);
    for (given, existing) in [("/a/*", "/a/{id}"), ("/a/{x}", "/a/{id}"), ("/a/**", "/a/**"), ("/%40", "/@")]
    {
        let fault = tree.insert(given.parse().unwrap(), ()).unwrap_err();
        let expected =
            DuplicateTemplate { existing: existing.parse().unwrap(), given: given.parse().unwrap() };
        assert_eq!(fault, expected);
    }
    assert_eq!(tree.len(), 3);
}

#[test]
fn a_caller_may_keep_a_list_at_each_template() {
    let mut tree: PathTree<Vec<&str>> = PathTree::new();
    for (template, method) in [("/a/{id}", "GET"), ("/a/{name}", "PUT"), ("/a", "POST")] {
        let template = TemplateText::read(template).unwrap();
        tree.get_or_insert_with(&template, Vec::new).unwrap().push(method);
    }
    assert_eq!(tree.len(), 2);
    assert_eq!(*best(&tree, &path("/a/1")).unwrap().1, ["GET", "PUT"]);
}

/// A `*` in a request is a character: it neither widens nor narrows what a template matches.
#[test]
fn cve_2025_46821_literal_star() {
    let tree = tree(["/a/*/secret", "/a/%2A", "/b/**"]);
    assert_eq!(all(&tree, &path("/a/*/secret")), ["/a/*/secret"]);
    assert_eq!(all(&tree, &path("/a/*")), ["/a/%2A"]);
    assert_eq!(all(&tree, &path("/a/%2a")), ["/a/%2A"]);
    assert_eq!(all(&tree, &path("/b/**")), ["/b/**"]);
    assert!(all(&tree, &path("/a/**")).is_empty());
    assert!(all(&tree, &path("/**")).is_empty());
}

/// Wildcards at the same depth share their node, so a thousand such templates cost what one costs.
#[test]
fn many_wildcard_templates_cost_one_walk() {
    let prefix = "/*".repeat(20);
    let templates: Vec<_> = (0..1000).map(|index| format!("{prefix}/end{index}")).collect();
    let tree = tree(templates.iter().map(String::as_str));
    assert!(steps(&tree, &path(&"/a".repeat(21))) <= 22);
    assert_eq!(all(&tree, &path(&format!("{}/end7", "/a".repeat(20)))).len(), 1);
}

/// A template for every choice of literal and wildcard at each of `levels` segments, each followed by `tail`.
fn explosion(levels: u32, tail: &str) -> PathTree<()> {
    let template = |bits: u32| -> String {
        (0..levels).map(|level| if bits >> level & 1 == 1 { "/a" } else { "/*" }).collect()
    };
    let templates: Vec<_> = (0..1 << levels).map(|bits| template(bits) + tail).collect();
    tree(templates.iter().map(String::as_str))
}

/// The worst document there is. A search that tried alternatives without the tree's sharing would multiply them; this one
/// looks at each node once.
#[test]
fn every_node_is_looked_at_once() {
    let tree = explosion(10, "");
    let nodes = (1 << 11) - 1;
    let leaves = 1 << 10;
    assert_eq!(steps(&tree, &path(&"/a".repeat(10))), nodes + leaves);
    assert_eq!(all(&tree, &path(&"/a".repeat(10))).len(), leaves);
    assert_eq!(tree.worst_case_steps(), nodes + leaves);
    // The longest path a request may have ends where the tree does.
    assert!(steps(&tree, &path(&"/a".repeat(4000))) <= nodes);
}

/// As many segments as a template may have, wildcards at twelve of them: the search ends at its bound and says so.
#[test]
fn a_wildcard_explosion_ends_at_the_bound() {
    let tail = "/b".repeat(MAX_TEMPLATE_SEGMENTS - 12);
    let tree = explosion(12, &tail);
    let worst = path(&format!("{}{tail}", "/a".repeat(12)));
    let spellings = Spellings::of(&worst);
    let mut matches = tree.all(&spellings);
    assert!(matches.by_ref().count() > 0);
    assert_eq!(matches.steps(), MAX_SEARCH_STEPS);
    assert!(matches.is_exhausted());
    assert!(matches.next().is_none());
    // 2^13 - 1 nodes of the explosion, 2^12 tails of 52 nodes and a leaf. It was known beforehand.
    assert_eq!(tree.worst_case_steps(), (1 << 13) - 1 + (1 << 12) * 53);
    // A path that goes elsewhere is searched to its end.
    let elsewhere = path("/a/c");
    let spellings = Spellings::of(&elsewhere);
    let mut matches = tree.all(&spellings);
    assert_eq!(matches.by_ref().count(), 0);
    assert!(!matches.is_exhausted());
}

#[test]
fn a_tree_that_had_no_room_finds_nothing_and_says_so() {
    let mut tree = tree(["/a"]);
    tree.frame.overfull = true;
    let path = path("/a");
    let spellings = Spellings::of(&path);
    let mut matches = tree.all(&spellings);
    assert!(matches.next().is_none());
    assert!(matches.is_exhausted());
}

#[test]
fn a_hundred_thousand_routes_are_searched_by_depth() {
    let mut tree = PathTree::new();
    for index in 0..100_000 {
        let template = format!("/v1/tenants/{{tenant}}/service{}/resource{index}/{{id}}", index % 100);
        tree.insert(template.parse().unwrap(), index).unwrap();
    }
    assert_eq!(tree.len(), 100_000);
    for index in [0, 1, 50_000, 99_999] {
        let path = path(&format!("/v1/tenants/acme/service{}/resource{index}/x", index % 100));
        assert_eq!(*best(&tree, &path).unwrap().1, index);
        assert_eq!(steps(&tree, &path), 8);
    }
    assert_eq!(tree.worst_case_steps(), 8);
    tree.shrink_to_fit();
    assert_eq!(*best(&tree, &path("/v1/tenants/acme/service7/resource7/x")).unwrap().1, 7);
}

/// The naive reading of a template, straight from the text of the module's documentation.
fn naive(template: &[&str], path: &[&str]) -> bool {
    match (template, path) {
        (["**"], _) => true,
        ([], []) => true,
        ([], _) | (_, []) => false,
        ([piece, template @ ..], [segment, path @ ..]) => {
            let one =
                if *piece == "*" || piece.starts_with('{') { !segment.is_empty() } else { piece == segment };
            one && naive(template, path)
        }
    }
}

/// Literal before wildcard before `**`, from the left; the end before `**`.
fn specificity(template: &str) -> Vec<u8> {
    let rank = |piece: &str| match piece {
        "**" => 2,
        "*" => 1,
        _ if piece.starts_with('{') => 1,
        _ => 0,
    };
    template.split('/').skip(1).map(rank).collect()
}

fn template_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec!["a", "b", "c", "*", "{x}"]);
    (prop::collection::vec(piece, 0..5), prop::sample::select(vec!["", "/", "/**"])).prop_map(
        |(pieces, end)| {
            // A name may occur once only: the position makes it unique.
            let named = pieces.iter().enumerate().map(|(index, piece)| match *piece {
                "{x}" => format!("/{{x{index}}}"),
                other => format!("/{other}"),
            });
            let text = named.collect::<String>() + end;
            if text.is_empty() { "/".to_owned() } else { text }
        },
    )
}

fn path_text() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "b", "c", "d"]);
    (prop::collection::vec(segment, 0..6), any::<bool>()).prop_map(|(segments, slash)| {
        let text: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        if slash || text.is_empty() { text + "/" } else { text }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_tree_finds_what_the_naive_matcher_finds(
        texts in prop::collection::vec(template_text(), 0..24),
        path_text in path_text(),
    ) {
        let mut tree = PathTree::new();
        let mut kept: Vec<String> = Vec::new();
        for text in texts {
            let duplicate = kept.iter().any(|other| nameless(other) == nameless(&text));
            prop_assert_eq!(tree.insert(text.parse().unwrap(), ()).is_err(), duplicate);
            if !duplicate {
                kept.push(text);
            }
        }
        prop_assert_eq!(tree.len(), kept.len());

        let path = path(&path_text);
        let segments: Vec<_> = path_text.split('/').skip(1).collect();
        prop_assert!(steps(&tree, &path) <= tree.worst_case_steps());
        let mut expected: Vec<&str> = kept
            .iter()
            .map(String::as_str)
            .filter(|template| naive(&template.split('/').skip(1).collect::<Vec<_>>(), &segments))
            .collect();
        expected.sort_by_key(|template| specificity(template));
        prop_assert_eq!(all(&tree, &path), expected.clone());
        prop_assert_eq!(best(&tree, &path).map(|found| found.0), expected.first().map(|text| (*text).to_owned()));
        // One search for both spellings finds what a search for the other would have found.
        let twin = path.slash_twin();
        prop_assert_eq!(twins(&tree, &path), twin.map_or_else(Vec::new, |twin| all(&tree, &twin)));

        for template in &kept {
            let template: PathTemplate = template.parse().unwrap();
            prop_assert_eq!(template.captures(&path).is_some(), expected.contains(&template.as_str()));
        }
    }

    #[test]
    fn any_text_is_a_template_or_a_fault(text in "/?[a/*{}.%;é2f]{0,24}") {
        if let Ok(template) = text.parse::<PathTemplate>() {
            prop_assert_eq!(template.as_str().parse::<PathTemplate>(), Ok(template));
        }
    }
}

proptest! {
    /// A tree that forgets the way to each template is the slow twin.
    #[test]
    fn what_a_template_shares_with_the_one_before_is_where_it_would_be(
        texts in prop::collection::vec("(/([ab]{1,2}|%2[Aa]|\\{[xy]\\}|\\*)){0,4}(/|/\\*\\*|/a)", 0..24),
    ) {
        let (mut remembering, mut forgetting) = (PathTree::new(), PathTree::new());
        for (number, text) in texts.iter().enumerate() {
            let Ok(template) = TemplateText::read(text) else { continue };
            remembering.get_or_insert_with(&template, || number);
            forgetting.frame.way = Way::new();
            forgetting.get_or_insert_with(&template, || number);
        }
        // Tables may hold the same in another order.
        let laid_out = |PathTree { frame, values }: &PathTree<usize>| {
            let shapes: Vec<_> = frame.leaves.iter().map(|leaf| frame.shapes.get(leaf.shape).to_owned()).collect();
            (frame.text.clone(), format!("{:?} {:?}", frame.nodes, frame.leaves), shapes, values.clone())
        };
        prop_assert_eq!(laid_out(&remembering), laid_out(&forgetting));
    }
}

fn nameless(template: &str) -> String {
    template
        .split('/')
        .map(|piece| if piece.starts_with('{') { "*" } else { piece })
        .collect::<Vec<_>>()
        .join("/")
}
