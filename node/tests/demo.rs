//! The demonstration, from an empty folder and again.

use maillon_node::{
    clock::now_ms,
    demo::{Demo, Place},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_that_is_started_again_goes_on_with_the_same_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(dir.path(), now_ms()).await.expect("it starts");
    let (circle, alert) = (demo.circle(), demo.open_alert());
    let circle = circle.expect("a shared file");
    let alert = alert.expect("readable").expect("an alert waits");
    let leads = Place::ALL.map(|place| demo.lead(place).expect("somebody works there"));
    for lead in &leads {
        assert!(lead.socket.exists(), "{}", lead.place.name());
    }
    demo.stop().await;
    assert!(!leads[0].socket.exists(), "a stopped node has no socket");

    let again = Demo::start(dir.path(), now_ms())
        .await
        .expect("it starts again");
    assert_eq!(again.circle().expect("a shared file"), circle);
    assert_eq!(again.open_alert().expect("readable"), Some(alert));
    assert_eq!(
        Place::ALL.map(|place| again.lead(place).expect("somebody works there")),
        leads
    );
    again.stop().await;
}
