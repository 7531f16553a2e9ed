//! What is not shared: nothing tells of it.

use crate::house::TestHouse;

/// Whatever is asked of a mailbox on which somebody has no right, the answer is that of a mailbox that isn't there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_right_sees_nothing() {
    let house = TestHouse::open().await;
    for name in ["ann", "ben", "cara"] {
        house.move_in(name, None).await;
    }
    let mut ann = house.log_in("ann").await;
    ann.must("CREATE Secret").await;
    // One has no right at all, another only such as say nothing of its being there.
    ann.must("SETACL Secret cara@relais.test p").await;
    for name in ["ben", "cara"] {
        let mut client = house.log_in(name).await;
        client.must("APPEND INBOX {9+}\r\nA: b\r\n\r\nc").await;
        for command in [
            "SELECT \"@\"",
            "EXAMINE \"@\"",
            "STATUS \"@\" (MESSAGES)",
            "APPEND \"@\" {9+}\r\nA: b\r\n\r\nc",
            "COPY 1 \"@\"",
            "MOVE 1 \"@\"",
            "CREATE \"@/below\"",
            "DELETE \"@\"",
            "RENAME \"@\" Mine",
            "RENAME INBOX \"@/mine\"",
            "GETACL \"@\"",
            "SETACL \"@\" ben@relais.test lr",
            "DELETEACL \"@\" ben@relais.test",
            "LISTRIGHTS \"@\" anyone",
            "MYRIGHTS \"@\"",
            "GETQUOTAROOT \"@\"",
            "GETMETADATA \"@\" /shared/comment",
            "SETMETADATA \"@\" (/private/comment \"x\")",
        ] {
            let ask = |owner: &str| command.replace("\"@", &format!("\"Other Users/{owner}@relais.test/Secret"));
            client.must("SELECT INBOX").await;
            let (told, end) = client.command(&ask("ann")).await;
            client.must("SELECT INBOX").await;
            let (told_of_nobody, end_of_nobody) = client.command(&ask("nobody")).await;
            assert!(end.starts_with("NO "), "{command}: {end}");
            assert_eq!((told, end), (told_of_nobody, end_of_nobody), "{command}");
        }
        for command in ["LIST \"\" *", "LSUB \"\" *", "LIST \"\" (Other* Shared*) RETURN (STATUS (MESSAGES) MYRIGHTS)"]
        {
            let told = client.must(command).await;
            assert!(!told.iter().any(|line| line.contains("Secret") || line.contains("ann@")), "{command}: {told:?}");
        }
        let told = client.must("ESEARCH IN (personal subtree \"Other Users\") ALL").await;
        assert!(!told.iter().any(|line| line.contains("Secret")), "{told:?}");
    }
    house.close().await;
}

/// Decision 59: of who is of another tenant, and of their mailboxes, IMAP says what it says of nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_of_another_tenant_is_nobody() {
    let house = TestHouse::open().await;
    house.move_in("ann", None).await;
    house.take_in("there.test", "cara").await;
    let mut ann = house.log_in("ann").await;
    for command in ["SETACL INBOX @ lr", "DELETEACL INBOX @", "LISTRIGHTS INBOX @"] {
        for (there, nowhere) in [("cara@there.test", "nobody@there.test"), ("@there.test", "@nowhere.test")] {
            let (told, end) = ann.command(&command.replace('@', there)).await;
            let (told_of_nobody, end_of_nobody) = ann.command(&command.replace('@', nowhere)).await;
            let told: Vec<String> = told.iter().map(|line| line.replace(there, nowhere)).collect();
            assert_eq!((told, end), (told_of_nobody, end_of_nobody), "{command} {there}");
        }
    }
    for (verb, below, rest) in [
        ("SELECT", "", ""),
        ("STATUS", "", " (MESSAGES)"),
        ("CREATE", "/x", ""),
        ("DELETE", "", ""),
        ("RENAME", "", " Mine"),
        ("MYRIGHTS", "", ""),
        ("GETQUOTAROOT", "", ""),
    ] {
        let ask = |who: &str| format!("{verb} \"Other Users/{who}/INBOX{below}\"{rest}");
        let told = ann.command(&ask("cara@there.test")).await;
        assert_eq!(told, ann.command(&ask("nobody@there.test")).await, "{verb}");
    }
    let told = ann.must("GETACL INBOX").await;
    assert!(told.len() == 1 && told.iter().all(|line| !line.contains("there.test")), "{told:?}");
    house.close().await;
}
