//! Searches with an index answer as those without one: what it holds, and what came after it was made.

use crate::client::Client;
use crate::house::TestHouse;
use crate::model::Dice;

const WORDS: [&str; 12] = [
    "meeting",
    "Gr=C3=BC=C3=9Fe",
    "invoice",
    "lunch",
    "100%",
    "na=C3=AFve",
    "x",
    "MEET",
    "eeting",
    "foo_bar",
    "a",
    "3.14",
];
const ASKED: [&str; 8] = ["meeting", "eet", "INVOICE", "lunch x", "100%", "foo", "a", "nowhere"];

fn message(dice: &mut Dice, number: usize) -> String {
    let words: Vec<&str> = (0..8).map(|_| WORDS[dice.below(WORDS.len())]).collect();
    let subject = words[0].replace('=', "");
    format!(
        "From: Ann {number} <ann{number}@x.example>\r\nTo: ben@relais.test\r\nSubject: {subject}\r\nX-Tag: t{number}\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n",
        words.join(" ")
    )
}

async fn answers(client: &mut Client) -> Vec<String> {
    let mut answers = Vec::new();
    for word in ASKED {
        for key in ["BODY", "TEXT", "SUBJECT", "FROM", "TO", "CC", "HEADER X-Tag", "NOT TEXT", "HEADER Subject"] {
            let (lines, _) = client.command(&format!("UID SEARCH {key} \"{word}\"")).await;
            answers.push(format!("{key} {word}: {}", lines.join(" ")));
        }
    }
    for key in ["HEADER X-Tag \"\"", "SUBJECT \"\"", "FROM \"ann1\"", "HEADER X-Tag t7", "OR BODY lunch SUBJECT x"] {
        let (lines, _) = client.command(&format!("UID SEARCH {key}")).await;
        answers.push(format!("{key}: {}", lines.join(" ")));
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_with_an_index_answer_as_those_without() {
    let house = TestHouse::open().await;
    house.move_in("ben", None).await;
    let mut client = house.log_in("ben").await;
    client.must("SELECT INBOX").await;
    let mut dice = Dice(11);
    let append = async |client: &mut Client, message: &str| {
        client.must(&format!("APPEND INBOX {{{}+}}\r\n{message}", message.len())).await;
    };
    for number in 0..40 {
        append(&mut client, &message(&mut dice, number)).await;
    }
    let without = answers(&mut client).await;
    house.index().await;
    assert_eq!(answers(&mut client).await, without);
    assert!(without.iter().any(|answer| answer.contains(" 12")), "something was found: {without:?}");
    // A word's other form is near to it, once the index knows.
    append(&mut client, "Subject: y\r\n\r\nTwo invoices and a caf\u{e9}\r\n").await;
    house.index().await;
    for near in ["TEXT \"invoice\"", "BODY cafe"] {
        let lines = client.command(&format!("UID SEARCH FUZZY {near}")).await.0.join(" ");
        assert!(lines.contains(" 41"), "{near}: {lines}");
    }
    append(&mut client, "Subject: z\r\n\r\nafter the index: meeting\r\n").await;
    let lines = client.command("UID SEARCH BODY \"the index: meet\"").await.0.join(" ");
    assert!(lines.contains(" 42"), "{lines}");
    house.close().await;
}
