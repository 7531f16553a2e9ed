-- With what people signed in by browser: the history tells a password from a passkey, and from a password whose second factor never came.

-- Empty: a password of their own, or an app password; first_factor, second_factor, passkey.
ALTER TABLE login_history ADD COLUMN way TEXT NOT NULL DEFAULT '';
