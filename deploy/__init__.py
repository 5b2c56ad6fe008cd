"""Files that put the app on a server (docs/deploy.md), and, in `tests`, whether they do what they say."""
