//! Schemas in which the order of writes matters, and the values that their rows may have.

/// A table: its name, the columns that are written, and how many rows are tried.
pub(super) struct Rows {
    pub table: &'static str,
    /// For each column its values, as SQL, separated by `|`.
    pub columns: &'static [(&'static str, &'static str)],
    pub tries: u64,
}

/// A schema.
pub(super) struct Case {
    pub name: &'static str,
    pub schema: &'static str,
    pub rows: &'static [Rows],
    /// What must be the same on both devices besides the rows: queries.
    pub follows: &'static [&'static str],
    /// Whether triggers of the application edit rows that are synced: then all comes in one batch, and
    /// what they edit is queued.
    pub triggers_edit: bool,
}

const fn rows(
    table: &'static str,
    tries: u64,
    columns: &'static [(&'static str, &'static str)],
) -> Rows {
    Rows { table, columns, tries }
}

const IDS: &str = "'a'|'b'|'c'|'d'|'e'|'f'|'g'";
const SMALL: &str = "1|2|3|4|5|6";
const PAIR: &str = "1|2";
const TEXT: &str = "'x'|'y'";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a list whose positions must be there",
        schema: "CREATE TABLE t (id TEXT PRIMARY KEY, pos INTEGER NOT NULL UNIQUE, text TEXT)",
        rows: &[rows("t", 14, &[("id", IDS), ("pos", SMALL), ("text", TEXT)])],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "several unique constraints, one of two columns",
        schema: "CREATE TABLE t (id INTEGER PRIMARY KEY, a NOT NULL, b NOT NULL, c TEXT UNIQUE,
            d INTEGER NOT NULL UNIQUE, UNIQUE (a, b))",
        rows: &[rows(
            "t",
            16,
            &[("id", SMALL), ("a", "1|2|3"), ("b", "1|2|3"), ("c", "'p'|'q'|NULL|'r'"), ("d", SMALL)],
        )],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "unique indexes on expressions, on some rows and without case",
        schema: "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT, gone INTEGER NOT NULL,
                login TEXT COLLATE NOCASE UNIQUE);
            CREATE UNIQUE INDEX one_each ON t (lower(mail), gone % 2) WHERE gone < 2;
            CREATE UNIQUE INDEX backwards ON t (login COLLATE RTRIM DESC)",
        rows: &[rows(
            "t",
            16,
            &[
                ("id", SMALL),
                ("mail", "'m'|'M'|'n'|NULL"),
                ("gone", "0|1|2"),
                ("login", "'ann'|'Ann'|'bob'|'BOB'|'cid'|'Cid'"),
            ],
        )],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "what the schema does on a conflict",
        schema: "CREATE TABLE t (id TEXT PRIMARY KEY ON CONFLICT REPLACE,
            a INTEGER UNIQUE ON CONFLICT REPLACE, b INTEGER UNIQUE ON CONFLICT IGNORE,
            c INTEGER NOT NULL ON CONFLICT ROLLBACK UNIQUE ON CONFLICT ROLLBACK,
            d INTEGER UNIQUE ON CONFLICT FAIL)",
        rows: &[rows(
            "t",
            16,
            &[("id", IDS), ("a", SMALL), ("b", SMALL), ("c", SMALL), ("d", "1|2|3|4|NULL")],
        )],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "what the schema does on a conflict, with triggers of the application",
        schema: "CREATE TABLE t (id TEXT PRIMARY KEY ON CONFLICT IGNORE,
                a INTEGER UNIQUE ON CONFLICT REPLACE, b INTEGER UNIQUE ON CONFLICT ROLLBACK);
            CREATE TABLE seen (id TEXT PRIMARY KEY, a);
            CREATE TRIGGER i AFTER INSERT ON t BEGIN INSERT OR REPLACE INTO seen VALUES (NEW.id, NEW.a); END;
            CREATE TRIGGER u AFTER UPDATE ON t BEGIN INSERT OR REPLACE INTO seen VALUES (NEW.id, NEW.a); END;
            CREATE TRIGGER d AFTER DELETE ON t BEGIN DELETE FROM seen WHERE id = OLD.id; END",
        rows: &[rows("t", 14, &[("id", IDS), ("a", SMALL), ("b", SMALL)])],
        follows: &["SELECT * FROM seen ORDER BY id"],
        triggers_edit: false,
    },
    Case {
        name: "a table without rowid that replaces",
        schema: "CREATE TABLE t (k TEXT, l INTEGER, v UNIQUE ON CONFLICT REPLACE, w NOT NULL UNIQUE,
            PRIMARY KEY (k, l) ON CONFLICT REPLACE) WITHOUT ROWID",
        rows: &[rows("t", 16, &[("k", "'a'|'b'|'c'"), ("l", PAIR), ("v", SMALL), ("w", SMALL)])],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "generated columns that are unique",
        schema: "CREATE TABLE t (id TEXT PRIMARY KEY, a INTEGER, b TEXT,
                g AS (a || '-' || b) STORED UNIQUE, h AS (a % 5) VIRTUAL);
            CREATE UNIQUE INDEX by_h ON t (h, b)",
        rows: &[rows("t", 14, &[("id", IDS), ("a", "1|2|3|6|7"), ("b", TEXT)])],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "a tree in one table, its children in order",
        schema: "CREATE TABLE t (id TEXT PRIMARY KEY, up TEXT REFERENCES t ON DELETE CASCADE,
            pos INTEGER NOT NULL, UNIQUE (up, pos))",
        rows: &[rows("t", 14, &[("id", IDS), ("up", "NULL|'a'|'b'|'c'|'d'"), ("pos", PAIR)])],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "parents with a unique value, children and their children",
        schema: "CREATE TABLE users (id TEXT PRIMARY KEY, mail TEXT NOT NULL UNIQUE);
            CREATE TABLE posts (id TEXT PRIMARY KEY, text,
                user TEXT NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
            CREATE TABLE likes (post TEXT REFERENCES posts ON DELETE CASCADE, who TEXT REFERENCES users
                ON DELETE SET NULL, n UNIQUE, PRIMARY KEY (post, n))",
        rows: &[
            rows("users", 8, &[("id", "'a'|'b'|'c'|'d'"), ("mail", "'x'|'y'|'z'")]),
            rows("posts", 10, &[("id", IDS), ("text", TEXT), ("user", "'a'|'b'|'c'|'d'")]),
            rows("likes", 8, &[("post", IDS), ("who", "'a'|'b'|NULL"), ("n", SMALL)]),
        ],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "children that refer to a unique value",
        schema: "CREATE TABLE users (id INTEGER PRIMARY KEY, mail TEXT NOT NULL UNIQUE);
            CREATE TABLE posts (id TEXT PRIMARY KEY,
                mail TEXT REFERENCES users (mail) ON DELETE SET NULL ON UPDATE CASCADE);
            CREATE TABLE notes (id TEXT PRIMARY KEY,
                mail TEXT NOT NULL REFERENCES users (mail) ON DELETE RESTRICT ON UPDATE RESTRICT)",
        rows: &[
            rows("users", 8, &[("id", "1|2|3|4"), ("mail", "'x'|'y'|'z'")]),
            rows("posts", 8, &[("id", IDS), ("mail", "'x'|'y'|'z'|NULL")]),
            rows("notes", 5, &[("id", "'a'|'b'|'c'"), ("mail", "'x'|'y'|'z'")]),
        ],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "keys without case, and children",
        schema: "CREATE TABLE tag (name TEXT PRIMARY KEY COLLATE NOCASE, n INTEGER NOT NULL UNIQUE);
            CREATE TABLE use (id TEXT PRIMARY KEY,
                tag TEXT REFERENCES tag (name) ON UPDATE CASCADE ON DELETE CASCADE)",
        rows: &[
            rows("tag", 10, &[("name", "'red'|'Red'|'RED'|'blue'|'Blue'|'x'|'X'"), ("n", SMALL)]),
            rows("use", 8, &[("id", IDS), ("tag", "'red'|'Red'|'blue'|'x'|NULL")]),
        ],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "tables that refer to each other",
        schema: "CREATE TABLE a (id INTEGER PRIMARY KEY, n UNIQUE,
                b REFERENCES b ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED);
            CREATE TABLE b (id INTEGER PRIMARY KEY, n UNIQUE, a REFERENCES a ON DELETE CASCADE)",
        rows: &[
            rows("a", 8, &[("id", "1|2|3|4"), ("n", SMALL), ("b", "1|2|3|4|NULL")]),
            rows("b", 8, &[("id", "1|2|3|4"), ("n", SMALL), ("a", "1|2|3|4|NULL")]),
        ],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "an index of the application's triggers, which count too",
        schema: "CREATE TABLE t (id TEXT PRIMARY KEY, slug TEXT NOT NULL UNIQUE, text TEXT);
            CREATE VIRTUAL TABLE found USING fts5(slug, text, content = 't', content_rowid = 'rowid');
            CREATE TABLE counts (n);
            INSERT INTO counts VALUES (0);
            CREATE TRIGGER i AFTER INSERT ON t BEGIN UPDATE counts SET n = n + 1;
                INSERT INTO found (rowid, slug, text) VALUES (NEW.rowid, NEW.slug, NEW.text); END;
            CREATE TRIGGER u AFTER UPDATE ON t BEGIN
                INSERT INTO found (found, rowid, slug, text) VALUES ('delete', OLD.rowid, OLD.slug, OLD.text);
                INSERT INTO found (rowid, slug, text) VALUES (NEW.rowid, NEW.slug, NEW.text); END;
            CREATE TRIGGER d AFTER DELETE ON t BEGIN UPDATE counts SET n = n - 1;
                INSERT INTO found (found, rowid, slug, text) VALUES ('delete', OLD.rowid, OLD.slug, OLD.text); END",
        rows: &[rows("t", 14, &[("id", IDS), ("slug", "'s'|'t'|'u'|'v'|'w'"), ("text", TEXT)])],
        follows: &[
            "SELECT n FROM counts",
            "INSERT INTO found (found, rank) VALUES ('integrity-check', 1)",
            "SELECT id FROM t WHERE rowid IN (SELECT rowid FROM found WHERE found MATCH 's') ORDER BY id",
        ],
        triggers_edit: false,
    },
    Case {
        name: "triggers of the application that cascade",
        schema: "CREATE TABLE users (id TEXT PRIMARY KEY, mail TEXT NOT NULL UNIQUE);
            CREATE TABLE posts (id TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users);
            CREATE TRIGGER d AFTER DELETE ON users BEGIN DELETE FROM posts WHERE user = OLD.id; END",
        rows: &[
            rows("users", 8, &[("id", "'a'|'b'|'c'|'d'"), ("mail", "'x'|'y'|'z'")]),
            rows("posts", 8, &[("id", IDS), ("user", "'a'|'b'|'c'|'d'")]),
        ],
        follows: &[],
        triggers_edit: true,
    },
    Case {
        name: "checks and strict types",
        schema: "CREATE TABLE t (id TEXT PRIMARY KEY, pos INTEGER NOT NULL UNIQUE CHECK (pos BETWEEN 1 AND 6),
            kind TEXT NOT NULL CHECK (kind IN ('x', 'y')), UNIQUE (kind, pos)) STRICT",
        rows: &[rows("t", 14, &[("id", IDS), ("pos", SMALL), ("kind", TEXT)])],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "items of lists, found by both",
        schema: "CREATE TABLE lists (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
            CREATE TABLE items (list TEXT NOT NULL REFERENCES lists ON DELETE CASCADE ON UPDATE CASCADE,
                id INTEGER, pos INTEGER NOT NULL, PRIMARY KEY (list, id), UNIQUE (list, pos)) WITHOUT ROWID",
        rows: &[
            rows("lists", 6, &[("id", "'a'|'b'|'c'"), ("name", "'x'|'y'|'z'")]),
            rows("items", 12, &[("list", "'a'|'b'|'c'"), ("id", "1|2|3"), ("pos", "1|2|3")]),
        ],
        follows: &[],
        triggers_edit: false,
    },
    Case {
        name: "keys and values without a type, some of which are equal",
        schema: "CREATE TABLE t (id PRIMARY KEY, v UNIQUE)",
        rows: &[rows("t", 12, &[("id", "1|1.0|'1'|x'31'|2|2.0"), ("v", "1|1.0|'1'|x'31'|NULL|2")])],
        follows: &[],
        triggers_edit: false,
    },
];
