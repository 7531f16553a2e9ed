# API keys.
keys-title = API keys
keys-lead = With a key a program of yours can do what you may do here.
keys-own = Yours
keys-all = Everybody’s
keys-none = No keys
keys-none-why = Make one for each program, so that each can be revoked alone.
key-make = Make a key
key-make-lead = The key itself is shown once, on the next page.
key-name = Name
key-name-help = What uses it, such as “backup script”.
key-role = Role
key-role-help = The most that the key may do; never more than you may.
key-may = May
key-scopes = What it may be used for
key-scopes-help = To change a thing is to see it, too.
key-scope-all = Everything that its role allows
key-scope-write = change { $group }
key-scope-read = see { $group }
key-group = Part
key-read = See
key-write = Change
key-expires = Works until
key-expires-help = A key that is lost does less harm when it ends by itself.
key-for-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
key-for-good = For good
key-is-expired = expired
key-made-lead = The key is made.
key-shown-once = Copy it now to where it is needed. If it is lost, revoke it and make another.
key-example = Try it
key-done = I have copied it
key-revoke = Revoke
key-revoke-title = Revoke “{ $name }”?
key-revoke-text = Whatever uses this key is refused at once. This cannot be undone: a program that needs one again gets a new key.
key-goes-owner = The key of { $owner }
key-goes-used = Last used { $when }, from { $from }
key-goes-unused = It was never used
key-revoked = The key is revoked.
