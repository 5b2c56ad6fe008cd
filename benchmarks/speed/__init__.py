"""How much of a page's time is ours: the app beside a floor and its peers, before a quiet stand-in for Box."""
