use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(expression: &str, text: &str) -> bool {
    pattern(expression).matches(text, &mut Steps::new(1_000_000)).unwrap()
}

#[test]
fn an_expression_describes_the_whole_text() {
    for (expression, yes, no) in [
        ("abc", &["abc"][..], &["", "ab", "abcd", "xabc", "abc\n", "ABC"][..]),
        ("^abc$", &["abc"], &["abcd", "xabc"]),
        ("a.c", &["abc", "aéc", "a.c"], &["ac", "a\nc"]),
        (r"a\.c", &["a.c"], &["abc"]),
        ("a|bc", &["a", "bc"], &["ac", "abc", "b"]),
        ("(a|b)c", &["ac", "bc"], &["a", "c", "abc"]),
        ("ab*", &["a", "ab", "abbb"], &["b", "abab"]),
        ("(?:ab)+", &["ab", "abab"], &["", "aba"]),
        ("colou?r", &["color", "colour"], &["colouur"]),
        ("a{3}", &["aaa"], &["aa", "aaaa"]),
        ("a{2,}", &["aa", "aaaaa"], &["a"]),
        ("a{0,2}", &["", "a", "aa"], &["aaa"]),
        ("[a-c1]+", &["abc1"], &["d", ""]),
        ("[^a-c]", &["d", "é"], &["a", ""]),
        (r"[\d.\-]+", &["1.2-3"], &["a"]),
        (r"[^\D7]", &["6"], &["7", "x"]),
        (r"\w+@[a-z]+\.com", &["a_1@shop.com"], &["a@b.org", "é@b.com"]),
        (r"\D\W\S", &["x é"], &["1 x", "xax"]),
        (r"\(\$\)", &["($)"], &["$"]),
        (r"a\$", &["a$"], &["a", r"a\"]),
        (r"a\\$", &[r"a\"], &["a$"]),
        ("(a*)*", &["", "aaaa"], &["b"]),
        ("((a|b)*c){2}", &["cc", "abcbac"], &["c"]),
        ("é", &["é"], &["e\u{301}"]),
    ] {
        assert!(yes.iter().all(|text| matches(expression, text)), "{expression} {yes:?}");
        assert!(!no.iter().any(|text| matches(expression, text)), "{expression} {no:?}");
    }
}

#[test]
fn what_is_no_expression_says_what_and_where() {
    use PatternFault::*;
    let deep = format!("{}a{}", "(".repeat(17), ")".repeat(17));
    let long = "a".repeat(MAX_PATTERN_BYTES + 1);
    for (text, fault, offset) in [
        ("", Empty, 0),
        ("^$", Empty, 1),
        ("a|", Empty, 2),
        ("()", Empty, 1),
        ("(a", OpenGroup, 2),
        ("a)", StrayClose, 1),
        // Closing the group that is put around expressions elsewhere would let the second half match anywhere.
        ("a)|(?:b", StrayClose, 1),
        ("(?i)a", SpecialGroup, 2),
        ("(?=a)b", SpecialGroup, 2),
        ("(?P<n>a)", SpecialGroup, 2),
        ("*a", NothingToRepeat, 0),
        ("a|+", NothingToRepeat, 2),
        ("{2}", NothingToRepeat, 0),
        ("a**", RepeatedTwice, 2),
        ("a+?", RepeatedTwice, 2),
        ("a{2}{3}", RepeatedTwice, 4),
        ("a{}", BadCount, 2),
        ("a{3,2}", BadCount, 5),
        ("a{0}", BadCount, 3),
        ("a{256}", BadCount, 5),
        ("a{1", BadCount, 3),
        ("a^b", Anchor, 1),
        ("a$b", Anchor, 1),
        ("(^a)", Anchor, 1),
        ("a|^b", Anchor, 2),
        (r"\1", BadEscape, 1),
        (r"\b", BadEscape, 1),
        (r"\p{L}", BadEscape, 1),
        ("a\\", BadEscape, 2),
        ("[a", OpenClass, 2),
        ("[", OpenClass, 1),
        ("[]", EmptyClass, 2),
        ("[z-a]", BadRange, 3),
        (r"[a-\d]", BadRange, 3),
        ("[a-]", Unescaped, 3),
        ("[a&&b]", Unescaped, 2),
        ("[[:alpha:]]", Unescaped, 1),
        ("a]", Unescaped, 1),
        ("a}", Unescaped, 1),
        (&deep, TooDeep, 16),
        (&long, TooLong, MAX_PATTERN_BYTES),
        ("((((a{9}){9}){9}){9}){9}", TooManyStates, 24),
    ] {
        assert_eq!(Pattern::parse(text).map(|_| ()), Err(PatternError { fault, offset }), "{text}");
    }
}

/// The expression that takes engines which go back exponential time.
#[test]
fn no_text_takes_more_than_its_share() {
    let pattern = pattern("(a*)*b");
    let mut steps = Steps::new(2_000);
    assert_eq!(pattern.matches(&"a".repeat(8192), &mut steps), Ok(false));
    assert_eq!(
        pattern.matches(&"a".repeat(MAX_MATCHED_BYTES + 1), &mut Steps::default()),
        Err(Fault::TooLarge)
    );
    assert_eq!(pattern.matches("aaaaaaaaaaaaaaaaaaaaaaaa", &mut Steps::new(1)), Err(Fault::Exhausted));
}

/// 500 bytes can ask for a hundred thousand ranges.
#[test]
fn ranges_are_bounded_and_paid_for() {
    let class = |ranges: usize| {
        let letters = ('Ā'..).step_by(2).take(ranges);
        format!("[{}]", letters.collect::<String>())
    };
    let at_bound = format!("{}{{128}}", class(64));
    assert_eq!(64 * 128, MAX_PATTERN_RANGES);
    let over = format!("{at_bound}a");
    let error = PatternError { fault: PatternFault::TooManyStates, offset: over.len() };
    assert_eq!(Pattern::parse(&over).map(|_| ()), Err(error));
    let pattern = pattern(&at_bound);
    // 64 characters against 8192 ranges and 128 states.
    let text = "Ā".repeat(32);
    let cost = MAX_PATTERN_RANGES + 128;
    assert_eq!(pattern.matches(&text, &mut Steps::new(cost - 1)), Err(Fault::Exhausted));
    assert_eq!(pattern.matches(&text, &mut Steps::new(cost)), Ok(false));
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("é".to_owned()),
        Just(".".to_owned()),
        Just("[ab]".to_owned()),
        Just("[^a]".to_owned()),
        Just(r"\w".to_owned()),
        Just(r"[\Wb]".to_owned()),
        Just(r"\n".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| parts.concat()),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| format!("({})", parts.join("|"))),
            (inner, prop::sample::select(vec!["*", "+", "?", "{2}", "{1,}", "{0,2}"]))
                .prop_map(|(inner, repeat)| format!("(?:{inner}){repeat}")),
        ]
    })
}

