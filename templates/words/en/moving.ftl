# Mail that is brought from elsewhere.
import-under-way = An import of this account's mail is under way.
import-none = No mail was ever brought here from another server.
import-not-serving = Mail is brought from other servers while the server runs. Start it first.
import-security = Say tls, starttls or none.
import-port = A port is a number from 1 to 65535.
import-host = Name the mail server that the mail is on.
import-user = Name whom that server knows the mail by.
import-mailbox-name = A folder can't be called { $name } here.
import-row = The messages are not understood: { $why }
import-too-many = At once it takes { $most } messages at most.
import-keywords = A folder holds 58 keywords at most; these messages need more.

import-refused-too-large = The message is larger than 64 MiB and was left there.
import-refused-missing = The server named the message and didn't send it.
import-refused-keywords-dropped = The message is here without its keywords, of which a folder holds 58 at most.
import-refused-folder-name = The folder's name is none here.
import-refused-folder-refused = The server doesn't let this folder be opened.

import-trouble-unresolved = The server's name leads nowhere.
import-trouble-internal = The server's name leads to { $says }, which is no address of the public internet. An owner can allow it in the settings.
import-trouble-plain-forbidden = Without TLS, only servers are read that stand in networks which an owner allowed in the settings.
import-trouble-connect = There is no connection to the server: { $says }
import-trouble-tls = TLS with the server failed: { $says }
import-trouble-no-starttls = The server offers no STARTTLS. Try TLS on port 993.
import-trouble-log-in = The server refused the name or the password: { $says }
import-trouble-silent = The server fell silent. Begun again, the import goes on where it was.
import-trouble-ended = The server hung up: { $says } Begun again, the import goes on where it was.
import-trouble-broken = The server said what isn't IMAP: { $says }
import-trouble-refused = The server refused to go on: { $says }
import-trouble-over-quota = The account is full: what came so far is here. With a larger quota, begun again, the import goes on where it was.
import-trouble-failed = The house failed; its log says more. Begun again, the import goes on where it was.
