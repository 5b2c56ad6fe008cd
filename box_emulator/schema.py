"""The tables, and the version that a database file carries. Ids are numbers here and strings of digits elsewhere."""

VERSION = 3

SCHEMA = (
    "CREATE TABLE clock (offset REAL NOT NULL, frozen_at REAL)",
    "INSERT INTO clock VALUES (0, NULL)",
    "CREATE TABLE secrets (download_key BLOB NOT NULL)",
    "INSERT INTO secrets VALUES (randomblob(32))",
    """CREATE TABLE apps (
        client_id TEXT PRIMARY KEY,
        client_secret TEXT NOT NULL,
        name TEXT NOT NULL,
        redirect_uris TEXT NOT NULL,  -- one a line
        origins TEXT NOT NULL  -- one a line
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
        role TEXT NOT NULL,
        status TEXT NOT NULL,
        phone TEXT NOT NULL,
        address TEXT NOT NULL,
        notification_email TEXT,
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
        size INTEGER NOT NULL,  -- a folder's is that of all it holds, but for the trash
        sha1 TEXT,
        version INTEGER,  -- the current one of a file
        url TEXT,
        etag INTEGER NOT NULL,
        created_at REAL NOT NULL,
        modified_at REAL NOT NULL,
        content_created_at REAL,
        content_modified_at REAL,
        trash INTEGER,  -- the item with which this one went to the trash, often itself; null: it is not there
        trashed_at REAL,
        details TEXT NOT NULL DEFAULT '{}'  -- what is seldom set, such as tags and the lock
    )""",
    "CREATE UNIQUE INDEX items_by_name ON items (owner, parent, name_key) WHERE trash IS NULL",
    *(
        f"CREATE INDEX items_by_{column}_{way} ON items (owner, parent, rank, {column} {way}, id {way})"
        " WHERE trash IS NULL"
        for column in ("id", "name_key", "modified_at", "size")
        for way in ("ASC", "DESC")  # folders come first either way
    ),
    "CREATE INDEX items_in_folder ON items (parent)",
    "CREATE INDEX items_in_trash ON items (trash) WHERE trash IS NOT NULL",
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('items', 100000000000)",
    # How many items are in each folder: counting 100 000 of them would take too long.
    "CREATE TABLE counts (owner INTEGER, folder INTEGER, items INTEGER NOT NULL, PRIMARY KEY (owner, folder))",
    *(
        f"CREATE TRIGGER {name} AFTER {event} ON items WHEN {row}.trash IS NULL BEGIN INSERT INTO counts"  # noqa: S608
        f" VALUES ({row}.owner, {row}.parent, {change}) ON CONFLICT DO UPDATE SET items = items + excluded.items; END"
        for name, event, row, change in (
            ("count_new", "INSERT", "NEW", 1),
            ("count_gone", "DELETE", "OLD", -1),
            ("count_arrived", "UPDATE OF owner, parent, trash", "NEW", 1),
            ("count_left", "UPDATE OF owner, parent, trash", "OLD", -1),
        )
    ),
    """CREATE TABLE versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        item INTEGER NOT NULL,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha1 TEXT NOT NULL,
        created_at REAL NOT NULL,
        modified_at REAL NOT NULL,
        trashed_at REAL,
        restored_at REAL
    )""",
    "CREATE INDEX versions_by_item ON versions (item, number)",
    "CREATE INDEX versions_by_content ON versions (sha1)",
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('versions', 500000000000)",
    """CREATE TABLE links (
        item INTEGER PRIMARY KEY,
        slug TEXT NOT NULL UNIQUE,
        vanity TEXT UNIQUE COLLATE NOCASE,
        access TEXT NOT NULL,
        password TEXT,
        unshared_at REAL,
        can_download INTEGER NOT NULL,
        can_edit INTEGER NOT NULL,
        downloads INTEGER NOT NULL,
        previews INTEGER NOT NULL
    )""",
    """CREATE TABLE comments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        item INTEGER NOT NULL,
        author INTEGER NOT NULL,
        message TEXT NOT NULL,
        tagged_message TEXT NOT NULL,
        reply_to INTEGER,
        created_at REAL NOT NULL,
        modified_at REAL NOT NULL
    )""",
    "CREATE INDEX comments_by_item ON comments (item)",
    """CREATE TABLE recents (
        user INTEGER NOT NULL,
        item INTEGER NOT NULL,
        type TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (user, item)
    )""",
    """CREATE TABLE sessions (  -- of uploads in chunks
        id TEXT PRIMARY KEY,
        user INTEGER NOT NULL,
        item INTEGER,  -- the file that gets a new version; null: it makes a new file
        parent INTEGER NOT NULL,
        name TEXT NOT NULL,
        size INTEGER NOT NULL,
        expires_at REAL NOT NULL,
        committed INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE parts (
        session TEXT NOT NULL REFERENCES sessions (id),
        start INTEGER NOT NULL,
        size INTEGER NOT NULL,
        sha1 TEXT NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (session, start)
    )""",
    """CREATE TABLE archives (  -- zip downloads
        id TEXT PRIMARY KEY,
        user INTEGER NOT NULL,
        name TEXT NOT NULL,
        plan TEXT NOT NULL,  -- JSON: what goes into it
        expires_at REAL NOT NULL,
        started_at REAL,
        counts TEXT NOT NULL,  -- JSON
        state TEXT NOT NULL
    )""",
    """CREATE TABLE codes (
        code TEXT PRIMARY KEY,
        client_id TEXT NOT NULL,
        user INTEGER NOT NULL,
        scope TEXT,
        expires_at REAL NOT NULL
    )""",
    # One row per access token. A family is one sign-in and all the pairs refreshed from it.
    """CREATE TABLE pairs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        family INTEGER,
        parent INTEGER,
        client_id TEXT NOT NULL,
        user INTEGER NOT NULL,
        scope TEXT,  -- null: all that the app may do
        resource TEXT,  -- the one item it is for; null: any
        access_token TEXT NOT NULL UNIQUE,
        access_expires_at REAL NOT NULL,
        refresh_token TEXT UNIQUE,  -- null: there is none
        refresh_expires_at REAL NOT NULL,
        first_used_at REAL,
        refreshed_at REAL,
        revoked_at REAL
    )""",
    "CREATE INDEX pairs_by_family ON pairs (family)",
    "CREATE INDEX pairs_by_parent ON pairs (parent)",
)
TABLES = (
    *("parts", "sessions", "archives", "recents", "comments", "links", "versions", "items", "counts"),
    *("users", "apps", "codes", "pairs"),
)
