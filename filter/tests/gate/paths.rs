//! A path that the document lets the gate mend is counted by what was mended, and decided as what it is then.

use portcullis_filter::gate::Command;
use serde_json::json;

use crate::scene::{Outcome, Scene, document, outcomes, refused};

/// The counters of ambiguous paths that the commands add one to, without their policy.
fn counted(scene: &Scene, commands: &[Command]) -> Vec<String> {
    let name = |command: &Command| match command {
        Command::Increment(index) => {
            let name = &scene.gate.metrics().definitions()[index.0].name;
            let labels = name.strip_prefix("portcullis_ambiguous_path_total.")?;
            labels.split_once(".kind=").map(|(_policy, rest)| rest.to_owned())
        }
        _other => None,
    };
    commands.iter().filter_map(name).collect()
}

#[test]
fn a_mended_path_is_counted_by_kind_and_decided() {
    let mut document = document();
    document["request"] = json!({"ambiguous_path": "normalize"});
    let mut scene = Scene::of(&document);
    let commands = scene.request(1, "/a/..//public", None);
    assert_eq!(outcomes(&commands), [(1, Outcome::Resumed)]);
    assert_eq!(
        counted(&scene, &commands),
        ["double_slash.result=normalized", "dot_segment.result=normalized"]
    );
    let commands = scene.request(2, "/public/../x", None);
    assert_eq!(outcomes(&commands), [(2, refused(401, "missing_token"))]);
    assert_eq!(counted(&scene, &commands), ["dot_segment.result=normalized"]);
    let commands = scene.request(3, "/a%2Fb", None);
    assert_eq!(outcomes(&commands), [(3, refused(400, "ambiguous_path"))]);
    assert_eq!(counted(&scene, &commands), ["encoded_slash.result=refused"]);
    let commands = scene.request(4, "/public", None);
    assert_eq!(counted(&scene, &commands), Vec::<String>::new());
}
