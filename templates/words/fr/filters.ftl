# Ce que d'autres filtres disent d'un message : ClamAV, rspamd, milters.
filters-clean = { $filter } n'a rien contre le message.
filters-virus = { $filter } y a trouvé un virus : { $name }.
filters-rated-take = { $filter } lui donne { $score } points et l'accepterait : { $symbols }.
filters-rated-junk = { $filter } lui donne { $score } points et le tient pour indésirable : { $symbols }.
filters-rated-later = { $filter } lui donne { $score } points et veut qu'il revienne plus tard : { $symbols }.
filters-rated-reject = { $filter } lui donne { $score } points et le refuserait : { $symbols }.
filters-quarantine = { $filter } veut qu'il soit mis à l'écart : { $why }.
filters-changed = { $filter } le laisse passer et fait { $count ->
    [one] une modification
   *[other] { $count } modifications
} à son en-tête.
filters-put-off = { $filter } le remet à plus tard : { $reply }.
filters-refused = { $filter } le refuse : { $reply }.
filters-discarded = { $filter } veut qu'il soit jeté.
filters-too-large = { $filter } n'a pas été interrogé : le message dépasse les { $octets } octets que l'on montre aux filtres.
filters-too-large-for-it = { $filter } ne l'a pas regardé en entier : le message est plus grand que ce qu'il accepte.
filters-unreachable = { $filter } n'est pas joignable : { $why }.
filters-silent = { $filter } n'a pas répondu à temps.
filters-busy = { $filter } n'a pas pu être interrogé à temps : trop de messages l'attendent.
filters-broken = La connexion avec { $filter } s'est rompue : { $why }.
filters-malformed = La réponse de { $filter } n'est pas comprise : { $what }.
filters-failed = { $filter } dit avoir échoué : { $why }.
filters-resting = { $filter } n'a pas été interrogé : il était en panne il y a un instant, et sera bientôt essayé de nouveau.
filters-up = { $filter } répond.
