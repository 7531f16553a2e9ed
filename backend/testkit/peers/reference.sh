#!/bin/bash
# The reference house: a private Postfix and Dovecot on loopback, as Debian ships them, that keep the contract of
# `relais demo --json --dir DIR --port-base N`. The checks in this folder and the player of imaptest's scripts are proven
# against it, so that a red mark is about us and not about them.
#   reference.sh DIR PORT_BASE        needs root; serves localhost until SIGTERM
set -euo pipefail
dir=$1 base=$2
domain=example.test
people=(anna ben carla)
mkdir -p "$dir"/{ca,postfix,queue,data,dovecot,run,mail}
chmod 755 "$dir" "$dir"/*
id relaisref >/dev/null 2>&1 || useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin relaisref
chown postfix "$dir/data"; chmod 700 "$dir/data"
chown relaisref "$dir/mail"

# An authority of our own, and a certificate for localhost.
cd "$dir/ca"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=Reference CA' -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout host.key -out host.csr 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' >ext
openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out host.pem 2>/dev/null
cd "$dir"

senders=
for name in "${people[@]}"; do
	echo "$name@$domain:{PLAIN}$name-password::::::" >>dovecot/people
	echo "$name@$domain $name" >>postfix/mailboxes
	senders+=" { $name@$domain=$name@$domain }"
done
postmap -c /etc/postfix "hash:$dir/postfix/mailboxes" 2>/dev/null || postmap "hash:$dir/postfix/mailboxes"

cat >postfix/main.cf <<END
compatibility_level = 3.6
config_directory = $dir/postfix
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/postfix.log
maillog_file_prefixes = $dir
mail_owner = postfix
setgid_group = postdrop
syslog_name = reference
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
mynetworks =
alias_maps =
alias_database =
biff = no
local_recipient_maps =
local_transport = error:no local mail
default_transport = error:nothing leaves this machine
recipient_delimiter = +
virtual_mailbox_domains = $domain
virtual_mailbox_maps = hash:$dir/postfix/mailboxes
virtual_transport = lmtp:unix:private/dovecot-lmtp
smtpd_relay_restrictions = permit_sasl_authenticated reject_unauth_destination
smtpd_sender_login_maps = inline:{$senders }
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_tls_chain_files = $dir/ca/host.key, $dir/ca/host.pem
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
END
cat >postfix/master.cf <<END
127.0.0.1:$((base + 25)) inet n - n - - smtpd
127.0.0.1:$((base + 587)) inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes
  -o smtpd_sender_restrictions=reject_sender_login_mismatch -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
127.0.0.1:$((base + 465)) inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
  -o smtpd_sender_restrictions=reject_sender_login_mismatch -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
END

cat >dovecot/dovecot.conf <<END
base_dir = $dir/run
state_dir = $dir/run/state
instance_name = reference
log_path = $dir/dovecot.log
listen = 127.0.0.1
protocols = imap pop3 lmtp
ssl = yes
ssl_cert = <$dir/ca/host.pem
ssl_key = <$dir/ca/host.key
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = sdbox:~/sdbox
mail_uid = relaisref
mail_gid = relaisref
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 0
passdb {
  driver = passwd-file
  args = $dir/dovecot/people
}
userdb {
  driver = static
  args = home=$dir/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    auto = subscribe
    special_use = \\Drafts
  }
  mailbox Sent {
    auto = subscribe
    special_use = \\Sent
  }
  mailbox Trash {
    auto = subscribe
    special_use = \\Trash
  }
}
service imap-login {
  inet_listener imap {
    port = $((base + 143))
  }
  inet_listener imaps {
    port = $((base + 993))
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $((base + 110))
  }
  inet_listener pop3s {
    port = $((base + 995))
    ssl = yes
  }
}
service lmtp {
  unix_listener $dir/queue/private/dovecot-lmtp {
    user = postfix
    group = postfix
    mode = 0600
  }
}
service auth {
  unix_listener $dir/queue/private/auth {
    user = postfix
    group = postfix
    mode = 0660
  }
}
protocol imap {
  mail_max_userip_connections = 0
}
END

finish() {
	postfix -c "$dir/postfix" stop >/dev/null 2>&1 || true
	doveadm -c "$dir/dovecot/dovecot.conf" stop >/dev/null 2>&1 || true
}
trap finish EXIT
trap 'exit 0' TERM INT HUP
say() { cat "$dir"/*.log >&2 2>/dev/null; }
postfix -c "$dir/postfix" start >"$dir/start.log" 2>&1 || { say; exit 1; }
dovecot -c "$dir/dovecot/dovecot.conf" >>"$dir/start.log" 2>&1 || { say; exit 1; }
for port in 25 465 587 143 993 110 995; do
	for _ in $(seq 100); do
		(: <"/dev/tcp/127.0.0.1/$((base + port))") 2>/dev/null && continue 2
		sleep 0.1
	done
	echo "nothing answers at port $((base + port))" >&2; say; exit 1
done
accounts=$(printf '{"address":"%s","password":"%s"},' $(for name in "${people[@]}"; do echo "$name@$domain $name-password"; done))
printf '{"accounts":[%s],"ports":{"smtp":%d,"submission":%d,"submissions":%d,"imap":%d,"imaps":%d,"pop3":%d,"pop3s":%d},"lmtp":"%s","ca":"%s","dir":"%s"}\n' \
	"${accounts%,}" $((base + 25)) $((base + 587)) $((base + 465)) $((base + 143)) $((base + 993)) $((base + 110)) $((base + 995)) \
	"$dir/queue/private/dovecot-lmtp" "$dir/ca/ca.pem" "$dir"
while :; do sleep 1 & wait $!; done
