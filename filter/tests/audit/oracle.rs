//! The verifier against `docs/verify_audit.py`, which shares no code with it, over the same intact and damaged files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_filter::audit::{StreamId, WhenFull};

use crate::support::{File, at, closed_file, decision, deliver, settings, stream};

/// A name that is not the same in two test runs at once, removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("audit-{}", std::process::id()));
        fs::create_dir_all(&path).expect("the target folder is writable");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn two_streams() -> File {
    let mut file = closed_file(1, 5);
    let mut open = stream(2, settings(64, 3, WhenFull::Refuse));
    for subject in ["é", "\u{1}\u{7f}\u{80}", "\"quoted\\\"", "😂\u{2028}", ""] {
        open.append(&decision(subject), at(3)).expect("there is room");
    }
    deliver(&mut open, &mut file, true);
    file
}

/// The file as it is, then every kind of damage at many places.
fn files() -> Vec<File> {
    let file = two_streams();
    let lines = file.lines();
    let mut files = vec![file.clone(), File::default()];
    for step in 1..120 {
        let position = (step * 7_919) % file.0.len();
        let mut flipped = file.0.clone();
        flipped[position] ^= 1 << (step % 8);
        files.push(File(flipped));
        files.push(File(file.0[..position].to_vec()));
    }
    for number in 0..lines.len() {
        let without = lines.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, line)| line);
        files.push(File::of_lines(without));
        files.push(File::of_lines(&lines[..number]));
        files.push(File::of_lines(&lines[number..]));
        let mut swapped = lines.clone();
        swapped.swap(number, (number * 5 + 1) % lines.len());
        files.push(File::of_lines(swapped));
        let mut repeated = lines.clone();
        repeated.push(lines[number].clone());
        files.push(File::of_lines(repeated));
    }
    files
}

#[test]
fn two_verifiers_that_share_no_code_agree() {
    let folder = Folder::new();
    let files = files();
    let names: Vec<PathBuf> = files
        .iter()
        .enumerate()
        .map(|(number, file)| {
            let name = folder.0.join(format!("{number}.ndjson"));
            fs::write(&name, &file.0).expect("the folder is writable");
            name
        })
        .collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verify_audit.py");
    let python = Command::new("python3").arg(script).args(&names).output().expect("python3 is installed");
    assert_eq!(python.status.code(), Some(1), "{}", String::from_utf8_lossy(&python.stderr));
    let said = String::from_utf8(python.stdout).expect("python prints UTF-8");

    let mut intact = 0;
    for (file, name) in files.iter().zip(&names) {
        let (report, findings) = file.verify();
        let python_intact = said.contains(&format!("{}: intact\n", name.display()));
        assert_eq!(report.is_intact(), python_intact, "{}: {findings:?}", name.display());
        intact += usize::from(python_intact);
        if python_intact {
            for (id, summary) in &report.streams {
                let state = if summary.closed { "closed" } else { "open" };
                let line =
                    format!("{}: stream {id} {state} at {}:{}\n", name.display(), summary.last, summary.head);
                assert!(said.contains(&line), "python did not print: {line}");
            }
        }
    }
    assert!(intact > 20 && files.len() - intact > 200, "{intact} of {} files are intact", files.len());
    assert!(files[0].verify().0.streams.contains_key(&StreamId::from_bytes([2; 16])));
    println!("{} files: {intact} intact, {} not, both verifiers agree", files.len(), files.len() - intact);
}
