use proptest::prelude::*;

use super::*;

fn refused(target: &[u8], mode: PathMode) -> PathAmbiguity {
    match canonicalize(target, mode) {
        Err(PathError::Ambiguous(kind)) => kind,
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(target)),
    }
}

fn read(target: &str, mode: PathMode) -> String {
    canonicalize(target.as_bytes(), mode).unwrap_or_else(|error| panic!("{target:?}: {error}")).origin_form()
}

#[test]
fn a_plain_target_is_itself() {
    for target in
        ["/", "/a", "/a/", "/a/b.c~d_e-f", "/a,b=c:d@e!$&'()*+", "/...", "/a?", "/a?x=%zz//../;&y=\\"]
    {
        let read = canonicalize(target.as_bytes(), PathMode::Refuse).unwrap();
        assert_eq!(read.origin_form(), target);
        assert!(!read.rewritten, "{target}");
    }
}

#[test]
fn escapes_have_one_spelling() {
    for (target, canonical) in [
        ("/%61%7e%2D", "/a~-"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%40b", "/a%40b"),
        ("/100%25", "/100%25"),
        ("/%5b%20%5D", "/%5B%20%5D"),
        ("/%2e%2e%2e", "/..."),
    ] {
        for mode in [PathMode::Refuse, PathMode::Normalize] {
            let read = canonicalize(target.as_bytes(), mode).unwrap();
            assert_eq!(read.origin_form(), canonical);
            assert_eq!(read.rewritten, target != canonical, "{target}");
        }
    }
}

#[test]
fn a_segment_gives_its_text() {
    let target = canonicalize(b"/caf%c3%a9/a%40b/", PathMode::Refuse).unwrap();
    let texts: Vec<_> = target.path.segments().map(|segment| segment.text().into_owned()).collect();
    assert_eq!(texts, ["café", "a@b", ""]);
}

#[test]
fn every_spelling_of_a_kind_is_that_kind() {
    let spellings: [(PathAmbiguity, &[&[u8]]); 12] = [
        (EncodedSlash, &[b"/a%2fb", b"/%2F", b"/..%2fadmin"]),
        (Backslash, &[b"/a\\b", b"/a%5cb", b"/a%5Cb", b"/..\\c"]),
        (DoubleSlash, &[b"//", b"//a", b"/a//b", b"/a//", b"///"]),
        (DotSegment, &[b"/.", b"/..", b"/a/./b", b"/a/../b", b"/a/%2e%2E/b", b"/a/.%2e", b"/%2e"]),
        (PathParameter, &[b"/a;", b"/a;b=c/d", b"/..;/a", b"/;/a", b"/a%3bb", b"/a%3B"]),
        (Fragment, &[b"/a#", b"/a#b", b"/#", b"/a%23b", b"/a?b#c", b"/a#?b"]),
        (EncodedQuestionMark, &[b"/a%3fb", b"/a%3F"]),
        (
            ControlCharacter,
            &[b"/a\0", b"/a%00", b"/a\r\nb", b"/a%0d%0a", b"/a\x7f", b"/a%7F", b"/%C2%85", b"/a?\0"],
        ),
        (BadEscape, &[b"/%", b"/%4", b"/%zz", b"/%4/1", b"/%%41", b"/%4\xff", b"/%+1"]),
        (DoubleEncoding, &[b"/%252f", b"/%2541", b"/%25%32%66", b"/%25%32f", b"/%2525", b"/%25c0%25ae"]),
        (InvalidUtf8, &[b"/%ff", b"/%c0%af", b"/%C3", b"/%c3/%a9", b"/%ed%a0%80", b"/%f4%90%80%80"]),
        (
            NonUriCharacter,
            &[b"/a b", b"/\"", b"/<>", b"/[", b"/{id}", b"/a|b", b"/\xc3\xa9", b"/?\xff", b"/? "],
        ),
    ];
    for (kind, targets) in spellings {
        for target in targets {
            assert_eq!(refused(target, PathMode::Refuse), kind, "{:?}", String::from_utf8_lossy(target));
        }
    }
}

#[test]
fn normalising_mends_what_has_one_reading() {
    for (target, canonical) in [
        ("//", "/"),
        ("///root///child//", "/root/child/"),
        ("/a/b/../c", "/a/c"),
        ("/a/b/%2E%2e/%2e/c?q=//..", "/a/c?q=//.."),
        ("/a/.", "/a/"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a//b/../c", "/a/c"),
        ("/a//.", "/a/"),
        ("/a b/[1]/é", "/a%20b/%5B1%5D/%C3%A9"),
    ] {
        assert_eq!(read(target, PathMode::Normalize), canonical, "{target}");
    }
}

#[test]
fn what_was_mended_is_known() {
    let kinds =
        |target: &[u8], mode| canonicalize(target, mode).unwrap().normalized.iter().collect::<Vec<_>>();
    assert_eq!(
        kinds(b"//a b/./c", PathMode::Normalize),
        [DoubleSlash, DotSegment, NonUriCharacter],
        "all of them, each once"
    );
    for mode in [PathMode::Refuse, PathMode::Normalize] {
        assert_eq!(kinds(b"/%61%5b/?//", mode), [], "another spelling is no ambiguity");
    }
}

#[test]
fn normalising_refuses_what_has_two_readings() {
    for target in ["/..", "/a/../..", "/./..", "/%2e%2e/a", "//..", "/a//../b", "/a//b/../../c", "/.//.."] {
        assert_eq!(refused(target.as_bytes(), PathMode::Normalize), DotSegment, "{target}");
    }
    assert_eq!(refused(b"/\xc0\xaf", PathMode::Normalize), InvalidUtf8);
    assert_eq!(refused(b"/a? ", PathMode::Normalize), NonUriCharacter);
}

#[test]
fn a_target_in_another_form_is_malformed() {
    for (target, form) in [
        (&b""[..], MalformedTarget::Empty),
        (b"*", MalformedTarget::AsteriskForm),
        (b"http://example.com/a", MalformedTarget::AbsoluteForm),
        (b"example.com:443", MalformedTarget::AuthorityForm),
        (b"[::1]:443", MalformedTarget::AuthorityForm),
        (b"a/b", MalformedTarget::NoLeadingSlash),
        (b"..", MalformedTarget::NoLeadingSlash),
        (b"?a=/b", MalformedTarget::NoLeadingSlash),
        (b"#", MalformedTarget::NoLeadingSlash),
        (b"*/", MalformedTarget::NoLeadingSlash),
        (b"%2fa", MalformedTarget::NoLeadingSlash),
        (b"\\a", MalformedTarget::NoLeadingSlash),
        (b" /a", MalformedTarget::NoLeadingSlash),
        (b"\xff", MalformedTarget::NoLeadingSlash),
        (b"a:", MalformedTarget::NoLeadingSlash),
        (b":1", MalformedTarget::NoLeadingSlash),
    ] {
        for mode in [PathMode::Refuse, PathMode::Normalize] {
            assert_eq!(canonicalize(target, mode), Err(PathError::Malformed(form)), "{target:?}");
        }
    }
}

#[test]
fn length_is_bounded_before_and_after() {
    let path = |length: usize, fill: u8| [b"/".as_slice(), &vec![fill; length - 1]].concat();
    assert!(canonicalize(&path(MAX_PATH_BYTES, b'a'), PathMode::Refuse).is_ok());
    assert_eq!(canonicalize(&path(MAX_PATH_BYTES + 1, b'a'), PathMode::Refuse), Err(PathError::TooLong));
    assert_eq!(canonicalize(&path(MAX_PATH_BYTES, b'['), PathMode::Normalize), Err(PathError::TooLong));
    let query = |length: usize| [b"/?".as_slice(), &vec![b'q'; length]].concat();
    assert!(canonicalize(&query(MAX_QUERY_BYTES), PathMode::Refuse).is_ok());
    assert_eq!(canonicalize(&query(MAX_QUERY_BYTES + 1), PathMode::Refuse), Err(PathError::TooLong));
}

#[test]
fn neither_errors_nor_debug_repeat_a_query() {
    let target = canonicalize(b"/a?access_token=s3cret", PathMode::Refuse).unwrap();
    assert!(!format!("{target:?}").contains("s3cret"));
    let fault = canonicalize(b"/a#access_token=s3cret", PathMode::Refuse).unwrap_err();
    assert_eq!(fault.to_string(), "the path can be read in two ways: fragment");
    assert!(!format!("{fault:?}").contains("s3cret"));
}

/// Targets made of the pieces that disagreements are made of.
fn hostile_target() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"/"[..],
        b"/",
        b"/",
        b"a",
        b"b",
        b".",
        b"..",
        b"%2e",
        b"%2E",
        b"%61",
        b"%c3%a9",
        b"%C3",
        b"%a9",
        b"%25",
        b"%32",
        b"2f",
        b"%2f",
        b"%40",
        b"@",
        b"%5b",
        b"[",
        b" ",
        b";",
        b"\\",
        b"%5c",
        b"#",
        b"%23",
        b"?",
        b"%3f",
        b"%",
        b"%4",
        b"\xc3\xa9",
        b"\xff",
        b"\0",
        b"%00",
        b"*",
        b"{",
        b"//",
        b"/../",
        b"/./",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| [b"/".as_slice(), &pieces.concat()].concat())
}

