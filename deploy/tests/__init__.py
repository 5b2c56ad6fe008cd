"""Whether the files of `deploy/` do what they say. Delete them with the folder."""