proptest! {
    /// Another engine, with another construction, agrees.
    #[test]
    fn a_well_known_engine_agrees(expression in expression(), texts in prop::collection::vec("[abé1\n]{0,6}", 8)) {
        let Ok(pattern) = Pattern::parse(&expression) else { return Ok(()) };
        let oracle = regex_lite::Regex::new(&format!(r"\A(?:{expression})\z")).unwrap();
        for text in texts {
            let found = pattern.matches(&text, &mut Steps::new(1_000_000));
            prop_assert_eq!(found, Ok(oracle.is_match(&text)), "{} {:?}", expression, text);
        }
    }

    /// Whatever is read here means the same there, or is nothing there; and nothing makes reading panic.
    #[test]
    fn what_is_read_is_read_alike(expression in r"[ab\[\](){}|*+?^$.\\d,2-]{0,12}", text in "[abd2,-]{0,5}") {
        let Ok(pattern) = Pattern::parse(&expression) else { return Ok(()) };
        let oracle = regex_lite::Regex::new(&format!(r"\A(?:{expression})\z"));
        prop_assert!(oracle.is_ok(), "{}", expression);
        let found = pattern.matches(&text, &mut Steps::new(1_000_000));
        prop_assert_eq!(found, Ok(oracle.unwrap().is_match(&text)), "{}", expression);
    }
}
