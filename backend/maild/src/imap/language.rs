//! LANGUAGE (RFC 5255 §3).
//!
//! Every session begins in `i-default`, whoever logs in: §3.1 wants that, and programs show our texts beside their own. What somebody has
//! chosen for themself is what `default` asks for.

use relais_imap::language::Language;
use relais_imap::response::{self, ResponseCode};

use super::{Client, Done, Halt};

impl Client {
    /// LANGUAGE (RFC 5255 §3.2): the first of `wanted` that is spoken here, from the LANGUAGE response on.
    pub(super) async fn language(&mut self, wanted: &[String]) -> Result<Done, Halt> {
        if wanted.is_empty() {
            response::language(&mut self.out, &Language::ALL.map(Language::tag));
            return Ok(Done::plain("These are spoken here"));
        }
        let preferred = self.preferred_language().await?;
        // RFC 4647 §3.4.1: `*` asks for whatever is the default.
        let leaves_it_to_us = |range: &str| range == "*" || range.eq_ignore_ascii_case("default");
        let find = |range: &String| if leaves_it_to_us(range) { Some(preferred) } else { Language::find(range) };
        let language = wanted.iter().find_map(find);
        let language = language.ok_or_else(|| Halt::no(ResponseCode::Cannot, "None of these is spoken here"))?;
        let roots = if self.identity.is_some() { Some(self.roots().await?) } else { None };
        let before = self.session.speak(language);
        response::language(&mut self.out, &[language.tag()]);
        // §3.2: what namespaces are called is said in that language, too.
        if let Some(roots) = roots.filter(|_| before != language) {
            self.tell_namespace(roots);
        }
        Ok(Done::plain("So it is"))
    }

    /// What who has logged in reads, or else the house.
    async fn preferred_language(&self) -> Result<Language, Halt> {
        let mut preferred = self.house.store.settings().language.clone();
        if self.identity.is_some() {
            let account = self.house.store.account_by_key(self.account()?).await?.ok_or_else(Halt::account_gone)?;
            if !account.language.is_empty() {
                preferred = account.language;
            }
        }
        Ok(Language::find(&preferred).unwrap_or_default())
    }
}
