//! After the table: everything stays up to be tried by hand, and the policy follows its file.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::envoy_config::read_yaml;
use portcullis_testbed::issuer::JWKS_PATH;

use super::story;
use crate::workspace::Workspace;

/// How long the tokens to try are good for, in seconds: a working day.
const TOKEN_SECONDS: i64 = 8 * 60 * 60;

/// How often the policy file is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Says what there is to try, then follows the policy file until Ctrl-C.
pub(super) async fn stay(bed: &Bed, workspace: &Workspace, policy: &Path) -> Result<()> {
    let gate = bed.gate();
    let relative = |path: &Path| path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string();
    println!();
    println!("gate       http://{gate}");
    println!("metrics    http://{}/stats/prometheus", bed.envoy.admin().address());
    println!("issuer     http://{}{JWKS_PATH}", bed.issuer.address());
    println!("audit      {}", relative(bed.sink.file()));
    println!("policy     {}  (save a change: it is pushed)", relative(policy));
    println!();
    println!("VIEWER={}", story::viewer(bed).expires_in(TOKEN_SECONDS).sign()?);
    println!("ADMIN={}", story::admin(bed).expires_in(TOKEN_SECONDS).sign()?);
    println!();
    println!("curl -i http://{gate}/v1/objects/42");
    println!("curl -i http://{gate}/v1/objects/42 -H \"authorization: Bearer $VIEWER\"");
    println!("curl -i http://{gate}/v1/objects/42 -X DELETE -H \"authorization: Bearer $VIEWER\"");
    println!("curl -i http://{gate}/v1/objects/42 -X DELETE -H \"authorization: Bearer $ADMIN\"");
    println!("curl -i http://{gate}/tenants/globex/invoices/7 -H \"authorization: Bearer $VIEWER\"");
    println!();
    println!("Ctrl-C ends it all.");
    tokio::select! {
        ended = tokio::signal::ctrl_c() => Ok(ended?),
        followed = follow(bed, policy) => followed,
    }
}

/// Pushes the policy whenever its file was changed.
async fn follow(bed: &Bed, policy: &Path) -> Result<()> {
    let mut known = changed(policy);
    let mut clock = tokio::time::interval(LOOK);
    loop {
        clock.tick().await;
        let now = changed(policy);
        if now == known {
            continue;
        }
        known = now;
        let pushed = match read_yaml(policy) {
            Ok(document) => bed.push(&document).await,
            Err(error) => Err(error),
        };
        match pushed {
            Ok(took) => println!("pushed: Envoy took it in {} ms", took.as_millis()),
            Err(error) => println!("not pushed, the old policy goes on: {error:#}"),
        }
    }
}

fn changed(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}
