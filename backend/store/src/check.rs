//! Whether all that must be true of the tables is true: for tests that kill the server, and for people who wonder.

use sqlx::{AssertSqlSafe, Row};

use crate::Store;
use crate::content::Place;
use crate::engine::Engine;
use crate::error::StoreError;

/// Names of objects that one statement reads.
const OBJECTS_AT_ONCE: i64 = 1000;

/// What must never be, and the statement that counts it.
const RULES: [(&str, &str); 35] = [
    ("mailboxes whose counts are not their rows'",
     "SELECT COUNT(*) FROM mailbox m LEFT JOIN (SELECT mailbox_key, COUNT(*) AS messages,
          SUM(CASE WHEN flags & 1 = 0 THEN 1 ELSE 0 END) AS unseen, SUM(CASE WHEN flags & 8 = 0 THEN 0 ELSE 1 END) AS deleted,
          SUM(size_octets) AS size_octets FROM entry GROUP BY mailbox_key) e ON e.mailbox_key = m.mailbox_key
      WHERE m.messages <> COALESCE(e.messages, 0) OR m.unseen <> COALESCE(e.unseen, 0)
         OR m.deleted <> COALESCE(e.deleted, 0) OR m.size_octets <> COALESCE(e.size_octets, 0)"),
    ("mailboxes that would give a UID twice",
     "SELECT COUNT(*) FROM mailbox m WHERE m.uid_next <= (SELECT MAX(uid) FROM entry e WHERE e.mailbox_key = m.mailbox_key)
         OR m.uid_next <= (SELECT MAX(last_uid) FROM expunged x WHERE x.mailbox_key = m.mailbox_key)"),
    ("mailboxes with rows of a later MODSEQ",
     "SELECT COUNT(*) FROM mailbox m
      WHERE m.highest_mod_seq < (SELECT MAX(mod_seq) FROM entry e WHERE e.mailbox_key = m.mailbox_key)
         OR m.highest_mod_seq < (SELECT MAX(mod_seq) FROM expunged x WHERE x.mailbox_key = m.mailbox_key)"),
    ("UIDs that are both there and expunged",
     "SELECT COUNT(*) FROM entry e JOIN expunged x ON x.mailbox_key = e.mailbox_key
      WHERE e.uid BETWEEN x.first_uid AND x.last_uid"),
    ("rows without a mailbox",
     "SELECT COUNT(*) FROM entry e WHERE NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.mailbox_key = e.mailbox_key)"),
    ("rows without a message, or with another size",
     "SELECT COUNT(*) FROM entry e LEFT JOIN message m ON m.message_key = e.message_key
      WHERE m.message_key IS NULL OR m.size_octets <> e.size_octets"),
    ("messages without a body or words",
     "SELECT COUNT(*) FROM message m WHERE NOT EXISTS (SELECT 1 FROM message_body b WHERE b.message_key = m.message_key)
         OR NOT EXISTS (SELECT 1 FROM message_words w WHERE w.message_key = m.message_key)"),
    ("bodies or words without a message",
     "SELECT (SELECT COUNT(*) FROM message_body b WHERE NOT EXISTS
                 (SELECT 1 FROM message m WHERE m.message_key = b.message_key))
           + (SELECT COUNT(*) FROM message_words w WHERE NOT EXISTS
                 (SELECT 1 FROM message m WHERE m.message_key = w.message_key))"),
    ("accounts whose use is not their mailboxes'",
     "SELECT COUNT(*) FROM account a LEFT JOIN (SELECT account_key, SUM(size_octets) AS octets, SUM(messages) AS messages
          FROM mailbox GROUP BY account_key) m ON m.account_key = a.account_key
      WHERE a.used_octets <> COALESCE(m.octets, 0) OR a.used_messages <> COALESCE(m.messages, 0)"),
    ("accounts without INBOX",
     "SELECT COUNT(*) FROM account a WHERE NOT EXISTS
          (SELECT 1 FROM mailbox m WHERE m.account_key = a.account_key AND m.name = 'INBOX')"),
    ("keywords, expunged UIDs or subscriptions of nobody",
     "SELECT (SELECT COUNT(*) FROM mailbox_keyword k WHERE NOT EXISTS
                 (SELECT 1 FROM mailbox m WHERE m.mailbox_key = k.mailbox_key) AND NOT EXISTS
                 (SELECT 1 FROM removed_mailbox g WHERE g.mailbox_key = k.mailbox_key))
           + (SELECT COUNT(*) FROM expunged x WHERE NOT EXISTS
                 (SELECT 1 FROM mailbox m WHERE m.mailbox_key = x.mailbox_key))
           + (SELECT COUNT(*) FROM subscription s WHERE NOT EXISTS
                 (SELECT 1 FROM account a WHERE a.account_key = s.account_key))"),
    ("deleted messages or mailboxes of nobody, or without a content",
     "SELECT (SELECT COUNT(*) FROM (SELECT account_key FROM removed_message UNION ALL SELECT account_key FROM removed_mailbox) o
              WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = o.account_key))
           + (SELECT COUNT(*) FROM removed_message r WHERE NOT EXISTS
                 (SELECT 1 FROM message m WHERE m.message_key = r.message_key AND m.size_octets = r.size_octets))
           + (SELECT COUNT(*) FROM removed_metadata n WHERE NOT EXISTS
                 (SELECT 1 FROM removed_mailbox g WHERE g.mailbox_key = n.mailbox_key AND g.account_key = n.account_key))"),
    ("notes of nobody, or on mailboxes that are gone",
     "SELECT COUNT(*) FROM metadata n WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = n.account_key)
         OR (n.mailbox_key <> 0 AND NOT EXISTS
                 (SELECT 1 FROM mailbox m WHERE m.mailbox_key = n.mailbox_key))"),
    ("rights on mailboxes that are gone, or of nobody; or messages that are gone seen, or seen by nobody, or by their owner",
     "SELECT (SELECT COUNT(*) FROM acl g WHERE NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.mailbox_key = g.mailbox_key)
                 OR (g.kind = 1 AND NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = g.who))
                 OR (g.kind = 2 AND NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = g.who)))
           + (SELECT COUNT(*) FROM seen z WHERE
                 NOT EXISTS (SELECT 1 FROM entry e WHERE e.mailbox_key = z.mailbox_key AND e.uid = z.uid)
                 OR NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = z.account_key)
                 OR EXISTS (SELECT 1 FROM mailbox m WHERE m.mailbox_key = z.mailbox_key AND m.account_key = z.account_key))"),
    ("addresses lent by nobody or to nobody, or to whose they are",
     "SELECT COUNT(*) FROM lent_address l WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = l.account_key)
         OR (l.kind = 1 AND NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = l.who))
         OR (l.kind = 2 AND (l.who = l.account_key OR NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = l.who)))"),
    ("app passwords or their salts of nobody, or without a salt",
     "SELECT (SELECT COUNT(*) FROM app_password p WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = p.account_key)
                 OR (p.token_hash IS NULL AND NOT EXISTS (SELECT 1 FROM scram_salt s WHERE s.account_key = p.account_key)))
           + (SELECT COUNT(*) FROM scram_salt s WHERE NOT EXISTS
                 (SELECT 1 FROM account a WHERE a.account_key = s.account_key))"),
    ("log-ins of accounts or domains that are gone",
     "SELECT COUNT(*) FROM login_history l
      WHERE (account_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = l.account_key))
         OR (domain_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = l.domain_key))"),
    ("remembered requests of accounts that are gone",
     "SELECT COUNT(*) FROM idempotency i WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = i.account_key)"),
    ("accounts, aliases, other names or servants of no domain",
     "SELECT (SELECT COUNT(*) FROM account a WHERE NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = a.domain_key))
           + (SELECT COUNT(*) FROM alias a WHERE NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = a.domain_key))
           + (SELECT COUNT(*) FROM domain_alias o WHERE NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = o.domain_key))
           + (SELECT COUNT(*) FROM account_domain g WHERE NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = g.domain_key)
                 OR NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = g.account_key))
           + (SELECT COUNT(*) FROM alias_target t WHERE NOT EXISTS (SELECT 1 FROM alias a WHERE a.alias_key = t.alias_key))
           + (SELECT COUNT(*) FROM alias_sender s WHERE NOT EXISTS
                 (SELECT 1 FROM alias a WHERE a.alias_key = s.alias_key AND a.senders = 1))
           + (SELECT COUNT(*) FROM alias a WHERE NOT EXISTS (SELECT 1 FROM alias_target t WHERE t.alias_key = a.alias_key))"),
    ("lists of no domain, members or posts of no list",
     "SELECT (SELECT COUNT(*) FROM mailing_list l WHERE NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = l.domain_key))
           + (SELECT COUNT(*) FROM (SELECT list_key FROM list_member UNION ALL SELECT list_key FROM list_post) o
              WHERE NOT EXISTS (SELECT 1 FROM mailing_list l WHERE l.list_key = o.list_key))"),
    ("names or addresses that are two things at once",
     "SELECT (SELECT COUNT(*) FROM domain_alias o JOIN domain d ON d.name = o.name)
           + (SELECT COUNT(*) FROM mailing_list l JOIN account a ON a.folded = l.folded)
           + (SELECT COUNT(*) FROM mailing_list l JOIN alias a ON a.folded = l.folded)
           + (SELECT COUNT(*) FROM alias l JOIN account a ON a.folded = l.folded)"),
    ("sessions, links, second factors, passkeys or keys of nobody",
     "SELECT COUNT(*) FROM (SELECT account_key FROM session UNION ALL SELECT account_key FROM totp
          UNION ALL SELECT account_key FROM recovery_code UNION ALL SELECT account_key FROM passkey
          UNION ALL SELECT account_key FROM api_key
          UNION ALL SELECT account_key FROM one_time_link WHERE account_key IS NOT NULL) o
      WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = o.account_key)"),
    ("webhooks of nobody, or their deliveries",
     "SELECT (SELECT COUNT(*) FROM webhook w WHERE
                 (account_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = w.account_key))
                 OR (domain_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = w.domain_key)))
           + (SELECT COUNT(*) FROM webhook_delivery d WHERE NOT EXISTS
                 (SELECT 1 FROM webhook w WHERE w.webhook_key = d.webhook_key))"),
    ("signing keys, DNS reports, turns or pushes of no domain",
     "SELECT COUNT(*) FROM (SELECT domain_key FROM dkim_key UNION ALL SELECT domain_key FROM dns_report
          UNION ALL SELECT domain_key FROM dns_turn UNION ALL SELECT domain_key FROM dns_push) o
      WHERE o.domain_key <> 0 AND NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = o.domain_key)"),
    ("reports of no domain",
     "SELECT COUNT(*) FROM (SELECT domain_key FROM report_received UNION ALL SELECT domain_key FROM report_source
          UNION ALL SELECT domain_key FROM report_session UNION ALL SELECT domain_key FROM report_incident) o
      WHERE NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = o.domain_key)"),
    ("names of certificates that are gone, or of domains",
     "SELECT COUNT(*) FROM certificate_name n WHERE
          (domain_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = n.domain_key))
          OR (certificate_key IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM certificate c WHERE c.certificate_key = n.certificate_key))"),
    ("lessons, models, acquaintances, readings, reputations or rules of nobody",
     "SELECT (SELECT COUNT(*) FROM (SELECT account_key FROM lesson UNION ALL SELECT account_key FROM junk_model
                 UNION ALL SELECT account_key FROM acquaintance UNION ALL SELECT account_key FROM reading
                 UNION ALL SELECT account_key FROM reputation
                 UNION ALL SELECT account_key FROM sender_rule WHERE account_key IS NOT NULL) o
              WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = o.account_key))
           + (SELECT COUNT(*) FROM sender_rule r WHERE domain_key IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = r.domain_key))"),
    ("imports of nobody",
     "SELECT COUNT(*) FROM (SELECT account_key FROM import_run UNION ALL SELECT account_key FROM import_folder
          UNION ALL SELECT account_key FROM import_span) o
      WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = o.account_key)"),
    ("choices of readers, or senders of pictures, of nobody",
     "SELECT COUNT(*) FROM (SELECT account_key FROM reading_choices UNION ALL SELECT account_key FROM picture_sender) o
      WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = o.account_key)"),
    ("identities, choices of writers, scheduled drafts, snoozed messages, meetings or contacts, of nobody",
     "SELECT COUNT(*) FROM (SELECT account_key FROM identity UNION ALL SELECT account_key FROM writing_choices
          UNION ALL SELECT account_key FROM scheduled UNION ALL SELECT account_key FROM snoozed
          UNION ALL SELECT account_key FROM meeting UNION ALL SELECT account_key FROM contact) o
      WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = o.account_key)"),
    ("scripts, or what they remember, of nobody; or several active ones",
     "SELECT (SELECT COUNT(*) FROM (SELECT account_key FROM sieve_script WHERE account_key IS NOT NULL
                 UNION ALL SELECT account_key FROM sieve_memory) o
              WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = o.account_key))
           + (SELECT COUNT(*) FROM sieve_script s WHERE domain_key IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = s.domain_key))
           + (SELECT COUNT(*) FROM (SELECT account_key FROM sieve_script WHERE is_active = 1
                 GROUP BY account_key HAVING COUNT(*) > 1) o)"),
    ("lessons or readings of messages that are gone",
     "SELECT COUNT(*) FROM (SELECT message_key FROM lesson UNION ALL SELECT message_key FROM reading) o
      WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.message_key = o.message_key)"),
    ("counts, holds or complaints of accounts that are gone",
     "SELECT COUNT(*) FROM (SELECT account_key FROM sent_count UNION ALL SELECT account_key FROM sending_hold
          UNION ALL SELECT account_key FROM complaint) o
      WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.account_key = o.account_key)"),
    ("recipients that a hold stops which is over, or gone",
     "SELECT COUNT(*) FROM queued_recipient r WHERE r.state = 1 AND r.hold_key IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM sending_hold h WHERE h.hold_key = r.hold_key AND h.ended_at IS NULL)"),
    ("queued messages without a message, or without recipients",
     "SELECT COUNT(*) FROM queued q WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.message_key = q.message_key)
         OR NOT EXISTS (SELECT 1 FROM queued_recipient r WHERE r.queue_key = q.queue_key)"),
];

