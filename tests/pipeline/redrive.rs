//! The dead-letter queue as a source of events: what was in the way is removed, letters drain.

use std::process::Command;

use crate::photos;
use crate::stack::{Stack, root};

/// What `make redrive` says at its end.
fn redrive(stack: &Stack) -> String {
    let mut command = Command::new(root().join(".venv/bin/python"));
    command.args(["-m", "photos_dev.stack.redrive"]);
    command.args(["--stack", stack.name.as_str(), "--every", "0.5", "--within", "80"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_whose_cause_is_gone_drain_and_unprocessable_ones_stay() {
    let small = ["--parameter", "MaxPhotoBytes=1000000"];
    let stack = Stack::deploy_with("redrive", &small).await;
    for number in 1..=2 {
        stack.upload(&format!("{number}.jpg"), &photos::reference_number(number)).await;
    }
    stack.upload("unprocessable.jpg", b"no photo").await;
    for key in ["1.jpg", "2.jpg", "unprocessable.jpg"] {
        stack.item(key, "FAILED").await;
    }
    assert_eq!(stack.waiting_letters().await, 3);
    let before = stack.item("unprocessable.jpg", "FAILED").await;

    // The limit that was in the way is raised.
    let stack = Stack::deploy("redrive").await;
    let said = redrive(&stack);
    assert!(said.starts_with("2 of 3 dead letters are done, 1 left"), "{said}");
    for key in ["1.jpg", "2.jpg"] {
        stack.item(key, "READY").await;
    }
    let after = stack.item("unprocessable.jpg", "FAILED").await;
    assert_eq!(after["failure"], before["failure"], "its first letter stands for it");
    assert_eq!(redrive(&stack), "no dead letters, 1 invisible at the moment\n");
}
