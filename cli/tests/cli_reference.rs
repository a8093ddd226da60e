//! `docs/cli.md` names every command and every option, and no other command; its examples run.

#[cfg(test)]
mod reference {
    use std::collections::BTreeSet;
    use std::path::Path;

    use assert_cmd::Command;

    const PAGE: &str = include_str!("../../docs/cli.md");

    fn portcullis() -> Command {
        Command::new(env!("CARGO_BIN_EXE_portcullis"))
    }

    /// The commands that do something: those with a manual page, without those that only hold others.
    fn commands() -> BTreeSet<String> {
        let folder = tempfile::tempdir().unwrap();
        assert!(portcullis().arg("man").arg(folder.path()).output().unwrap().status.success());
        let pages = std::fs::read_dir(folder.path()).unwrap();
        let all: BTreeSet<String> =
            pages.map(|page| page.unwrap().file_name().into_string().unwrap().replace(".1", "")).collect();
        all.iter()
            .filter(|name| !all.iter().any(|other| other.starts_with(&format!("{name}-"))))
            .cloned()
            .collect()
    }

    /// Each section: its command as words, and its text.
    fn sections() -> Vec<(&'static str, &'static str)> {
        PAGE.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap()).collect()
    }

    #[test]
    fn every_command_has_its_section_and_every_section_its_command() {
        let described: BTreeSet<String> = sections().iter().map(|(name, _)| name.replace(' ', "-")).collect();
        assert_eq!(described, commands());
    }

    #[test]
    fn every_option_is_named() {
        for (command, text) in sections() {
            let help = portcullis().args(command.split(' ').skip(1)).arg("--help").output().unwrap();
            assert!(help.status.success(), "{command}");
            let help = String::from_utf8(help.stdout).unwrap();
            let words = help
                .lines()
                .filter(|line| line.trim_start().starts_with('-'))
                .flat_map(str::split_whitespace);
            for option in words.filter(|word| word.starts_with("--") && *word != "--help") {
                let option = option.trim_end_matches(',');
                assert!(text.contains(option), "{command} {option}");
            }
        }
    }

    #[test]
    fn examples_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut run = 0;
        for line in PAGE.lines().filter_map(|line| line.strip_prefix("    $ portcullis ")) {
            let mut quoted = false;
            let words = line.split(|letter: char| {
                quoted ^= letter == '\'';
                letter == '\'' || (letter == ' ' && !quoted)
            });
            let words = words.filter(|word| !word.is_empty());
            let output = portcullis().current_dir(&root).args(words).output().unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            run += 1;
        }
        assert!(run >= 7, "{run} examples");
    }
}