impl Store {
    /// Looks at all tables: what is wrong, in words; empty when all is well. Reads everything: minutes for a large store.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        let mut wrong = Vec::new();
        for (what, statement) in RULES {
            let count: i64 =
                sqlx::query(AssertSqlSafe(statement)).fetch_one(&mut *self.reader().await?).await?.try_get(0)?;
            if count > 0 {
                wrong.push(format!("{what}: {count}"));
            }
        }
        if self.engine() == Engine::Sqlite {
            let rows = sqlx::query("PRAGMA integrity_check(10)").fetch_all(&mut *self.reader().await?).await?;
            for row in rows {
                let line: String = row.try_get(0)?;
                if line != "ok" {
                    wrong.push(format!("SQLite: {line}"));
                }
            }
        }
        let missing = self.missing_objects().await?;
        if missing > 0 {
            wrong.push(format!("bodies whose file is missing or cut short: {missing}"));
        }
        Ok(wrong)
    }

    /// How many bodies have no whole file in the object directory.
    async fn missing_objects(&self) -> Result<usize, StoreError> {
        let (mut missing, mut after) = (0, 0_i64);
        loop {
            let rows = sqlx::query(
                "SELECT message_key, octets FROM message_body WHERE place = $1 AND message_key > $2
                 ORDER BY message_key LIMIT $3",
            )
            .bind(Place::Object as i64)
            .bind(after)
            .bind(OBJECTS_AT_ONCE)
            .fetch_all(&mut *self.reader().await?)
            .await?;
            let Some(last) = rows.last() else { return Ok(missing) };
            after = last.try_get(0)?;
            let names: Vec<Vec<u8>> = rows.iter().map(|row| row.try_get(1)).collect::<Result<_, _>>()?;
            let objects = self.inner.objects.clone();
            let looked =
                tokio::task::spawn_blocking(move || names.iter().filter(|name| !objects.is_whole(name)).count());
            missing += looked.await.map_err(|_| StoreError::damaged("the object directory could not be looked at"))?;
        }
    }
}
