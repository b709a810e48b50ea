"""Upload sessions, and many at once."""

# First, for it tells the SDK where the double is.
from support import client, patiently, refused

from dropbox import files
from dropbox.files import WriteMode


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
