# With whom mailboxes are shared.
share-nobody = Nobody here is called { $name }. Write an address, @ and a domain for all its people, or “anyone” for all in this house.
share-owner = The owner of a mailbox keeps all rights.
share-rights = Rights are the letters lrswipkxtea; { $rights } has another one.
share-too-many = This mailbox is shared with as many as it may be. Share it with a domain instead.
share-negative = Rights can only be given. Give fewer instead of taking some away.
