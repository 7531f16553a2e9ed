# What someone did, after their name.
activity-domain-create = added the domain { $subject }
activity-domain-change = changed the domain { $subject }
activity-domain-disable = disabled the domain { $subject }
activity-domain-enable = enabled the domain { $subject }
activity-domain-remove = removed the domain { $subject }
activity-domain-restore = restored the domain { $subject }
activity-domain-undo = undid a change of the domain { $subject }
activity-domain-alias-create = gave a domain the other name { $subject }
activity-domain-alias-remove = took the other name { $subject } from a domain
activity-domain-alias-undo = undid a change of the other name { $subject }
activity-person-create = added { $subject }
activity-person-change = changed { $subject }
activity-person-role = changed what { $subject } may do
activity-person-suspend = suspended { $subject }
activity-person-resume = ended the suspension of { $subject }
activity-person-password = set a password for { $subject }
activity-person-remove = removed { $subject }
activity-person-restore = restored { $subject }
activity-person-undo = undid a change of { $subject }
activity-alias-create = added the alias { $subject }
activity-alias-change = changed the alias { $subject }
activity-alias-remove = removed the alias { $subject }
activity-alias-undo = undid a change of the alias { $subject }
# Why something was not undone.
failure-unknown-entry = This change is not here, or it is not yours to see.
failure-not-undoable = This change cannot be undone, or it has been undone already.
failure-changed-since = { $subject } has been changed since ({ $members }), and undoing would undo that, too. Undo the later change first, or set it by hand.
