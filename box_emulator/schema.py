"""The tables, and the version that a database file carries. Ids are numbers here and strings of digits elsewhere."""

VERSION = 1

SCHEMA = (
    "CREATE TABLE clock (offset REAL NOT NULL, frozen_at REAL)",
    "INSERT INTO clock VALUES (0, NULL)",
    "CREATE TABLE secrets (download_key BLOB NOT NULL)",
    "INSERT INTO secrets VALUES (randomblob(32))",
    """CREATE TABLE apps (
        client_id TEXT PRIMARY KEY,
        client_secret TEXT NOT NULL,
        name TEXT NOT NULL,
        redirect_uris TEXT NOT NULL  -- one a line
    )""",
    """CREATE TABLE users (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        login TEXT NOT NULL UNIQUE COLLATE NOCASE,
        job_title TEXT NOT NULL,
        language TEXT NOT NULL,
        timezone TEXT NOT NULL,
        space_amount INTEGER,  -- bytes; null: Box does not say
        space_used INTEGER NOT NULL,
        max_upload_size INTEGER NOT NULL,
        avatar BLOB,
        created_at REAL NOT NULL,
        modified_at REAL NOT NULL
    )""",
    # Files, folders and web links are one thing. A root folder has no row: it is id 0 of every user.
    """CREATE TABLE items (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        type TEXT NOT NULL,
        rank INTEGER NOT NULL,  -- folders before files before web links
        owner INTEGER NOT NULL REFERENCES users (id),
        parent INTEGER NOT NULL,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,  -- to compare and sort by, without case
        description TEXT NOT NULL,
        size INTEGER NOT NULL,  -- a folder's is that of all it holds
        sha1 TEXT,
        url TEXT,
        etag INTEGER NOT NULL,
        created_at REAL NOT NULL,
        modified_at REAL NOT NULL
    )""",
    "CREATE UNIQUE INDEX items_by_name ON items (owner, parent, name_key)",
    "CREATE INDEX items_in_order ON items (owner, parent, rank, name_key, id)",
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('items', 100000000000)",
    "CREATE TABLE contents (item INTEGER PRIMARY KEY REFERENCES items (id), data BLOB NOT NULL)",
    """CREATE TABLE codes (
        code TEXT PRIMARY KEY,
        client_id TEXT NOT NULL,
        user INTEGER NOT NULL,
        expires_at REAL NOT NULL
    )""",
    # One row per pair of tokens. A family is one sign-in and all the pairs refreshed from it.
    """CREATE TABLE pairs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        family INTEGER,
        parent INTEGER,
        client_id TEXT NOT NULL,
        user INTEGER NOT NULL,
        access_token TEXT NOT NULL UNIQUE,
        access_expires_at REAL NOT NULL,
        refresh_token TEXT NOT NULL UNIQUE,
        refresh_expires_at REAL NOT NULL,
        first_used_at REAL,
        refreshed_at REAL,
        revoked_at REAL
    )""",
    "CREATE INDEX pairs_by_family ON pairs (family)",
    "CREATE INDEX pairs_by_parent ON pairs (parent)",
)
TABLES = ("contents", "items", "users", "apps", "codes", "pairs")
