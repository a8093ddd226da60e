//! One test for each way in which a path has walked past another gate, named after the advisory.

#[cfg(test)]
mod advisories {
    use portcullis_policy::path::PathAmbiguity::{self, *};
    use portcullis_policy::path::{PathError, PathMode, canonicalize};

    /// Neither mode lets the target through.
    fn refused(target: &str, kind: PathAmbiguity) {
        for mode in [PathMode::Refuse, PathMode::Normalize] {
            assert_eq!(canonicalize(target.as_bytes(), mode), Err(PathError::Ambiguous(kind)), "{target}");
        }
    }

    /// The target is refused, or, where the document normalises, read and forwarded as `canonical`.
    fn refused_or(target: &str, kind: PathAmbiguity, canonical: &str) {
        let strict = canonicalize(target.as_bytes(), PathMode::Refuse);
        assert_eq!(strict, Err(PathError::Ambiguous(kind)), "{target}");
        let mended = canonicalize(target.as_bytes(), PathMode::Normalize).unwrap();
        assert_eq!((mended.path.as_str(), mended.rewritten), (canonical, true), "{target}");
    }

    fn path_of(target: &str) -> String {
        canonicalize(target.as_bytes(), PathMode::Refuse).unwrap().path.to_string()
    }

    #[test]
    fn cve_2026_73553_parameters_stripped_by_the_router() {
        for target in ["/admin;x", "/admin;x/y", "/%61dmin;", "/admin%3bx"] {
            refused(target, PathParameter);
        }
    }

    #[test]
    fn cve_2026_73551_dot_segments_with_parameters() {
        refused("/a/..;x/admin", PathParameter);
        refused("/a/..;/admin", PathParameter);
        refused("/a/%2e%2e;/admin", PathParameter);
    }

    #[test]
    fn cve_2026_73511_matrix_parameters() {
        refused("/admin;a=b/users", PathParameter);
    }

    #[test]
    fn cve_2021_29492_escaped_slashes() {
        for target in ["/a%2fb", "/a%2Fb", "/public/..%2fadmin"] {
            refused(target, EncodedSlash);
        }
        for target in ["/a%5cb", "/a%5Cb", "/a\\b"] {
            refused(target, Backslash);
        }
        refused("/a%252fb", DoubleEncoding);
        refused("/a%255cb", DoubleEncoding);
    }

    #[test]
    fn cve_2021_31920_multiple_slashes() {
        refused_or("//a", DoubleSlash, "/a");
        refused_or("/a//b", DoubleSlash, "/a/b");
        refused_or("//admin/", DoubleSlash, "/admin/");
    }

    #[test]
    fn cve_2021_32779_fragment_in_the_path() {
        for target in ["/admin#x", "/admin#", "/admin?a#b", "/admin%23x"] {
            refused(target, Fragment);
        }
    }

    #[test]
    fn cve_2021_39156_fragment_past_an_exact_match() {
        refused("/admin#/../public", Fragment);
    }

    #[test]
    fn cve_2020_8595_query_or_fragment_past_an_exact_match() {
        assert_eq!(path_of("/x?"), "/x");
        assert_eq!(path_of("/x?a"), "/x");
        refused("/x#", Fragment);
    }

    #[test]
    fn cve_2026_33494_traversal_out_of_a_public_folder() {
        refused_or("/public/../admin", DotSegment, "/admin");
        refused_or("/public/%2e%2E/admin", DotSegment, "/admin");
        refused("/public/../../admin", DotSegment);
    }

    #[test]
    fn cve_2025_54576_the_query_is_not_the_path() {
        let target = canonicalize(b"/admin?x=/public", PathMode::Refuse).unwrap();
        assert_eq!((target.path.as_str(), target.query.as_deref()), ("/admin", Some("x=/public")));
    }

    #[test]
    fn path_views_decoded_split_and_raw() {
        refused("/%2f", EncodedSlash);
        refused("/%zz", BadEscape);
        refused("/%", BadEscape);
        refused("/%00", ControlCharacter);
        refused("/%c0%af", InvalidUtf8);
        refused("/%c0%ae%c0%ae/admin", InvalidUtf8);
        refused("/%e0%80%af", InvalidUtf8);
        assert_eq!(path_of("/%61dmin"), "/admin");
    }
}
