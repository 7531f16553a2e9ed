# Signing in, and what proves who one is.
sign-in-refused = The address or the password is not right.
sign-in-lost = This sign-in has ended. Begin again with your address and password.
sign-in-bad-name = Give it a name of 1 to { $longest } characters.
sign-in-name-taken = You already have one of this name. Choose another name.
session-absent = This session has already ended.

password-too-short = Choose a password of at least { $shortest } characters.
password-too-long = Choose a password of at most { $longest } octets.
password-too-common = This password is among those that everybody tries first. Choose another.
password-is-name = A password must not be your name or address. Choose another.

second-factor-wanted = This house asks for two-step sign-in of whoever looks after others. Set it up here, then go on.
second-factor-wrong = The code is not right, or it was used before. Wait for the next one, or use a recovery code.
second-factor-is-on = Two-step sign-in is on already. Turn it off before you set up another app.
second-factor-is-off = Two-step sign-in is off.
second-factor-no-offer = There is no app waiting to be confirmed. Begin again.

passkey-refused = The passkey could not be confirmed. Try again.
passkey-unknown = This passkey opens nothing here. It may have been removed; sign in another way.
passkey-over = This took too long, or the page was open twice. Try again.
passkey-absent = This passkey is not here.
passkey-taken = This passkey is already here.
passkey-too-many = You have { $most } passkeys, and no more can be kept. Remove one first.
passkey-is-last = Nothing else opens your account. Set a password or add another passkey before you remove this one.
passkey-bad-site = Passkeys do not work with this host name: { $why }.

link-void = This link opens nothing: it has been used, has expired, or is not whole. Ask for a new one.
link-already-set-up = This house has an owner already. Sign in, or have an owner send you a password link.
link-other-host = relais.toml calls this host { $host }. If that is wrong, change hostname there and start Relais again first.
link-owner-elsewhere = The owner’s address must be in { $domain }.

api-key-absent = This key is not here.
api-key-bad-scope = “{ $scope }” is not a scope. A scope looks like domains:read or domains:write, or is * for all.
api-key-no-scopes = Choose at least one thing that the key may be used for.
api-key-scope-above = The key that you show may not be used for { $scope }, so it can't give that to another.
api-key-outlives = The new key would outlive the one that you show: choose an earlier end.
api-key-expired = Choose a day that is still to come.
api-key-too-many = You have { $most } keys, and no more can be kept. Revoke one first.
