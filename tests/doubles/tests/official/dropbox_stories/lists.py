"""Lists, and waiting for changes."""

import threading
import time

# First, for it tells the SDK where the double is.
from support import client, everything, news, raises, refused

from dropbox import exceptions, files
from dropbox.files import WriteMode


def pages_and_changes():
    """The double gives pages of one entry."""
    dbx = client()
    for name in ("/a", "/b", "/Folder/c", "/Folder/d"):
        dbx.files_upload(name.encode(), name)
    entries, _ = everything(dbx)
    assert sorted(entry.name for entry in entries) == ["Folder", "a", "b"]
    page = dbx.files_list_folder("")
    assert len(page.entries) == 1 and page.has_more
    entries, cursor = everything(dbx, recursive=True)
    assert len(entries) == 5
    entries, _ = everything(dbx, "/folder", recursive=True)
    assert sorted(entry.name for entry in entries) == ["Folder", "c", "d"]
    latest = dbx.files_list_folder_get_latest_cursor("", recursive=True).cursor
    assert news(dbx, latest)[0] == [] and news(dbx, cursor)[0] == []

    dbx.files_delete_v2("/A")
    dbx.files_upload(b"changed", "/b", mode=WriteMode.overwrite)
    dbx.files_upload(b"new", "/folder/e")
    for place in (cursor, latest):
        changed, place = news(dbx, place)
        assert [entry.path_lower for entry in changed] == ["/a", "/b", "/folder/e"]
        assert isinstance(changed[0], files.DeletedMetadata) and changed[0].name == "a"
        assert changed[2].path_display == "/Folder/e"
        assert news(dbx, place)[0] == []
    # Of a folder that goes, only the folder is told.
    dbx.files_delete_v2("/folder")
    changed, cursor = news(dbx, cursor)
    assert [entry.path_lower for entry in changed if entry.name == "Folder"] == ["/folder"]
    assert [type(entry) for entry in changed][-1] is files.DeletedMetadata
    # If it comes again, what went with it is told, too.
    dbx.files_upload(b"again", "/folder/c")
    after, _ = news(dbx, cursor)
    there = {e.path_lower for e in after if not isinstance(e, files.DeletedMetadata)}
    assert there == {"/folder", "/folder/c"}

    assert sorted(entry.name for entry in everything(dbx)[0]) == ["b", "folder"]
    with_deleted, _ = everything(dbx, include_deleted=True)
    assert sorted(entry.name for entry in with_deleted) == ["a", "b", "folder"]
    assert refused(dbx.files_list_folder, "/none").get_path().is_not_found()
    assert refused(dbx.files_list_folder, "/b").get_path().is_not_folder()
    malformed = raises(exceptions.BadInputError, dbx.files_list_folder_continue, "AAHnonsense")
    assert malformed.message.startswith('Error in call to API function "files/list_folder/continue":')
    gone = dbx.files_list_folder("/folder").cursor
    dbx.files_delete_v2("/folder")
    assert refused(dbx.files_list_folder_continue, gone).get_path().is_not_found()


def a_cursor_is_made():
    dbx = client()
    dbx.files_upload(b"a", "/a")
    print(dbx.files_list_folder("").cursor)


def a_cursor_is_reset(cursor):
    dbx = client()
    assert refused(dbx.files_list_folder_continue, cursor).is_reset()
    assert refused(dbx.files_list_folder_longpoll, cursor).is_reset()
    assert everything(dbx)[0][0].name == "a"


def a_change_arrives():
    dbx = client()
    cursor = dbx.files_list_folder_get_latest_cursor("").cursor
    answers = []
    poll = threading.Thread(
        target=lambda: answers.append(client().files_list_folder_longpoll(cursor, timeout=480))
    )
    poll.start()
    time.sleep(0.3)
    assert poll.is_alive(), "there is no change yet"
    dbx.files_upload(b"a", "/a")
    poll.join(60)
    assert answers[0].changes and answers[0].backoff is None
    entries, cursor = news(dbx, cursor)
    assert [entry.name for entry in entries] == ["a"]


def nothing_changes(backoff):
    """Here a second of a longpoll is a hundredth."""
    dbx = client()
    cursor = dbx.files_list_folder_get_latest_cursor("").cursor
    began = time.monotonic()
    answer = dbx.files_list_folder_longpoll(cursor, timeout=30)
    assert not answer.changes and answer.backoff == int(backoff)
    assert 0.3 <= time.monotonic() - began < 30
