//! The command, run beside the policy of a shop.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// HS256 under the secret of the shop: `iss` of the method `services`, `aud` ours, `sub` `ci`, `tenant` `acme`, `roles`
/// `viewer`, `exp` in 2100.
pub(crate) const TOKEN: &str = "eyJhbGciOiAiSFMyNTYiLCAidHlwIjogIkpXVCJ9.eyJpc3MiOiAiaHR0cHM6Ly9zZXJ2aWNlcy5leGFtcGxlLmNvbSIsICJhdWQiOiAiYXBpLmV4YW1wbGUuY29tIiwgInN1YiI6ICJjaSIsICJ0ZW5hbnQiOiAiYWNtZSIsICJyb2xlcyI6IFsidmlld2VyIl0sICJleHAiOiA0MTAyNDQ0ODAwfQ.CL9WmjtOsKdZqSp-YAHtbu8L9kMfwNOFEIFvGIGJu1c";

/// Runs the command with `input`: exit status, output, error output.
pub(crate) fn portcullis(arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(documents()).env("SHOP_SERVICES_SECRET", "0123456789abcdef0123456789abcdef");
    let output = command.write_stdin(input).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn documents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}
