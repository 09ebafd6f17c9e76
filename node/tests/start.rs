//! A node that fails late stops what it had started.

use std::net::TcpListener;

use maillon_node::{
    config::Config,
    daemon::{Node, StartError},
    founding::found,
    keystore::{Unlock, create_key_file},
};

fn configuration(http: &str) -> String {
    format!(
        "[structure]\nname = \"DAC\"\nkind = \"dac\"\n\
         [network]\n\
         listen = [\"/ip4/127.0.0.1/tcp/0\"]\n\
         pairing_listen = [\"/ip4/127.0.0.1/tcp/0\"]\n\
         [http]\nlisten = \"{http}\"\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_open_its_last_door_leaves_nothing_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    create_key_file(&key).expect("a key file");
    let unlock = Unlock::KeyFile(key);
    let dir = folder.path().join("node");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|at| (taken, at)).expect("a port");
    found(&dir, &unlock, &configuration(&taken.1.to_string())).expect("a data folder");

    let config = Config::load(&dir).expect("a configuration");
    let refused = Node::start(&dir, config.clone(), &unlock).await;
    assert!(matches!(refused, Err(StartError::Http(_))));
    assert!(!dir.join("run/admin.sock").exists());

    // The database is free again, and so is everything else.
    drop(taken);
    let node = Node::start(&dir, config, &unlock).await.expect("it starts");
    assert!(dir.join("run/admin.sock").exists());
    node.stop().await;
}
