# Ce que quelqu'un a fait, après son nom.
activity-domain-create = a ajouté le domaine { $subject }
activity-domain-change = a modifié le domaine { $subject }
activity-domain-disable = a désactivé le domaine { $subject }
activity-domain-enable = a activé le domaine { $subject }
activity-domain-remove = a retiré le domaine { $subject }
activity-domain-restore = a restauré le domaine { $subject }
activity-domain-undo = a annulé une modification du domaine { $subject }
activity-domain-alias-create = a donné à un domaine l’autre nom { $subject }
activity-domain-alias-remove = a ôté à un domaine l’autre nom { $subject }
activity-domain-alias-undo = a annulé une modification de l’autre nom { $subject }
activity-person-create = a ajouté { $subject }
activity-person-change = a modifié { $subject }
activity-person-role = a modifié ce que { $subject } peut faire
activity-person-suspend = a suspendu { $subject }
activity-person-resume = a levé la suspension de { $subject }
activity-person-password = a fixé un mot de passe pour { $subject }
activity-person-remove = a retiré { $subject }
activity-person-restore = a restauré { $subject }
activity-person-undo = a annulé une modification de { $subject }
activity-alias-create = a ajouté l’alias { $subject }
activity-alias-change = a modifié l’alias { $subject }
activity-alias-remove = a retiré l’alias { $subject }
activity-alias-undo = a annulé une modification de l’alias { $subject }
# Pourquoi quelque chose n'a pas été annulé.
failure-unknown-entry = Cette modification n’est pas ici, ou vous n’avez pas à la voir.
failure-not-undoable = Cette modification ne peut être annulée, ou l’a déjà été.
failure-changed-since = { $subject } a été modifié depuis ({ $members }), et l’annulation déferait cela aussi. Annulez d’abord la modification suivante, ou réglez-le à la main.
