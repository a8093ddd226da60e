//! A file that changes in one step.

use std::io::{self, Write};
use std::path::Path;

/// Replaces the content of the file at `path`, or makes it: writes beside it, then renames. Who reads it gets the old
/// content or the new, and who watches it (Envoy watches for renames) hears of it once.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".portcullis-");
    #[cfg(unix)]
    let permissions = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(READABLE);
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Readable by the proxy, which seldom runs as the user who renders. There is no secret in a document. The process's
/// mask still applies.
#[cfg(unix)]
const READABLE: u32 = 0o644;
