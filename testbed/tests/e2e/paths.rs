//! What Envoy itself makes of paths that can be read in two ways, held against the table in `docs/paths.md`.
//!
//! No filter of ours is in this Envoy: the table is about what others do. What ours does is held by the corpus.

use std::net::{Ipv4Addr, SocketAddr};

use portcullis_testbed::PATIENCE;
use portcullis_testbed::client::{Connection, Request};
use portcullis_testbed::envoy::{Envoy, EnvoyOptions, Wanted, provision};
use portcullis_testbed::envoy_config::read_yaml;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::root;

/// The version that the table is about.
const VERSION: &str = "1.40";

/// The settings of the three columns.
const SETTINGS: [(&str, &str); 3] = [
    ("as_shipped", "{}"),
    ("normalising", r#"{"normalize_path": true, "merge_slashes": true}"#),
    (
        "unescaping",
        r#"{"normalize_path": true, "merge_slashes": true,
            "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD"}"#,
    ),
];

/// The shipped Envoy without filters, with one listener for each of [`SETTINGS`].
fn configuration(upstream: SocketAddr) -> Value {
    let mut config = read_yaml(&root().join("envoy/envoy.yaml")).expect("the shipped file");
    config["admin"]["address"]["socket_address"]["port_value"] = 0.into();
    let listener = config["static_resources"]["listeners"][0].clone();
    let listeners = SETTINGS.map(|(name, settings)| {
        let mut listener = listener.clone();
        listener["name"] = name.into();
        listener["address"] = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        let filters = manager["http_filters"].as_array_mut().expect("a list");
        filters.retain(|filter| filter["name"] == "envoy.filters.http.router");
        let settings: Value = serde_json::from_str(settings).expect("JSON");
        for (setting, value) in settings.as_object().expect("an object") {
            manager[setting] = value.clone();
        }
        listener
    });
    config["static_resources"]["listeners"] = listeners.to_vec().into();
    let clusters = config["static_resources"]["clusters"].as_array_mut().expect("a list");
    clusters.retain(|cluster| cluster["name"] == "upstream");
    let endpoint = &mut clusters[0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
    endpoint["address"]["socket_address"]["port_value"] = upstream.port().into();
    config
}

/// An upstream that answers with the target it got, byte for byte: no library has read it before.
async fn echo_targets() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo_target(stream));
        }
    });
    address
}

async fn echo_target(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    loop {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let target = line.strip_prefix(b"GET ").and_then(|line| line.strip_suffix(b" HTTP/1.1"));
        let target = target.unwrap_or(b"no target");
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", target.len());
        stream.write_all(&[answer.as_bytes(), target].concat()).await?;
        head.clear();
    }
}

/// A path of the table: `\x00` is that byte.
fn bytes(path: &str) -> Vec<u8> {
    let mut parts = path.split("\\x");
    let mut bytes = parts.next().expect("a first part").as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
        bytes.extend(part[2..].bytes());
    }
    bytes
}

/// What the table would say of it.
async fn handed_on(gate: SocketAddr, path: &[u8]) -> String {
    let mut connection = Connection::open(gate).await.expect("Envoy listens");
    connection.send(&Request::get(path).to_bytes()).await.expect("sent");
    let answer = connection.receive(false, PATIENCE).await.expect("an answer");
    match answer.status {
        200 => format!(
            "`{}`",
            answer.body.escape_ascii().to_string().replace("\\\\", "\\").replace("\\\"", "\"")
        ),
        status => status.to_string(),
    }
}

#[tokio::test]
async fn envoy_does_with_each_form_what_the_table_says() {
    let binary = provision(&Wanted::Any, &root().join("target/envoy"), &|step| println!("{step}")).await;
    let binary = binary.expect("an Envoy to test with");
    let upstream = echo_targets().await;
    let mut options = EnvoyOptions::new(&binary.path, configuration(upstream).to_string());
    options.concurrency = 1;
    let envoy = Envoy::start(&options).await.expect("Envoy starts");
    let table = std::fs::read_to_string(root().join("docs/paths.md")).expect("the table");
    let (mut rows, mut wrong) = (0, Vec::new());
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let path = bytes(cells[2].trim_matches('`'));
        let mut seen = Vec::new();
        for (listener, _settings) in SETTINGS {
            let gate = envoy.listener(listener).await.expect("it listens");
            seen.push(handed_on(gate, &path).await);
        }
        if seen != cells[5..8] {
            wrong.push(format!("{}: {}", cells[2], seen.join(" | ")));
        }
        rows += 1;
    }
    assert!(rows > 30, "the table has {rows} rows");
    if binary.version.starts_with(VERSION) {
        assert!(wrong.is_empty(), "Envoy {}:\n{}", binary.version, wrong.join("\n"));
    } else {
        println!(
            "Envoy {} is not the table's {VERSION}; it differs in:\n{}",
            binary.version,
            wrong.join("\n")
        );
    }
}
