//! npm `oidc-provider`, an OpenID provider written by others: installed once under `target/`, run by Node.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use portcullis_testbed::PATIENCE;
use portcullis_testbed::client::{Request, Response, exchange};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::root;

/// How long npm may take to install forty small packages.
const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// `Authorization` of the provider's one client (RFC 6749 section 2.3.1): `reporting:only-known-to-this-test`.
const CLIENT: &str = "Basic cmVwb3J0aW5nOm9ubHkta25vd24tdG8tdGhpcy10ZXN0";

/// A running provider, killed when dropped.
#[derive(Debug)]
pub(crate) struct Provider {
    _child: Child,
    address: SocketAddr,
}

impl Provider {
    /// Starts a provider with new keys; port 0 lets the system pick.
    pub(crate) async fn start(port: u16) -> Self {
        let folder = install().await;
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .arg(port.to_string())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("Node runs the provider; install Node 20 or later");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await.expect("the provider prints UTF-8") {
                if let Some(port) = line.strip_prefix("ready ") {
                    return port.parse::<u16>().expect("the provider prints its port");
                }
            }
            panic!("the provider ended before it was ready; see testbed/oidc-provider/provider.mjs");
        };
        let port = timeout(PATIENCE, ready).await.expect("the provider is ready in time");
        // Nobody reads on: what else it prints must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _child: child, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// Ends this provider and starts another in its place, which has other keys.
    pub(crate) async fn restart_with_new_keys(mut self) -> Self {
        self._child.kill().await.expect("the provider can be ended");
        Self::start(self.address.port()).await
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it says about itself (OpenID Connect Discovery 1.0 section 4).
    pub(crate) async fn discovery(&self) -> Value {
        self.get("/.well-known/openid-configuration").await.json().expect("discovery is JSON")
    }

    /// A page.
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(Request::get(path)).await
    }

    /// An access token for a resource of `provider.mjs`, by the client credentials grant.
    pub(crate) async fn token(&self, resource: &str, scope: &str) -> String {
        let form = format!("grant_type=client_credentials&scope={scope}&resource=urn:objects:{resource}");
        let answer = self.post_form("/token", &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json().expect("JSON")["access_token"].as_str().expect("an access token").to_owned()
    }

    /// What the provider says about a token (RFC 7662).
    pub(crate) async fn introspect(&self, token: &str) -> Value {
        self.post_form("/token/introspection", &format!("token={token}")).await.json().expect("JSON")
    }

    async fn post_form(&self, path: &str, form: &str) -> Response {
        let request = Request::new("POST", path).header("authorization", CLIENT);
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(form)).await
    }

    async fn send(&self, request: Request) -> Response {
        let host = self.address.to_string();
        exchange(self.address, &request.header("host", host)).await.expect("the provider answers")
    }
}

/// Installs exactly what the lock file says, once for all tests of this run.
async fn install() -> &'static Path {
    static INSTALLED: OnceCell<PathBuf> = OnceCell::const_new();
    INSTALLED.get_or_init(install_now).await
}

async fn install_now() -> PathBuf {
    let (source, folder) = (root().join("testbed/oidc-provider"), root().join("target/oidc-provider"));
    std::fs::create_dir_all(&folder).expect("target can be written");
    let read = |file: &Path| std::fs::read(file).ok();
    // npm leaves this file when it is done: an installation broken off is no installation.
    let complete = folder.join("node_modules/.package-lock.json").is_file();
    let lock = "package-lock.json";
    let current = complete && read(&source.join(lock)) == read(&folder.join(lock));
    for file in ["package.json", lock, "provider.mjs"] {
        std::fs::copy(source.join(file), folder.join(file)).expect("the provider is in the repository");
    }
    if current {
        return folder;
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(INSTALL_LIMIT, npm).await.expect("npm is done in time");
    let output = output.expect("npm runs; install Node 20 or later with npm");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`npm ci` in {} failed:\n{said}", folder.display());
    folder
}