fn decode(text: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(text).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn any_bytes_get_an_answer(target in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = canonicalize(&target, PathMode::Refuse);
        let _ = canonicalize(&target, PathMode::Normalize);
    }

    /// What needs one look only is what the slow reading makes of it.
    #[test]
    fn a_plain_target_is_read_as_every_other(target in hostile_target()) {
        for mode in [PathMode::Refuse, PathMode::Normalize] {
            prop_assert_eq!(canonicalize(&target, mode), super::read(&target, mode));
        }
    }

    /// What comes out is unambiguous even to the mode that mends nothing.
    #[test]
    fn the_canonical_target_is_its_own_reading(target in hostile_target()) {
        for mode in [PathMode::Refuse, PathMode::Normalize] {
            let Ok(read) = canonicalize(&target, mode) else { continue };
            for again in [PathMode::Refuse, PathMode::Normalize] {
                let second = canonicalize(read.origin_form().as_bytes(), again);
                prop_assert_eq!(second, Ok(RequestTarget { rewritten: false, normalized: Default::default(), ..read.clone() }));
            }
        }
    }

    /// What needs no mending is read alike in both modes, and decodes to what was sent.
    #[test]
    fn refusing_and_normalising_agree_on_what_both_accept(target in hostile_target()) {
        if let Ok(read) = canonicalize(&target, PathMode::Refuse) {
            prop_assert_eq!(canonicalize(&target, PathMode::Normalize), Ok(read.clone()));
            let path = target.split(|byte| *byte == b'?').next().unwrap();
            prop_assert_eq!(decode(read.path.as_str().as_bytes()), decode(path));
        }
    }

    /// Decoding a segment, however often, never brings a separator to light.
    #[test]
    fn no_canonical_segment_hides_a_delimiter(target in hostile_target()) {
        let Ok(read) = canonicalize(&target, PathMode::Normalize) else { return Ok(()) };
        let segments: Vec<_> = read.path.segments().collect();
        for (index, segment) in segments.iter().enumerate() {
            let once = segment.text().into_owned();
            prop_assert!(!once.contains(['/', '\\', ';', '?', '#']) && once != "." && once != "..");
            prop_assert!(!once.contains(char::is_control));
            prop_assert!(!once.is_empty() || index + 1 == segments.len());
            prop_assert_eq!(decode(once.as_bytes()), once.as_bytes());
        }
    }
}
