//! rspamd: `POST /checkv2` over HTTP/1.1, answered in JSON (its manual, "Protocol").

use std::collections::HashMap;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::HeaderValue;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use relais_model::{ReversePath, Secret};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::said::plain;
use crate::{Action, Finding, Letter, Rating, Symbol, Trouble};

/// Symbols that are kept of an answer.
pub const MOST_SYMBOLS: usize = 50;
/// Octets of an answer's body, and of its header.
const ANSWER_OCTETS: usize = 1024 * 1024;
const HEAD_OCTETS: usize = 16 * 1024;

/// Asks rspamd about a message.
///
/// # Errors
/// No answer, or one that says that it failed.
pub async fn check<S>(stream: S, password: &Secret, letter: &Letter<'_>) -> Result<Finding, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = request(password, letter)?;
    let (status, _server, body) = exchange(stream, request).await?;
    match status {
        StatusCode::OK => parse(&body).map(Finding::Rated),
        status => Err(Trouble::Failed(status.to_string())),
    }
}

/// What rspamd calls itself: `rspamd/3.4`. Needs no password.
///
/// # Errors
/// It doesn't answer.
pub async fn version<S>(stream: S) -> Result<Option<String>, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = Request::get("/ping").header("host", "rspamd").header("connection", "close");
    let request = request.body(Full::default()).map_err(|_| Trouble::Malformed("ping"))?;
    let (status, server, _body) = exchange(stream, request).await?;
    if status.is_success() { Ok(server) } else { Err(Trouble::Failed(status.to_string())) }
}

fn request(password: &Secret, letter: &Letter<'_>) -> Result<Request<Full<Bytes>>, Trouble> {
    let from = match letter.reverse_path {
        ReversePath::Null => "<>".to_owned(),
        ReversePath::Address(address) => address.to_string(),
    };
    let mut facts = vec![
        ("IP", letter.peer.to_canonical().to_string()),
        ("Helo", letter.helo.to_owned()),
        ("From", from),
        ("Queue-Id", letter.queue_id.to_owned()),
        ("MTA-Name", letter.host.to_owned()),
    ];
    facts.extend(letter.recipients.iter().map(|address| ("Rcpt", address.to_string())));
    facts.extend(letter.login.map(|login| ("User", login.to_owned())));
    let mut request = Request::post("/checkv2").header("host", "rspamd").header("connection", "close");
    for (name, value) in facts {
        // What doesn't fit into a field (a HELO of odd octets) isn't said.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            request = request.header(name, value);
        }
    }
    if !password.expose().is_empty() {
        let mut value = HeaderValue::from_str(password.expose()).map_err(|_| Trouble::Malformed("password"))?;
        value.set_sensitive(true);
        request = request.header("Password", value);
    }
    let body = Full::new(Bytes::copy_from_slice(letter.message));
    request.body(body).map_err(|_| Trouble::Malformed("request"))
}

/// One request, one answer: its status, who gave it, its body.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(StatusCode, Option<String>, Bytes), Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Trouble::Broken(error.to_string());
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_OCTETS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let asking = async {
        let answer: Response<_> = sender.send_request(request).await.map_err(broken)?;
        let server = answer.headers().get("server").and_then(|name| name.to_str().ok()).map(plain);
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_OCTETS).collect().await;
        let body = body.map_err(|error| Trouble::Broken(error.to_string()))?;
        Ok((status, server, body.to_bytes()))
    };
    tokio::pin!(asking, connection);
    tokio::select! {
        // The answer first: its connection may end with it. Nothing is asked again where this is dropped.
        biased;
        answer = &mut asking => answer,
        ended = &mut connection => match ended {
            Ok(()) => asking.await,
            Err(error) => Err(broken(error)),
        },
    }
}

