# Le cadre de chaque page : barre, menu, apparence, et ce que disent les scripts.
frame-skip = Aller au contenu
frame-menu = Menu
frame-navigation = Pages
frame-account = Mon compte
frame-sign-out = Se déconnecter
frame-language = Langue
frame-theme = Thème
frame-theme-system = Comme le système
frame-theme-light = Clair
frame-theme-dark = Sombre
frame-copied = Copié
frame-close = Fermer
frame-failed = Cela n’a pas fonctionné. Vérifiez votre connexion et réessayez.
frame-undo = Annuler
