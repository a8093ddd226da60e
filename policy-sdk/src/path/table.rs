//! The table of `docs/paths.md`, which is also the documentation of this module, held to what runs.

use super::*;

/// A row: kind, path as sent, and what each mode makes of it.
struct Row<'a> {
    kind: &'a str,
    path: &'a str,
    refuse: &'a str,
    normalize: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let table = include_str!("../../../docs/paths.md").lines().filter(|line| line.starts_with("| `"));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        Row { kind: cells[1], path: cells[2], refuse: cells[3], normalize: cells[4] }
    };
    table.map(row).collect()
}

/// `\x00` is that byte.
fn bytes(path: &str) -> Vec<u8> {
    let mut parts = path.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend(rest.bytes());
    }
    bytes
}

#[test]
fn each_row_says_what_happens() {
    for Row { kind, path, refuse, normalize } in rows() {
        for (mode, wanted) in [(PathMode::Refuse, refuse), (PathMode::Normalize, normalize)] {
            match (canonicalize(&bytes(path), mode), wanted) {
                (Err(PathError::Ambiguous(refused)), "400") => assert_eq!(refused.label(), kind, "{path}"),
                (Ok(target), _) => {
                    assert_eq!(target.path.as_str(), wanted, "{path}");
                    let mended: Vec<_> = target.normalized.iter().map(PathAmbiguity::label).collect();
                    let expected = if kind == "none" { Vec::new() } else { vec![kind] };
                    assert_eq!(mended, expected, "{path}");
                }
                (answer, _) => panic!("{path}: {answer:?}, and {wanted} in the table"),
            }
        }
    }
}

#[test]
fn each_kind_has_its_rows() {
    let mut documented: Vec<&str> = rows().iter().map(|row| row.kind).collect();
    documented.dedup();
    let known = PathAmbiguity::ALL.iter().map(|kind| kind.label()).chain(["none"]);
    assert_eq!(documented, known.collect::<Vec<_>>());
    for kind in PathAmbiguity::ALL {
        let example = rows().into_iter().any(|row| row.kind == kind.label() && row.path == kind.example());
        assert!(example, "{kind}: {}", kind.example());
    }
}
