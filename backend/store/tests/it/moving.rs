//! Mail that is brought from another server: how far it has come.

use relais_model::{Address, Uid};
use relais_store::{Author, FolderState, ImportRun, ImportSpan, SourceFolder};

use crate::house::{append, message, on_both};

#[test]
fn a_folder_remembers_how_far_it_has_come() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let folder = SourceFolder { source: "ann at old.example:993".to_owned(), name: "Entwürfe".to_owned() };
        assert_eq!(store.import_folder(anna, &folder).await.unwrap(), None);
        let state = FolderState { mailbox: house.inbox().await, uid_validity: u32::MAX, last_uid: 40, mod_seq: 7 };
        let spans = [(1, 5, 30), (35, 35, 6)].map(|(uid, own_uid, messages)| ImportSpan { uid, own_uid, messages });
        store.note_import(anna, folder.clone(), state, spans.to_vec(), true).await.unwrap();
        let more = ImportSpan { uid: 41, own_uid: 90, messages: 1 };
        let state = FolderState { last_uid: 41, ..state };
        store.note_import(anna, folder.clone(), state, vec![more], false).await.unwrap();
        assert_eq!(store.import_folder(anna, &folder).await.unwrap(), Some(state));
        assert_eq!(store.import_spans(anna, &folder).await.unwrap(), [spans[0], spans[1], more]);
        assert_eq!(store.import_spans(house.bert, &folder).await.unwrap(), []);
        let state = FolderState { uid_validity: 2, last_uid: 0, ..state };
        store.note_import(anna, folder.clone(), state, Vec::new(), true).await.unwrap();
        assert_eq!(store.import_spans(anna, &folder).await.unwrap(), []);
        store.note_import(anna, folder.clone(), state, vec![more], false).await.unwrap();
        let run = ImportRun {
            source: folder.source.clone(),
            started_at: store.now(),
            changed_at: store.now(),
            progress: "{}".to_owned(),
        };
        for progress in ["{}", "{\"brought\":1}"] {
            let run = ImportRun { progress: progress.to_owned(), ..run.clone() };
            store.note_import_run(anna, run.clone()).await.unwrap();
            assert_eq!(store.import_run(anna).await.unwrap(), Some(run));
        }
        // All of it goes with the account: `check` would find it.
        let address = Address::parse("anna@house.example").unwrap();
        store.remove_account(&address, None, &Author::house()).await.unwrap();
        house.purge().await;
        assert_eq!(store.import_run(anna).await.unwrap(), None);
        house.check().await;
    });
}

#[test]
fn a_content_is_found_where_it_stands() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        house.fill(inbox, 1..100).await;
        house.fill(inbox, 7..8).await;
        let archive = house.status(house.anna, "Archive").await.mailbox.key;
        house.fill(archive, 200..201).await;
        let contents: Vec<_> = (1..202).map(|number| append(&message(number)).content).collect();
        let standing = house.store.standing_in(inbox, &contents).await.unwrap();
        let expected = |number: u32| match number {
            7 => vec![Uid::new(7).unwrap(), Uid::new(100).unwrap()],
            1..100 => vec![Uid::new(number).unwrap()],
            _ => Vec::new(),
        };
        assert_eq!(standing, (1..202).map(expected).collect::<Vec<_>>());
        house.check().await;
    });
}
