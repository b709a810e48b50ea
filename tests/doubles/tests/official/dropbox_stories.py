"""Stories of the official SDK at the double of Dropbox; one is named on the command line."""

import io
import os
import sys
import threading
import time
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests

# The SDK speaks https to the hosts that it is told; here they are without TLS.
BASE = urlsplit(os.environ["DROPBOX_DOUBLE"])
for name in ("DROPBOX_API_HOST", "DROPBOX_API_CONTENT_HOST", "DROPBOX_API_NOTIFY_HOST"):
    os.environ[name] = urlsplit(os.environ[name]).netloc

import dropbox  # noqa: E402
from dropbox import exceptions, files  # noqa: E402
from dropbox.files import WriteMode  # noqa: E402


class Plain(requests.Session):
    """Passes on over http what is meant for https."""

    def request(self, method, url, **options):
        return super().request(method, url.replace("https://", "http://", 1), **options)


def client(**options):
    options.setdefault("oauth2_access_token", os.environ["DROPBOX_TOKEN"])
    return dropbox.Dropbox(session=Plain(), **options)


def raises(kind, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError(f"{call.__name__} should have failed with {kind.__name__}")


def refused(call, *arguments, **options):
    """What an endpoint refused with: the union of its errors."""
    return raises(exceptions.ApiError, call, *arguments, **options).error


def everything(dbx, path="", **options):
    """All entries of a list, and the last cursor."""
    page = dbx.files_list_folder(path, **options)
    entries = list(page.entries)
    while page.has_more:
        page = dbx.files_list_folder_continue(page.cursor)
        entries += page.entries
    return entries, page.cursor


def news(dbx, cursor):
    """All entries behind a cursor, and the last cursor."""
    entries, has_more = [], True
    while has_more:
        page = dbx.files_list_folder_continue(cursor)
        entries, cursor, has_more = entries + page.entries, page.cursor, page.has_more
    return entries, cursor


def upload_and_download():
    dbx = client()
    content = b"two, three, five"
    written = dbx.files_upload(content, "/Homework/Prime.txt")
    assert isinstance(written, files.FileMetadata)
    assert written.path_lower == "/homework/prime.txt"
    assert written.path_display == "/Homework/Prime.txt"
    assert written.name == "Prime.txt" and written.size == len(content)
    assert written.content_hash == dropbox.content_hash.content_hash(content)
    metadata, response = dbx.files_download("/HOMEWORK/prime.TXT")
    assert response.content == content and metadata == written
    assert dbx.files_get_metadata("/homework/prime.txt") == written
    assert isinstance(dbx.files_get_metadata("/homework"), files.FolderMetadata)
    by_id, _ = dbx.files_download(written.id)
    assert by_id.rev == written.rev


def names_that_are_not_ascii():
    dbx = client()
    for name in ("Grün.txt", "日本語", "😀", "\u007f \n\"quoted\\"):
        written = dbx.files_upload(name.encode(), f"/{name}")
        assert written.name == name and written.path_display == f"/{name}"
        metadata, response = dbx.files_download(f"/{name.upper()}")
        assert metadata == written and response.content == name.encode()
    assert len(everything(dbx)[0]) == 4


def conflicts():
    dbx = client()
    first = dbx.files_upload(b"one", "/Log/1", strict_conflict=True)
    # Identical content is no conflict, unless it is strict.
    again = dbx.files_upload(b"one", "/log/1")
    assert again.rev == first.rev and again.id == first.id
    strict = refused(dbx.files_upload, b"one", "/log/1", strict_conflict=True)
    assert strict.get_path().reason.get_conflict().is_file()
    assert strict.get_path().upload_session_id
    other = refused(dbx.files_upload, b"two", "/LOG/1")
    assert other.get_path().reason.get_conflict().is_file()
    folder = refused(dbx.files_upload, b"two", "/Log", mode=WriteMode.overwrite)
    assert folder.get_path().reason.get_conflict().is_folder()
    under = refused(dbx.files_upload, b"two", "/log/1/2")
    assert under.get_path().reason.get_conflict().is_file_ancestor()
    assert dbx.files_upload(b"two", "/log/1", autorename=True).path_lower == "/log/1 (2)"
    # What was refused is not written; its session can be finished under another name.
    assert dbx.files_download("/log/1")[1].content == b"one"
    cursor = files.UploadSessionCursor(other.get_path().upload_session_id, 3)
    dbx.files_upload_session_finish(b"", cursor, files.CommitInfo("/log/2"))
    assert dbx.files_download("/log/2")[1].content == b"two"


def updates_by_rev():
    dbx = client()
    first = dbx.files_upload(b"one", "/lock")
    second = dbx.files_upload(b"two", "/lock", mode=WriteMode.update(first.rev), strict_conflict=True)
    assert second.rev != first.rev and second.id == first.id
    assert len(second.rev) >= 9 and int(second.rev, 16)
    stale = refused(dbx.files_upload, b"3", "/lock", mode=WriteMode.update(first.rev))
    assert stale.get_path().reason.get_conflict().is_file()
    # Without strict_conflict the rev of what is gone does not matter.
    dbx.files_delete_v2("/lock")
    mode = WriteMode.update(second.rev)
    gone = refused(dbx.files_upload, b"4", "/lock", mode=mode, strict_conflict=True)
    assert gone.get_path().reason.get_conflict().is_file()
    anew = dbx.files_upload(b"4", "/lock", mode=mode)
    assert anew.id != first.id
    over = dbx.files_upload(b"5", "/lock", mode=WriteMode.overwrite)
    assert over.id == anew.id and over.rev != anew.rev
    assert dbx.files_download(f"rev:{over.rev}")[1].content == b"5"


def lists():
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


def many_files_in_few_requests(number):
    """The service takes 1,000 files of a batch, but only the contents of 500 in one request."""
    dbx = client()
    number = int(number)
    dbx.files_upload(b"in the way", "/docs/7")
    contents = [f"document {i}".encode() for i in range(number)]
    ids = dbx.files_upload_session_start_batch(number).session_ids
    cursors = [files.UploadSessionCursor(id, 0) for id in ids]
    entries = [
        files.UploadSessionAppendBatchArgEntry(cursor, len(content), close=True)
        for cursor, content in zip(cursors, contents)
    ]
    for some in (slice(0, 500), slice(500, number)):
        body = b"".join(contents[some])
        appended = dbx.files_upload_session_append_batch(body, entries[some]).entries
        assert len(appended) == len(entries[some]) and all(e.is_success() for e in appended)
    entries = [
        files.UploadSessionFinishArg(
            files.UploadSessionCursor(id, len(content)),
            files.CommitInfo(f"/docs/{i}", mode=WriteMode.add, strict_conflict=True),
        )
        for i, (id, content) in enumerate(zip(ids, contents))
    ]
    results = dbx.files_upload_session_finish_batch_v2(entries).entries
    assert len(results) == number
    for i, result in enumerate(results):
        if i == 7:
            assert result.get_failure().get_path().get_conflict().is_file()
        else:
            assert result.get_success().name == str(i)
    assert dbx.files_download("/docs/7")[1].content == b"in the way"
    # What is finished is gone; what was in conflict can be finished elsewhere.
    entries[7].commit.path = "/docs/seven"
    results = dbx.files_upload_session_finish_batch_v2(entries[6:8]).entries
    assert results[0].get_failure().get_lookup_failed().is_not_found()
    assert results[1].get_success().path_lower == "/docs/seven"


def an_entry_is_refused():
    """The double refuses the next entry of a batch that names `busy`."""
    dbx = client()
    ids = dbx.files_upload_session_start_batch(2).session_ids
    for id in ids:
        dbx.files_upload_session_append_v2(b"", files.UploadSessionCursor(id, 0), close=True)
    entries = [
        files.UploadSessionFinishArg(files.UploadSessionCursor(id, 0), files.CommitInfo(path))
        for id, path in zip(ids, ("/busy", "/idle"))
    ]
    busy, idle = dbx.files_upload_session_finish_batch_v2(entries).entries
    assert busy.get_failure().is_too_many_write_operations() and idle.is_success()
    (busy,) = dbx.files_upload_session_finish_batch_v2(entries[:1]).entries
    assert busy.get_success().path_lower == "/busy"


def one_session():
    dbx = client()
    id = dbx.files_upload_session_start(b"one").session_id
    cursor = files.UploadSessionCursor(id, 0)
    wrong = refused(dbx.files_upload_session_append_v2, b"two", cursor)
    assert wrong.get_incorrect_offset().correct_offset == 3
    cursor.offset = 3
    dbx.files_upload_session_append_v2(b"two", cursor)
    commit = files.CommitInfo("/session")
    early = refused(dbx.files_upload_session_finish, b"", cursor, commit)
    assert early.get_lookup_failed().get_incorrect_offset().correct_offset == 6
    cursor.offset = 6
    entry = files.UploadSessionFinishArg(cursor, commit)
    (result,) = dbx.files_upload_session_finish_batch_v2([entry]).entries
    assert result.get_failure().get_lookup_failed().is_not_closed()
    dbx.files_upload_session_append_v2(b"three", cursor, close=True)
    closed = refused(dbx.files_upload_session_append_v2, b"four", cursor)
    assert closed.is_closed()
    cursor.offset = 11
    written = dbx.files_upload_session_finish(b"", cursor, commit)
    assert written.size == 11 and dbx.files_download("/session")[1].content == b"onetwothree"
    gone = refused(dbx.files_upload_session_finish, b"", cursor, commit)
    assert gone.get_lookup_failed().is_not_found()


def the_old_batch():
    dbx = client()
    id = dbx.files_upload_session_start(b"content", close=True).session_id
    cursor = files.UploadSessionCursor(id, 7)
    entry = files.UploadSessionFinishArg(cursor, files.CommitInfo("/old"))
    job = dbx.files_upload_session_finish_batch([entry]).get_async_job_id()
    assert dbx.files_upload_session_finish_batch_check(job).is_in_progress()
    result = patiently(lambda: dbx.files_upload_session_finish_batch_check(job))
    assert result.get_complete().entries[0].get_success().path_lower == "/old"


def patiently(check):
    """The first answer that is not `in_progress`."""
    for _ in range(200):
        answer = check()
        if not answer.is_in_progress():
            return answer
        time.sleep(0.02)
    raise AssertionError("the job goes on and on")


def deletes():
    dbx = client()
    first = dbx.files_upload(b"one", "/lock")
    second = dbx.files_upload(b"two", "/lock", mode=WriteMode.overwrite)
    stale = refused(dbx.files_delete_v2, "/lock", parent_rev=first.rev)
    assert stale.get_path_write().get_conflict().is_file()
    gone = dbx.files_delete_v2("/lock", parent_rev=second.rev).metadata
    assert isinstance(gone, files.FileMetadata) and gone.rev == second.rev
    assert refused(dbx.files_delete_v2, "/lock").get_path_lookup().is_not_found()
    assert refused(dbx.files_get_metadata, "/lock").get_path().is_not_found()
    deleted = dbx.files_get_metadata("/lock", include_deleted=True)
    assert isinstance(deleted, files.DeletedMetadata)

    for name in "abc":
        dbx.files_upload(name.encode(), f"/folder/{name}")
    paths = ("/folder/a", "/none", "/FOLDER/b")
    started = dbx.files_delete_batch([files.DeleteArg(path) for path in paths])
    job = started.get_async_job_id()
    assert dbx.files_delete_batch_check(job).is_in_progress()
    a, none, b = patiently(lambda: dbx.files_delete_batch_check(job)).get_complete().entries
    assert a.get_success().metadata.name == "a" and b.get_success().metadata.name == "b"
    assert none.get_failure().get_path_lookup().is_not_found()
    assert [entry.name for entry in everything(dbx, "/folder")[0]] == ["c"]
    unknown = refused(dbx.files_delete_batch_check, "dbjid:none")
    assert unknown.is_invalid_async_job_id()
    of_another = refused(dbx.files_upload_session_finish_batch_check, job)
    assert of_another.is_invalid_async_job_id()


def folders_and_moves():
    dbx = client()
    made = dbx.files_create_folder_v2("/Folder").metadata
    assert isinstance(made, files.FolderMetadata) and made.path_display == "/Folder"
    again = refused(dbx.files_create_folder_v2, "/folder")
    assert again.get_path().get_conflict().is_folder()
    first = dbx.files_upload(b"one", "/tmp/1")
    dbx.files_upload(b"two", "/tmp/2")
    moved = dbx.files_move_v2("/tmp/1", "/folder/Slot").metadata
    assert moved.path_display == "/Folder/Slot" and moved.id == first.id
    lost = refused(dbx.files_move_v2, "/tmp/2", "/folder/slot")
    assert lost.get_to().get_conflict().is_file()
    none = refused(dbx.files_move_v2, "/tmp/1", "/folder/other")
    assert none.get_from_lookup().is_not_found()
    dbx.files_move_v2("/Folder", "/Elsewhere")
    assert dbx.files_download("/elsewhere/slot")[1].content == b"one"


def contents_are_checked():
    dbx = client(auto_content_hash=False)
    wrong = dropbox.content_hash.content_hash(b"other")
    error = refused(dbx.files_upload, b"content", "/a", content_hash=wrong)
    assert error.is_content_hash_mismatch()
    error = refused(dbx.files_upload_session_start, b"content", content_hash=wrong)
    assert error.is_content_hash_mismatch()
    large = bytes(5 << 20)
    right = dropbox.content_hash.content_hash(large)
    assert dbx.files_upload(large, "/a", content_hash=right).content_hash == right


def a_folder_as_zip():
    import zipfile

    dbx = client()
    for name in ("one", "two/Three"):
        dbx.files_upload(name.encode() * 100, f"/Docs/{name}")
    result, response = dbx.files_download_zip("/docs")
    assert result.metadata.path_display == "/Docs"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.read("Docs/one") == b"one" * 100
        assert archive.read("Docs/two/Three") == b"two/Three" * 100
    assert refused(dbx.files_download_zip, "/none").get_path().is_not_found()


VERIFIER = "v" * 43


def a_code_becomes_tokens(code):
    flow = dropbox.DropboxOAuth2FlowNoRedirect(
        os.environ["DROPBOX_APP_KEY"], token_access_type="offline", use_pkce=True
    )
    flow.requests_session = Plain()
    flow.code_verifier = VERIFIER
    result = flow.finish(code)
    assert result.expires_at > datetime.utcnow() + timedelta(hours=3)
    assert "files.content.write" in result.scope.split(" ")
    dbx = client(oauth2_access_token=result.access_token)
    assert dbx.users_get_current_account().account_id == result.account_id
    # A code is good once.
    error = raises(requests.HTTPError, flow.finish, code)
    assert error.response.json()["error"] == "invalid_grant"
    later = client(
        oauth2_access_token=None,
        oauth2_refresh_token=result.refresh_token,
        app_key=os.environ["DROPBOX_APP_KEY"],
    )
    later.files_upload(b"a", "/a")


def a_user_signs_in():
    flow = dropbox.DropboxOAuth2FlowNoRedirect(
        os.environ["DROPBOX_APP_KEY"], token_access_type="offline", use_pkce=True
    )
    flow.requests_session = Plain()
    page = flow.start().replace("https://www.dropbox.com", BASE.geturl())
    shown = requests.get(page)
    assert shown.status_code == 200, shown.text
    result = flow.finish(shown.text)
    client(oauth2_access_token=result.access_token).files_upload(b"a", "/a")
    # A code is of no use with another verifier.
    stolen = requests.get(page).text
    flow.code_verifier = "w" * 43
    error = raises(requests.HTTPError, flow.finish, stolen)
    assert error.response.json()["error"] == "invalid_grant"


def signed_in(**options):
    """A client whose access token seems to have hours left."""
    return client(
        oauth2_refresh_token=os.environ["DROPBOX_REFRESH_TOKEN"],
        oauth2_access_token_expiration=datetime.utcnow() + timedelta(hours=4),
        app_key=os.environ["DROPBOX_APP_KEY"],
        **options,
    )


def an_expired_token_is_refreshed():
    error = raises(exceptions.AuthError, client().files_list_folder, "")
    assert error.error.is_expired_access_token()
    dbx = signed_in()
    dbx.files_upload(b"a", "/a")
    assert dbx._oauth2_access_token != os.environ["DROPBOX_TOKEN"]


def a_token_is_refreshed_before_it_ends(life):
    """The SDK renews what has less than five minutes left."""
    dbx = client(
        oauth2_access_token=None,
        oauth2_refresh_token=os.environ["DROPBOX_REFRESH_TOKEN"],
        app_key=os.environ["DROPBOX_APP_KEY"],
    )
    dbx.files_upload(b"a", "/a")
    left = dbx._oauth2_access_token_expiration - datetime.utcnow()
    assert int(life) - 10 < left.total_seconds() <= int(life)
    first = dbx._oauth2_access_token
    dbx.files_upload(b"b", "/b")
    assert dbx._oauth2_access_token != first


def what_is_revoked_is_refused():
    error = raises(exceptions.AuthError, client().files_list_folder, "")
    assert error.error.is_invalid_access_token()
    dbx = client(
        oauth2_access_token=None,
        oauth2_refresh_token=os.environ["DROPBOX_REFRESH_TOKEN"],
        app_key=os.environ["DROPBOX_APP_KEY"],
    )
    # The SDK makes this of 400 invalid_grant.
    error = raises(exceptions.AuthError, dbx.files_list_folder, "")
    assert error.error.is_invalid_access_token()
    malformed = raises(exceptions.BadInputError, client(oauth2_access_token="x").files_list_folder, "")
    assert malformed.message == (
        'Error in call to API function "files/list_folder": '
        "The given OAuth 2 access token is malformed."
    )


def the_user_signs_out():
    dbx = signed_in()
    dbx.auth_token_revoke()
    error = raises(exceptions.AuthError, dbx.files_list_folder, "")
    assert error.error.is_invalid_access_token()
    raises(exceptions.AuthError, dbx.refresh_access_token)


def a_scope_is_missing():
    """The token may only read."""
    dbx = client()
    assert dbx.files_list_folder("").entries == []
    error = raises(exceptions.AuthError, dbx.files_upload, b"a", "/a").error
    assert error.get_missing_scope().required_scope == "files.content.write"


def a_limit_is_seen():
    """The double limits four uploads: JSON, text, and contention without and with seconds."""
    dbx = client(max_retries_on_rate_limit=0)
    error = raises(exceptions.RateLimitError, dbx.files_upload, b"a", "/a")
    assert error.backoff == 7 and error.error.reason.is_too_many_requests()
    error = raises(exceptions.RateLimitError, dbx.files_upload, b"a", "/a")
    assert error.backoff == 8 and error.error is None
    error = raises(exceptions.RateLimitError, dbx.files_upload, b"a", "/a")
    # The SDK's default, for the field is not there.
    assert error.backoff == 1 and error.error.reason.is_too_many_write_operations()
    error = raises(exceptions.RateLimitError, dbx.files_upload, b"a", "/a")
    assert error.backoff == 3 and error.error.reason.is_too_many_write_operations()
    dbx.files_upload(b"a", "/a")


def a_limit_is_waited_for():
    """The double limits one upload for a second, and fails another."""
    began = time.monotonic()
    client().files_upload(b"a", "/limited")
    assert 1 <= time.monotonic() - began < 5
    client().files_upload(b"a", "/failing")


def wrong_calls_are_refused():
    dbx = client()
    root = raises(exceptions.BadInputError, dbx.files_list_folder, "/")
    assert root.message == (
        'Error in call to API function "files/list_folder": request body: path: '
        'Specify the root folder as an empty string rather than as "/".'
    )
    cursor = dbx.files_list_folder("").cursor
    rooted = dbx.with_path_root(dropbox.common.PathRoot.home)
    error = raises(exceptions.BadInputError, rooted.files_list_folder, "")
    assert error.message.endswith("Path root is not supported for sandbox app.")
    too_many = [files.DeleteArg(f"/{i}") for i in range(1000)]
    arg = '{"entries": [' + ", ".join(['{"path": "/a"}'] * 1001) + "]}"
    assert dbx.files_delete_batch(too_many).is_async_job_id()
    for route, body in (
        ("files/delete_batch", arg),
        ("files/list_folder/longpoll", '{"cursor": "%s", "timeout": 29}' % cursor),
        ("files/list_folder/longpoll", '{"cursor": "%s", "timeout": 481}' % cursor),
        ("files/list_folder", '{"path": "", "unknown": 1}'),
        ("files/get_metadata", '{"path": "no slash"}'),
        ("files/get_metadata", "{"),
    ):
        headers = {"Content-Type": "application/json"}
        if "longpoll" not in route:
            headers["Authorization"] = "Bearer " + os.environ["DROPBOX_TOKEN"]
        answer = requests.post(f"{BASE.geturl()}/2/{route}", data=body, headers=headers)
        assert answer.status_code == 400, (route, answer.text)
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text.startswith(f'Error in call to API function "{route}": ')


if __name__ == "__main__":
    story, arguments = sys.argv[1], sys.argv[2:]
    globals()[story](*arguments)
    print(f"{story}: done")