#[derive(Deserialize)]
struct Answer {
    action: String,
    score: f64,
    #[serde(default)]
    required_score: f64,
    #[serde(default)]
    symbols: HashMap<String, Weight>,
    #[serde(default)]
    messages: HashMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Weight {
    #[serde(default)]
    score: f64,
}

/// What the body of an answer says.
///
/// # Errors
/// It is no JSON, or not of that shape, or names an action that nobody knows.
pub fn parse(body: &[u8]) -> Result<Rating, Trouble> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Trouble::Malformed("JSON"))?;
    let action = match answer.action.as_str() {
        "no action" => Action::Take,
        "greylist" => Action::Greylist,
        "add header" => Action::AddHeader,
        "rewrite subject" => Action::RewriteSubject,
        "soft reject" => Action::SoftReject,
        "reject" => Action::Reject,
        _ => return Err(Trouble::Malformed("action")),
    };
    let symbol = |(name, weight): (String, Weight)| Symbol { name: plain(&name), score: weight.score };
    let mut symbols: Vec<Symbol> = answer.symbols.into_iter().map(symbol).collect();
    symbols.sort_by(|one, other| other.score.abs().total_cmp(&one.score.abs()).then_with(|| one.name.cmp(&other.name)));
    symbols.truncate(MOST_SYMBOLS);
    let words = answer.messages.get("smtp_message").and_then(serde_json::Value::as_str).map(plain);
    Ok(Rating {
        action,
        score: answer.score,
        required: answer.required_score,
        symbols,
        words: words.filter(|words| !words.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use relais_model::Address;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const BODY: &str = r#"{"is_skipped": false, "score": 15.5, "required_score": 15, "action": "reject",
        "thresholds": {"reject": 15}, "symbols": {"A": {"name": "A", "score": -0.5, "metric_score": 1},
        "GTUBE": {"score": 0}, "B": {"score": 9.0, "options": ["x"]}}, "messages": {"smtp_message": "Gtube\r\npattern"},
        "urls": [], "message-id": "x"}"#;

    #[test]
    fn answers_are_understood() {
        let rating = parse(BODY.as_bytes()).unwrap();
        let names: Vec<&str> = rating.symbols.iter().map(|symbol| symbol.name.as_str()).collect();
        assert_eq!(
            (rating.action, names, rating.words.as_deref()),
            (Action::Reject, vec!["B", "A", "GTUBE"], Some("Gtube??pattern"))
        );
        for (body, what) in
            [("", "JSON"), ("[]", "JSON"), ("{\"score\": 1}", "JSON"), (r#"{"action": "dance", "score": 1}"#, "action")]
        {
            assert_eq!(parse(body.as_bytes()), Err(Trouble::Malformed(what)), "{body}");
        }
        let many =
            (0..500).map(|number| format!(r#""S{number}": {{"score": {number}}},"#)).collect::<Vec<_>>().concat();
        let rating =
            parse(format!(r#"{{"action": "greylist", "score": 1, "symbols": {{{many}"T": {{}}}}}}"#).as_bytes())
                .unwrap();
        assert_eq!((rating.symbols.len(), rating.symbols[0].name.as_str()), (MOST_SYMBOLS, "S499"));
    }

    #[tokio::test]
    async fn it_is_told_of_the_session_and_of_the_password() {
        let path = ReversePath::Address(Address::parse("a@x.example").unwrap());
        let (one, two) = (Address::parse("b@y.example").unwrap(), Address::parse("c@y.example").unwrap());
        let letter = Letter {
            peer: "192.0.2.1".parse().unwrap(),
            helo: "x.example",
            login: None,
            reverse_path: &path,
            recipients: &[&one, &two],
            queue_id: "id1",
            host: "mx.example",
            message: b"Subject: x\r\n\r\nbody\r\n",
        };
        let say = |answer: String| {
            let (ours, mut theirs) = duplex(100_000);
            async move {
                let daemon = async {
                    let mut heard = Vec::new();
                    while !heard.ends_with(b"body\r\n") {
                        assert_ne!(theirs.read_buf(&mut heard).await.unwrap(), 0);
                    }
                    theirs.write_all(answer.as_bytes()).await.unwrap();
                    drop(theirs);
                    String::from_utf8(heard).unwrap()
                };
                let password = Secret::new("q1");
                let (found, heard) = tokio::join!(check(ours, &password, &letter), daemon);
                (found, heard)
            }
        };
        let ok = format!("HTTP/1.1 200 OK\r\nServer: rspamd/3.4\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
        let (found, heard) = say(ok.clone()).await;
        assert!(matches!(found, Ok(Finding::Rated(Rating { action: Action::Reject, .. }))), "{found:?}");
        assert!(heard.starts_with("POST /checkv2 HTTP/1.1\r\n"), "{heard}");
        for line in [
            "ip: 192.0.2.1",
            "helo: x.example",
            "from: a@x.example",
            "rcpt: b@y.example",
            "rcpt: c@y.example",
            "queue-id: id1",
            "password: q1",
            "content-length: 20",
        ] {
            assert!(heard.lines().any(|heard| heard == line), "{line} in {heard}");
        }
        let (found, _) = say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
        assert_eq!(found, Err(Trouble::Failed("403 Forbidden".to_owned())));
        let (found, _) = say(ok[..ok.len() - 5].to_owned()).await;
        assert!(matches!(found, Err(Trouble::Broken(_))), "{found:?}");
        let (found, _) = say("nonsense\r\n\r\n".to_owned()).await;
        assert!(matches!(found, Err(Trouble::Broken(_))), "{found:?}");
    }
}
